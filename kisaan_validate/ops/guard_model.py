"""The rules of a guard as they are written in a TOML file: ``[guard]``, and ``[scan.NAME.guard]``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from kisaan_validate.guard.rules import GAUGES, Action, Bound, GuardRules
from kisaan_validate.toml.durations import Duration, SomeTime
from kisaan_validate.toml.model import Field, FilePath, LookBefore, TomlTable, shaped, wrong


def _select(value: Any) -> Any:
    """SQL of the team's choice: one plain SELECT, as a check's."""
    if isinstance(value, str):
        # Imported here: most configurations have no query, and the parser takes a moment to load.
        from kisaan_validate.errors import SuiteError
        from kisaan_validate.sql.assertion import parse_select

        try:
            parse_select(value, "query")
        except SuiteError as error:
            raise wrong(f"is not usable: {error.said}", error.hint) from None
    return value


_Select = Annotated[str, LookBefore(_select, {})]
_Then = Annotated[str, shaped(r"^(slow|wait|stop)$", '"slow", "wait" or "stop"')]
_Unknown = Annotated[str, shaped(r"^(go_on|stop)$", '"go_on" or "stop"')]


class ThenTable(TomlTable):
    """What a run does where a rule is broken: ask one statement at a time, wait, or give up."""

    replication_lag: _Then = Field("wait", description="beyond replication_lag")
    blocking: _Then = Field("stop", description="beyond blocking; waiting lets no lock go")
    active_sessions: _Then = Field("wait", description="beyond active_sessions")
    longest_snapshot: _Then = Field("wait", description="beyond longest_snapshot")
    free_connections: _Then = Field("wait", description="below free_connections")
    free_locks: _Then = Field("wait", description="below free_locks")
    query: _Then = Field("wait", description="where query is not true")
    pause_file: _Then = Field("wait", description="while pause_file is there")
    needs_file: _Then = Field("wait", description="while needs_file is missing")
    forbids_file: _Then = Field("wait", description="while forbids_file is there")


class GuardTable(TomlTable):
    """When a run waits for the server, goes slower, or gives up. What is not written is no rule."""

    replication_lag: Duration | None = Field(
        None, description="most that a standby may lag; on a standby, most that it may be behind itself"
    )
    blocking: Duration | None = Field(
        None, description="longest that a session may wait for a lock that the run holds"
    )
    active_sessions: int | None = Field(None, ge=0, description="most sessions of others that are active")
    longest_snapshot: Duration | None = Field(None, description="greatest age of a snapshot of others")
    free_connections: int | None = Field(None, ge=0, description="fewest free connections")
    free_locks: int | None = Field(None, ge=0, description="fewest free slots of the lock table")
    query: _Select | None = Field(None, description="a SELECT of one boolean, which must be true")
    pause_file: FilePath | None = Field(None, description="the run waits while this file is there")
    needs_file: FilePath | None = Field(None, description="the run waits while this file is missing")
    forbids_file: FilePath | None = Field(
        None, description="the same as pause_file, for a file of another kind"
    )
    then: ThenTable = Field(default_factory=ThenTable, description="what else than waiting is done, by rule")
    every: SomeTime = Field(5, description='time between two looks; by default "5 s"')
    give_up_after: Duration = Field(
        600,
        description='longest wait at a stretch; then what was not asked has no answer; by default "10 min"',
    )
    unknown: _Unknown = Field("go_on", description="what a reading means that this role may not have")
    cancel_running: bool = Field(
        False, description="also cancel what runs when the run waits, and ask it again once"
    )
    cancel_after: Duration = Field(30, description='how long after the wait began; by default "30 s"')
    conflict_retries: int = Field(
        3, ge=0, le=10, description="on a standby, how often checks that replay cancelled are asked again"
    )
    piece: SomeTime | None = Field(
        None, description="target time of a piece: large tables are read by ranges of blocks (PostgreSQL 14)"
    )

    def rules(self, folder: Path) -> GuardRules:
        """The rules; paths of files are relative to ``folder``."""
        then = {name: Action[value.upper()] for name, value in self.then.model_dump().items()}
        limits = {name: limit for name in GAUGES if (limit := getattr(self, name)) is not None}
        files = ("pause_file", "needs_file", "forbids_file")
        return GuardRules(
            bounds={name: Bound(limit, then[name]) for name, limit in limits.items()},
            query=self.query or "",
            actions={name: then[name] for name in (*files, "query")},
            every=float(self.every),
            give_up_after=float(self.give_up_after),
            go_on=self.unknown == "go_on",
            cancel_after=float(self.cancel_after) if self.cancel_running else None,
            conflict_retries=self.conflict_retries,
            piece_seconds=float(self.piece) if self.piece else None,
            **{name: str(folder / path) for name in files if (path := getattr(self, name))},
        )
