"""What a migration changed, as the page shows it: promises, differences, and each table's figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from kisaan_validate.contract.promise import State
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import CHANGED_ROWS, DIGEST, ROWS, SEQUENCE, VALUES, Change
from kisaan_validate.report.deltas import difference
from kisaan_validate.report.text import number, signed
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.judgement import Answer, Judgement, answer_of

if TYPE_CHECKING:
    from kisaan_validate.compare.causes.base import ChangeGroup
    from kisaan_validate.compare.patterns.ends import Hint
    from kisaan_validate.facts.baseline import Baseline
    from kisaan_validate.facts.table import Family

STATE_ORDER = (State.BROKEN, State.NOT_DONE, State.UNKNOWN, State.NOT_APPLICABLE, State.KEPT)
STATE_WORDS = {
    State.KEPT: "Kept",
    State.BROKEN: "Broken",
    State.NOT_DONE: "Promised but not done",
    State.UNKNOWN: "Cannot tell",
    State.NOT_APPLICABLE: "Not applicable",
}
STATE_SIGNS = {
    State.KEPT: "pass",
    State.BROKEN: "fail",
    State.NOT_DONE: "fail",
    State.UNKNOWN: "error",
    State.NOT_APPLICABLE: "not_applicable",
}
"""A promise's state is drawn and coloured as the status of a check of this name."""


@dataclass(frozen=True)
class PromiseLine:
    """One promise and its outcome."""

    id: str
    claim: str
    why: str
    severity: str
    state: State
    message: str
    before: str
    after: str
    explains: int

    @property
    def sign(self) -> str:
        """The status under whose sign and colour it is shown."""
        return STATE_SIGNS[self.state]


