"""The index of all nights, in SQLite or PostgreSQL. It saves time and proves nothing: it is made again from
the run.json files at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from kisaan_validate.errors import RecordError
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.past import PastLine
from kisaan_validate.facts.result import UNANSWERED, Status
from kisaan_validate.history.index_rows import (
    UNCOUNTED,
    NightLine,
    SeriesMember,
    check_of,
    counts_text,
    line_of,
    memory_of,
    memory_text,
    moves_text,
    says_the_same,
    time_text,
)
from kisaan_validate.history.index_tables import (
    CHECKS,
    IDENTITY,
    NIGHTS,
    OUTCOMES,
    OWN,
    SAID,
    SERIES,
    prepare,
)
from kisaan_validate.history.lines import Identity, LineNight, LineState, follow, now_called
from kisaan_validate.history.night import CheckNight, Night, same_database

_Item = TypeVar("_Item")


class History:
    """An open index. Raises RecordError where it cannot be read or written."""

    def __init__(self, connection: sa.Connection, renamed: Mapping[str, str]) -> None:
        self._connection, self._renamed = connection, renamed
        self._found: dict[tuple[str, ...], int] = {}

    def known(self) -> dict[str, str]:
        """The runs that it has, by id, with the digest of their run.json."""
        rows = self._connection.execute(sa.select(NIGHTS.c.run, NIGHTS.c.digest))
        return {row.run: row.digest for row in rows}

    def looks(self) -> dict[str, str]:
        """What the files of each folder looked like when its run was read."""
        rows = self._connection.execute(sa.select(NIGHTS.c.folder, NIGHTS.c.looks))
        return {row.folder: row.looks for row in rows}

    def add(self, nights: Iterable[Night], looks: Mapping[str, str] = {}) -> None:
        """Take these nights in, instead of what it had of the same runs. ``looks`` says of each folder
        what its files look like.
        """
        added = sorted(nights, key=lambda night: (night.at, night.run))
        old = {line.night.run: line for line in self._those([night.run for night in added])}
        # Read again, a run may turn out to be of another database than it was.
        gone = self._leave_out([line.night for line in old.values()])
        changed = {n.run: n for n in added if not says_the_same(n, old.get(n.run))}
        for night in added:
            counted = UNCOUNTED if night.run in changed else counts_text(old[night.run].counts)
            self._insert(night, looks.get(night.folder, ""), counted)
        touched = [*(night for night in gone if night.run in changed), *changed.values()]
        self._count_again({(night.suite, night.database) for night in touched})

    def forget(self, runs: Sequence[str]) -> None:
        """Leave these runs out."""
        gone = self._leave_out([line.night for line in self._those(runs)])
        self._count_again({(night.suite, night.database) for night in gone})

    def settle(self) -> None:
        """Count again what was counted under other names of checks than those that they have now."""
        self._count_again({(member.suite, member.database) for member in self._members()})

    def folders(self) -> dict[str, str]:
        """The folder of each run, by its id."""
        rows = self._connection.execute(sa.select(NIGHTS.c.run, NIGHTS.c.folder))
        return {row.run: row.folder for row in rows}

    def nights(
        self,
        *,
        suite: str = "",
        database: str = "",
        verdict: str = "",
        since: datetime | None = None,
        last: int | None = None,
    ) -> list[NightLine]:
        """All nights, or those that fit and of these the ``last`` ones: the newest first, without their
        outcomes.
        """
        wanted = {NIGHTS.c.suite: suite, NIGHTS.c.database: database, NIGHTS.c.verdict: verdict}
        query = sa.select(NIGHTS).order_by(NIGHTS.c.at.desc(), NIGHTS.c.run)
        query = query.where(*(column == value for column, value in wanted.items() if value))
        if since is not None:
            query = query.where(NIGHTS.c.at >= time_text(since))
        return [line_of(row) for row in self._connection.execute(query.limit(last))]

    def lines(self, night: Night, checks: Sequence[str] = ()) -> list[list[LineNight]]:
        """The line of each check through all nights of the suite and database of ``night``; of ``checks``
        only, if given, by the names that they have now or ever had.
        """
        there = self.nights(suite=night.suite, database=night.database)
        nights = self._whole(same_database((line.night for line in there), night), checks)
        return list(follow(nights, self._renamed).values())

    def answered_in(self, nights: Sequence[Night]) -> dict[str, set[Identity]]:
        """By run, the checks that had an answer in these nights."""
        found: dict[str, set[Identity]] = {night.run: set() for night in nights}
        query = (
            sa.select(NIGHTS.c.run, CHECKS.c.name, CHECKS.c.meaning)
            .join(OUTCOMES, OUTCOMES.c.night == NIGHTS.c.id)
            .join(CHECKS, CHECKS.c.id == OUTCOMES.c.check)
            .where(NIGHTS.c.run.in_(found))
            .where(OUTCOMES.c.status.not_in([status.value for status in UNANSWERED]))
        )
        for row in self._connection.execute(query):
            found[row.run].add((now_called(row.name, self._renamed), row.meaning))
        return found

    def last_answered(self, series: Sequence[Night], checks: Collection[Identity]) -> Night | None:
        """The newest night of ``series`` in which all of these checks, of ids and meanings as they are now,
        had an answer; None if there is none.
        """
        wanted, numbers = set(checks), list[int]()
        for (name, meaning, *_), number in self._numbers().items():
            if (now_called(name, self._renamed), meaning) in wanted:
                numbers.append(number)
        query = (
            sa.select(NIGHTS.c.run)
            .join(OUTCOMES, OUTCOMES.c.night == NIGHTS.c.id)
            .where(OUTCOMES.c.check.in_(numbers))
            .where(OUTCOMES.c.status.not_in([status.value for status in UNANSWERED]))
            .group_by(NIGHTS.c.id)
            .having(sa.func.count() == len(wanted))
            .order_by(NIGHTS.c.at.desc(), NIGHTS.c.run.desc())
        )
        known = {night.run: night for night in series}
        # Of another server's nights the index may hold newer ones.
        with self._connection.execute(query) as rows:
            return next((known[row.run] for row in rows if row.run in known), None)

    def of_suite(self, suite: str, checks: Sequence[str], since: datetime) -> list[Night]:
        """The nights of a suite since a time, with the outcomes of these checks only."""
        nights = [line.night for line in self.nights() if line.night.suite == suite]
        return self._whole([night for night in nights if night.at >= since], checks)

    # --- inside -------------------------------------------------------------------------------------------

    def _insert(self, night: Night, looks: str, counts: str) -> None:
        values = {c.name: getattr(night, c.name) for c in NIGHTS.c if c.name not in OWN}
        values |= {"at": time_text(night.at), "verdict": night.verdict.value, "rows": json.dumps(night.rows)}
        values |= {"ledger_moves": moves_text(night.ledger_moves)}
        made = self._connection.execute(sa.insert(NIGHTS).values(**values, counts=counts, looks=looks))
        (id,) = made.inserted_primary_key or (None,)
        checks = self._checks(night.outcomes)
        rows = [
            {"night": id, "check": checks[check_of(o)], "status": o.status.value}
            | {"violations": o.violations, "rows": o.rows or None, "figure": o.figure or None}
            for o in night.outcomes
        ]
        if rows:
            self._connection.execute(sa.insert(OUTCOMES), rows)

    def _checks(self, outcomes: Sequence[CheckNight]) -> dict[tuple[str, ...], int]:
        """The numbers of these checks, those that are new added."""
        wanted = dict.fromkeys(map(check_of, outcomes))
        self._found = self._found or self._numbers()
        new = [dict(zip(IDENTITY, one, strict=True)) for one in wanted if one not in self._found]
        if new:
            self._connection.execute(sa.insert(CHECKS), new)
            self._found = self._numbers()
        return self._found

    def _numbers(self) -> dict[tuple[str, ...], int]:
        rows = self._connection.execute(sa.select(CHECKS))
        return {(row.name, row.meaning, row.of_table, row.severity): row.id for row in rows}

    def _leave_out(self, nights: Sequence[Night]) -> list[Night]:
        """Remove these nights, which are there; the same nights."""
        for some in _portions([night.run for night in nights]):
            ids = sa.select(NIGHTS.c.id).where(NIGHTS.c.run.in_(some)).scalar_subquery()
            self._connection.execute(sa.delete(OUTCOMES).where(OUTCOMES.c.night.in_(ids)))
            self._connection.execute(sa.delete(NIGHTS).where(NIGHTS.c.run.in_(some)))
        return list(nights)

    def _those(self, runs: Sequence[str]) -> Iterator[NightLine]:
        """The nights of these runs, as far as they are there."""
        for some in _portions(runs):
            yield from map(line_of, self._connection.execute(sa.select(NIGHTS).where(NIGHTS.c.run.in_(some))))

    def _members(self) -> list[SeriesMember]:
        columns = [NIGHTS.c[field.name] for field in fields(SeriesMember)]
        return [SeriesMember(*row) for row in self._connection.execute(sa.select(*columns))]

    def _count_again(self, meant: Collection[tuple[str, str]]) -> None:
        """Write into each night of the series of these suites and databases how many checks are in which
        state: a night that comes or goes changes what later ones say of a failure.
        """
        left = [m for m in self._members() if (m.suite, m.database) in meant] if meant else []
        # From nights that are there: one that is gone may have linked two servers that nothing links now.
        while left:
            series = same_database(left, left[0])
            self._count_series(series)
            done = {member.run for member in series}
            left = [member for member in left if member.run not in done]

    def _count_series(self, series: Sequence[SeriesMember]) -> None:
        """Count the nights of a series behind those that were counted already and are as they were."""
        known, pasts = self._remembered(series)
        if known == len(series):
            return
        runs = [member.run for member in series]
        there = {line.night.run: line.night for line in self._those(runs[known:])}
        fresh = self._whole([there[run] for run in runs[known:]], ())
        self._write_counts(fresh, pasts)
        for some in _portions(runs):
            self._connection.execute(sa.delete(SERIES).where(SERIES.c.last.in_(some)))
        values = {"last": runs[-1], "made_of": self._made_of(series), "memory": memory_text(pasts)}
        self._connection.execute(sa.insert(SERIES).values(**values))

    def _remembered(self, series: Sequence[SeriesMember]) -> tuple[int, dict[Identity, PastLine]]:
        """How many nights of a series, from the oldest on, are counted, and what is remembered of them."""
        kept = {row.last: row for row in self._connection.execute(sa.select(SERIES))}
        open_ = sa.select(NIGHTS.c.run).where(NIGHTS.c.counts == UNCOUNTED)
        uncounted = {row.run for row in self._connection.execute(open_)}
        until = next((n for n, night in enumerate(series) if night.run in uncounted), len(series))
        for n in range(until, 0, -1):
            row = kept.get(series[n - 1].run)
            # Made of just these nights, under these names: else a night came or went among them.
            if row is not None and row.made_of == self._made_of(series[:n]):
                return n, memory_of(row.memory)
        return 0, {}

    def _made_of(self, series: Sequence[SeriesMember]) -> str:
        nights = [(night.run, night.digest) for night in series]
        return hashlib.sha256(json.dumps([nights, sorted(self._renamed.items())]).encode()).hexdigest()

    def _write_counts(self, nights: Sequence[Night], pasts: dict[Identity, PastLine]) -> None:
        counts: dict[str, dict[LineState, int]] = {night.run: {} for night in nights}
        for line in follow(nights, self._renamed, pasts).values():
            for one in line:
                of_night = counts[one.night.run]
                of_night[one.state] = of_night.get(one.state, 0) + 1
        rows = [{"of": run, "found": counts_text(found)} for run, found in counts.items()]
        if rows:
            written = sa.update(NIGHTS).where(NIGHTS.c.run == sa.bindparam("of"))
            self._connection.execute(written.values(counts=sa.bindparam("found")), rows)

    def _whole(self, nights: Sequence[Night], checks: Sequence[str]) -> list[Night]:
        """These nights with their outcomes."""
        if len(nights) > _AT_ONCE:
            return [one for some in _portions(nights) for one in self._whole(some, checks)]
        by_run: dict[str, list[CheckNight]] = {night.run: [] for night in nights}
        query = (
            sa.select(NIGHTS.c.run, CHECKS, *(OUTCOMES.c[name] for name in SAID))
            .join(OUTCOMES, OUTCOMES.c.night == NIGHTS.c.id)
            .join(CHECKS, CHECKS.c.id == OUTCOMES.c.check)
            .where(NIGHTS.c.run.in_(by_run))
        )
        if checks:
            query = query.where(CHECKS.c.name.in_(checks))
        for row in self._connection.execute(query):
            by_run[row.run].append(
                CheckNight(
                    row.name,
                    row.meaning,
                    row.of_table,
                    Severity(row.severity),
                    Status(row.status),
                    row.violations,
                    row.rows or "",
                    row.figure or "",
                )
            )
        return [replace(night, outcomes=tuple(by_run[night.run])) for night in nights]


@contextmanager
def opened(place: Path | str, renamed: Mapping[str, str] = {}) -> Iterator[History]:
    """The index in a SQLite file, or at a URL of SQLAlchemy, made if it is not there; all that is done in
    the block is kept, or nothing. Raises RecordError.
    """
    named = "the configured url"
    try:
        url = sa.URL.create("sqlite", database=str(place)) if isinstance(place, Path) else sa.make_url(place)
        named = url.render_as_string(hide_password=True)
        engine = _engine(url, named)
        try:
            with engine.begin() as connection:
                prepare(connection)
                yield History(connection, renamed)
        finally:
            engine.dispose()
    except sa.exc.SQLAlchemyError as error:
        # Its own words, without the statement, whose values could be anybody's.
        said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise RecordError(f"the history at {named} cannot be used: {said}", _remedy(place, said)) from None


def _remedy(place: Path | str, said: str) -> str:
    """What to do about an index that cannot be used."""
    if "disk is full" in said or "No space left" in said:
        return "free some space; the runs themselves are kept in their folders"
    again = "make it again with `kisaan-validate history rebuild`"
    return again if isinstance(place, Path) else f"correct the url; if it is damaged, {again}"


_PLAIN = {"postgresql", "postgres"}
"""Schemes that libpq takes too: they name no driver, so it is the one that is here."""


def _engine(url: sa.URL, named: str) -> sa.Engine:
    """Raises RecordError where the driver that the url asks for is not installed."""
    try:
        return sa.create_engine(
            url.set(drivername="postgresql+psycopg2") if url.drivername in _PLAIN else url
        )
    except ImportError as error:
        raise RecordError(
            f"the history at {named} cannot be used: {error.name} is not installed",
            "write postgresql://… or sqlite:///…, which need nothing more; or install it",
        ) from None


_AT_ONCE = 500
"""So many names stand in one statement: some engines take no more than 999 parameters."""


def _portions(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    return (items[n : n + _AT_ONCE] for n in range(0, len(items), _AT_ONCE))
