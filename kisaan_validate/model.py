"""The nouns: what is declared, what was measured. Standard library only, no input or output.

A Suite of Checks is compiled to Statements; running them in one read-only snapshot gives Results, which
make a Run. A Baseline freezes what the data was. Declaration (Check) and outcome (Result) are never one
object, and a Run holds measured facts only: verdict, transitions and reports are pure functions of it.

Numbers are exact: counts are ``int``, fractions are ``Fraction``; nothing here is ever a float but durations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kisaan_validate.report.frame import DataFrame

RUN_FORMAT = 3
"""Version of run.json. 1: never published. 2: column profiles, schema objects, sequences, measures of a
contract. 3: success criteria, and what no check read; who ran it, the state of its sources, the run before
it."""

BASELINE_FORMAT = 2
"""Version of a baseline file. 1: never published. 2: all that a run measures, failing keys, and a seal."""

MASKED = "•••"
"""What stands in the place of a personal value, wherever it would have been shown."""


class Form(StrEnum):
    """How a check is proved, and with which others it can share a statement."""

    ROW = "row"
    """A predicate on one row: one more slot in its table's single scan."""
    JOIN = "join"
    """A predicate on a row and the row it refers to: one more slot in that join's single pass."""
    QUERY = "query"
    """A query that returns the violating rows: a statement of its own."""
    CATALOG = "catalog"
    """A fact of the system catalogue: proved without reading any row."""
    PYTHON = "python"
    """A function of the author's, on rows streamed out of the snapshot: one more reader of its table's
    single stream.
    """


class Severity(StrEnum):
    """What a failure means. Only ``BLOCKING`` failures fail a run."""

    BLOCKING = "blocking"
    WARNING = "warning"
    INFO = "info"


class Status(StrEnum):
    """The outcome of one check. Only PASS and TOLERATED say that an invariant was examined and accepted."""

    PASS = "pass"
    TOLERATED = "tolerated"
    FAIL = "fail"
    ERROR = "error"
    SKIP = "skip"
    NOT_APPLICABLE = "not_applicable"


class FailOn(StrEnum):
    """Which failures of blocking checks fail a run: any, or only those that a baseline did not have
    already.
    """

    ANY = "any"
    NEW = "new"


UNANSWERED = frozenset({Status.ERROR, Status.SKIP})
"""Outcomes that prove nothing: they make a run INCONCLUSIVE, never PASS."""


class Verdict(StrEnum):
    """The one word for a whole run."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


class Evidence(StrEnum):
    """What a result rests on."""

    SCANNED = "scanned"
    STREAMED = "streamed"
    CATALOGUE = "catalogue"
    PROVED = "proved by constraint"
    BY_INDEX = "by index"
    """Rows were found by an index, or a unique index was believed; ``trusted`` of the result names it."""
    BY_CONSTRAINT = "by constraint"
    """Rows were left out by what is declared of them; ``trusted`` of the result says which."""
    NONE = "none"


COUNTED = frozenset({Evidence.SCANNED, Evidence.BY_INDEX, Evidence.BY_CONSTRAINT})
"""Evidence of what a statement of the run counted."""


@dataclass(frozen=True)
class Tolerance:
    """How many violating rows are accepted: a number of rows, or an exact fraction of the rows examined."""

    rows: int | None = None
    numerator: int | None = None
    denominator: int | None = None

    def accepts(self, violations: int, examined: int | None) -> bool:
        """Whether ``violations`` of ``examined`` rows are within the tolerance, in exact arithmetic."""
        if self.rows is not None:
            return violations <= self.rows
        if self.numerator is None or self.denominator is None or not examined:
            return False
        return Fraction(violations, examined) <= Fraction(self.numerator, self.denominator)

    def __str__(self) -> str:
        if self.rows is not None:
            return f"{self.rows} rows"
        return f"{self.numerator}/{self.denominator} of the rows"


@dataclass(frozen=True)
class Check:
    """One declared invariant, as people and records see it. The rule that proves it lives in the suite.

    ``table`` is the declared name ("" for the whole database); ``claim`` says in words what must hold;
    ``digest`` identifies the meaning (rule, table, columns, tolerance, conditions), not the prose.
    """

    id: str
    table: str
    columns: tuple[str, ...]
    form: Form
    kind: str
    claim: str
    severity: Severity = Severity.BLOCKING
    tolerance: Tolerance | None = None
    why: str = ""
    hint: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    applies: tuple[str, ...] = ()
    origin: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Result:
    """The measured outcome of one check.

    ``violations`` and ``examined`` are exact row counts (None where nothing was measured). ``sample``
    holds at most the configured number of violating rows, each a tuple of (column, value as text or None
    for NULL), personal values already masked; ``key`` names the columns of it that identify a row, and
    ``sample_complete`` tells whether these are all. ``key_digest`` covers all violating keys, not just the
    sample; it is a SHA-256 over their number and the sums of their SHA-256 halves, so it does not depend
    on row order. ``foreign`` are the tables among those it rests on whose rows another server holds.
    ``trusted`` is what stood for rows that were not read out of the heap, because the run was told to
    believe it ("" for nothing).
    """

    check_id: str
    status: Status
    violations: int | None = None
    examined: int | None = None
    evidence: Evidence = Evidence.NONE
    enforced_by: str = ""
    sample: tuple[tuple[tuple[str, str | None], ...], ...] = ()
    key: tuple[str, ...] = ()
    sample_complete: bool = False
    key_digest: str = ""
    message: str = ""
    hint: str = ""
    sqlstate: str = ""
    sql: str = ""
    milliseconds: float = 0.0
    foreign: tuple[str, ...] = ()
    trusted: str = ""


class Family(StrEnum):
    """How the texts of a column's figures are compared, whatever the exact type is called."""

    NUMBER = "number"
    """Exact: compared as decimals, so that 1.50 equals 1.5."""
    FLOAT = "float"
    """Inexact: a sum depends on the order of addition, so sums are shown and never compared."""
    TEXT = "text"
    INSTANT = "instant"
    LOCAL_TIME = "local time"
    OTHER = "other"


