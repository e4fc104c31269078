"""Looks at everything that a run needs, one step at a time, and says what to do about what is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import KisaanError
from kisaan_validate.execute.snapshot import room_for
from kisaan_validate.facts.catalogue import Catalogue
from kisaan_validate.facts.check import Form
from kisaan_validate.facts.result import Status
from kisaan_validate.ops.config import Config
from kisaan_validate.plan.plan import make_plan, tables_of
from kisaan_validate.postgres.catalogue import read_catalogue, read_place
from kisaan_validate.postgres.expected import check_expectation
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.standins import read_standins, shadowed_checks
from kisaan_validate.postgres.target import Target, find_target
from kisaan_validate.postgres.volatility import volatile_calls
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.lock import kinds_of_readers, read_together
from kisaan_validate.sql.qualify import qualified
from kisaan_validate.suite.load import Suite, load_suite

if TYPE_CHECKING:
    from kisaan_validate.toml.model import TomlTable

OLDEST, NEWEST = 130000, 189999
"""The server versions that are supported: PostgreSQL 13 to 18."""


@dataclass(frozen=True)
class DoctorFinding:
    """One thing looked at. ``good`` is None for something worth knowing that stops nothing."""

    good: bool | None
    title: str
    detail: str = ""
    hint: str = ""


def examine(config: Config, dsn: str | None, stop: Stop | None = None) -> Iterator[DoctorFinding]:
    """Every finding in turn, as it is made. Raises nothing that belongs to this package."""
    suite: Suite | None = None
    try:
        suite = load_suite(config.suite)
        yield DoctorFinding(True, "suite", f"{len(suite.checks):,} checks in {config.suite}")
    # The suite may be wrong and the server right: what follows looks at the server all the same.
    except KisaanError as error:
        yield DoctorFinding(False, "suite", error.fact, error.hint)
    yield from _variables(config)
    try:
        target = find_target(dsn)
        yield DoctorFinding(True, "target", f"named by {target.source}")
        session = Session(
            target, Limits(config.lock_timeout_ms, config.statement_timeout_ms), _schemas(suite), stop
        )
    except KisaanError as error:
        yield DoctorFinding(False, "connection", error.fact, error.hint)
        # Without a session nothing more can be looked at.
        return
    try:
        yield from _server(session, target, config, suite)
    except KisaanError as error:
        yield DoctorFinding(False, "server", error.fact, error.hint)
    finally:
        session.close()


def _variables(config: Config) -> Iterator[DoctorFinding]:
    """The variables of pings and channels that are not set: it would be noticed on the first bad night."""
    named = {config.pings.url_env: "pings"} if config.pings.url_env else {}
    if config.notify is not None:
        table = config.notify.table
        channels: tuple[TomlTable, ...] = (*table.smtp, *table.webhook, *table.apprise)
        for said in (channel.model_dump() for channel in channels):
            wanted = [value for key, value in said.items() if key.endswith("_env") and value]
            named |= dict.fromkeys(wanted, f"channel {said['name']!r}")
    for name, what in named.items():
        if not os.environ.get(name):
            yield DoctorFinding(
                None,
                "telling",
                f"{what}: the environment variable {name} is not set here",
                "set it where scans run; kisaan-validate scan --drill tries the channels",
            )


def _schemas(suite: Suite | None) -> tuple[str, ...]:
    return suite.settings.schemas if suite is not None else ("public",)


def _server(session: Session, target: Target, config: Config, suite: Suite | None) -> Iterator[DoctorFinding]:
    # First: on another database every further finding would be about the wrong one.
    check_expectation(session, config.expect, target)
    session.begin()
    yield _pooler(session)
    # As a run does it: what the server refuses here would stop a run as well.
    ((exported,),) = session.execute(qualified("SELECT pg_export_snapshot()"))
    place, notices = read_place(session, target.source, exported)
    where = f"{place.role}@{place.host}:{place.port}/{place.database}"
    yield DoctorFinding(
        True, "connection", where + (f" ({place.standby.words})" if place.standby is not None else "")
    )
    yield _version(place.server_version, place.server_version_num)
    for notice in notices:
        yield DoctorFinding(None, "role or server", notice.message, notice.hint)
    yield from _overridden(session)
    yield _snapshot_limit(config)
    if suite is not None:
        # Without a suite nobody knows which tables a run would read.
        catalogue = read_catalogue(session, suite.settings.schemas, suite.settings.aliases)
        yield from _rights(suite, catalogue)
        yield from _compiles(session, suite, catalogue)
        yield _lock_table(session, config, suite, catalogue)


def _pooler(session: Session) -> DoctorFinding:
    """Behind a transaction-pooling proxy the process id told at connection is not the server's."""
    ((pid,),) = session.execute(qualified("SELECT pg_backend_pid()"))
    # A pooler hands the session to another server process from one transaction to the next.
    if pid == session.backend_pid:
        return DoctorFinding(True, "direct connection", "no pooling proxy in between")
    hint = (
        "connect to PostgreSQL directly: through a pooler, a cancelled run may leave its statements running"
    )
    return DoctorFinding(
        None, "pooling proxy", "the connection goes through a pooler (pgbouncer or the like)", hint
    )