@dataclass(frozen=True)
class ChangeLine:
    """One difference; ``delta`` says by how much, "" where the two have no difference that is a number."""

    what: str
    before: str | None
    after: str | None
    delta: str
    contradicts: tuple[str, ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class CauseLines:
    """Differences of one cause; ``words`` is "" where the one line says it all. ``explained_by`` holds the
    ids of promises; None where there is no contract.
    """

    words: str
    lines: tuple[ChangeLine, ...]
    explained_by: tuple[str, ...] | None


@dataclass(frozen=True)
class TableChanges:
    """What differs of one table ("" for the database as a whole) by cause, and what its figures say."""

    table: str
    causes: tuple[CauseLines, ...]
    unexplained: int
    hints: tuple[Hint, ...] = ()

    @property
    def summary(self) -> str:
        """How many differences, and how many of them are explained by nothing."""
        words = counted(sum(len(cause.lines) for cause in self.causes), "difference")
        if self.unexplained:
            return f"{words}, {number(self.unexplained)} unexplained"
        return words


def promise_lines(judged: Judgement) -> dict[State, list[PromiseLine]]:
    """The promises by what happened to them, the worst first; only states that occur.

    Of those declared as one, for several columns, the first says why: it is the same of all.
    """
    found: dict[State, list[PromiseLine]] = {state: [] for state in STATE_ORDER}
    for promise, outcome in judged.promises:
        said = {(line.id.partition("/")[0], line.why) for line in found[outcome.state]}
        repeated = (promise.id.partition("/")[0], promise.why) in said
        found[outcome.state].append(
            PromiseLine(
                promise.id,
                promise.claim(),
                "" if repeated else promise.why,
                promise.severity.value,
                outcome.state,
                outcome.message,
                outcome.before,
                outcome.after,
                len(outcome.explains),
            )
        )
    return {state: lines for state, lines in found.items() if lines}


def table_changes(judged: Judgement, after: Baseline) -> dict[str, TableChanges]:
    """What differs, by table ("" for the database as a whole), each table's differences by their cause."""
    if judged.diff is None or judged.before is None:
        return {}
    from kisaan_validate.compare.patterns.ends import hints

    said, families = hints(judged.before, after), _families(after)
    found: dict[str, list[ChangeGroup]] = {}
    for group in judged.groups:
        found.setdefault(group.table, []).append(group)
    return {
        table: _table(table, groups, judged, families, [hint for hint in said if hint.table == table])
        for table, groups in found.items()
    }


def _table(
    table: str,
    groups: Sequence[ChangeGroup],
    judged: Judgement,
    families: Mapping[tuple[str, str], Family],
    said: Iterable[Hint],
) -> TableChanges:
    causes = tuple(_cause(group, judged, families) for group in _worst_first(groups))
    # Without a contract no difference can be called unexplained.
    open_ = _unexplained(groups) if judged.contract is not None else 0
    return TableChanges(table, causes, open_, _untold_hints(said, groups))


def _worst_first(groups: Sequence[ChangeGroup]) -> list[ChangeGroup]:
    return sorted(groups, key=lambda group: bool(group.explained_by))


def _unexplained(groups: Iterable[ChangeGroup]) -> int:
    return sum(len(group.changes) for group in groups if not group.explained_by)


def _families(side: Baseline) -> dict[tuple[str, str], Family]:
    return {(t.title, c.name): c.profile.family for t in side.tables for c in t.columns if c.profile}


def _cause(group: ChangeGroup, judged: Judgement, families: Mapping[tuple[str, str], Family]) -> CauseLines:
    lines = tuple(_line(c, judged, families.get((c.table, c.name))) for c in group.changes)
    # None, not (): without a contract no difference can be called unexplained.
    explained = group.explained_by if judged.contract is not None else None
    return CauseLines(_cause_words(group), lines, explained)


def _cause_words(group: ChangeGroup) -> str:
    """What made the differences; "" of one alone. What the lines show anyway is not said of the cause."""
    if len(group.changes) == 1:
        return ""
    words = group.cause.words(group.changes)
    return f"{group.cause.kind}: {counted(len(group.changes), 'difference')}" if "→" in words else words


def _untold_hints(said: Iterable[Hint], groups: Iterable[ChangeGroup]) -> tuple[Hint, ...]:
    """What the figures say of columns that no cause covers."""
    from kisaan_validate.compare.causes.values import EndsMoved

    told = {(c.table, c.name) for g in groups if isinstance(g.cause, EndsMoved) for c in g.changes}
    return tuple(hint for hint in said if (hint.table, hint.column) not in told)


def open_hints(judged: Judgement, after: Baseline) -> tuple[Hint, ...]:
    """What the figures say of the columns whose figures differ and are explained by nothing; of all where
    no contract could.
    """
    if judged.diff is None or judged.before is None:
        return ()
    from kisaan_validate.compare.patterns.ends import hints

    # Without a contract nothing is explained or unexplained: all differences are open to the reader.
    changes = judged.unexplained if judged.contract is not None else judged.diff.changes
    columns = {(change.table, change.name) for change in changes if change.kind == VALUES}
    return tuple(hint for hint in hints(judged.before, after) if (hint.table, hint.column) in columns)


_FIGURE_WORDS = {
    "nulls": "NULLs",
    "minimum": "smallest value",
    "maximum": "largest value",
    "total": "sum",
    DIGEST: "values of some rows (by digest)",
    CHANGED_ROWS: "rows with a different value",
}
_ROW_WORDS = {
    "count": "rows",
    DIGEST: "set of rows (by digest)",
    "changed": "changed rows",
    "added": "added rows",
    "removed": "removed rows",
}


def _line(change: Change, judged: Judgement, family: Family | None) -> ChangeLine:
    delta = signed(change.delta) if change.delta is not None else difference(change, family)
    broken, remark = judged.contradicted(change.key), judged.remarks.get(change.key, "")
    return ChangeLine(words_of(change), change.before, change.after, delta, broken, remark)


def words_of(change: Change) -> str:
    """What differs, in words, within its table."""
    if change.kind == ROWS:
        return _ROW_WORDS[change.aspect]
    if change.kind == VALUES:
        return f"{change.name}: {_FIGURE_WORDS[change.aspect]}"
    if change.kind == SEQUENCE:
        return f"sequence {change.name}: last value (outside the snapshot)"
    name = (
        f"{change.kind} {change.name}" if change.name != change.table or change.kind != "table" else "table"
    )
    return f"{name}: {change.aspect}"


@dataclass(frozen=True)
class AnswerLine:
    """One of the three answers: since the baseline, there before, cannot tell."""

    word: str
    text: str
    some: bool


def answer_words(judged: Judgement) -> tuple[AnswerLine, ...]:
    """The answer to the first question of the night; () without a baseline."""
    answer = answer_of(judged)
    if answer is None:
        return ()
    since = [f"{counted(len(answer.since), 'check')} failing"] if answer.since else []
    since += [f"{counted(answer.broken, 'promise')} broken"] if answer.broken else []
    since += [f"{number(answer.not_done)} promised but not done"] if answer.not_done else []
    since += [f"{counted(answer.unexplained, 'unexplained difference')}"] if answer.unexplained else []
    before = [f"{counted(len(answer.before), 'check')} failing"] if answer.before else []
    unjudged = f"{counted(answer.listed, 'difference')}, judged by no contract" if answer.listed else ""
    return (
        _answer("since the baseline", since, [unjudged]),
        _answer("already wrong before", before, []),
        _answer(
            "cannot tell",
            _open(judged, answer),
            _asides(judged, answer),
            "nothing that affects the verdict",
        ),
    )


def _answer(word: str, said: list[str], asides: list[str], nothing: str = "") -> AnswerLine:
    """One line: what there is, or that there is nothing; then what is said beside it and fails nothing."""
    beside = [text for text in asides if text]
    # "nothing" beside an aside would contradict it.
    head = ", ".join(said) or (nothing if beside else "nothing")
    return AnswerLine(word, "; ".join(filter(None, (head, *beside))), bool(said))


def _open(judged: Judgement, answer: Answer) -> list[str]:
    """What is open: failing checks that count, of an age not known; promises; what was not compared."""
    # Accepted failures change no verdict, whatever their age; they are said among the asides.
    failing = [id for id in answer.unknown if id in judged.failing]
    promises, others = len(judged.open_promises), len(judged.untold)
    found = [f"whether {counted(len(failing), 'failing check')} failed before"] if failing else []
    found += [counted(promises, "promise")] if promises else []
    return found + ([f"{counted(others, 'comparison')} not possible"] if others else [])


def _asides(judged: Judgement, answer: Answer) -> list[str]:
    """What else is not known and changes no verdict: the age of accepted failures, rewritten checks,
    personal values.
    """
    accepted = [id for id in answer.unknown if id not in judged.failing]
    tables = judged.before.tables if judged.before is not None else ()
    personal = sum(
        column.profile is not None and column.profile.personal for table in tables for column in table.columns
    )
    return [
        f"whether {counted(len(accepted), 'accepted failure')} failed before" if accepted else "",
        (
            f"earlier results of {counted(len(answer.rewritten), 'check')}, rewritten since and judged as "
            "now written"
        )
        if answer.rewritten
        else "",
        f"values of {counted(personal, 'personal column')} (not compared)" if personal else "",
    ]
