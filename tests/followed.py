"""Little schemas in which personal values lie in every way that a catalogue knows, under ordinary and
hostile names.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

MARK = "Zqxmark"
"""What every personal value begins with, and what stands nowhere else."""

NAMES = (
    "plain",
    "Mixed",
    "with blank",
    'with "quotes"',
    "with.dot",
    ":expr",
    "größe",
    "select",
    "(a",
    "back\\slash",
    "{b}",
    "a%s",
)


def quoted(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Made:
    """A schema as SQL, and the patterns by which its first table's columns are called personal."""

    sql: str
    personal: tuple[str, ...]
    table: str
    column: str
    beside: str


def made(seed: int, version: int) -> Made:
    """A schema of which everything follows from two columns of one table; names are drawn."""
    draw = random.Random(seed)
    table, column, beside, renamed = draw.sample(NAMES, 4)
    personal = [
        f"{escaped(table)}.{escaped(column)}",
        draw.choice([f"public.{escaped(table)}.second", f"{escaped(table)}.sec*", "*.second"]),
    ]
    personal += [
        f"{other}.{name}" for other in ("gen_virtual", "parted") for name in (escaped(column), "second")
    ]
    t, c, b, r = (quoted(name) for name in (table, column, beside, renamed))
    parts = [*_tables(t, c, b, version), *_views(t, c, b, r)]
    return Made(";\n".join(parts), tuple(personal), table, column, beside)


