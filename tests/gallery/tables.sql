-- What the market of the demo lacks: types, keys and objects that a migration also damages. Deterministic.
CREATE TABLE mandi_members (
    id uuid PRIMARY KEY, name text NOT NULL, code text NOT NULL, note text, email text, active boolean NOT NULL, verified boolean NOT NULL,
    born date NOT NULL, seen timestamptz NOT NULL, visited timestamptz NOT NULL, left_at timestamptz, epoch_ms bigint NOT NULL,
    score numeric(12,4) NOT NULL, price numeric(12,2) NOT NULL, cost numeric(12,2) NOT NULL, weight double precision NOT NULL,
    tags text[] NOT NULL, photo bytea NOT NULL, stay interval NOT NULL, flags bit(8) NOT NULL, floors int4range NOT NULL,
    extra jsonb NOT NULL, kind char(4) NOT NULL);
INSERT INTO mandi_members
SELECT md5('member ' || n)::uuid,
       (ARRAY['José','Zoë','Márta','Søren','Łucja','Renée','Jürgen','Chloé','Ramesh','Meena'])[1 + n % 10] || ' ' || chr(65 + n % 26) || 'é & Söns ' || n,
       lpad((n * 37 % 9973)::text, 6, '0'), CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'Stall ' || n || ', row ' || n % 9 END,
       CASE WHEN n % 4 = 0 THEN 'member' || n || '@example.in' END, n % 3 = 0, n % 7 < 3,
       date '1960-01-01' + n * 53, timestamptz '2021-01-03 07:11:13+00' + n * interval '5 days 3 hours 17 minutes',
       timestamptz '2023-02-01 10:20:30.25+00' + n * interval '1 day 00:07:11.5', CASE WHEN n % 3 = 0 THEN timestamptz '2025-01-01 00:00+00' + n * interval '1 hour' END,
       1700000000000 + n * 86461003::bigint, (n * 10007 % 99991) / 7.0 + 0.0345, (100000 + n * 7919 % 90001) / 100.0, (50000 + n * 104729 % 40009) / 100.0, CASE WHEN n <= 4 THEN 0 ELSE (n * 7919 % 10007) / 100.0 END,
       ARRAY['a' || n % 4, 'b' || n % 5], decode(md5('photo ' || n), 'hex'), n * interval '1 hour' + CASE WHEN n % 10 = 3 THEN interval '1 mon' ELSE '0' END,
       (n % 256)::bit(8), int4range(n, n + 5), jsonb_build_object('source', (ARRAY['web','mobile'])[1 + n % 2], 'visits', n % 17, 'tags', jsonb_build_array(n, n + 1)),
       (ARRAY['ab','abcd','x','kl'])[1 + n % 4]
FROM generate_series(1, 360) n;

-- A composite key, with a text in it.
CREATE TABLE mandi_gate_entries (gate text NOT NULL, day date NOT NULL, no int NOT NULL, lorry text, weight_kg numeric(12,3) NOT NULL, PRIMARY KEY (gate, day, no));
INSERT INTO mandi_gate_entries
SELECT 'gate ' || chr(64 + g), date '2025-01-01' + d, n, 'MH-12-' || lpad((d * 97 + n * 13 + g)::text, 4, '0'), (d * 10007 + n * 101 + g) % 90001 / 8.0
FROM generate_series(1, 3) g, generate_series(0, 39) d, generate_series(1, 6) n;

-- No key at all, and rows that are equal.
CREATE TABLE mandi_scale_log (at timestamptz NOT NULL, line text NOT NULL, kg numeric(12,3) NOT NULL);
INSERT INTO mandi_scale_log
SELECT timestamptz '2025-03-01 06:00+00' + (n / 2) * interval '1 minute', 'scale ' || n / 2 % 3, (n / 2 * 101 % 997) / 10.0 FROM generate_series(0, 199) n;

-- Objects of the catalogue that a migration loses.
CREATE FUNCTION mandi_touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.visited := NEW.visited; RETURN NEW; END $$;
CREATE TRIGGER mandi_members_touch BEFORE UPDATE ON mandi_members FOR EACH ROW EXECUTE FUNCTION mandi_touch();
CREATE VIEW mandi_active AS SELECT id, name FROM mandi_members WHERE active;
CREATE FUNCTION mandi_fee(kg numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT round(kg * 0.05, 2) $$;
ALTER TABLE mandi_members ADD CONSTRAINT mandi_members_price CHECK (price > 0);
CREATE INDEX mandi_members_code ON mandi_members (code);
CREATE POLICY mandi_members_all ON mandi_members USING (true);
ALTER TABLE mandi_members ENABLE ROW LEVEL SECURITY;

-- A text key of digits.
CREATE TABLE mandi_stalls (code text PRIMARY KEY, rent numeric(12,2) NOT NULL);
INSERT INTO mandi_stalls SELECT lpad((n * 41)::text, 5, '0'), (n * 7919 % 10007) / 100.0 FROM generate_series(1, 200) n;
CREATE TABLE mandi_states (id int PRIMARY KEY, state varchar(9));
CREATE VIEW mandi_open AS SELECT id FROM mandi_states WHERE state IN ('open', 'late');
CREATE VIEW mandi_shut AS SELECT id FROM mandi_states WHERE state IN ('shut', 'gone');

-- What a basket holds: an array of rows, some of them in other arrays, some not known.
CREATE TYPE mandi_lot AS (sku int, price numeric(10,2), note text);
CREATE TABLE mandi_baskets (id int PRIMARY KEY, lots mandi_lot[]);
INSERT INTO mandi_baskets
SELECT n, ARRAY[ROW(n, n * 1.5, 'first')::mandi_lot, ROW(NULL, NULL, NULL)::mandi_lot, ROW(n + 1, n * 2, 'last')::mandi_lot]
FROM generate_series(1, 300) AS n;

-- People whose names, numbers and documents nobody may see. As many as a digest under a key needs.
CREATE TABLE mandi_people (id int PRIMARY KEY, name text NOT NULL, phone varchar(20), papers jsonb NOT NULL);
INSERT INTO mandi_people
SELECT n, 'Zoë Kölhapur-' || n, CASE WHEN n % 20 > 0 THEN '+91 98' || lpad((n * 7919 % 99999989)::text, 8, '0') END,
       jsonb_build_object('pan', 'ABCDE' || lpad(n::text, 4, '0') || 'F', 'seen', n % 3)
FROM generate_series(1, 1200) AS n;
