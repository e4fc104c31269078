"""One run as its history needs it: what each check said, and nothing that names a person or a row."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.ledger import LedgerMoves
from kisaan_validate.facts.result import Result, Status, Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.history.figures import figure_text
from kisaan_validate.verdict.judgement import Judgement
from kisaan_validate.verdict.waivers import Use


@dataclass(frozen=True)
class CheckNight:
    """What one check said in one run.

    ``meaning`` is the digest of what it means; ``rows`` the digest of the keys of all violating rows, ""
    where it is not known. ``violations`` is None where nothing was counted. ``figure`` is what a volume was
    (:mod:`history.figures`), "" of other checks.
    """

    check: str
    meaning: str
    table: str
    severity: Severity
    status: Status
    violations: int | None
    rows: str
    figure: str = ""


@dataclass(frozen=True)
class Night:
    """One run of a suite on a database. ``run`` is its id, ``digest`` the SHA-256 of its run.json,
    ``folder`` where it lies.

    ``suite_digest`` changes with the suite's sources. ``whole``: all of the suite was asked, and it came
    to its end. ``keys``: its files hold keys or values of rows. ``pruned`` says when and by which rule its
    files were removed, "" while they are there. ``ledger_moves``: what came into the ledger of migrations, or
    went, since the night before. ``scan`` is the profile that it was a scan of, "" for none; ``ended``: all
    that it was to ask was asked, be it a part of the suite.
    """

    run: str
    digest: str
    folder: str
    at: datetime
    suite: str
    suite_digest: str
    host: str
    port: str
    database: str
    server: str
    verdict: Verdict
    whole: bool
    milliseconds: int
    rows: tuple[tuple[str, int], ...]
    outcomes: tuple[CheckNight, ...]
    keys: bool = False
    pruned: str = ""
    ledger_moves: LedgerMoves | None = None
    scan: str = ""
    ended: bool = False


def night_of(judged: Judgement, folder: str, digest: str) -> Night:
    """The night of a run that was judged; ``digest`` is that of its run.json."""
    run = judged.run
    return Night(
        run=run.id,
        digest=digest,
        folder=folder,
        at=run.place.at,
        suite=run.suite.name,
        suite_digest=run.suite.digest,
        host=run.place.host,
        port=run.place.port,
        database=run.place.database,
        server=run.place.system_identifier,
        verdict=judged.verdict,
        whole=not (run.selection.partial or run.halted or run.interrupted),
        milliseconds=round((run.finished_at - run.started_at).total_seconds() * 1_000),
        rows=tuple((table.title, table.rows) for table in run.tables if table.rows is not None),
        outcomes=tuple(outcomes_of(run, {id for id, one in judged.waived.items() if one.use is Use.HOLDS})),
        # A baseline keeps keys of its own, and values, so what was compared with one is taken to hold some.
        keys=judged.baseline is not None or any(result.sample for result in run.results),
        ledger_moves=run.past.ledger_moves if run.past is not None else None,
        scan=run.settings.get("scan", ""),
        ended=not (run.halted or run.interrupted),
    )


def outcomes_of(run: Run, accepted: Container[str] = ()) -> Iterable[CheckNight]:
    """What each check of a run said, in the order of the suite. Of ``accepted`` checks a figure counts for
    later nights even where it failed.
    """
    found = {result.check_id: result for result in run.results}
    for check in run.checks:
        # A check that has no result was not asked, as after an interruption: that is no answer.
        result = found.get(check.id, Result(check.id, Status.ERROR))
        said = (result.status, result.violations, result.key_digest)
        figure = figure_text(result, accepted=check.id in accepted)
        yield CheckNight(check.id, check.digest, check.table, check.severity, *said, figure)


class PlacedNight(Protocol):
    """What of a night tells where it was."""

    @property
    def run(self) -> str:
        """Its id."""

    @property
    def at(self) -> datetime | str:
        """When; text that sorts as time will do."""

    @property
    def suite(self) -> str:
        """The suite's name."""

    @property
    def database(self) -> str:
        """The database's name."""

    @property
    def host(self) -> str:
        """The host that answered."""

    @property
    def port(self) -> str:
        """Its port."""

    @property
    def server(self) -> str:
        """The system identifier of the cluster."""


Placed = TypeVar("Placed", bound=PlacedNight)


def same_database(nights: Iterable[Placed], night: Placed) -> list[Placed]:
    """Those of the nights that are of the same suite and database as ``night``, the oldest first.

    A server is the same if its system identifier or its address is: the first survives a move, the second
    an upgrade by pg_upgrade, which makes a new identifier (PostgreSQL documentation, pg_control_system).
    """
    meant = (night.suite, night.database)
    ours = [n for n in nights if (n.suite, n.database) == meant]
    known, size = _names(night), 0
    # Each round may link others: A moved to B's address, B was upgraded to C.
    while size < len(known):
        size = len(known)
        for one in ours:
            if not known.isdisjoint(_names(one)):
                known |= _names(one)
    linked = [n for n in ours if not known.isdisjoint(_names(n))]
    return sorted(linked, key=_when)


def _when(night: PlacedNight) -> tuple[Any, str]:
    # Of one kind in one list: all times, or all texts of times.
    return night.at, night.run


def same_series(one: Run, other: Run) -> bool:
    """Whether two runs are of one suite and database, by what they say themselves."""
    meant, found = ((run.suite.name, run.place.database) for run in (one, other))
    return meant == found and not _names_of(one).isdisjoint(_names_of(other))


def _names_of(run: Run) -> set[tuple[str, ...]]:
    place = run.place
    return _server_names(place.host, place.port, place.system_identifier, run.id)


def _names(night: PlacedNight) -> set[tuple[str, ...]]:
    return _server_names(night.host, night.port, night.server, night.run)


def _server_names(host: str, port: str, server: str, run: str) -> set[tuple[str, ...]]:
    names: set[tuple[str, ...]] = set()
    if host:
        names.add(("at", host, port))
    if server:
        names.add(("is", server))
    # A server without any name is known by nothing but the run itself.
    return names or {("run", run)}
