"""Schemas of every kind on which `init` is tried: odd names, hostile names, exotic types, partitions,
views, 300 tables.
"""

from __future__ import annotations

HOSTILE = (
    '"""; import os #',
    "'); DROP TABLE victims; --",
    'a"b',
    "a'b",
    "back\\slash",
    "new\nline",
    "tab\there",
    "\u202eright to left",
    "{braces}",
    "%s %(x)s",
    "${var}",
    "{{ jinja }}",
    "# coding: latin-1",
    "\\N{BULLET}",
    "a.b",
    '"quoted"',
    "x\r\ny",
    "`tick`|pipe",
    "\\",
    '\\"',
    'f"{1}"',
    "name  two  spaces",
    "end$$",
    "\x7f\x1b[31m",
)
"""What an attacker, or a spreadsheet, may call a table or a column, or write into a comment."""

ODD = """
CREATE SCHEMA "Other Schema";
CREATE TABLE "select" (
    "from" int PRIMARY KEY, "Mixed Case" text NOT NULL, "2nd" numeric(10,2), "naïve café" text, "class" text, "None" boolean,
    "_leading" int, "trailing_" int, "validate" text, "to_schema" text, "str" text, "pd" int, "Config" text, "a.b" int,
    "weiß" int, "日本語" text, "MIXED CASE" int UNIQUE, "mixed_case" int
);
CREATE TABLE "Other Schema"."select" ("from" int REFERENCES public."select" ("from"), "x" int CHECK ("x" > 0));
CREATE TABLE "Other Schema"."only here" (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), "order" int NOT NULL);
CREATE TABLE "dotted.name" (id int PRIMARY KEY, parent int REFERENCES "dotted.name" (id));
CREATE TABLE nothing ();
INSERT INTO "select" ("from", "Mixed Case", "MIXED CASE") SELECT g, 'x' || g, g FROM generate_series(1, 30) AS g;
INSERT INTO "Other Schema"."select" SELECT g, g FROM generate_series(1, 30) AS g;
COMMENT ON TABLE "select" IS 'a table called select; it''s "quoted"
and goes on';
COMMENT ON COLUMN "select"."from" IS 'the key';
"""

EXOTIC = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s', 'back\\slash');
CREATE TYPE "Weird Type" AS ENUM ('a');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE DOMAIN money_amount AS numeric(12,2) CHECK (VALUE >= 0);
CREATE DOMAIN short AS varchar(5) NOT NULL;
CREATE DOMAIN feeling AS mood;
CREATE TABLE exotic (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tags text[], grid int[][], feelings mood[], feel mood NOT NULL,
    strange "Weird Type", composite pair, ranged int4range, spans span, during tstzrange, amount money_amount, small short,
    domained feeling, big numeric(40,20), free numeric, one "char", fixed char(5), flags bit(8), bits varbit(12), raw bytea,
    doc jsonb, old json, tree xml, addr inet, net cidr, mac macaddr, spot point, area box, shape polygon, vec tsvector,
    lsn pg_lsn, ident oid, cash money, clock time, clocktz timetz(3), at timestamp(3) with time zone, dur interval day to second(3),
    year interval year, f4 float4, f8 float8, n name, reg regclass, days daterange, uid uuid,
    doubled numeric GENERATED ALWAYS AS (free * 2) STORED,
    EXCLUDE USING gist (ranged WITH &&)
);
INSERT INTO exotic (feel, small, ranged, free, at) SELECT 'ok', 'ab', int4range(g, g + 1), g / 7.0, now() FROM generate_series(1, 30) AS g;
"""

TREES = """
CREATE TABLE events (id int, day date NOT NULL, kind text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY HASH (id);
CREATE TABLE events_2025_a PARTITION OF events_2025 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE events_2025_b PARTITION OF events_2025 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE notes (id int PRIMARY KEY, event int, day date, FOREIGN KEY (event, day) REFERENCES events (id, day));
INSERT INTO events SELECT g, date '2024-06-01' + g * 10, CASE WHEN g % 2 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 50) AS g;
INSERT INTO notes SELECT id, id, day FROM events;
CREATE TABLE cities (name text PRIMARY KEY, population int CHECK (population > 0) NO INHERIT);
CREATE TABLE capitals (state text NOT NULL) INHERITS (cities);
INSERT INTO cities SELECT 'c' || g, g FROM generate_series(1, 30) AS g;
INSERT INTO capitals VALUES ('c1', 1, 'x'), ('c2', -5, 'y');
"""

PARTS = """
CREATE TABLE users (
    id serial PRIMARY KEY, email text, phone varchar(20) NOT NULL, api_token text, status text, role_code smallint,
    balance numeric NOT NULL, fee numeric(12,4), code text, note text, country char(2), UNIQUE (email),
    CONSTRAINT positive CHECK (balance >= 0 AND status <> ''), CONSTRAINT odd_one CHECK (code ~ '^[a-z]' OR code IS NULL)
);
CREATE UNIQUE INDEX users_code_live ON users (code) WHERE status = 'live';
CREATE UNIQUE INDEX users_lower_email ON users (lower(email));
CREATE TABLE orders (
    id bigint PRIMARY KEY, user_id int NOT NULL REFERENCES users (id), total numeric(12,2) NOT NULL CHECK (total > 0),
    state text NOT NULL CHECK (state IN ('open', 'paid')), "position" int, UNIQUE (user_id, "position")
);
COMMENT ON TABLE users IS 'people who may log in';
COMMENT ON COLUMN users.balance IS 'what we owe them, in rupees';
COMMENT ON CONSTRAINT positive ON users IS 'nobody owes us';
INSERT INTO users (email, phone, api_token, status, role_code, balance, fee, code, note, country)
  SELECT 'user' || g || '@secret.example', '98450' || g, md5(g::text), (ARRAY['live','gone','new'])[1 + g % 3], 1, g + 0.25, g + 0.5,
    'code' || g, CASE WHEN g % 9 = 0 THEN 'n' || g END, 'IN' FROM generate_series(1, 200) AS g;