@dataclass(frozen=True)
class Profile:
    """Figures over one column, or over one expression, of the rows of a table. Texts are the server's own.

    ``minimum`` and ``maximum`` are by value, for texts by code point; ``total`` is the exact sum. None
    where the rows hold no value, where the type has no such figure, or where the column is personal
    (``personal`` is then True). ``digest`` says which row holds which value, for comparing with another of
    the same form and key; None where it was not computed (see
    :mod:`kisaan_validate.compile.fingerprints`).
    """

    family: Family
    nulls: int | None
    minimum: str | None = None
    maximum: str | None = None
    total: str | None = None
    personal: bool = False
    digest: str | None = None


@dataclass(frozen=True)
class ColumnFacts:
    """One column; ``type`` is PostgreSQL's ``format_type`` text. ``profile`` is None where it was not
    measured.

    ``unmeasured`` says why a figure of it (or all) could not be computed; such a figure is None in the
    profile.
    """

    name: str
    type: str
    profile: Profile | None = None
    unmeasured: str = ""


@dataclass(frozen=True)
class SchemaObject:
    """One object of the database as the catalogue describes it: a column, a constraint, a grant, …

    ``table`` is the title of the relation that it belongs to ("" for none). Two objects are the same one
    if kind, table and name agree; ``facts`` maps each attribute to its text and has no entry for what is
    not set.
    """

    kind: str
    table: str
    name: str
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """(kind, table, name)."""
        return (self.kind, self.table, self.name)


@dataclass(frozen=True)
class SequenceValue:
    """Where a sequence stood. Sequences take no part in a snapshot: it may be later than everything else
    here.
    """

    name: str
    last_value: int
    is_called: bool
    ascending: bool = True


@dataclass(frozen=True)
class Measured:
    """What was measured for a contract's sake, beside the checks. ``id`` says what of, in the same words
    on both sides.

    ``rows`` and ``columns`` are of the rows that were asked for; ``columns`` maps a column (or a rule's
    expression) to its figures. ``message`` says why there is no answer; then nothing else is.
    """

    id: str
    table: str
    rows: int | None = None
    columns: Mapping[str, Profile] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    sql: str = ""
    message: str = ""
    sqlstate: str = ""


@dataclass(frozen=True)
class TableDigests:
    """What tells which rows a table has and, with each column's ``Profile.digest``, which values
    (``docs/contracts.md``).

    Rows are told apart by the columns ``key``; ``which_rows`` is the digest of these alone. ``buckets``
    holds, of every bucket of rows, "number:rows:sum:sum". ``left_out`` maps columns to why they are not
    digested. ``late`` is how many rows were set aside because their key is above all keys of the baseline.
    ``check`` is what the server's hash functions answer to fixed questions: digests can be compared only
    where it is the same. ``message`` says why there is no digest.
    """

    key: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    which_rows: str = ""
    buckets: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    late: int = 0
    message: str = ""


