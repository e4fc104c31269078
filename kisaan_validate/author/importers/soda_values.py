"""Which values SodaCL calls missing, valid and invalid, as SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.outcome import NoCounterpart
from kisaan_validate.author.source import remark, sql_name


def missing_sql(column: str, settings: dict[str, Any]) -> str:
    """The condition that a value counts as missing, beside NULL; "" if nothing else does."""
    name, parts = sql_name(column), []
    if "missing values" in settings:
        parts.append(sql.in_list(name, settings["missing values"]))
    if "missing regex" in settings:
        parts.append(sql.matches(name, settings["missing regex"]))
    if "missing format" in settings:
        parts.append(_format(name, settings["missing format"]))
    return " OR ".join(parts)


def valid_sql(column: str, settings: dict[str, Any]) -> str:
    """The condition that a value is valid. Raises NoCounterpart if nothing is said of that."""
    # It changes what a share is of.
    if settings.get("include null") is True:
        raise NoCounterpart("include null: use a separate check for NULL (missing_count)")
    name, size = sql_name(column), f"length({sql_name(column)}::text)"
    sql.refuse_empty(settings.get("valid min"), settings.get("valid max"))
    sql.refuse_empty(settings.get("valid min length"), settings.get("valid max length"))
    if empty := [key for key in settings if key.endswith(" values") and settings[key] == []]:
        raise NoCounterpart(f"{empty[0]} is empty, and Soda ignores it")
    made: dict[str, Callable[[Any], str]] = {
        "valid values": lambda v: sql.in_list(name, v),
        "valid regex": lambda v: sql.matches(name, v),
        "valid format": lambda v: _format(name, v),
        "valid min": lambda v: f"{name} >= {sql.bound_sql(v, 'valid min')}",
        "valid max": lambda v: f"{name} <= {sql.bound_sql(v, 'valid max')}",
        "valid length": lambda v: f"{size} = {sql.bound_sql(v, 'valid length')}",
        "valid min length": lambda v: f"{size} >= {sql.bound_sql(v, 'valid min length')}",
        "valid max length": lambda v: f"{size} <= {sql.bound_sql(v, 'valid max length')}",
        "invalid values": lambda v: f"NOT ({sql.in_list(name, v)})",
        "invalid regex": lambda v: f"NOT ({sql.matches(name, v)})",
        "invalid format": lambda v: f"NOT ({_format(name, v)})",
    }
    # In a fixed order, whatever the file's: the same settings give the same SQL.
    parts = [make(settings[key]) for key, make in made.items() if key in settings]
    if not parts:
        raise NoCounterpart("nothing defines what is valid: it can never fail")
    return " AND ".join(parts)


_FORMATS = {
    "uuid": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
    "integer": "^ *[-+]? *[0-9]+ *$",
    "positive integer": r"^ *\+? *[0-9]+ *$",
    "ip address": r"^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$",
    "ipv4 address": r"^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$",
}
"""Formats whose meaning leaves no choice; the others are Soda's own patterns."""


def _format(name: str, wanted: Any) -> str:
    pattern = _FORMATS.get(str(wanted))
    if pattern is None:
        raise NoCounterpart(
            f"what {remark(str(wanted))} looks like is Soda's own pattern: write it as a regex"
        )
    return sql.matches(name, pattern)
