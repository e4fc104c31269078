"""Pieces of SQL that both scripts of a kit are made of. They run in psql and through any driver."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kisaan_validate.facts.repair import COPY_SETTING, FIX_SCHEMA, TRIGGERS_SETTING, FixTarget, StepAction
from kisaan_validate.repair.steps import PlannedStep
from kisaan_validate.report.text import plain
from kisaan_validate.sql.expressions import quote, text_literal, to_sql

WRONG_PLACE, OTHER_ROWS, OTHER_EFFECT, CHANGED_SINCE = "KV001", "KV002", "KV004", "KV005"
"""The SQLSTATEs with which a kit refuses, beside RUN_BEFORE: the wrong database or session; not the rows that
were seen; it would do something else than it says; the rows were changed since the repair.
"""

LOG = f"{FIX_SCHEMA}.kits"
"""The list of kits that were run in a database."""

LOCK_TIMEOUT, STATEMENT_TIMEOUT = "5s", "15min"

_PINS = (
    ("lock_timeout", LOCK_TIMEOUT),
    ("statement_timeout", STATEMENT_TIMEOUT),
    ("idle_in_transaction_session_timeout", "10min"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("standard_conforming_strings", "on"),
    ("transform_null_equals", "off"),
    ("array_nulls", "on"),
    ("row_security", "off"),
    ("constraint_exclusion", "off"),
    ("enable_partition_pruning", "off"),
    ("enable_indexonlyscan", "off"),
    ("jit", "off"),
)
"""Settings that keep the texts of keys, and the rows that are read, as in the run."""


def text(value: str) -> str:
    """A text as SQL."""
    return to_sql(text_literal(value))


def remark(words: str) -> str:
    """Lines of a comment, whatever stands in the words."""
    # Each line by itself: no character in a name may end the comment.
    lines = [plain(line) for line in words.splitlines()] or [""]
    return "\n".join(f"-- {line}".rstrip() for line in lines)


def heading(words: str) -> str:
    """A remark that begins a part."""
    return f"\n{remark(words)}"


def block(body: str, declared: Sequence[str] = ()) -> str:
    """A DO statement."""
    head = "".join(f"\n  {line};" for line in declared)
    inner = f"\n#variable_conflict use_column\nDECLARE{head}\nBEGIN\n{body}\nEND\n"
    tag, number = "$fix_kit$", 0
    # A quoted name may hold any text.
    while tag in inner:
        number += 1
        tag = f"$fix_kit_{number}$"
    return f"DO {tag}{inner}{tag};"


def refuse(code: str, message: str, hint: str) -> str:
    """The statement by which a block refuses; ``message`` is SQL, ``hint`` a text."""
    return f"    RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = {message}, HINT = {text(hint)};"


def refuse_if(condition: str, code: str, message: str, hint: str) -> str:
    """A refusal under a condition."""
    return f"  IF {condition} THEN\n{refuse(code, message, hint)}\n  END IF;"


def says(words: str, *values: str) -> str:
    """SQL for a message: ``{}`` in the words stand for the values, which are SQL."""
    return f"format({text(words.replace('%', '%%').replace('{}', '%s'))}{''.join(f', {v}' for v in values)})"


def opening() -> list[str]:
    """The transaction and its settings."""
    pins = [f"SET LOCAL {name} = {text(value)};" for name, value in _PINS]
    return [
        "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE;",
        "SET LOCAL search_path TO pg_catalog, pg_temp;",
        *pins,
    ]


def path(schemas: Iterable[str]) -> str:
    """Sets the search path under which the suite's SQL means what it meant in the run."""
    return f"SET LOCAL search_path TO {_path(schemas)};"


def _path(schemas: Iterable[str]) -> str:
    return ", ".join((*(quote(s) for s in schemas if s != "pg_catalog"), "pg_temp"))


_OWN = "pg_catalog, pg_temp"
OWN_PATH = f"SET LOCAL search_path TO {_OWN};"


def as_applications(change: str, schemas: Iterable[str]) -> str:
    """A change inside a block, and all that follows from it: the tables' triggers find there what they find
    where the application writes. ``fix_kit_n`` is then the number of rows.
    """
    return (
        f"  PERFORM set_config('search_path', {text(_path(schemas))}, true);\n  {change};\n"
        "  GET DIAGNOSTICS fix_kit_n = ROW_COUNT;\n  SET CONSTRAINTS ALL IMMEDIATE;\n"
        f"  PERFORM pg_catalog.set_config('search_path', '{_OWN}', true);"
    )


def right_place(target: FixTarget) -> str:
    """Refuses another database, and a transaction that has already begun."""
    name, hint = text(target.database), "connect to the database that the run was of"
    here = f"current_setting('{COPY_SETTING}', true) IS DISTINCT FROM {name}"
    parts = [
        refuse_if(
            "current_setting('transaction_isolation') <> 'read committed' "
            "OR pg_current_xact_id_if_assigned() IS NOT NULL",
            WRONG_PLACE,
            text("this kit must be a transaction of its own, but one has begun already"),
            "end that transaction, and run the file again",
        ),
        refuse_if(
            "current_setting('session_replication_role') <> 'origin'",
            WRONG_PLACE,
            text("session_replication_role is not origin, so foreign keys would not be checked"),
            "set it to origin",
        ),
        refuse_if(
            "current_setting('track_counts') <> 'on'",
            WRONG_PLACE,
            text("track_counts is off, so other writes would go unnoticed"),
            "have it set to on for this role",
        ),
        refuse_if(
            f"{here} AND current_database() <> {name}",
            WRONG_PLACE,
            says(f"this kit is for database {target.database}, not for {{}}", "current_database()"),
            hint,
        ),
    ]
    if target.system_identifier:
        # A nested IF, because the function may not be called where the right is missing.
        other = refuse_if(
            f"(SELECT system_identifier::text FROM pg_control_system()) <> {text(target.system_identifier)}",
            WRONG_PLACE,
            text("this is another server, or one that was restored since the run"),
            hint,
        )
        may = "has_function_privilege('pg_catalog.pg_control_system()', 'execute')"
        parts.append(f"  IF {here} AND {may} THEN\n{other}\n  END IF;")
    return block("\n".join(parts))


