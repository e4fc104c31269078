"""Sequences, and the identities that use them."""

from __future__ import annotations

from schema_cases.parts import SEQUENCE, T, came, case, turned

SEQUENCES = {
    "a sequence": case(
        "", "CREATE SEQUENCE s", "DROP SEQUENCE s", came("sequence", "s", "s"), came("grant", "s", "postgres")
    ),
    "an increment": case(
        SEQUENCE,
        "ALTER SEQUENCE s INCREMENT 2",
        "ALTER SEQUENCE s INCREMENT 1",
        turned("sequence", "s", "s", "increment"),
    ),
    "a maximum": case(
        SEQUENCE,
        "ALTER SEQUENCE s MAXVALUE 1000",
        "ALTER SEQUENCE s NO MAXVALUE",
        turned("sequence", "s", "s", "max"),
    ),
    "a minimum": case(
        SEQUENCE,
        "ALTER SEQUENCE s MINVALUE -5",
        "ALTER SEQUENCE s MINVALUE 1",
        turned("sequence", "s", "s", "min"),
    ),
    "a start": case(
        SEQUENCE,
        "ALTER SEQUENCE s START 5",
        "ALTER SEQUENCE s START 1",
        turned("sequence", "s", "s", "start"),
    ),
    "a cycle": case(
        SEQUENCE, "ALTER SEQUENCE s CYCLE", "ALTER SEQUENCE s NO CYCLE", turned("sequence", "s", "s", "cycle")
    ),
    "a cache": case(
        SEQUENCE,
        "ALTER SEQUENCE s CACHE 9",
        "ALTER SEQUENCE s CACHE 1",
        turned("sequence", "s", "s", "cache"),
    ),
    "a sequence's type": case(
        SEQUENCE,
        "ALTER SEQUENCE s AS int",
        "ALTER SEQUENCE s AS bigint",
        turned("sequence", "s", "s", "type", "max"),
    ),
    "owned by a column": case(
        T + SEQUENCE,
        "ALTER SEQUENCE s OWNED BY t.a",
        "ALTER SEQUENCE s OWNED BY NONE",
        turned("sequence", "s", "s", "owned by"),
    ),
    "where it stands": case(SEQUENCE, "SELECT setval('s', 77)", "SELECT setval('s', 1, false)"),
    "an unlogged sequence": case(
        SEQUENCE,
        "ALTER SEQUENCE s SET UNLOGGED",
        "ALTER SEQUENCE s SET LOGGED",
        turned("sequence", "s", "s", "persistence"),
        since=15,
    ),
}
