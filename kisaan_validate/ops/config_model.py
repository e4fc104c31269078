"""``kisaan.toml`` as it is written. No error quotes it: a text could be a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from kisaan_validate.ops.guard_model import GuardTable
from kisaan_validate.ops.notify_model import NotifyTable
from kisaan_validate.ops.preflight_model import PreflightTable
from kisaan_validate.ops.scan_model import ScanTable, named_profiles
from kisaan_validate.toml.durations import Duration, SomeTime
from kisaan_validate.toml.model import Field, FilePath, LookBefore, Name, TomlTable, shaped, wrong

_Database = Annotated[
    str, shaped(r"^[A-Za-z0-9_+]+://", "the URL of a database", 'write "postgresql://host/name"')
]
_Operator = Annotated[str, shaped(r"\S", "a name")]
_Variable = Annotated[str, shaped(r"^[A-Za-z_][A-Za-z0-9_]*$", "the name of an environment variable")]


def _renamed(value: Any) -> Any:
    # What is no table of texts is refused after this.
    names = value if isinstance(value, dict) else {}
    for old, now in names.items():
        seen = {old}
        while isinstance(now, str) and now not in seen and now in names:
            seen.add(now)
            now = names[now]
        if now in seen:
            raise wrong("leads from an id back to itself", "write the old id, and the one it has now")
        if not old or not now:
            raise wrong("has an empty id", "write the old id, and the one it has now")
    return value


_Renamed = Annotated[dict[str, str], LookBefore(_renamed, {})]


class ExpectTable(TomlTable):
    """The database that is meant: a run against any other one is refused."""

    database: Name | None = Field(None, description="the database's name")
    host: Name | None = Field(None, description="the connection's host")
    role: Name | None = Field(None, description="the session's role")


class TargetTable(TomlTable):
    """Which database is expected."""

    expect: ExpectTable = Field(
        default_factory=ExpectTable, description="any of host, database and role; else exit 2"
    )


class SuiteTable(TomlTable):
    """Where the suite is. Paths are relative to this file's folder."""

    path: FilePath = Field("checks", description="the suite's folder")
    waivers: FilePath | None = Field(None, description="accepted failures (the suite's waivers.toml)")


class RunTable(TomlTable):
    """How a run works."""

    jobs: int = Field(2, ge=1, description="sessions that read in parallel; one more holds the snapshot")
    sample: int = Field(20, ge=0, description="failing keys shown per check")
    lock_timeout_ms: int = Field(2_000, ge=1, description="limit for a lock wait")
    statement_timeout_ms: int = Field(15 * 60 * 1_000, ge=1, description="limit for a statement")
    temp_limit_mb: int = Field(
        2_048, ge=0, description="statements expected to need more temporary files are not run"
    )
    python_memory_mb: int = Field(512, ge=1, description="for whole columns of one table's Python checks")
    trust_constraints: bool = Field(False, description="a valid constraint may replace a scan")
    trust_indexes: bool = Field(False, description="an index may replace a scan")
    operator: _Operator | None = Field(
        None, description="who runs it; by default KISAAN_OPERATOR, else the system user"
    )


class LimitsTable(TomlTable):
    """How old rows may be, and how long a snapshot may be held."""

    standby: Duration | None = Field(None, description="older rows of a standby are not judged")
    snapshot: Duration | None = Field(None, description="no snapshot is held longer: it keeps VACUUM waiting")


class ReportTable(TomlTable):
    """Where reports go."""

    folder: FilePath = Field("reports", description="holds one folder per run")


class SignoffTable(TomlTable):
    """Who must approve a run."""

    approvals: int = Field(1, ge=1, description="people who must approve")
    allowed_signers: FilePath | None = Field(None, description="OpenSSH's file of keys that count")
    revoked_signers: FilePath | None = Field(None, description="keys that no longer count")
    tsa_ca: FilePath | None = Field(None, description="certificates of timestamp authorities")


class HistoryTable(TomlTable):
    """What is remembered of all runs."""

    url: _Database | None = Field(
        None, description="the index's database (SQLAlchemy); by default a file among the reports"
    )
    renamed: Annotated[dict[str, str], LookBefore(_renamed, {})] = Field(
        default_factory=dict, description="old ids of checks, and their new ones"
    )
    every: SomeTime | None = Field(
        None, description="how often the suite runs; a night without a run is then named as missed"
    )
    keep_days: int | None = Field(
        None, ge=1, le=36_500, description="`history prune` keeps runs of so many days"
    )
    keep_runs: int | None = Field(
        None, ge=1, description="and the newest so many runs of each suite and database"
    )
    keep_weeks: int | None = Field(None, ge=1, le=36_500, description="and one run a week for so many weeks")
    forget_keys: SomeTime | None = Field(
        None,
        description="runs that hold keys or values of rows are removed after this time, whatever is kept",
    )


class PingsTable(TomlTable):
    """Who is told that a run began, and how it ended."""

    url_env: _Variable | None = Field(
        None, description="the environment variable that holds the ping URL, which is a secret"
    )
    findings: Literal["down", "up"] = Field(
        "down", description="whether a run that ended with findings (exit 1) is pinged as failed"
    )


class ConfigFile(TomlTable):
    """Where the suite is, which database is expected, how long a run may take."""

    target: TargetTable = Field(default_factory=TargetTable, description="which database is expected")
    suite: SuiteTable = Field(default_factory=SuiteTable, description="where the suite is")
    run: RunTable = Field(default_factory=RunTable, description="how a run works")
    limits: LimitsTable = Field(
        default_factory=LimitsTable, description="how old rows may be, how long a snapshot is held"
    )
    report: ReportTable = Field(default_factory=ReportTable, description="where reports go")
    signoff: SignoffTable = Field(default_factory=SignoffTable, description="who must approve a run")
    pings: PingsTable = Field(
        default_factory=PingsTable, description="who is told that a run began and ended"
    )
    history: HistoryTable = Field(default_factory=HistoryTable, description="what is remembered of all runs")
    scan: Annotated[dict[str, ScanTable], named_profiles] = Field(
        default_factory=dict, description="profiles of the nightly scan, by name"
    )
    notify: NotifyTable = Field(default_factory=NotifyTable, description="who is told, and how")
    guard: GuardTable = Field(default_factory=GuardTable, description="when run --guard waits, or gives up")
    preflight: PreflightTable = Field(
        default_factory=PreflightTable, description="what preflight asks for before a migration"
    )

    elsewhere: ClassVar[Mapping[str, str]] = {
        "criteria": "success criteria belong to the suite: write [[criteria]] in its suite.toml"
    }
