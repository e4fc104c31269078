"""What one execution of a suite measured. Verdict, transitions and pages are pure functions of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass

if TYPE_CHECKING:
    from kisaan_validate.facts.baseline import Baseline
    from kisaan_validate.report.frame import DataFrame

from kisaan_validate.facts.check import Check, Criterion, Severity
from kisaan_validate.facts.forward import forward
from kisaan_validate.facts.guarding import Guarded, Pause
from kisaan_validate.facts.kept import RowFile, RowsCompared, ValuesCompared
from kisaan_validate.facts.ledger import Ledger
from kisaan_validate.facts.past import Remembered
from kisaan_validate.facts.place import Notice, Place
from kisaan_validate.facts.proved import TableProved
from kisaan_validate.facts.result import UNANSWERED, FailOn, Result, Status, Verdict
from kisaan_validate.facts.resumed import TableResumed
from kisaan_validate.facts.server import ServerCounter
from kisaan_validate.facts.suite import Selection, SuiteFacts
from kisaan_validate.facts.table import KeyedDigest, Measured, SchemaObject, SequenceValue, TableFacts
from kisaan_validate.facts.totals import ControlTotal

RUN_FORMAT = 4
"""Version of run.json. 1: never published. 2: column profiles, schema objects, sequences, measures of a
contract. 3: success criteria, and what no check read; who ran it, the state of its sources, the run before
it. 4: no field at its default, and a line for each entry of a list."""

OLDEST_RUN_FORMAT = 3
"""The oldest that is read; such a run is written as it was, for other files name it by digest."""


@dataclass(frozen=True)
class StatementFacts:
    """One statement that was run: its SQL, the checks it answered, how long it took in milliseconds."""

    purpose: str
    sql: str
    check_ids: tuple[str, ...]
    milliseconds: float
    sqlstate: str = ""


@dataclass(frozen=True)
class TableCoverage:
    """What the checks that have an answer read of one table of the configured schemas.

    Each column is in one of three: ``judged`` if a check read its values, ``described`` if checks only
    looked at the catalogue (its type, its presence), else ``untouched``. ``checks`` counts the checks that
    read rows of the table; ``excluded`` tells that the suite leaves it out.
    """

    table: str
    checks: int
    judged: tuple[str, ...]
    described: tuple[str, ...]
    untouched: tuple[str, ...]
    excluded: bool = False


@dataclass(frozen=True)
class Provenance:
    """Where a run comes from: who ran it, on which state of the sources, after which run.

    ``operator`` is a claim (``operator_from`` says whose), for nobody authenticates it; sign-offs are what
    does. ``commit`` is the Git commit that the suite's folder is at, and ``uncommitted`` what differs
    there from it; where Git could not say, ``uncommitted`` is None and ``unversioned`` the reason.
    ``previous_digest`` is the SHA-256 of the ``run.json`` that was recorded before this one in the same
    folder of reports ("" for the first). ``approvals`` is how many people must approve.
    """

    operator: str = ""
    operator_from: str = ""
    commit: str = ""
    uncommitted: tuple[str, ...] | None = None
    unversioned: str = ""
    previous_run: str = ""
    previous_digest: str = ""
    approvals: int = 1


@dataclass(frozen=True, repr=False)
class Run:
    """What one execution of a suite measured. Nothing that can be derived from it is in it.

    ``unread`` maps kinds of schema objects, or titles of tables, to why the catalogue could not say what
    they are. ``baseline_digest``, ``contract_digest`` and ``waivers_digest`` name the files that it is to
    be read with, by the SHA-256 of their bytes; ``fail_on`` says which failures count. ``row_file`` is
    what it wrote beside a baseline, ``rows`` the result of comparing with one; ``value_file`` and
    ``values`` are the same of the values of chosen columns. ``interrupted`` and ``halted`` say why not all
    was asked: somebody stopped it, or it ended at the first failing blocking check or after its time.
    ``meanings`` are digests of what the contract asked to be measured, by table name. ``keyed`` is what is
    known of personal columns; ``secret``, the key of their digests in hex, and the digests go into a baseline
    only. ``totals`` are the control totals that the suite declares, ``counters`` those of the server, if a
    check is about it. ``proved`` says of a scan when each table was last proved,
    ``resumed`` how far tables are read that take several nights.
    ``past`` is what it knew of the runs before it, None of the first; ``since_last``: with ``fail_on`` NEW,
    failures that the last run knew do not count.
    ``guard`` is what watched the server, ``pauses`` are the times in which the run waited or went slower.
    ``ledger_rows`` are those of the ledger of migrations, where the suite names one.
    """

    id: str
    started_at: datetime
    finished_at: datetime
    tool_version: str
    suite: SuiteFacts
    place: Place
    selection: Selection
    settings: Mapping[str, str]
    tables: tuple[TableFacts, ...]
    checks: tuple[Check, ...]
    results: tuple[Result, ...]
    notices: tuple[Notice, ...] = ()
    statements: tuple[StatementFacts, ...] = ()
    objects: tuple[SchemaObject, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    sequences: tuple[SequenceValue, ...] = ()
    measured: tuple[Measured, ...] = ()
    baseline_digest: str = ""
    contract_digest: str = ""
    waivers_digest: str = ""
    row_file: RowFile | None = None
    rows: tuple[RowsCompared, ...] = ()
    value_file: RowFile | None = None
    values: tuple[ValuesCompared, ...] = ()
    fail_on: FailOn = FailOn.ANY
    criteria: tuple[Criterion, ...] = ()
    coverage: tuple[TableCoverage, ...] = ()
    meanings: Mapping[str, str] = field(default_factory=dict)
    interrupted: str = ""
    halted: str = ""
    secret: str = ""
    keyed: tuple[KeyedDigest, ...] = ()
    totals: tuple[ControlTotal, ...] = ()
    held_seconds: int = 0
    guard: Guarded | None = None
    pauses: tuple[Pause, ...] = ()
    counters: tuple[ServerCounter, ...] = ()
    proved: tuple[TableProved, ...] = ()
    resumed: tuple[TableResumed, ...] = ()
    ledger_rows: Ledger | None = None
    provenance: Provenance = field(default_factory=Provenance)
    past: Remembered | None = None
    since_last: bool = False
    format_version: int = RUN_FORMAT

    @property
    def verdict(self) -> Verdict:
        """PASS, FAIL or INCONCLUSIVE of the checks alone, without baseline, contract and waivers; see
        :func:`verdict_of`.
        """
        return verdict_of(self)

    @property
    def failures(self) -> tuple[Result, ...]:
        """The results with status FAIL, of any severity, in the order of the suite."""
        return tuple(result for result in self.results if result.status is Status.FAIL)

    @property
    def unanswered_totals(self) -> tuple[ControlTotal, ...]:
        """The control totals that were declared and not measured, each with the reason in ``message``."""
        return tuple(total for total in self.totals if total.message)

    @property
    def by_id(self) -> dict[str, Check]:
        """The checks of the run, by their id."""
        return {check.id: check for check in self.checks}

    def to_json(self) -> str:
        """The run as the text of ``run.json`` (published schema, decimals as strings, RFC 3339 UTC), without
        fields at their default.
        """
        return str(forward("json", self))

    def to_html(self, baseline: Baseline | None = None) -> str:
        """The run as one self-contained HTML page; with ``baseline``, also what changed since it."""
        return str(forward("html", forward("judgement", self, baseline)))

    def to_frame(self) -> DataFrame:
        """The checks and their results as a pandas DataFrame, one row a check: counts are Int64,
        everything else is text.
        """
        frame: DataFrame = forward("frame", self)
        return frame

    def __repr__(self) -> str:
        """Five lines without a value: id, where, when, how many checks came to what, verdict."""
        place, counts = self.place, Counter(result.status for result in self.results)
        said = ", ".join(f"{counts[s]:,} {s.value.replace('_', ' ')}" for s in Status if counts[s])
        lines = {
            "Run": repr(self.id),
            "database": repr(f"{place.database} on {place.host}:{place.port}"),
            "at": f"{place.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
            "checks": f"{len(self.checks):,} of {self.suite.total_checks:,}: {said or 'none'}",
            "verdict": f"{self.verdict.value} (of the checks alone)",
        }
        return "\n".join(f"{word:<9} {text}" for word, text in lines.items())

    def _repr_html_(self) -> str:
        """What a notebook shows: the verdict of the checks alone, and what needs attention."""
        return str(forward("notebook", forward("judgement", self)))


def verdict_of(run: Run) -> Verdict:
    """The verdict of a run.

    FAIL if a blocking check failed: a known failure outranks an unanswered check. Else INCONCLUSIVE if any
    check of any severity has no answer, if the run was interrupted, or if nothing at all was examined.
    Else PASS.
    """
    checks = run.by_id
    # Only blocking checks: a warning is shown, and fails nothing.
    if any(checks[result.check_id].severity is Severity.BLOCKING for result in run.failures):
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE if incomplete(run) else Verdict.PASS


def incomplete(run: Run) -> bool:
    """Whether anything of a run has no answer: a check of any severity, a control total, its end, or all of
    it.
    """
    # Of the checks, not of the results: one that has no result has no answer either.
    answered = {result.check_id for result in run.results if result.status not in UNANSWERED}
    unanswered = any(check.id not in answered for check in run.checks)
    cut = bool(run.interrupted or run.halted)
    return unanswered or bool(run.unanswered_totals) or cut or nothing_checked(run)


def nothing_checked(run: Run) -> bool:
    """Whether no check applied: there is nothing that a green verdict could rest on."""
    # A suite of checks that apply nowhere proves nothing, and must not be green.
    return all(result.status is Status.NOT_APPLICABLE for result in run.results)
