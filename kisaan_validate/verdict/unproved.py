"""Everything that a run did not prove, each with its reason, in one list. Pure: a function of a Judgement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from kisaan_validate.contract.promise import State
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Check
from kisaan_validate.facts.result import Evidence, Result, Status, vacuous
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.depth import depth_of
from kisaan_validate.verdict.proved import proved_earlier

if TYPE_CHECKING:
    from kisaan_validate.facts.table import ColumnFacts
    from kisaan_validate.verdict.judgement import Judgement
    from kisaan_validate.verdict.reconciliation import Reconciliation

OUT_OF_TIME = frozenset({"57014", "55P03", "25P03", "25P04"})
"""SQLSTATEs of statements that ran out of time, or waited too long for a lock."""


@dataclass(frozen=True)
class Unproved:
    """What was not proved for one reason: ``names`` of things, ``checks`` by id. ``hint`` is what to do, or
    "". ``size`` is how many things it stands for.
    """

    reason: str
    names: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    hint: str = ""
    size: int = 1


@dataclass(frozen=True)
class UnprovedPart:
    """The things that were not proved for one kind of reason."""

    name: str
    items: tuple[Unproved, ...]

    @property
    def size(self) -> int:
        """How many things are in it."""
        return sum(item.size for item in self.items)


def unproved_of(judged: Judgement, books: Iterable[Reconciliation]) -> tuple[UnprovedPart, ...]:
    """What was not proved, in the order of weight; no part is empty. ``books`` are the reconciliation
    statements.
    """
    parts = (*_unanswered(judged), *_limits(judged), *_sides(judged, books), *_leaning(judged))
    return tuple(part for part in parts if part.items)


Pair = tuple[Check, Result]


def _pairs(judged: Judgement) -> list[Pair]:
    results = {result.check_id: result for result in judged.run.results}
    lost = "no result was recorded for this check"
    # An error, not a pass: a check that has no result must not vanish from the list.
    return [(c, results.get(c.id) or Result(c.id, Status.ERROR, message=lost)) for c in judged.run.checks]


def _unanswered(judged: Judgement) -> Iterator[UnprovedPart]:
    """Checks without an answer."""
    pairs = _pairs(judged)
    errors = [pair for pair in pairs if pair[1].status is Status.ERROR]
    late = [pair for pair in errors if pair[1].sqlstate in OUT_OF_TIME]
    yield UnprovedPart("Errors", _by_reason(pair for pair in errors if pair not in late))
    yield UnprovedPart("Out of time", _by_reason(late))
    earlier = [(table, f"last proved: {at}") for table, at in proved_earlier(judged.run)]
    yield UnprovedPart("Tables not fully proved in this run", _named(earlier))
    yield UnprovedPart("Skipped", _by_reason(pair for pair in pairs if pair[1].status is Status.SKIP))


def _limits(judged: Judgement) -> Iterator[UnprovedPart]:
    """What nobody asked for, or what could not be read."""
    run = judged.run
    left = run.suite.total_checks - len(run.checks)
    asked = ", ".join((*run.selection.select, *(f"not {name}" for name in run.selection.exclude)))
    partial = Unproved(
        f"this run was partial; selected: {asked or 'a part'}", (counted(left, "check"),), size=left
    )
    yield UnprovedPart("Not selected", (partial,) if run.selection.partial else ())
    yield UnprovedPart("Interrupted", (Unproved(run.interrupted),) if run.interrupted else ())
    rows = [(t.title, t.reason or "no reason was recorded") for t in run.tables if t.rows is None]
    yield UnprovedPart("Tables not counted", _named(rows))
    totals = [(f"{t.table}: {t.name}", t.message) for t in run.totals if t.message]
    yield UnprovedPart("Control totals without an answer", _named(totals))
    yield UnprovedPart("Catalogue not read", _named(run.unread.items()))


def _sides(judged: Judgement, books: Iterable[Reconciliation]) -> Iterator[UnprovedPart]:
    """What was not compared with the baseline, and what its contract leaves open."""
    if judged.diff is None or judged.before is None:
        yield UnprovedPart("Not compared", (Unproved("there is no baseline", ("before and after",)),))
        return
    from kisaan_validate.contract.values import Revised

    promises = [(p.claim(), o.message or o.state.value) for p, o in judged.open_promises]
    announced = [(p.claim(), o.message) for p, o in judged.in_state(State.KEPT) if isinstance(p, Revised)]
    others = [
        (i.words, f"only their number was compared{': it differs' if i.judged else ''}")
        for i in judged.diff.not_compared
    ]
    shallow = [
        (t, "beside what promises speak of, only NULL counts, ends and exact sums were compared")
        for t in depth_of(judged).figures
    ]
    yield UnprovedPart("Promises without an answer", _named(promises))
    yield UnprovedPart("Comparisons not possible", _named((u.what, u.reason) for u in judged.untold))
    yield UnprovedPart("Not reconciled", _named(_open_books(books)))
    yield UnprovedPart("Announced, not proved", _named(announced))
    yield UnprovedPart("Personal columns not compared", _named(_personal(judged)))
    yield UnprovedPart("Values not compared row by row", _named(shallow))
    yield UnprovedPart("Not compared", _named(others))


def _personal(judged: Judgement) -> Iterator[tuple[str, str]]:
    """The personal columns of both sides whose values were compared by nothing."""
    before = judged.before.tables if judged.before is not None else ()
    old = {(t.title, c.name): c for t in before for c in t.columns}
    keyed = {(k.table, k.column): k for k in judged.run.keyed}
    for place, column in ((t.title, c) for t in judged.run.tables for c in t.columns):
        known = keyed.get((place, column.name))
        told = known is not None and known.outcome
        if _is_personal(column, old.get((place, column.name))) and not told:
            why = known.message if known is not None else ""
            yield f"{place}.{column.name}", why or "only the number of NULLs was compared"


def _is_personal(now: ColumnFacts, before: ColumnFacts | None) -> bool:
    """Whether a column of both sides is personal on either."""
    profiles = [side.profile for side in (now, before) if side is not None]
    return len(profiles) > 1 and any(p is not None and p.personal for p in profiles)


def _open_books(books: Iterable[Reconciliation]) -> Iterator[tuple[str, str]]:
    """The statements that claim nothing, and the sums that are in none."""
    for one in books:
        if one.reconciles is None:
            yield one.table, "; ".join(one.unknown)
        yield from ((f"the sum of {one.table}.{column}", reason) for column, reason in one.left_out)


def _leaning(judged: Judgement) -> Iterator[UnprovedPart]:
    """Answers that rest on an excuse, or on something else than the rows; and what nothing looked at."""
    pairs, run = _pairs(judged), judged.run
    yield UnprovedPart("Tolerated", tuple(_tolerated(c, r) for c, r in pairs if r.status is Status.TOLERATED))
    yield UnprovedPart("Waived", tuple(_waived(judged)))
    flying = ((r.message, c.id) for c, r in pairs if r.settled and (r.settled.healed or r.settled.fresh))
    yield UnprovedPart("In flight", _of_checks(flying))
    yield UnprovedPart(
        "Believed", _of_checks((f"told to believe {r.trusted}", c.id) for c, r in pairs if r.trusted)
    )
    proved = [pair for pair in pairs if pair[1].evidence is Evidence.PROVED]
    yield UnprovedPart(
        "Rows not read",
        _of_checks((f"proved by {r.enforced_by or 'a constraint of the database'}", c.id) for c, r in proved),
    )
    yield UnprovedPart(
        "Held only because there were no rows",
        _of_checks(("there were no rows to examine", c.id) for c, r in pairs if vacuous(r)),
    )
    never = [c for c in run.coverage if not c.judged and not c.described and not c.checks]
    yield UnprovedPart(
        "Tables that no check reads",
        _named((c.table, "left out by the suite" if c.excluded else "no check reads it") for c in never),
    )
    yield UnprovedPart("Left out", _named((name, "by the suite") for name in run.suite.excluded_tables))
    yield UnprovedPart("Not applicable", _inapplicable(pairs))


def _tolerated(check: Check, result: Result) -> Unproved:
    rows = f"{result.violations or 0:,} of {result.examined or 0:,}"
    return Unproved(f"{rows}; tolerated, up to {check.tolerance}", checks=(check.id,))


def _waived(judged: Judgement) -> Iterator[Unproved]:
    for id, use in judged.waived.items():
        said = f"{use.use.value} ({use.remark}); {use.waiver.owner}: {use.waiver.reason}"
        yield Unproved(said, checks=(id,))


def _inapplicable(pairs: Sequence[Pair]) -> tuple[Unproved, ...]:
    """One item: each check says by itself what is not there."""
    number = sum(result.status is Status.NOT_APPLICABLE for _, result in pairs)
    reason = "what they are about is not in this database; each says what"
    return (Unproved(reason, (counted(number, "check"),), size=number),) if number else ()


def _by_reason(pairs: Iterable[Pair]) -> tuple[Unproved, ...]:
    """One item a reason, with all checks that share it."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for check, result in pairs:
        code = f" (SQLSTATE {result.sqlstate})" if result.sqlstate else ""
        reason = f"{result.message or 'no reason was recorded'}{code}"
        found[reason, result.hint or check.hint].append(check.id)
    return tuple(
        Unproved(reason, checks=tuple(ids), hint=hint, size=len(ids)) for (reason, hint), ids in found.items()
    )


def _of_checks(pairs: Iterable[tuple[str, str]]) -> tuple[Unproved, ...]:
    found: dict[str, list[str]] = defaultdict(list)
    for reason, id in pairs:
        found[reason].append(id)
    return tuple(Unproved(reason, checks=tuple(ids), size=len(ids)) for reason, ids in found.items())


def _named(pairs: Iterable[tuple[str, str]]) -> tuple[Unproved, ...]:
    """One item a reason, with the names that share it."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, reason in pairs:
        found[reason].append(name)
    return tuple(Unproved(reason, tuple(names), size=len(names)) for reason, names in found.items())