def escaped(name: str) -> str:
    """A name as a pattern that fits it alone."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)


def _tables(t: str, c: str, b: str, version: int) -> list[str]:
    virtual = (
        [
            f"CREATE TABLE gen_virtual (id int PRIMARY KEY, {b} int, {c} text, second text)",
            f"ALTER TABLE gen_virtual ADD made text GENERATED ALWAYS AS ({c} || second) VIRTUAL",
            f"INSERT INTO gen_virtual VALUES (1, 1, '{MARK} v', '{MARK} w')",
        ]
        if version >= 180000
        else []
    )
    return [
        "CREATE DOMAIN said AS text",
        "CREATE SCHEMA other",
        (
            f"CREATE TABLE {t} (id int PRIMARY KEY, {b} int, {c} said UNIQUE, second text, made text "
            f"GENERATED ALWAYS AS (upper({c}::text)) STORED)"
        ),
        f"INSERT INTO {t} SELECT g, g, '{MARK} a' || g, '{MARK} b' FROM generate_series(1, 3) g",
        f"CREATE TABLE child (more int) INHERITS ({t})",
        f"INSERT INTO child VALUES (7, 7, '{MARK} c', '{MARK} d')",
        f"CREATE TABLE refers (id int PRIMARY KEY, whose text REFERENCES {t} ({c}))",
        f"INSERT INTO refers VALUES (1, '{MARK} a1')",
        f"CREATE TABLE snap (id int PRIMARY KEY, row_of {t}, rows_of {t}[])",
        f"INSERT INTO snap SELECT 1, x, ARRAY[x] FROM {t} x WHERE id = 1",
        f"CREATE TABLE parted (id int, {b} int, {c} text, second text) PARTITION BY RANGE (id)",
        f"CREATE TABLE part_later ({c} text, id int, second text, {b} int)",
        "ALTER TABLE parted ATTACH PARTITION part_later FOR VALUES FROM (0) TO (9)",
        f"INSERT INTO parted VALUES (1, 1, '{MARK} p', '{MARK} q')",
        (
            f"CREATE FUNCTION peek(n int) RETURNS text STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT "
            f"second FROM public.{t} x WHERE x.id = n); END $$"
        ),
        (
            f"CREATE FUNCTION all_of() RETURNS TABLE (k int, v text) STABLE LANGUAGE sql AS $$ SELECT id, "
            f"second FROM public.{t} $$"
        ),
        (
            f"CREATE FUNCTION tells(n int) RETURNS int STABLE LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
            f"'bad %', (SELECT second FROM public.{t} x WHERE x.id = n); END $$"
        ),
        "CREATE TABLE plainly (id int PRIMARY KEY, n int)",
        "INSERT INTO plainly VALUES (1, 1), (2, 1)",
        "CREATE TABLE guarded (id int PRIMARY KEY, n int)",
        "INSERT INTO guarded VALUES (1, 1)",
        *virtual,
    ]


def _views(t: str, c: str, b: str, r: str) -> list[str]:
    return [
        f"CREATE VIEW v_copy AS SELECT id, {c} AS {r}, {b} AS free FROM {t}",
        f"CREATE VIEW v_of_v AS SELECT id, {r} AS z, free FROM v_copy",
        f"CREATE VIEW v_made AS SELECT id, length({c}) AS n, md5(second) AS h, {c} || 'x' AS z FROM {t}",
        f"CREATE VIEW v_cte AS WITH w AS (SELECT id, {c} AS z FROM {t}) SELECT id, z FROM w",
        f"CREATE VIEW v_union AS SELECT id, 'x' AS z FROM plainly UNION ALL SELECT id, second FROM {t}",
        f"CREATE VIEW v_row AS SELECT id, x AS z FROM {t} x",
        f"CREATE VIEW v_json AS SELECT id, to_jsonb(x) AS z FROM {t} x",
        f"CREATE VIEW v_row_only AS SELECT x AS z FROM {t} x",
        "CREATE VIEW v_of_row AS SELECT (z).second AS y FROM v_row",
        f"CREATE VIEW v_sub AS SELECT id, (SELECT max(second) FROM {t}) AS z FROM plainly",
        (
            f"CREATE VIEW v_from AS SELECT id, z FROM (SELECT id, upper(q) AS z FROM (SELECT id, second AS q "
            f"FROM {t}) a) b"
        ),
        f"CREATE VIEW v_lateral AS SELECT x.id, l.z FROM {t} x, LATERAL (VALUES (x.second)) l (z)",
        f"CREATE VIEW v_unnest AS SELECT x.id, z FROM {t} x, unnest(ARRAY[x.second]) z",
        f"CREATE VIEW v_agg AS SELECT string_agg(second, ',') AS z, count(*) AS n FROM {t}",
        f"CREATE VIEW v_group AS SELECT second AS z, lower(second) AS y, count(*) AS n FROM {t} GROUP BY 1, 2",
        f"CREATE VIEW v_window AS SELECT id, first_value({c}) OVER (ORDER BY id) AS z FROM {t}",
        f"CREATE VIEW v_join AS SELECT q.id, x.second AS z, q.n FROM plainly q JOIN {t} x USING (id)",
        f"CREATE VIEW v_using AS SELECT second AS z, y.id FROM {t} x JOIN {t} y USING (second)",
        f"CREATE VIEW v_full AS SELECT second AS z FROM {t} x FULL JOIN {t} y USING (second)",
        f"CREATE VIEW v_names (k, l, m) AS SELECT id, second, {b} FROM {t}",
        "CREATE VIEW v_function AS SELECT id, peek(id) AS z, n FROM plainly",
        "CREATE VIEW v_table_function AS SELECT k AS id, v AS z FROM all_of()",
        f"CREATE VIEW v_star AS SELECT * FROM {t}",
        "CREATE VIEW v_snap AS SELECT id, (row_of).second AS z, row_of AS y FROM snap",
        f"CREATE VIEW other.v_far AS SELECT id, second AS z FROM {t}",
        "CREATE VIEW v_stats AS SELECT most_common_vals::text AS z FROM pg_stats",
        (
            f"CREATE VIEW v_recursive AS WITH RECURSIVE w (z, n) AS (SELECT second, 1 FROM {t} UNION SELECT "
            f"z, n + 1 FROM w WHERE n < 2) SELECT z, n FROM w"
        ),
        f"CREATE VIEW v_where AS SELECT id, {b} AS free FROM {t} WHERE second <> ''",
        f"CREATE VIEW v_fails AS SELECT id, {b} AS free FROM {t} WHERE second::int > 0",
        "CREATE VIEW v_of_fails AS SELECT free FROM v_fails",
        f"CREATE MATERIALIZED VIEW m_copy AS SELECT id, {c} AS z FROM {t}",
        "CREATE MATERIALIZED VIEW m_of_v AS SELECT id, z FROM v_from",
        "CREATE MATERIALIZED VIEW m_function AS SELECT id, peek(id) AS z FROM plainly",
        "CREATE VIEW v_of_m AS SELECT z AS y FROM m_of_v",
        f"ALTER VIEW v_from RENAME COLUMN z TO {r}",
        f"CREATE POLICY p ON guarded USING (id / (SELECT count(*) FROM {t} x WHERE x.second::int > 0) > 0)",
        "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
    ]
