"""Known failures that were accepted by name, for a time: ``waivers.toml`` beside the suite.

A waiver is shown beside the failure and never hides it. It covers at most what it says: more rows, other
rows or a day later, and the failure counts again. What has no answer cannot be waived.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.differences import Key
from kisaan_validate.facts.result import MASKED, Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.text import authored
from kisaan_validate.text.nearest import did_you_mean
from kisaan_validate.text.numbers import agreeing, counted

WAIVERS_FORMAT = 1
"""Version of a file of waivers. 1: first form."""


@dataclass(frozen=True)
class Waiver:
    """One accepted failure. Its scope is ``rows`` (at most so many), ``keys`` (these rows only), or the
    whole check.

    ``expires`` is the last day on which it holds, in UTC.
    """

    check: str
    reason: str
    owner: str
    expires: date
    rows: int | None = None
    keys: tuple[tuple[str, ...], ...] = ()
    whole_check: bool = False

    @property
    def scope(self) -> str:
        """What it covers, in words."""
        if self.keys:
            return f"{counted(len(self.keys), 'row')} by key"
        return "the whole check" if self.whole_check else f"at most {self.rows:,} violations"


@dataclass(frozen=True)
class Waivers:
    """The waivers of one file. ``digest`` is the SHA-256 of its text, which is kept whole."""

    waivers: tuple[Waiver, ...] = ()
    digest: str = ""
    text: str = ""


class Use(StrEnum):
    """What a waiver came to in a run."""

    HOLDS = "waived"
    EXPIRED = "waiver expired"
    EXCEEDED = "more than waived"
    UNNEEDED = "waiver no longer needed"
    UNANSWERED = "waiver cannot be applied"


@dataclass(frozen=True)
class Waived:
    """A waiver as it was used, with a remark for people."""

    waiver: Waiver
    use: Use
    remark: str


_KNOWN = ("check", "reason", "owner", "expires", "rows", "keys", "whole_check")


def read_waivers(text: str, origin: str, checks: Iterable[str] | None = None) -> Waivers:
    """The waivers that a file's text states. Raises SuiteError, naming file and check.

    ``checks`` are the ids of the suite: a waiver for a check that does not exist waives nothing, and is
    refused. Without them the file is taken as it was recorded.
    """
    try:
        given = authored.toml(text)
    except ValueError as error:
        raise SuiteError(f"not valid TOML: {error}", "", origin) from None
    for key in given:
        if key not in ("format", "waiver"):
            raise SuiteError(f"unknown key {key!r}", did_you_mean(key, ("format", "waiver")), origin)
    if given.get("format") != WAIVERS_FORMAT:
        raise SuiteError(
            f"format {given.get('format')!r} is not one that this version reads", "write format = 1", origin
        )
    listed = given.get("waiver", [])
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise SuiteError("waivers are tables", "write [[waiver]]", origin)
    known = None if checks is None else list(checks)
    waivers = tuple(_waiver(item, f"{origin}: waiver {n}", known) for n, item in enumerate(listed, 1))
    if twice := [w.check for w in waivers if [v.check for v in waivers].count(w.check) > 1]:
        raise SuiteError(f"{twice[0]!r} is waived twice", "say it in one waiver", origin)
    return Waivers(waivers, hashlib.sha256(text.encode()).hexdigest(), text)


def _waiver(item: Mapping[str, Any], place: str, known: list[str] | None) -> Waiver:
    for key in item:
        if key not in _KNOWN:
            raise SuiteError(f"unknown key {key!r}", did_you_mean(key, _KNOWN), place)
    for key in ("check", "reason", "owner"):
        if not isinstance(item.get(key), str) or not item[key].strip():
            raise SuiteError(f"a waiver needs {key!r}", "say which check, why, and who answers for it", place)
    if known is not None and item["check"] not in known:
        raise SuiteError(f"there is no check {item['check']!r}", did_you_mean(item["check"], known), place)
    expires = item.get("expires")
    if type(expires) is not date:
        raise SuiteError("a waiver needs 'expires', a day", "write expires = 2026-12-31", place)
    rows, keys, whole = item.get("rows"), item.get("keys", []), item.get("whole_check", False)
    if sum((rows is not None, bool(keys), bool(whole))) != 1:
        raise SuiteError(
            "a waiver covers one of rows, keys, whole_check",
            "write rows = 3, keys = [[17], [18]] or whole_check = true",
            place,
        )
    if rows is not None and (type(rows) is not int or rows < 1):
        raise SuiteError(
            f"rows = {rows!r} is not a number of violations", "write a whole number of at least 1", place
        )
    if type(whole) is not bool or not isinstance(keys, list):
        raise SuiteError("whole_check is true or false, keys is a list", "", place)
    reason, owner = " ".join(item["reason"].split()), item["owner"].strip()
    return Waiver(item["check"], reason, owner, expires, rows, tuple(_key(k, place) for k in keys), whole)


def _key(given: Any, place: str) -> tuple[str, ...]:
    values = given if isinstance(given, list) else [given]
    if not values or not all(type(v) in {int, str} for v in values):
        raise SuiteError(
            f"{given!r} is not a key", 'write a key as the report shows it: [17], or ["a", 2]', place
        )
    return tuple(str(v) for v in values)


def keys_needed(waivers: Waivers) -> dict[str, int]:
    """How many keys of which checks must be collected to tell whether only waived rows fail, by check id."""
    return {w.check: len(w.keys) + 1 for w in waivers.waivers if w.keys}


def waived(run: Run, waivers: Waivers) -> dict[str, Waived]:
    """What each waiver came to, by check id, for the checks of the run."""
    results = {result.check_id: result for result in run.results}
    today = run.place.at.astimezone(UTC)
    return {w.check: _used(w, results[w.check], today) for w in waivers.waivers if w.check in results}


def _used(waiver: Waiver, result: Result, now: datetime) -> Waived:
    until = f"until {waiver.expires.isoformat()}, {waiver.scope}"
    if result.status is not Status.FAIL:
        held = result.status in {Status.PASS, Status.TOLERATED}
        use, remark = (
            (Use.UNNEEDED, "the check holds")
            if held
            else (Use.UNANSWERED, "what has no answer cannot be waived")
        )
        return Waived(waiver, use, remark)
    if now.date() > waiver.expires:
        return Waived(waiver, Use.EXPIRED, f"it held {until}")
    violations = result.violations or 0
    if waiver.rows is not None and violations > waiver.rows:
        return Waived(waiver, Use.EXCEEDED, f"{violations:,} violations, waived are {waiver.scope}")
    if waiver.keys and (wrong := _beyond(waiver, result)):
        return Waived(waiver, Use.EXCEEDED, wrong)
    return Waived(waiver, Use.HOLDS, until)


def _beyond(waiver: Waiver, result: Result) -> str:
    """Which rows fail beyond those that a waiver names, in words; "" if there is none."""
    keys = [_values(tuple((n, v) for n, v in row if n in result.key)) for row in result.sample]
    if "ctid" in result.key or not result.key:
        return "the rows have no key that stays theirs, so they cannot be waived by key"
    if not result.sample_complete:
        return "not all failing rows are known, so it cannot be told that only the waived ones fail"
    if any(value == MASKED or value.endswith("…") for key in keys for value in key):
        return "the key is personal or too long to be shown whole, so its rows cannot be waived by key"
    if len(keys) != result.violations:
        return f"{result.violations:,} violations under {len(keys):,} keys: waive them by rows"
    others = [key for key in keys if key not in waiver.keys]
    if not others:
        return ""
    many = len(others)
    return f"{counted(many, 'other row')} {agreeing(many, 'fails', 'fail')}, first {', '.join(others[0])}"


def _values(key: Key) -> tuple[str, ...]:
    return tuple("NULL" if value is None else value for _, value in key)
