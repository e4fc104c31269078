"""Known failures that were accepted by name, for a time: ``waivers.toml`` beside the suite.

A waiver is shown beside the failure and never hides it. It covers at most what it says: more rows, other
rows or a day later, and the failure counts again. What has no answer cannot be waived.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from enum import StrEnum

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.differences import Key
from kisaan_validate.facts.result import MASKED, Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.text.nearest import did_you_mean
from kisaan_validate.text.numbers import agreeing, counted
from kisaan_validate.toml.reader import read


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
        if self.whole_check:
            return "the whole check"
        return f"at most {self.rows:,} violations"


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


def read_waivers(text: str, origin: str, checks: Iterable[str] | None = None) -> Waivers:
    """The waivers that a text states. Raises SuiteError, naming file and check.

    ``checks`` are the ids of the suite: a waiver for a check that does not exist waives nothing, and is
    refused. Without them the file is taken as it was recorded.
    """
    from kisaan_validate.verdict.waivers_model import WaiversFile

    given = read(text, origin, WaiversFile).waiver
    known = None if checks is None else list(checks)
    for number, w in enumerate(given, 1):
        if known is not None and w.check not in known:
            hint = did_you_mean(w.check, known)
            raise SuiteError(f"there is no check {w.check!r}", hint, f"{origin}: waiver {number}")
    # Two scopes for one check would leave open which of them holds.
    if twice := next((check for check, n in Counter(w.check for w in given).items() if n > 1), None):
        raise SuiteError(f"{twice!r} is waived twice", "combine them into one waiver", origin)
    waivers = tuple(
        Waiver(w.check, " ".join(w.reason.split()), w.owner.strip(), w.expires, w.rows, w.keys, w.whole_check)
        for w in given
    )
    return Waivers(waivers, hashlib.sha256(text.encode()).hexdigest(), text)


def keys_needed(waivers: Waivers) -> dict[str, int]:
    """By check id, how many keys must be collected to tell whether only waived rows fail."""
    # One more than is waived, so that a row beyond them is seen.
    return {w.check: len(w.keys) + 1 for w in waivers.waivers if w.keys}


def waived(run: Run, waivers: Waivers) -> dict[str, Waived]:
    """What each waiver came to, by check id, for the checks of the run."""
    results = {result.check_id: result for result in run.results}
    # The run's time, not today's: a record that is judged again next year has the same verdict.
    today = run.place.at.astimezone(UTC)
    return {w.check: _used(w, results[w.check], today) for w in waivers.waivers if w.check in results}


def _used(waiver: Waiver, result: Result, now: datetime) -> Waived:
    until = f"until {waiver.expires.isoformat()}, {waiver.scope}"
    if result.status is not Status.FAIL:
        held = result.status in {Status.PASS, Status.TOLERATED}
        use, remark = (
            (Use.UNNEEDED, "the check holds")
            if held
            else (Use.UNANSWERED, "a check without an answer cannot be waived")
        )
        return Waived(waiver, use, remark)
    if now.date() > waiver.expires:
        return Waived(waiver, Use.EXPIRED, f"it held {until}")
    violations = result.violations or 0
    if waiver.rows is not None and violations > waiver.rows:
        return Waived(
            waiver, Use.EXCEEDED, f"{violations:,} violations, but the waiver covers {waiver.scope}"
        )
    if waiver.keys and (wrong := _beyond(waiver, result)):
        return Waived(waiver, Use.EXCEEDED, wrong)
    return Waived(waiver, Use.HOLDS, until)


def _beyond(waiver: Waiver, result: Result) -> str:
    """Which rows fail beyond those that a waiver names, in words; "" if there is none."""
    # A sampled row shows other columns too; only those of the key identify it.
    keys = [_values(tuple((n, v) for n, v in row if n in result.key)) for row in result.sample]
    # A ctid names another row after the next UPDATE or VACUUM FULL.
    if "ctid" in result.key or not result.key:
        return "the rows have no stable key, so they cannot be waived by key"
    if not result.sample_complete:
        return "not all failing rows are known, so rows that are not waived may fail too"
    # Two long values may share the part that is shown.
    if any(value == MASKED or value.endswith("…") for key in keys for value in key):
        return "the key is personal or too long to be shown in full, so its rows cannot be waived by key"
    # Surplus rows of a duplicate, or several violations in one row: the keys do not account for all of them.
    if len(keys) != result.violations:
        return f"{result.violations:,} violations under {len(keys):,} keys: waive them by rows"
    others = [key for key in keys if key not in waiver.keys]
    if not others:
        return ""
    many = len(others)
    return f"{counted(many, 'other row')} {agreeing(many, 'fails', 'fail')}, first {', '.join(others[0])}"


# As a report prints it, since people copy keys from there.
def _values(key: Key) -> tuple[str, ...]:
    return tuple("NULL" if value is None else value for _, value in key)