INSERT INTO orders SELECT g, g, g, CASE WHEN g % 2 = 0 THEN 'open' ELSE 'paid' END, g % 7 FROM generate_series(1, 200) AS g;
ALTER TABLE orders ADD CONSTRAINT later CHECK (id > 10) NOT VALID;
CREATE VIEW totals AS SELECT user_id, sum(total) AS total FROM orders GROUP BY user_id;
CREATE MATERIALIZED VIEW frozen AS SELECT * FROM orders;
"""


def quoted(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as SQL."""
    return "'" + value.replace("'", "''") + "'"


def hostile() -> str:
    """Tables, columns, constraints, comments, enum labels and values with every hostile name."""
    made = []
    for number, name in enumerate(HOSTILE):
        made += [
            f"CREATE TYPE {quoted('type ' + name)} AS ENUM ({text(name)}, 'other')",
            (
                f"CREATE TABLE {quoted(name)} ({quoted(name)} int PRIMARY KEY, v text, {quoted(name + ' n')} "
                f"{quoted('type ' + name)})"
            ),
            f"ALTER TABLE {quoted(name)} ADD CONSTRAINT {quoted('c ' + name)} CHECK ({quoted(name)} > 0)",
            f"ALTER TABLE {quoted(name)} ADD CONSTRAINT {quoted('v ' + name)} CHECK (v <> {text(name + '!')})",
            f"COMMENT ON TABLE {quoted(name)} IS {text(name)}",
            f"COMMENT ON COLUMN {quoted(name)}.{quoted(name)} IS {text(name)}",
            f"COMMENT ON CONSTRAINT {quoted('c ' + name)} ON {quoted(name)} IS {text(name)}",
            (
                f"INSERT INTO {quoted(name)} SELECT g, {text(name)}, {text(name)}::{quoted('type ' + name)} "
                f"FROM generate_series(1, 30) AS g"
            ),
            f"CREATE TABLE ref_{number} (r int REFERENCES {quoted(name)} ({quoted(name)}))",
        ]
    return ";\n".join(made)


def many(tables: int) -> str:
    """So many tables in families, each referring to the one before."""
    made = []
    for n in range(tables):
        family = ("order", "payment", "shop", "user", "report", "audit")[n % 6]
        reference = (
            f"REFERENCES {('order', 'payment', 'shop', 'user', 'report', 'audit')[(n - 6) % 6]}_{n - 6} (id)"
            if n >= 6
            else ""
        )
        made.append(
            f"CREATE TABLE {family}_{n} (id int PRIMARY KEY, parent int {reference}, name text NOT NULL, "
            f"amount numeric(12,2), "
            f"status text, created_at timestamptz NOT NULL DEFAULT now())"
        )
        made.append(
            f"INSERT INTO {family}_{n} (id, name, status) SELECT g, 'n' || g, 's' || g % 3 FROM "
            f"generate_series(1, 40) AS g"
        )
    return ";\n".join(made)
