"""How a run is done: what proving needs, what comparing needs, and what is kept beside a baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.result import FailOn
from kisaan_validate.plan.trust import Trust
from kisaan_validate.postgres.session import Limits
from kisaan_validate.verdict.waivers import Waivers, keys_needed

if TYPE_CHECKING:
    from kisaan_validate.contract.load import Contract
    from kisaan_validate.facts.baseline import Baseline
    from kisaan_validate.facts.place import Place
    from kisaan_validate.facts.resumed import ResumeFrom
    from kisaan_validate.facts.run import Run
    from kisaan_validate.guard.rules import GuardRules
    from kisaan_validate.plan.keyed import SealedDigests
    from kisaan_validate.process.deadline import Deadline
    from kisaan_validate.record.rowfile import KeptRows, RowWriter
    from kisaan_validate.record.valuefile import KeptValues
    from kisaan_validate.volumes.model import PastPoint


@dataclass(frozen=True)
class Before:
    """What a run is compared with.

    A baseline, the SHA-256 of its file, and the rows and values kept beside it. ``other_database`` admits
    a baseline of another database.
    """

    baseline: Baseline
    digest: str = ""
    other_database: bool = False
    rows: KeptRows | None = None
    values: KeptValues | None = None


@dataclass(frozen=True)
class Comparing:
    """What a comparison needs. A run with it also measures rows and column figures of every table of the
    schemas, schema objects, sequences, up to ``keys`` failing keys for each check, and what ``contract``
    needs.

    ``digests`` asks for digests of all columns; beside a baseline those that it has are taken. ``zone`` is
    the time zone of kept columns that were timestamp and are timestamptz now, or the other way round.
    ``added_since`` are columns (table, column): a row above the highest value in a baseline with digests
    came later.
    """

    before: Before | None = None
    contract: Contract | None = None
    keys: int = 500
    digests: bool = False
    zone: str = ""
    added_since: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class KeptColumns:
    """Columns whose values are written to ``path``.

    As (table, column); ``public`` patterns admit columns that look personal.
    """

    path: Path
    columns: tuple[tuple[str, str], ...]
    public: tuple[str, ...] = ()


@dataclass(frozen=True)
class Keeping:
    """What is written beside a baseline: row digests, values, and digests whose key is kept apart."""

    rows: RowWriter | None = None
    values: KeptColumns | None = None
    sealed: SealedDigests | None = None

    def drop(self) -> None:
        """Leave nothing half written behind."""
        if self.rows is not None:
            self.rows.drop()


@dataclass(frozen=True)
class Options:
    """How a run is done.

    ``jobs`` sessions read side by side; ``sample`` failing keys are shown for each check.
    ``trust_constraints`` and ``trust_indexes`` say what may stand for rows that are not read.
    ``python_memory`` is how many bytes the whole columns of a table may take that Python checks ask for.
    ``fail_fast`` asks for nothing more once a blocking check has failed.
    ``profile`` asks how the values of each column are distributed. ``earlier`` is a run of the same suite
    and database before this one, for rates of the server's counters.
    ``guard`` are the rules by which the run waits for the server, or gives up.
    ``while_held`` is called with the finished run while the snapshot is still open; the function that it
    gets tells whether it still is.
    ``first`` gives checks their turn: the lowest number is asked first, 0 where nothing is said.
    ``until`` is when nothing more is begun. ``noted`` are further settings to be recorded.
    ``resume`` are the tables that are read over several nights, by the names that checks give them.
    ``past`` gives the figures of earlier nights on a database, by check id and what is measured, the oldest
    first; it is called while the snapshot is open, so it only looks them up.
    """

    jobs: int = 2
    sample: int = 20
    limits: Limits = field(default_factory=Limits)
    trust_constraints: bool = False
    trust_indexes: bool = False
    expect: Mapping[str, str] = field(default_factory=dict)
    waivers: Waivers | None = None
    fail_on: FailOn = FailOn.ANY
    fail_fast: bool = False
    python_memory: int = 512 * 1024**2
    compare: Comparing | None = None
    keep: Keeping = Keeping()
    profile: bool = False
    guard: GuardRules | None = None
    earlier: Run | None = None
    while_held: Callable[[Run, Callable[[], bool]], None] | None = None
    first: Mapping[str, int] = field(default_factory=dict)
    until: Deadline | None = None
    noted: Mapping[str, str] = field(default_factory=dict)
    resume: Mapping[str, ResumeFrom] = field(default_factory=dict)
    past: Callable[[Place], Mapping[tuple[str, str], tuple[PastPoint, ...]]] | None = None

    @property
    def every_table(self) -> bool:
        """Whether tables are read that no check reads."""
        return self.compare is not None or self.profile

    @property
    def trust(self) -> Trust:
        """What may stand for rows that are not read."""
        return Trust(self.trust_constraints, self.trust_indexes)

    @property
    def before(self) -> Before | None:
        """What the run is compared with, if anything."""
        return self.compare.before if self.compare is not None else None

    @property
    def baseline(self) -> Baseline | None:
        """The baseline that it is compared with, if any."""
        return self.before.baseline if self.before is not None else None

    @property
    def contract(self) -> Contract | None:
        """The promises that it is compared by, if any."""
        return self.compare.contract if self.compare is not None else None

    @property
    def failing_keys(self) -> int:
        """How many failing keys are collected for each check: enough to show, to compare, and to tell
        waived rows from others.
        """
        needed = keys_needed(self.waivers) if self.waivers is not None else {}
        # A waiver of named keys can be judged only if at least one key more than those is known.
        return max(self.sample, self.compare.keys if self.compare is not None else 0, *needed.values())

    def recorded(self) -> dict[str, str]:
        """The settings that a run records, as text."""
        limits = self.limits
        return {
            "jobs": str(self.jobs),
            "sample": str(self.sample),
            "lock_timeout_ms": str(limits.lock_timeout),
            "statement_timeout_ms": str(limits.statement_timeout),
            "temp_limit_bytes": str(limits.temp_bytes),
            "python_memory_bytes": str(self.python_memory),
            "trust_constraints": str(self.trust_constraints).lower(),
            "trust_indexes": str(self.trust_indexes).lower(),
            # Only where it is on: records of runs without it stay as they were.
            **({"profile": "true"} if self.profile else {}),
            **self.noted,
        }
