"""One planter for each kind of rule that the suite generates: breaks the row with the lowest key, or the
catalogue.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from kisaan_validate.facts.check import Check
from kisaan_validate.rules.base import Rule
from plants.base import Clean, Plant

Planter = Callable[[Check, Any, Clean], Plant]

UNGUARD = """
DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype IN ('p', 'u', 'c') LOOP
        EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I CASCADE', c.conname);
    END LOOP;
    FOR c IN SELECT indexrelid::regclass AS name FROM pg_index WHERE indrelid = '{table}'::regclass AND indisunique LOOP
        EXECUTE format('DROP INDEX %s', c.name);
    END LOOP;
END $$;
"""
"""Nothing keeps the table's rows apart any more, not even its primary key."""

UNCHECK = """
DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = 'c' LOOP
        EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', c.conname);
    END LOOP;
END $$;
"""
"""No CHECK of the table's own keeps a wrong value out."""

IGNORE_REFERENCES = "SET session_replication_role = replica;\n"

DROP_INDEXES = """
DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT i.indexrelid::regclass AS name FROM pg_index AS i
             JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
             WHERE i.indrelid = '{table}'::regclass AND a.attname = '{column}' LOOP
        EXECUTE format('DROP INDEX %s', c.name);
    END LOOP;
END $$;
"""

NUMERIC = "ALTER TABLE {table} ALTER COLUMN {column} TYPE numeric;\n"
"""A column without a scale, so that it can take a fraction of a paisa."""

WRONG_TYPE = {
    "numeric(18,2)": "numeric(12,2)",
    "timestamp with time zone": "timestamp without time zone",
    "bigint": "integer",
    "integer": "smallint",
    "numeric": "double precision",
}
"""What the column is made instead: where there is a mistake of the field, that one."""


def _lowest(check: Check, clean: Clean) -> tuple[str, dict[str, str]]:
    """A WHERE clause for the row with the lowest key, and that key."""
    key = dict(clean.lowest[check.table])
    return " AND ".join(f"{column} = '{value}'" for column, value in key.items()), key


def _spoil(check: Check, clean: Clean, value: str, before: str = "") -> Plant:
    """The check's column gets a value (SQL) in the row with the lowest key."""
    where, key = _lowest(check, clean)
    column = check.columns[0]
    sql = (
        f"{UNCHECK.format(table=check.table)}{before}{IGNORE_REFERENCES}UPDATE {check.table} SET "
        f"{column} = {value} WHERE {where}"
    )
    shown: dict[str, str | None] = {name: old for name, old in key.items() if name != column}
    return Plant(sql, 1, shown)


def present(check: Check, rule: Rule, clean: Clean) -> Plant:
    """Renames the table, or the column."""
    if not check.columns:
        return Plant(f"ALTER TABLE {check.table} RENAME TO gone", 1, {})
    return Plant(
        f"ALTER TABLE {check.table} RENAME COLUMN {check.columns[0]} TO gone_{check.columns[0]}", 1, {}
    )