def locked(changed: Sequence[str], read: Sequence[str]) -> list[str]:
    """Locks that let readers go on and keep writers out."""
    made = [f"LOCK TABLE {', '.join(changed)} IN SHARE ROW EXCLUSIVE MODE;"]
    return [*made, f"LOCK TABLE {', '.join(read)} IN SHARE MODE;"] if read else made


def counts_before(counts: str) -> str:
    """Remembers in a table what this session has counted so far."""
    # The counters of a transaction also hold what the session did shortly before it.
    read = "SELECT relid, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables"
    return f"CREATE TABLE {counts} AS {read};"


def tree_of(table: str) -> str:
    """SQL for the oids of a table and its partitions."""
    named = f"to_regclass({text(table)})"
    return f"SELECT {named}::oid UNION SELECT relid::oid FROM pg_partition_tree({named})"


def nothing_else(
    counts: str, made: str, steps: Sequence[PlannedStep], writes: Sequence[str], *, back: bool
) -> list[str]:
    """Refuses where anything but the steps was written since ``counts``: by triggers, rules, cascades.
    ``made`` is the table that the writes of this transaction are put into.
    """
    written = (
        f"CREATE TABLE {made} AS\nSELECT s.relid::oid AS relid,\n"
        "  format('%I.%I', s.schemaname, s.relname) AS name,\n"
        "  s.n_tup_ins - coalesce(c.n_tup_ins, 0) AS ins, s.n_tup_upd - coalesce(c.n_tup_upd, 0) AS upd,\n"
        f"  s.n_tup_del - coalesce(c.n_tup_del, 0) AS del\nFROM pg_stat_xact_user_tables AS s "
        f"LEFT JOIN {counts} AS c ON c.relid = s.relid\nWHERE s.schemaname <> '{FIX_SCHEMA}';"
    )
    tables = list(dict.fromkeys(step.name for step in steps))
    allowed = "\n      UNION ".join(map(tree_of, (*tables, *writes)))
    others = (
        f"  SELECT string_agg(w.name, ', ') INTO fix_kit_words FROM {made} AS w\n"
        f"    WHERE w.ins + w.upd + w.del > 0 AND w.relid NOT IN ({allowed});"
    )
    hint = "triggers of these tables do it; name them under writes in the repair if that is right"
    if back:
        hint = (
            f"triggers of the tables do it: SET {TRIGGERS_SETTING} = 'off' before this file, as their owner"
        )
    other = refuse_if(
        "fix_kit_words <> ''", OTHER_EFFECT, says("{} would be written too", "fix_kit_words"), hint
    )
    counted = (_as_counted(table, [s for s in steps if s.name == table], made, back=back) for table in tables)
    declared = ["fix_kit_words text", "fix_kit_ins bigint", "fix_kit_upd bigint", "fix_kit_del bigint"]
    return [written, block("\n".join((others, other, *counted)), declared)]


def _as_counted(table: str, steps: Sequence[PlannedStep], made: str, *, back: bool) -> str:
    """The writes of one table are those of its steps."""
    deleted = _sum(s for s in steps if s.action is StepAction.DELETE)
    updated = _sum(s for s in steps if s.action is not StepAction.DELETE)
    # A row that moves to another partition counts as a deleted and an inserted one.
    if back:
        wrong = f"fix_kit_upd + fix_kit_del <> {updated} OR fix_kit_ins - fix_kit_del <> {deleted}"
    else:
        wrong = f"fix_kit_upd + fix_kit_ins <> {updated} OR fix_kit_del - fix_kit_ins <> {deleted}"
    found = (
        "  SELECT coalesce(sum(w.ins), 0), coalesce(sum(w.upd), 0), coalesce(sum(w.del), 0)\n"
        f"    INTO fix_kit_ins, fix_kit_upd, fix_kit_del\n    FROM {made} AS w "
        f"WHERE w.relid IN ({tree_of(table)});"
    )
    said = says(
        f"other rows of {table} would be written too: {{}} inserted, {{}} updated, {{}} deleted",
        "fix_kit_ins",
        "fix_kit_upd",
        "fix_kit_del",
    )
    return f"{found}\n" + refuse_if(wrong, OTHER_EFFECT, said, "look at the triggers of this table")


def _sum(steps: Iterable[PlannedStep]) -> str:
    return " + ".join(f"(SELECT count(*) FROM {s.copy('before')})" for s in steps) or "0"


def image(alias: str, columns: Iterable[str]) -> str:
    """The values of columns as they are stored, to be compared byte by byte."""
    return f"ROW({', '.join(f'{alias}.{quote(c)}' for c in columns)})"
