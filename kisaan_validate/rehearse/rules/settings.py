"""The rule on results that depend on a setting of the migrating session."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kisaan_validate.facts.rehearsal import RuleFinding
from kisaan_validate.facts.tape import ColumnMove, Tape, TapeColumn, TapeStatement
from kisaan_validate.rehearse.rules.base import MigrationRule, RuleGround, label

ZONED = frozenset({"timestamp with time zone", "time with time zone"})
LOCAL = frozenset({"timestamp without time zone", "time without time zone", "date"})
TEXTS = frozenset({"text", "character varying", "character"})

_NOW = re.compile(
    r"\bnow\(\)|\bCURRENT_(?:TIMESTAMP|DATE|TIME)\b|\bLOCALTIME|\b(?:clock|statement|transaction)_timestamp\(",
    re.IGNORECASE,
)
_ZONE_NAMED = re.compile(r"\bAT\s+TIME\s+ZONE\b|\btimezone\s*\(", re.IGNORECASE)
_DATE_NAMED = re.compile(r"\bto_date\s*\(", re.IGNORECASE)


def _dependent(rule: MigrationRule, tape: Tape, ground: RuleGround) -> Iterator[RuleFinding]:
    for statement in tape.statements:
        for move in statement.detail.columns:
            setting = "" if move.ours else _setting(move, statement)
            if setting and move.after is not None:
                value = f" (here {statement.detail.time_zone})" if setting == "TimeZone" else ""
                fact = (
                    f"{label(statement)} {_what(move)} {move.relation}.{move.after.name}"
                    f" by the session's {setting}{value}"
                )
                yield rule.finding([statement.number], [move.relation], fact)


def _what(move: ColumnMove) -> str:
    assert move.after is not None
    if move.before is None or move.before.type == move.after.type:
        return "gave a default of the current time to"
    return f"turned {move.before.type} into {move.after.type} in"


def _setting(move: ColumnMove, statement: TapeStatement) -> str:
    """The setting on which the values of a column depend; "" if they depend on none."""
    before, after = move.before, move.after
    if after is None:
        return ""
    new, using = _plain(after.type), _using(after.name, statement.text)
    if before is not None and _plain(before.type) != new:
        old = _plain(before.type)
        zoned = (old in ZONED and new in LOCAL | TEXTS) or (old in LOCAL | TEXTS and new in ZONED)
        if zoned and not _ZONE_NAMED.search(using):
            return "TimeZone"
        dated = (old in TEXTS and new in LOCAL) or (old in LOCAL and new in TEXTS)
        return "DateStyle" if dated and not _DATE_NAMED.search(using) else ""
    changed = before is None or before.default != after.default
    return "TimeZone" if changed and new in LOCAL and _by_the_clock(after) else ""


def _by_the_clock(column: TapeColumn) -> bool:
    """Whether a default takes the time of day where the session is."""
    return bool(_NOW.search(column.default)) and not _ZONE_NAMED.search(column.default)


def _plain(type_name: str) -> str:
    """A type without its precision: ``timestamp(3) with time zone``."""
    return re.sub(r"\(\d+(?:,\d+)?\)", "", type_name)


def _using(column: str, text: str) -> str:
    """What stands behind USING for a column in an ALTER TABLE; "" if nothing does."""
    name = rf'(?:"{re.escape(column)}"|\b{re.escape(column)}\b)'
    found = re.search(rf"{name}\s+(?:SET\s+DATA\s+)?TYPE\b(.*?)(?=,\s*ALTER\b|\Z)", text, re.I | re.DOTALL)
    return found[1].partition("USING")[2] or found[1].partition("using")[2] if found else ""


SETTING_DEPENDENT = MigrationRule(
    "setting-dependent",
    "A result depends on a setting of the session",
    "Name the zone: USING column AT TIME ZONE 'UTC'; or the format: to_date(column, 'YYYY-MM-DD').",
    _dependent,
)
