-- A catalogue of music: 300 tables that are much alike, in a schema of their own, made by loops.

CREATE SCHEMA music;
SET search_path = music, public;
CREATE TYPE music.kinship AS ENUM ('original', 'cover', 'remix', 'live');
CREATE TABLE link_type (id serial PRIMARY KEY, gid uuid NOT NULL UNIQUE, name varchar(255) NOT NULL COLLATE "C",
    parent integer REFERENCES link_type, has_dates boolean NOT NULL DEFAULT true);
INSERT INTO link_type (gid, name, parent)
    SELECT md5('link' || g)::uuid, 'relation ' || g, CASE WHEN g > 3 THEN g / 3 END FROM generate_series(1, 20) AS g;
CREATE TABLE link (id serial PRIMARY KEY, link_type integer NOT NULL REFERENCES link_type,
    begin_date_year smallint, begin_date_month smallint, ended boolean NOT NULL DEFAULT false,
    CONSTRAINT link_ended CHECK (begin_date_month IS NULL OR begin_date_year IS NOT NULL));
INSERT INTO link (link_type, begin_date_year, begin_date_month)
    SELECT g % 20 + 1, CASE WHEN g % 3 = 0 THEN 1950 + g END, CASE WHEN g % 6 = 0 THEN g % 12 + 1 END
    FROM generate_series(1, 60) AS g;
CREATE TABLE replication_control (id serial PRIMARY KEY, schema_sequence integer NOT NULL, last_date timestamptz);
INSERT INTO replication_control (schema_sequence, last_date) VALUES (30, '2024-01-01 UTC');

DO $$
DECLARE
    one text;
    other text;
    part text;
BEGIN
    FOREACH one IN ARRAY string_to_array('area artist event genre instrument label place recording release '
            'release_group series url work', ' ') LOOP
        EXECUTE format('CREATE TABLE %I (id serial PRIMARY KEY, name varchar(255) NOT NULL, sort_name text COLLATE "C", '
            'edits_pending integer NOT NULL DEFAULT 0 CHECK (edits_pending >= 0))', one || '_type');
        EXECUTE format('INSERT INTO %I (name, sort_name) SELECT ''kind '' || g, ''k'' || g FROM generate_series(1, 4) AS g',
            one || '_type');
        EXECUTE format('CREATE TABLE %I (id serial PRIMARY KEY, gid uuid NOT NULL, name varchar NOT NULL, type integer '
            'REFERENCES %I, comment varchar(255) NOT NULL DEFAULT '''', edits_pending integer NOT NULL DEFAULT 0 '
            'CHECK (edits_pending >= 0), last_updated timestamptz DEFAULT now())', one, one || '_type');
        EXECUTE format('CREATE UNIQUE INDEX ON %I (gid)', one);
        EXECUTE format('CREATE INDEX ON %I (lower(name) varchar_pattern_ops)', one);
        EXECUTE format('INSERT INTO %I (gid, name, type, last_updated) SELECT md5(%L || g)::uuid, %L || g, g %% 4 + 1, '
            '''2024-01-01 UTC'' FROM generate_series(1, 30) AS g', one, one, one || ' no. ');
        FOREACH part IN ARRAY string_to_array('alias annotation attribute credit gid_redirect isni meta rating '
                'rating_raw tag tag_raw relation history coverart', ' ') LOOP
            EXECUTE format('CREATE TABLE %I (%I integer NOT NULL REFERENCES %I ON DELETE CASCADE, position smallint '
                'NOT NULL CHECK (position > 0), value text, rating smallint CHECK (rating BETWEEN 0 AND 100), '
                'PRIMARY KEY (%2$I, position))', one || '_' || part, one, one);
            EXECUTE format('INSERT INTO %I SELECT g / 2 + 1, g %% 2 + 1, %L || g, g FROM generate_series(0, 23) AS g',
                one || '_' || part, part || ' ');
        END LOOP;
    END LOOP;
    FOREACH one IN ARRAY string_to_array('area artist event genre instrument label place recording release '
            'release_group series url work', ' ') LOOP
        FOREACH other IN ARRAY string_to_array('area artist event genre instrument label place recording release '
                'release_group series url work', ' ') LOOP
            CONTINUE WHEN other < one OR (one = 'area' AND other IN ('genre', 'url'));
            EXECUTE format('CREATE TABLE %I (id serial PRIMARY KEY, link integer NOT NULL REFERENCES link, entity0 integer '
                'NOT NULL REFERENCES %I, entity1 integer NOT NULL REFERENCES %I, kinship kinship NOT NULL, '
                'UNIQUE (entity0, entity1, link))', 'l_' || one || '_' || other, one, other);
            EXECUTE format('INSERT INTO %I (link, entity0, entity1, kinship) SELECT g, g %% 30 + 1, g %% 29 + 1, '
                '(enum_range(NULL::kinship))[g %% 4 + 1] FROM generate_series(1, 25) AS g',
                'l_' || one || '_' || other);
        END LOOP;
    END LOOP;
END $$;
CREATE VIEW recordings_of_artists AS
    SELECT a.name AS artist, r.name AS recording, l.kinship
    FROM l_artist_recording AS l JOIN artist AS a ON a.id = l.entity0 JOIN recording AS r ON r.id = l.entity1;