def type_is(check: Check, rule: Any, clean: Clean) -> Plant:
    """Gives the column another type; one that its contents cannot take is replaced by an empty column."""
    table, column = check.table, check.columns[0]
    wrong = WRONG_TYPE.get(rule.accepted[0])
    if wrong is None:
        return Plant(f"ALTER TABLE {table} DROP COLUMN {column} CASCADE, ADD COLUMN {column} bytea", 1, {})
    return Plant(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {wrong}", 1, {})


def not_null(check: Check, rule: Rule, clean: Clean) -> Plant:
    """Empties the column in one row."""
    column = check.columns[0]
    allow = f"ALTER TABLE {check.table} ALTER COLUMN {column} DROP NOT NULL;\n"
    if column in clean.lowest[check.table]:  # part of the primary key
        where, _ = _lowest(check, clean)
        sql = (
            f"{UNGUARD.format(table=check.table)}{allow}UPDATE {check.table} SET {column} = NULL WHERE "
            f"{where}"
        )
        return Plant(sql, 1, {column: None})
    return _spoil(check, clean, "NULL", allow)


def unique(check: Check, rule: Rule, clean: Clean) -> Plant:
    """Makes the second row like the first."""
    columns = ", ".join(check.columns)
    key = next(iter(clean.lowest[check.table]))
    order = ", ".join(clean.lowest[check.table])
    sql = (
        f"{UNGUARD.format(table=check.table)}{IGNORE_REFERENCES}"
        f"UPDATE {check.table} SET ({columns}) = (SELECT {columns} FROM {check.table} ORDER BY {order} "
        f"LIMIT 1)\n"
        f"WHERE ctid = (SELECT ctid FROM {check.table} ORDER BY {order} OFFSET 1 LIMIT 1)"
    )
    return Plant(sql, 1, clean.lowest[check.table] if check.columns == (key,) else {"rows_found": "2"})


def isin(check: Check, rule: Rule, clean: Clean) -> Plant:
    """An unknown label, in a column that was made text."""
    column = check.columns[0]
    as_text = (
        f"ALTER TABLE {check.table} ALTER COLUMN {column} DROP DEFAULT, "
        f"ALTER COLUMN {column} TYPE text USING {column}::text;\n"
    )
    return _spoil(check, clean, "'unknown'", as_text)


def compare(check: Check, rule: Any, clean: Clean) -> Plant:
    """The nearest value that is too low."""
    value = rule.value
    if isinstance(value, dt.datetime):
        return _spoil(check, clean, f"timestamptz '{(value - dt.timedelta(seconds=1)).isoformat()}'")
    return _spoil(
        check, clean, str(value if rule.operator == "greater_than" else Decimal(value) - Decimal("0.01"))
    )


def in_range(check: Check, rule: Any, clean: Clean) -> Plant:
    """A paisa below the range."""
    return _spoil(check, clean, str(Decimal(rule.low) - Decimal("0.01")))


def str_length(check: Check, rule: Rule, clean: Clean) -> Plant:
    """An empty text."""
    return _spoil(check, clean, "''")


def minimum_rows(check: Check, rule: Rule, clean: Clean) -> Plant:
    """An empty table."""
    return Plant(f"{IGNORE_REFERENCES}DELETE FROM {check.table}", 1, {"rows_found": "0"})


def references(check: Check, rule: Any, clean: Clean) -> Plant:
    """A reference to a number that was never given."""
    where, key = _lowest(check, clean)
    column = rule.join.columns[0]
    sql = f"{IGNORE_REFERENCES}UPDATE {check.table} SET {column} = 999999999 WHERE {where}"
    return Plant(sql, 1, {**key, column: "999999999"})


def sequence(check: Check, rule: Rule, clean: Clean) -> Plant:
    """The sequence as a restore of the data alone leaves it."""
    sql = f"SELECT setval(pg_get_serial_sequence('{check.table}', '{check.columns[0]}'), 1, false)"
    return Plant(sql, 1, {"max_id": str(clean.highest_id[check.table])})


def primary_key(check: Check, rule: Rule, clean: Clean) -> Plant:
    """A table that was restored without its primary key."""
    return Plant(UNGUARD.format(table=check.table), 1, {})


def finite(check: Check, rule: Rule, clean: Clean) -> Plant:
    """An amount that is not a number."""
    return _spoil(check, clean, "'NaN'")


def whole_paise(check: Check, rule: Rule, clean: Clean) -> Plant:
    """A tenth of a paisa, in a column that takes it."""
    loosen = NUMERIC.format(table=check.table, column=check.columns[0])
    column = check.columns[0]
    return _spoil(check, clean, f"coalesce({column}, 1) + 0.001", loosen)


def known(check: Check, rule: Rule, clean: Clean) -> Plant:
    """A code that is in no list."""
    return _spoil(check, clean, "'no.such.feature'")


def index(check: Check, rule: Rule, clean: Clean) -> Plant:
    """Every index that begins with the column goes; a partial one stays, which is not enough."""
    table, column = check.table, check.columns[0]
    sql = (
        DROP_INDEXES.format(table=table, column=column)
        + f"CREATE INDEX {table}_{column}_partial ON {table} ({column}) WHERE id > 5"
    )
    return Plant(sql, 1, {})


def not_after_today(check: Check, rule: Rule, clean: Clean) -> Plant:
    """The day after tomorrow."""
    make = f"ALTER TABLE {check.table} ALTER COLUMN {check.columns[0]} TYPE date;\n"
    return _spoil(check, clean, "current_date + 2", make)


def not_in_future(check: Check, rule: Rule, clean: Clean) -> Plant:
    """Tomorrow."""
    return _spoil(check, clean, "now() + interval '1 day'")


def before_updated_at(check: Check, rule: Rule, clean: Clean) -> Plant:
    """An entry that was changed a microsecond before it was made."""
    where, key = _lowest(check, clean)
    sql = f"UPDATE {check.table} SET updated_at = created_at - interval '1 microsecond' WHERE {where}"
    return Plant(sql, 1, key)


BY_KIND: dict[str, Planter] = {
    "present": present,
    "type": type_is,
    "not_null": not_null,
    "unique": unique,
    "isin": isin,
    "compare": compare,
    "in_range": in_range,
    "str_length": str_length,
    "minimum_rows": minimum_rows,
    "references": references,
    "sequence": sequence,
    "index": index,
}
BY_NAME: dict[str, Planter] = {
    "primary_key": primary_key,
    "finite": finite,
    "whole_paise": whole_paise,
    "known": known,
    "not_in_future": not_in_future,
    "not_after_today": not_after_today,
    "before_updated_at": before_updated_at,
}
"""For declarations that the suite repeats, by the last part of the check's id."""


TOGETHER = {
    "present",
    "type",
    "not_null",
    "isin",
    "finite",
    "whole_paise",
    "not_in_future",
    "not_after_today",
    "index",
    "compare",
    "in_range",
}
"""Kinds, or last parts of ids, of checks that each read one column, which is theirs alone."""
APART = {"references", "sequence", "primary_key", "before_updated_at"}
"""The same of checks that read a column, or a table, in a way that no other of their kind does."""


def plot(check: Check, clean: Clean) -> str:
    """Checks of one plot grow in one copy of the database: each reads its own column only, so none hides
    another.
    """
    for name in (check.kind, check.id.rpartition(".")[2]):
        if name in APART:
            return name
    own_column = bool(check.columns) and check.columns[0] not in clean.lowest.get(check.table, {})
    # A condition on another column: a plant beside it could take that away.
    if own_column:
        mine = f"{check.table}.{check.columns[0]}"
        own_column = all(c.split()[:2] == ["not", "table"] or mine in c.split() for c in check.applies)
    for name in (check.kind, check.id.rpartition(".")[2]):
        if own_column and name in TOGETHER:
            return name
    return check.id


def generated_plant(check: Check, rule: Rule, clean: Clean) -> Plant | None:
    """The plant for a generated check, or None if it needs one by hand."""
    planter = BY_NAME.get(check.id.rpartition(".")[2]) or BY_KIND.get(check.kind)
    return None if planter is None else planter(check, rule, clean)
