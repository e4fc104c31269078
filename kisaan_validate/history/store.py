"""The index of all nights, in SQLite or PostgreSQL. It saves time and proves nothing: it is made again from
the run.json files at any time.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from kisaan_validate.errors import RecordError
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.result import UNANSWERED, Status, Verdict
from kisaan_validate.history.lines import FAILING, Identity, LineNight, LineState, follow, now_called
from kisaan_validate.history.night import CheckNight, Night, same_database

FORMAT = 2
"""Version of the tables. Another version is made again."""

_META = sa.MetaData()


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


_FORMAT = sa.Table("validate_history", _META, sa.Column("format", sa.Integer, primary_key=True))
_NIGHTS = sa.Table(
    "validate_nights",
    _META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run", sa.Text, nullable=False, unique=True),
    # Text in UTC sorts as time does, and is the same in both engines.
    sa.Column("at", sa.Text, nullable=False, index=True),
    *_texts("digest", "folder", "suite", "suite_digest", "host", "port", "database", "server", "verdict"),
    sa.Column("whole", sa.Boolean, nullable=False),
    sa.Column("milliseconds", sa.BigInteger, nullable=False),
    *_texts("rows", "counts", "looks"),
)
_OWN = {"id", "counts", "looks"}
"""Columns that are no part of a night."""
_IDENTITY = ("name", "meaning", "of_table", "severity")
"""What one check is in the index."""
_CHECKS = sa.Table(
    "validate_checks",
    _META,
    sa.Column("id", sa.Integer, primary_key=True),
    *_texts(*_IDENTITY),
    sa.UniqueConstraint(*_IDENTITY),
)
_OUTCOMES = sa.Table(
    "validate_outcomes",
    _META,
    sa.Column("night", sa.Integer, sa.ForeignKey(_NIGHTS.c.id), primary_key=True),
    sa.Column("check", sa.Integer, sa.ForeignKey(_CHECKS.c.id), primary_key=True, index=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("violations", sa.BigInteger),
    sa.Column("rows", sa.Text),
    sa.Column("figure", sa.Text),
)
_SAID = ("status", "violations", "rows", "figure")


@dataclass(frozen=True)
class NightLine:
    """A night in a list: the night without its outcomes, and how many checks are in each state."""

    night: Night
    counts: Mapping[LineState, int]

    @property
    def failing(self) -> int:
        """How many checks fail, whatever is known of them."""
        return sum(self.counts.get(state, 0) for state in FAILING)


class History:
    """An open index. Raises RecordError where it cannot be read or written."""

    def __init__(self, connection: sa.Connection, renamed: Mapping[str, str]) -> None:
        self._connection, self._renamed = connection, renamed

    def known(self) -> dict[str, str]:
        """The runs that it has, by id, with the digest of their run.json."""
        rows = self._connection.execute(sa.select(_NIGHTS.c.run, _NIGHTS.c.digest))
        return {row.run: row.digest for row in rows}

    def looks(self) -> dict[str, str]:
        """What the files of each folder looked like when its run was read."""
        rows = self._connection.execute(sa.select(_NIGHTS.c.folder, _NIGHTS.c.looks))
        return {row.folder: row.looks for row in rows}

    def add(self, nights: Iterable[Night], looks: Mapping[str, str] = {}) -> None:
        """Take these nights in, in the place of what it had of the same runs. ``looks`` says of each folder
        what its files look like.
        """
        added = sorted(nights, key=lambda night: (night.at, night.run))
        # Read anew, a run may turn out to be of another database than it was.
        gone = self._leave_out([night.run for night in added])
        for night in added:
            self._insert(night, looks.get(night.folder, ""))
        self._count_again([*gone, *added])

    def forget(self, runs: Sequence[str]) -> None:
        """Leave these runs out."""
        self._count_again(self._leave_out(runs))

    def nights(self) -> list[NightLine]:
        """All nights, the newest first, without their outcomes."""
        rows = self._connection.execute(sa.select(_NIGHTS).order_by(_NIGHTS.c.at.desc(), _NIGHTS.c.run))
        return [NightLine(_night(row, ()), _counts(row.counts)) for row in rows]

    def lines(self, night: Night, checks: Sequence[str] = ()) -> list[list[LineNight]]:
        """The line of each check through all nights of the suite and database of ``night``; of ``checks``
        only, if given, by the names that they have now or ever had.
        """
        nights = self._whole(same_database((line.night for line in self.nights()), night), checks)
        return list(follow(nights, self._renamed).values())

    def answered_in(self, nights: Sequence[Night]) -> dict[str, set[Identity]]:
        """By run, the checks that had an answer in these nights."""
        found: dict[str, set[Identity]] = {night.run: set() for night in nights}
        query = (
            sa.select(_NIGHTS.c.run, _CHECKS.c.name, _CHECKS.c.meaning)
            .join(_OUTCOMES, _OUTCOMES.c.night == _NIGHTS.c.id)
            .join(_CHECKS, _CHECKS.c.id == _OUTCOMES.c.check)
            .where(_NIGHTS.c.run.in_(found))
            .where(_OUTCOMES.c.status.not_in([status.value for status in UNANSWERED]))
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
            sa.select(_NIGHTS.c.run)
            .join(_OUTCOMES, _OUTCOMES.c.night == _NIGHTS.c.id)
            .where(_OUTCOMES.c.check.in_(numbers))
            .where(_OUTCOMES.c.status.not_in([status.value for status in UNANSWERED]))
            .group_by(_NIGHTS.c.id)
            .having(sa.func.count() == len(wanted))
            .order_by(_NIGHTS.c.at.desc(), _NIGHTS.c.run.desc())
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

    def _insert(self, night: Night, looks: str) -> None:
        values = {c.name: getattr(night, c.name) for c in _NIGHTS.c if c.name not in _OWN}
        values |= {"at": _time(night.at), "verdict": night.verdict.value, "rows": json.dumps(night.rows)}
        made = self._connection.execute(sa.insert(_NIGHTS).values(**values, counts="{}", looks=looks))
        (id,) = made.inserted_primary_key or (None,)
        checks = self._checks(night.outcomes)
        rows = [
            {"night": id, "check": checks[_check(o)], "status": o.status.value}
            | {"violations": o.violations, "rows": o.rows or None, "figure": o.figure or None}
            for o in night.outcomes
        ]
        if rows:
            self._connection.execute(sa.insert(_OUTCOMES), rows)

    def _checks(self, outcomes: Sequence[CheckNight]) -> dict[tuple[str, ...], int]:
        """The numbers of these checks, those that are new added."""
        wanted = dict.fromkeys(map(_check, outcomes))
        found = self._numbers()
        new = [dict(zip(_IDENTITY, one, strict=True)) for one in wanted if one not in found]
        if new:
            self._connection.execute(sa.insert(_CHECKS), new)
            found = self._numbers()
        return found

    def _numbers(self) -> dict[tuple[str, ...], int]:
        rows = self._connection.execute(sa.select(_CHECKS))
        return {(row.name, row.meaning, row.of_table, row.severity): row.id for row in rows}

    def _leave_out(self, runs: Sequence[str]) -> list[Night]:
        """Remove these runs; those that were there."""
        gone = [line.night for line in self.nights() if line.night.run in set(runs)]
        ids = sa.select(_NIGHTS.c.id).where(_NIGHTS.c.run.in_(runs)).scalar_subquery()
        self._connection.execute(sa.delete(_OUTCOMES).where(_OUTCOMES.c.night.in_(ids)))
        self._connection.execute(sa.delete(_NIGHTS).where(_NIGHTS.c.run.in_(runs)))
        return gone

    def _count_again(self, changed: Sequence[Night]) -> None:
        """Write into each night of the series that changed how many checks are in which state: a night that
        comes or goes changes what later ones say of a failure.
        """
        meant = {(night.suite, night.database) for night in changed}
        left = [n.night for n in self.nights() if (n.night.suite, n.night.database) in meant]
        # From nights that are there: one that is gone may have linked two servers that nothing links now.
        while left:
            series = same_database(left, left[0])
            self._write_counts(self._whole(series, ()))
            done = {night.run for night in series}
            left = [night for night in left if night.run not in done]

    def _write_counts(self, series: Sequence[Night]) -> None:
        counts: dict[str, dict[LineState, int]] = {}
        for line in follow(series, self._renamed).values():
            for one in line:
                of_night = counts.setdefault(one.night.run, {})
                of_night[one.state] = of_night.get(one.state, 0) + 1
        for run, found in counts.items():
            written = sa.update(_NIGHTS).where(_NIGHTS.c.run == run).values(counts=json.dumps(found))
            self._connection.execute(written)

    def _whole(self, nights: Sequence[Night], checks: Sequence[str]) -> list[Night]:
        """These nights with their outcomes."""
        by_run: dict[str, list[CheckNight]] = {night.run: [] for night in nights}
        query = (
            sa.select(_NIGHTS.c.run, _CHECKS, *(_OUTCOMES.c[name] for name in _SAID))
            .join(_OUTCOMES, _OUTCOMES.c.night == _NIGHTS.c.id)
            .join(_CHECKS, _CHECKS.c.id == _OUTCOMES.c.check)
        )
        if checks:
            query = query.where(_CHECKS.c.name.in_(checks))
        for row in self._connection.execute(query):
            if row.run in by_run:
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
        engine = sa.create_engine(url)
        try:
            with engine.begin() as connection:
                _prepare(connection)
                yield History(connection, renamed)
        finally:
            engine.dispose()
    except sa.exc.SQLAlchemyError as error:
        # Its own words, without the statement, whose values could be anybody's.
        said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise RecordError(
            f"the history at {named} cannot be used: {said}",
            "if it is damaged, make it again with `kisaan-validate history rebuild`; else correct the url",
        ) from None


def _prepare(connection: sa.Connection) -> None:
    _META.create_all(connection)
    versions = [row.format for row in connection.execute(sa.select(_FORMAT))]
    if not versions:
        connection.execute(sa.insert(_FORMAT).values(format=FORMAT))
    elif versions != [FORMAT]:
        raise RecordError(
            f"the history is of format {versions[0]}, and this version writes {FORMAT}",
            "make it again with `kisaan-validate history rebuild`",
        )


def _check(outcome: CheckNight) -> tuple[str, ...]:
    return (outcome.check, outcome.meaning, outcome.table, outcome.severity.value)


def _counts(text: str) -> dict[LineState, int]:
    return {LineState(state): number for state, number in json.loads(text).items()}


def _night(row: sa.Row[tuple[object, ...]], outcomes: tuple[CheckNight, ...]) -> Night:
    given = {c.name: getattr(row, c.name) for c in _NIGHTS.c if c.name not in _OWN}
    given |= {"at": datetime.fromisoformat(row.at), "verdict": Verdict(row.verdict)}
    given["rows"] = tuple((title, rows) for title, rows in json.loads(row.rows))
    return Night(**given, outcomes=outcomes)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
