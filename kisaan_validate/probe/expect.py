"""Whether an answer is the expected one. Says which path is wrong and how, never the value there."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.probe import ProbeState
from kisaan_validate.probe.document import NoDocument, document_of
from kisaan_validate.probe.paths import TooDeep, values_at
from kisaan_validate.probe.pattern import PATIENCE
from kisaan_validate.probe.values import Captured
from kisaan_validate.text.numbers import counted

if TYPE_CHECKING:
    from kisaan_validate.probe.asking import HttpAnswer
    from kisaan_validate.probe.model import AnswerTable

LONGEST_CAPTURE = 200
"""Characters of a value that can be captured."""


@dataclass(frozen=True)
class Fault:
    """Something in an answer that is not as expected; not ``known``: it could not be judged."""

    words: str
    known: bool = True


def status_fits(status: int, wanted: tuple[str, ...]) -> bool:
    """Whether a status is one of the wanted ones: ``201`` or ``2xx``."""
    return any(str(status) == one or f"{str(status)[0]}xx" == one for one in wanted)


def kind_of(value: Any) -> str:
    """The type of a JSON value, as files of probes call it."""
    # A boolean is an int to isinstance.
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    kinds = {str: "text", int: "number", Decimal: "number", dict: "object", list: "list"}
    return kinds[type(value)]


def status_faults(answer: HttpAnswer, wanted: tuple[str, ...], within_ms: int | None) -> Iterator[Fault]:
    """What is wrong with an answer, before its body is examined."""
    if not status_fits(answer.status, wanted):
        moved = "; it redirects, which is not followed" if 300 <= answer.status < 400 else ""
        yield Fault(f"HTTP {answer.status}, expected {' or '.join(wanted)}{moved}")
    if answer.broken:
        yield Fault(f"HTTP {answer.status}, but {answer.broken}")
    if within_ms is not None and answer.seconds * 1000 > within_ms:
        yield Fault(f"it took {answer.seconds * 1000:,.0f} ms, at most {within_ms:,} are allowed")


def body_faults(document: Any, expected: tuple[AnswerTable, ...]) -> Iterator[Fault]:
    """What is not as expected in the JSON of an answer."""
    for one in expected:
        try:
            found = _fault(one, values_at(one.path, document))
        except TooDeep:
            found = Fault("is nested more deeply than is followed", known=False)
        if found is not None:
            yield Fault(f"{one.path} {found.words}", found.known)


def _fault(one: AnswerTable, values: list[Any]) -> Fault | None:
    if one.exists is not None:
        words = "is not there" if one.exists else "is there"
        return None if bool(values) is one.exists else Fault(words)
    if one.count is not None:
        number = len(values[0]) if len(values) == 1 and isinstance(values[0], list) else len(values)
        return (
            None if number == one.count else Fault(f"is there {counted(number, 'time')}, not {one.count:,}")
        )
    if not values:
        return Fault("is not there")
    if one.type is not None:
        other = next((kind_of(v) for v in values if kind_of(v) != one.type), "")
        return Fault(f"is a {other}, not a {one.type}") if other else None
    if one.matches is not None:
        return _unmatched(one.matches, values)
    return _unequal(one.equals, values)


def _unequal(wanted: Any, values: list[Any]) -> Fault | None:
    if len(values) != 1:
        return Fault(f"leads to {len(values):,} values, not one")
    value = values[0]
    if kind_of(value) != kind_of(wanted):
        return Fault(f"is a {kind_of(value)}, not a {kind_of(wanted)}")
    # int and Decimal compare exactly, and 10 equals 10.00.
    return None if value == wanted else Fault("is not the expected value")


def _unmatched(pattern: str, values: list[Any]) -> Fault | None:
    import regex

    for value in values:
        if not isinstance(value, str):
            return Fault(f"is a {kind_of(value)}, not a text")
        try:
            if regex.search(pattern, value, timeout=PATIENCE) is None:
                return Fault("does not match")
        except TimeoutError:
            return Fault(f"was not matched within {PATIENCE:g} s", known=False)
        except MemoryError:
            return Fault("could not be matched", known=False)
    return None


def captured(document: Any, paths: dict[str, str]) -> tuple[dict[str, Captured], list[Fault]]:
    """What a step keeps for later ones, by name, and why something could not be kept."""
    kept: dict[str, Captured] = {}
    faults = []
    for name, path in paths.items():
        try:
            values = values_at(path, document)
        except TooDeep:
            values = []
        found = values[0] if len(values) == 1 else None
        # A text or a whole number: what an id is. A boolean is an int to isinstance.
        if not isinstance(found, (str, int)) or isinstance(found, bool):
            faults.append(Fault(f"{path} is not an id: {name} could not be captured"))
        elif not 0 < len(str(found)) <= LONGEST_CAPTURE:
            faults.append(Fault(f"{path} is empty or too long: {name} could not be captured"))
        else:
            kept[name] = found
    return kept, faults


@dataclass(frozen=True)
class AnswerJudged:
    """The judgement of an answer, in words, and what was captured from it."""

    state: ProbeState
    words: str
    captured: dict[str, Captured]


def judge_answer(
    answer: HttpAnswer,
    status: tuple[str, ...],
    within_ms: int | None,
    expected: tuple[AnswerTable, ...] = (),
    capture: dict[str, str] | None = None,
) -> AnswerJudged:
    """What an answer proves. A known fault outranks an unknown one."""
    faults = list(status_faults(answer, status, within_ms))
    kept: dict[str, Captured] = {}
    # With another status the body is something else, and its paths would only add noise.
    if (expected or capture) and status_fits(answer.status, status) and not answer.broken:
        try:
            document = document_of(answer)
            kept, missing = captured(document, capture or {})
            faults += [*body_faults(document, expected), *missing]
        except NoDocument as none:
            faults.append(Fault(none.words, none.known))
    if not faults:
        return AnswerJudged(ProbeState.PASS, f"HTTP {answer.status} in {answer.seconds * 1000:,.0f} ms", kept)
    first = next((one for one in faults if one.known), faults[0])
    more = f" (and {counted(len(faults) - 1, 'more fault')})" if len(faults) > 1 else ""
    state = ProbeState.FAIL if first.known else ProbeState.UNKNOWN
    return AnswerJudged(state, f"{first.words}{more}", kept)
