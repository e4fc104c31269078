"""On a standby: what replay cancelled is asked again, in a new snapshot, a bounded number of times.

Replay takes a whole snapshot away, so shorter statements alone would not help: what is asked again is cut
into smaller parts, each in a snapshot of its own. An answer is that of the snapshot it came from, and says
so. A baseline, a comparison or a profile speaks of one moment: there nothing is asked again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from kisaan_validate.errors import DatabaseError, KisaanError
from kisaan_validate.facts.check import Form
from kisaan_validate.facts.place import Notice
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.facts.run import Run, TableCoverage
from kisaan_validate.facts.table import TableFacts
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.facts.totals import ControlTotal
from kisaan_validate.prove.request import RunRequest
from kisaan_validate.text.numbers import counted

CONFLICT = "conflict with recovery"
"""How PostgreSQL names it (source, tcop/postgres.c, ProcessInterrupts): "canceling statement due to …" with
SQLSTATE 40001, and "terminating connection due to …", which libpq passes on without one.
"""

SEVERAL = "its checks were answered in several snapshots"

LAST_PARTS = 16
"""Into at most so many parts the checks are cut for their last try, and into two before that."""

Prove = Callable[[RunRequest], Run]


def asked_again(request: RunRequest, prove: Prove) -> Run:
    """One run by ``prove``, and beside it what replay on a standby cancelled, asked again. Raises what the
    first one raises.
    """
    retries = _retries(request)
    made = _begun(request, prove, retries)
    left = _conflicting(made.results) if retries and made.place.in_recovery else ()
    if not left:
        return made
    # Parts of what stays without an answer, each with one try less.
    waiting = [(left, retries)]
    answers = SnapshotAnswers(made)
    while waiting and not request.stop.requested:
        ids, tries = waiting.pop(0)
        _rest(request, retries - tries)
        rest = answers.add(_part(request, prove, ids), ids)
        if rest and tries > 1:
            most = LAST_PARTS if tries == 2 else 2
            waiting += [(part, tries - 1) for part in _parts(request, rest, most)]
    return replace(answers.whole(len(left)), finished_at=request.now())


def _retries(request: RunRequest) -> int:
    options = request.options
    one_moment = options.every_table or options.keep.rows or options.keep.values or options.while_held
    return options.guard.conflict_retries if options.guard is not None and not one_moment else 0


def _begun(request: RunRequest, prove: Prove, retries: int) -> Run:
    """The run, begun again where its first statements were cancelled before anything was measured."""
    for number in range(retries):
        try:
            return prove(request)
        except DatabaseError as error:
            if CONFLICT not in error.fact or request.stop.requested:
                raise
            _rest(request, number)
    return prove(request)


def _parts(request: RunRequest, ids: Collection[str], most: int) -> list[tuple[str, ...]]:
    """These checks in at most so many parts; those of one table stay together."""
    tables: dict[str, list[str]] = {}
    for check in request.suite.checks:
        if check.id in ids:
            tables.setdefault(check.table or check.id, []).append(check.id)
    groups = list(tables.values())
    size = -(-len(groups) // most)
    parts = [groups[start : start + size] for start in range(0, len(groups), size)]
    return [tuple(id for group in part for id in group) for part in parts]


def _part(request: RunRequest, prove: Prove, ids: Collection[str]) -> Run | None:
    """These checks by themselves; None where that failed."""
    checks = tuple(check for check in request.suite.checks if check.id in ids)
    request.say(f"asking {counted(len(checks), 'check')} again after a conflict with replay")
    try:
        return prove(replace(request, suite=replace(request.suite, checks=checks)))
    # The first answer, that there is none, stands.
    except KisaanError:
        return None


def _rest(request: RunRequest, number: int) -> None:
    """A standby that is late cancels at once: it gets a moment to catch up."""
    until = time.monotonic() + 2**number / 2
    while time.monotonic() < until and not request.stop.requested:
        time.sleep(0.05)


def _conflicting(results: Collection[Result]) -> tuple[str, ...]:
    """The checks that replay left without an answer."""
    return tuple(r.check_id for r in results if r.status is Status.ERROR and _by_conflict(r))


_HOLDER_GONE = frozenset({"22023", "08000"})
"""What a session is told that comes too late to join: there is no such snapshot any more, or its holder has
ended (see postgres.same_server).
"""


def _by_conflict(result: Result) -> bool:
    late = result.sqlstate in _HOLDER_GONE and result.message.startswith("not run: ")
    return result.sqlstate == "40001" or CONFLICT in result.message or late


class SnapshotAnswers:
    """The results of one run and its later parts. ``_of`` says by check id which of the runs answered it."""

    def __init__(self, first: Run) -> None:
        self._runs = [first]
        self._results = {result.check_id: result for result in first.results}
        self._of = dict.fromkeys(self._results, 0)
        self._totals = {total.key: (total, 0) for total in first.totals}

    def add(self, part: Run | None, ids: tuple[str, ...]) -> tuple[str, ...]:
        """Take the answers of a later part; which of ``ids`` replay cancelled once more."""
        if part is None or not self._same_server(part):
            return ids
        self._runs.append(part)
        number = len(self._runs) - 1
        for result in part.results:
            self._of[result.check_id] = number
            self._results[result.check_id] = _of_later(result, part)
        for total in part.totals:
            if self._totals[total.key][0].message and not total.message:
                self._totals[total.key] = (total, number)
        return _conflicting(part.results)

    def _same_server(self, part: Run) -> bool:
        """A primary, or another standby, answers something else by the same name."""
        first, now = self._runs[0].place, part.place
        names = ("system_identifier", "in_recovery", "host", "port", "address", "database")
        return all(getattr(first, name) == getattr(now, name) for name in names)

    def whole(self, asked: int) -> Run:
        """The run with all answers. ``asked``: how many checks had to be asked again."""
        first, *later = self._runs
        answered = asked - len(_conflicting(self._results.values()))
        said = (
            f"replay on the standby cancelled {counted(asked, 'check')}; asked again in "
            f"{counted(len(later), 'later snapshot')}, {answered:,} got an answer"
        )
        hint = "raise max_standby_streaming_delay, or run on the primary"
        return replace(
            first,
            results=tuple(self._results[result.check_id] for result in first.results),
            tables=tuple(self._table(table) for table in first.tables),
            totals=tuple(self._totals[total.key][0] for total in first.totals),
            coverage=tuple(self._covered(entry) for entry in first.coverage),
            statements=tuple(s for run in self._runs for s in run.statements),
            notices=(*first.notices, Notice("conflict", said, hint)),
            held_seconds=max(run.held_seconds for run in self._runs),
            interrupted=self._runs[-1].interrupted,
            guard=self._runs[-1].guard,
            pauses=self._runs[-1].pauses,
        )

    def _table(self, table: TableFacts) -> TableFacts:
        """The facts of the one run that answered all checks of a table: counts of two snapshots agree with
        nothing.
        """
        numbers = self._runs_over(table)
        if numbers <= {0}:
            return table
        if len(numbers) > 1:
            return replace(table, rows=None, reason=SEVERAL)
        (number,) = numbers
        found = {(t.schema, t.name): t for t in self._runs[number].tables}
        return found.get((table.schema, table.name), replace(table, rows=None, reason=SEVERAL))

    def _runs_over(self, table: TableFacts) -> set[int]:
        key: TableKey = (table.schema, table.name)
        names = set(_names(self._runs[0], key))
        rows = (check for check in self._runs[0].checks if check.form is not Form.CATALOGUE)
        checks = {check.id for check in rows if check.table in names}
        answered = {id for id in checks if self._results[id].violations is not None}
        totals = (pair for pair in self._totals.values() if _is_of(pair[0], table))
        return {self._of[id] for id in answered} | {number for total, number in totals if not total.message}

    def _covered(self, entry: TableCoverage) -> TableCoverage:
        """What the checks of all runs touched; each check was answered by one of them."""
        every = [c for run in self._runs for c in run.coverage if c.table == entry.table]
        judged = {name for c in every for name in c.judged}
        described = {name for c in every for name in c.described} - judged
        columns = (*entry.judged, *entry.described, *entry.untouched)
        return replace(
            entry,
            checks=sum(c.checks for c in every),
            judged=tuple(n for n in columns if n in judged),
            described=tuple(n for n in columns if n in described),
            untouched=tuple(n for n in columns if n not in judged | described),
        )


def _of_later(result: Result, part: Run) -> Result:
    """A result that names its snapshot."""
    if result.status is Status.ERROR:
        return result
    said = f"of a later snapshot, {part.place.at:%Y-%m-%d %H:%M:%S} UTC: replay had cancelled the first"
    return replace(result, message="; ".join(filter(None, (result.message, said))))


def _names(run: Run, key: TableKey) -> Iterator[str]:
    schema, name = key
    yield from (name, f"{schema}.{name}")
    for alias, places in run.suite.aliases.items():
        if {name, f"{schema}.{name}"} & set(places):
            yield alias


def _is_of(total: ControlTotal, table: TableFacts) -> bool:
    return total.table in {table.name, f"{table.schema}.{table.name}"}