def _version(version: str, number: int) -> DoctorFinding:
    if OLDEST <= number <= NEWEST:
        return DoctorFinding(True, "version", f"PostgreSQL {version}")
    # None, not False: an untested version may work.
    return DoctorFinding(None, "version", f"PostgreSQL {version} is untested", "13 to 18 are supported")


# 0 stands for every database, and for every role.
_OVERRIDDEN = qualified(
    "SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setdatabase IN (0, (SELECT oid FROM pg_database "
    "WHERE datname = current_database())) AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = "
    "session_user))"
)


def _snapshot_limit(config: Config) -> DoctorFinding:
    """A snapshot holds back VACUUM on the whole server, or on a standby's primary."""
    said = "while a run holds its snapshot, VACUUM cannot remove rows deleted since; "
    if config.snapshot_seconds is None:
        return DoctorFinding(True, "snapshot", said + "there is no limit ([limits] snapshot in kisaan.toml)")
    return DoctorFinding(
        True, "snapshot", f"{said}it is released after {config.snapshot_seconds:,.0f} s at the latest"
    )


def _overridden(session: Session) -> Iterator[DoctorFinding]:
    pinned = {name.lower() for name, _ in session.pins()}
    for (setting,) in session.execute(_OVERRIDDEN):
        name = setting.partition("=")[0]
        if name.lower() in pinned:
            yield DoctorFinding(
                # Worth saying, and no fault: a run sets its own value after these.
                True,
                "settings",
                f"{name} is set for this role or database; a run sets its own value",
            )


def _rights(suite: Suite, catalogue: Catalogue) -> Iterator[DoctorFinding]:
    tables = tables_of(suite, catalogue)
    refused = sorted(t.name for t in tables.values() if not t.selectable)
    if refused:
        hint = (
            f"GRANT USAGE ON SCHEMA {', '.join(catalogue.schemas)} and GRANT SELECT on these tables to "
            "the role"
        )
        yield DoctorFinding(False, "rights", f"no SELECT on {', '.join(refused)}", hint)
    else:
        yield DoctorFinding(True, "rights", f"SELECT on all {len(tables):,} tables that the suite reads")
    writable = sorted(t.name for t in tables.values() if t.writable)
    # A note only: a run is read-only whatever the role may do.
    if writable:
        yield DoctorFinding(
            None,
            "rights",
            f"the role could write to {len(writable):,} tables",
            "use a role that has only SELECT",
        )


def _lock_table(session: Session, config: Config, suite: Suite, catalogue: Catalogue) -> DoctorFinding:
    """How full the server's table of locks is, and how a run would lock what it reads."""
    tables = tables_of(suite, catalogue).values()
    # Each reader takes the same locks as the holder.
    room, locking = room_for(
        session, tables, read_together(suite, catalogue), config.jobs * kinds_of_readers(suite)
    )
    detail = f"{room.size:,} slots, {room.used:,} in use; "
    hint = "raise max_locks_per_transaction (needs a restart)"
    if locking.impossible:
        return DoctorFinding(
            None, "lock table", f"{detail}a run would not leave half of it free and will not start", hint
        )
    if locking.refused:
        detail += f"{len(locking.refused):,} tables have too many partitions to be read; "
    said = (
        locking.why.partition(": ")[2]
        or f"a run locks all {len(tables):,} tables that it reads and leaves half of it free"
    )
    return DoctorFinding(
        True if locking.held else None, "lock table", detail + said, "" if locking.held else hint
    )


def _compiles(session: Session, suite: Suite, catalogue: Catalogue) -> Iterator[DoctorFinding]:
    volatile, shadows = (
        volatile_calls(session, suite, catalogue),
        shadowed_checks(session, suite, suite.settings.schemas),
    )
    # As a run would: user-made casts and objects in pg_catalog refuse the checks that would use them.
    refused = read_standins(session).refused(catalogue)
    plan = make_plan(suite, catalogue, unavailable=refused, volatile=volatile, shadowed=shadows)
    unasked = [r for r in plan.settled.values() if r.status in {Status.SKIP, Status.ERROR}]
    catalogue_failures = [r for r in plan.settled.values() if r.status is Status.FAIL]
    # What the catalogue answers needs no statement.
    asked = sum(c.form is not Form.CATALOGUE for c in suite.checks) - len(unasked)
    yield DoctorFinding(True, "plan", f"{plan.statements:,} statements answer {asked:,} checks")
    if unasked:
        first = unasked[0]
        detail = f"{len(unasked):,} checks cannot be run here, e.g. {first.check_id}: {first.message}"
        yield DoctorFinding(
            None, "plan", detail, "a run will be inconclusive, or fail if the table must exist"
        )
    if catalogue_failures:
        names = ", ".join(r.check_id for r in catalogue_failures[:3])
        yield DoctorFinding(
            None, "catalogue", f"{len(catalogue_failures):,} catalogue checks would fail, e.g. {names}"
        )