@dataclass(frozen=True)
class TableFacts:
    """One table at the snapshot. ``rows`` is exact, or None with the ``reason`` it could not be counted.

    ``digests`` are there where they were asked for.
    """

    schema: str
    name: str
    kind: str
    rows: int | None
    reason: str = ""
    columns: tuple[ColumnFacts, ...] = ()
    digests: TableDigests | None = None

    @property
    def title(self) -> str:
        """The name people use: without the schema where it is ``public``."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class KeyedDigest:
    """One personal column under a baseline's own random key (docs/digest.md): never two digests under one
    key.

    A baseline keeps ``digest`` (64 hex digits), ``stays``, the same without the rows that its contract
    removes, and the ``form`` of the values, or in ``message`` why it keeps none. A run beside it keeps
    ``outcome`` only, "same" (as either) or "differs", or in ``message`` why that is not known.
    """

    table: str
    column: str
    form: str = ""
    digest: str = ""
    stays: str = ""
    outcome: str = ""
    message: str = ""


@dataclass(frozen=True)
class RowFile:
    """A file of row digests, or of values, beside a baseline: its name in the same folder, its bytes,
    their SHA-256.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class RowsCompared:
    """One table's rows beside those of a baseline's file: exact numbers, and the first keys of each kind,
    as text.

    ``late`` are the added rows whose key is above all keys of the baseline. Rows of a table without a key
    are ``added`` and ``removed`` only: which of them are changed ones is not known, and ``changed`` is
    None. ``message`` says why nothing is known.
    """

    table: str
    keyed_by: tuple[str, ...] = ()
    added: int | None = None
    removed: int | None = None
    changed: int | None = None
    late: int = 0
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True)
class ValueChange:
    """One value that changed: its row's key as (column, text), and the server's texts of before and now,
    None for NULL.
    """

    key: tuple[tuple[str, str | None], ...]
    before: str | None
    after: str | None


@dataclass(frozen=True)
class ValuePattern:
    """What happened to ``rows`` changed values of a column, exactly (see ``rowdiff.PatternFound``)."""

    name: str
    columns: tuple[str, ...]
    rows: int
    words: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ValuesCompared:
    """The values of one column beside those that a baseline's file kept, row by row.

    ``compared`` rows are there on both sides, and in ``changed`` of these the value is another. None:
    ``message`` says why that is not known. A long text in a sample is cut, and says so.
    """

    table: str
    column: str
    changed: int | None = None
    compared: int | None = None
    samples: tuple[ValueChange, ...] = ()
    patterns: tuple[ValuePattern, ...] = ()
    message: str = ""

    @property
    def unexplained(self) -> int:
        """In how many rows no pattern makes the new value of the old one."""
        return sum(pattern.rows for pattern in self.patterns if pattern.name == "unexplained")


@dataclass(frozen=True)
class Standby:
    """How a standby stood when its rows were read.

    ``behind_seconds`` is how old its rows can be at most, by the server's clock; None if it could not be
    told. ``replayed_at`` is when the last commit that it replayed was made; ``replay_paused`` None if that
    could not be told.
    """

    behind_seconds: float | None
    replay_paused: bool | None
    replayed_at: datetime | None

    @property
    def words(self) -> str:
        """What people read: "standby, 612 s behind, replay paused". Seconds are rounded up: never younger
        than it is.
        """
        age = (
            "how far behind is not known"
            if self.behind_seconds is None
            else f"{ceil(self.behind_seconds):,} s behind"
        )
        return f"standby, {age}" + (", replay paused" if self.replay_paused else "")


@dataclass(frozen=True)
class Place:
    """Where and on what a run was measured. Holds no password and no connection string.

    ``host`` and ``port`` are those that answered, of all that were asked; ``address`` is the server's own
    network address ("" over a local socket). ``standby`` is None on a primary.
    """

    host: str
    port: str
    database: str
    role: str
    source: str
    server_version: str
    server_version_num: int
    system_identifier: str
    time_zone: str
    in_recovery: bool
    snapshot: str
    lsn: str
    at: datetime
    encoding: str = ""
    collation: str = ""
    address: str = ""
    standby: Standby | None = None


