-- A forum: documents, enums, trees of posts, what is deleted softly, row security, partial and expression indexes.

CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION pg_trgm;
CREATE TYPE post_state AS ENUM ('draft', 'published', 'hidden');
CREATE TYPE vote_kind AS ENUM ('up', 'down', 'accept');
CREATE TYPE device AS (name text, screen integer[]);

CREATE TABLE members (
    id uuid PRIMARY KEY,
    handle citext NOT NULL UNIQUE,
    email text,
    joined timestamptz NOT NULL,
    last_ip inet,
    home_net cidr,
    card macaddr,
    settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    profile json,
    badges hstore,
    last_device device
);
CREATE UNIQUE INDEX members_email ON members (lower(email)) WHERE email IS NOT NULL;
CREATE INDEX members_settings ON members USING gin (settings jsonb_path_ops);
CREATE TABLE tags (name citext PRIMARY KEY, synonyms text[] NOT NULL DEFAULT '{}', uses bigint NOT NULL DEFAULT 0);
CREATE TABLE posts (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 1) PRIMARY KEY,
    parent bigint REFERENCES posts ON DELETE CASCADE,
    author uuid REFERENCES members ON DELETE SET NULL,
    state post_state NOT NULL DEFAULT 'draft',
    slug text NOT NULL,
    title text CHECK (parent IS NOT NULL OR title IS NOT NULL),
    body text NOT NULL,
    tags text[] NOT NULL DEFAULT '{}',
    extra jsonb,
    deleted timestamptz,
    words integer GENERATED ALWAYS AS (cardinality(string_to_array(body, ' '))) STORED,
    search tsvector GENERATED ALWAYS AS (to_tsvector('english', coalesce(title, '') || ' ' || body)) STORED
);
CREATE UNIQUE INDEX posts_slug ON posts (slug) WHERE deleted IS NULL;
CREATE INDEX posts_search ON posts USING gin (search);
CREATE INDEX posts_title ON posts USING gin (title gin_trgm_ops);
CREATE TABLE votes (
    post bigint REFERENCES posts ON DELETE CASCADE,
    member uuid REFERENCES members ON DELETE CASCADE,
    kind vote_kind NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (post, member, kind)
);
CREATE TABLE post_history (post bigint NOT NULL, at timestamptz NOT NULL, old jsonb, new jsonb);
CREATE INDEX post_history_at ON post_history USING brin (at);
CREATE TABLE sessions (token text PRIMARY KEY, member uuid NOT NULL REFERENCES members, payload jsonb, lasts interval);
CREATE UNLOGGED TABLE queue (id bigserial PRIMARY KEY, job jsonb NOT NULL, attempts integer NOT NULL DEFAULT 0);
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_sessions ON sessions USING (member::text = current_setting('forum.member', true));

INSERT INTO members SELECT md5('m' || g)::uuid, 'Member' || g, 'm' || g || '@example.org', timestamptz '2024-01-01 UTC' + g * interval '1 day',
        ('10.0.0.' || g)::inet, '10.0.0.0/24', ('08:00:2b:01:02:' || lpad(to_hex(g), 2, '0'))::macaddr,
        jsonb_build_object('theme', CASE WHEN g % 2 = 0 THEN 'dark' ELSE 'light' END, 'mail', jsonb_build_object('digest', g % 3 = 0,
            'hour', g % 24), 'pins', jsonb_build_array(g, g * 1.50)),
        ('{"b": ' || g || ', "a": [1,  2]}')::json, hstore('gold', (g % 3)::text), ROW('phone', ARRAY[320, g])::device
    FROM generate_series(1, 60) AS g;
INSERT INTO tags SELECT 'tag' || g, ARRAY['t' || g, 'label ' || g], g FROM generate_series(1, 30) AS g;
INSERT INTO posts (parent, author, state, slug, title, body, tags, extra, deleted)
    SELECT CASE WHEN g > 50 THEN g % 50 + 1 END, md5('m' || (g % 60 + 1))::uuid, (enum_range(NULL::post_state))[g % 3 + 1],
        CASE WHEN g % 40 = 0 THEN 'gone' ELSE 'post-' || g END, CASE WHEN g <= 50 THEN 'Question ' || g END,
        'Why does ' || repeat('it ', g % 5) || 'run?', ARRAY['tag' || g % 30 + 1, 'tag' || g % 7 + 1],
        CASE WHEN g % 4 = 0 THEN NULL WHEN g % 4 = 1 THEN 'null'::jsonb ELSE jsonb_build_object('n', g, 'path', ARRAY['a', NULL]) END,
        CASE WHEN g % 40 = 0 THEN timestamptz '2024-06-01 UTC' END
    FROM generate_series(1, 400) AS g;
INSERT INTO votes SELECT p, md5('m' || m)::uuid, (enum_range(NULL::vote_kind))[p % 3 + 1], '2024-03-01 UTC'
    FROM generate_series(1, 400) AS p, generate_series(1, 60) AS m WHERE (p + m) % 40 = 0;
INSERT INTO post_history SELECT g % 9 + 1, timestamptz '2024-04-01 UTC' + g * interval '1 min', to_jsonb(g), jsonb_build_object('v', g)
    FROM generate_series(1, 100) AS g;
INSERT INTO sessions SELECT md5('s' || g), md5('m' || g)::uuid, '{"csrf": 1}', interval '1 day' FROM generate_series(1, 30) AS g;
INSERT INTO queue (job) SELECT jsonb_build_object('send', g) FROM generate_series(1, 30) AS g;

CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO post_history VALUES (OLD.id, '2024-05-01 UTC', to_jsonb(OLD), to_jsonb(NEW));
    RETURN NEW;
END $$;
CREATE TRIGGER keep_history AFTER UPDATE OF body ON posts FOR EACH ROW WHEN (OLD.body IS DISTINCT FROM NEW.body)
    EXECUTE FUNCTION keep_history();
CREATE VIEW questions AS SELECT id, title, tags FROM posts WHERE parent IS NULL AND deleted IS NULL;
CREATE VIEW threads WITH (security_barrier) AS
    WITH RECURSIVE thread AS (
        SELECT id, id AS root FROM posts WHERE parent IS NULL
        UNION ALL SELECT p.id, t.root FROM posts AS p JOIN thread AS t ON p.parent = t.id)
    SELECT root, count(*) AS posts FROM thread GROUP BY root;
CREATE MATERIALIZED VIEW karma AS
    SELECT p.author, count(*) FILTER (WHERE kind = 'up') - count(*) FILTER (WHERE kind = 'down') AS points
    FROM votes JOIN posts AS p ON p.id = votes.post GROUP BY p.author WITH NO DATA;