@dataclass(frozen=True)
class Notice:
    """Something about the run's surroundings that its reader must know. Not a check, never a verdict."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class StatementFacts:
    """One statement that was run: its SQL, the checks it answered, how long it took in milliseconds."""

    purpose: str
    sql: str
    check_ids: tuple[str, ...]
    milliseconds: float
    sqlstate: str = ""


@dataclass(frozen=True)
class SuiteFacts:
    """Which suite was run. ``digest`` is a SHA-256 over the names and bytes of all its sources."""

    name: str
    digest: str
    sources: tuple[str, ...]
    total_checks: int
    schemas: tuple[str, ...]
    excluded_tables: tuple[str, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Selection:
    """What part of the suite was asked for. A run with ``partial`` set speaks only of that part."""

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    partial: bool = False


@dataclass(frozen=True)
class Criterion:
    """One success criterion of a runbook: proved by checks (their ids), or ``manual``: attested by a
    person.
    """

    id: str
    text: str
    checks: tuple[str, ...] = ()
    manual: bool = False


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


@dataclass(frozen=True)
class Run:
    """Everything measured by one execution of a suite, and nothing that can be derived from it.

    ``unread`` maps kinds of schema objects, or titles of tables, to why the catalogue could not say what
    they are. ``baseline_digest``, ``contract_digest`` and ``waivers_digest`` name the files that it is to
    be read with, by the SHA-256 of their bytes; ``fail_on`` says which failures count. ``row_file`` is
    what it wrote beside a baseline, ``rows`` what came of comparing with one; ``value_file`` and
    ``values`` are the same of the values of chosen columns. ``keyed`` is what is known of personal
    columns; ``secret``, the key of their digests in hex, and the digests go into a baseline only.
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
    interrupted: str = ""
    secret: str = ""
    keyed: tuple[KeyedDigest, ...] = ()
    held_seconds: int = 0
    provenance: Provenance = field(default_factory=Provenance)
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
    def by_id(self) -> dict[str, Check]:
        """The checks of the run, by their id."""
        return {check.id: check for check in self.checks}

    # The conveniences below are the only imports that go up a floor; they import when called.
    def to_json(self) -> str:
        """The run as the text of ``run.json`` (published schema, decimals as strings, RFC 3339 UTC)."""
        from kisaan_validate.record.codec import run_to_json

        return run_to_json(self)

    def to_html(self, baseline: Baseline | None = None) -> str:
        """The run as one self-contained HTML page; with ``baseline``, also what changed since it."""
        from kisaan_validate.judgement import judge
        from kisaan_validate.report.html import render_html

        return render_html(judge(self, baseline))

    def to_frame(self) -> DataFrame:
        """The checks and their results as a pandas DataFrame, one row a check: counts are Int64,
        everything else is text.
        """
        from kisaan_validate.report.frame import frame_of

        return frame_of(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: the verdict of the checks alone, and what needs attention."""
        from kisaan_validate.judgement import judge
        from kisaan_validate.report.notebook import notebook_html

        return notebook_html(judge(self))


def verdict_of(run: Run) -> Verdict:
    """The verdict of a run.

    FAIL if a blocking check failed: a known failure outranks an unanswered check. Else INCONCLUSIVE if any
    check of any severity has no answer, if the run was interrupted, or if nothing at all was examined.
    Else PASS.
    """
    checks = run.by_id
    if any(checks[result.check_id].severity is Severity.BLOCKING for result in run.failures):
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE if incomplete(run) else Verdict.PASS


def incomplete(run: Run) -> bool:
    """Whether anything of a run has no answer: a check of any severity, its end, or all of it."""
    answered = {result.check_id for result in run.results if result.status not in UNANSWERED}
    unanswered = any(check.id not in answered for check in run.checks)
    return unanswered or bool(run.interrupted) or nothing_checked(run)


def nothing_checked(run: Run) -> bool:
    """Whether no check applied: there is nothing that a green verdict could rest on."""
    return all(result.status is Status.NOT_APPLICABLE for result in run.results)


@dataclass(frozen=True)
class CheckFacts:
    """What a baseline keeps of one check.

    ``keys`` are violating keys as far as they were collected, personal values masked; ``keys_complete``
    tells whether these are all. ``key_digest`` covers all of them in any case.
    """

    id: str
    digest: str
    status: Status
    severity: Severity
    violations: int | None
    key_digest: str = ""
    keys: tuple[tuple[tuple[str, str | None], ...], ...] = ()
    keys_complete: bool = False
    sqlstate: str = ""

    @property
    def missing(self) -> bool:
        """Whether there was no answer because a table or column that it is about, or applies to, did not
        exist.
        """
        unasked = self.status in {Status.SKIP, Status.NOT_APPLICABLE}
        return unasked and self.sqlstate in {"42P01", "42703"}


@dataclass(frozen=True)
class Baseline:
    """What the data was at one instant, bound to the database it was taken from. See Run for the fields of
    that name.
    """

    id: str
    taken_at: datetime
    tool_version: str
    suite: SuiteFacts
    place: Place
    selection: Selection
    tables: tuple[TableFacts, ...]
    checks: tuple[CheckFacts, ...]
    notices: tuple[Notice, ...] = ()
    objects: tuple[SchemaObject, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    sequences: tuple[SequenceValue, ...] = ()
    measured: tuple[Measured, ...] = ()
    contract_digest: str = ""
    row_file: RowFile | None = None
    value_file: RowFile | None = None
    secret: str = ""
    keyed: tuple[KeyedDigest, ...] = ()
    format_version: int = BASELINE_FORMAT
