"""The index of all nights, in SQLite or PostgreSQL. It saves time and proves nothing: it is made again from
the run.json files at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from kisaan_validate.errors import RecordError
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.ledger import LedgerMoves, LedgerRow
from kisaan_validate.facts.past import PastAnswer, PastLine
from kisaan_validate.facts.result import UNANSWERED, Status, Verdict
from kisaan_validate.history.lines import FAILING, Identity, LineNight, LineState, follow, now_called
from kisaan_validate.history.night import CheckNight, Night, same_database

_Item = TypeVar("_Item")

FORMAT = 3
"""Version of the tables. An earlier one is made again from the runs; a later one is refused."""

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
    sa.Column("keys", sa.Boolean, nullable=False),
    sa.Column("ended", sa.Boolean, nullable=False),
    *_texts("pruned", "rows", "ledger_moves", "scan", "counts", "looks"),
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
_SERIES = sa.Table(
    "validate_series",
    _META,
    # What the lines remember after the last night of a series, by that night: one more night needs no other.
    sa.Column("last", sa.Text, primary_key=True),
    *_texts("made_of", "memory"),
)


@dataclass(frozen=True)
class NightLine:
    """A night in a list: the night without its outcomes, and how many checks are in each state."""

    night: Night
    counts: Mapping[LineState, int]

    @property
    def failing(self) -> int:
        """How many checks fail, whatever is known of them."""
        return sum(self.counts.get(state, 0) for state in FAILING)


@dataclass(frozen=True)
class SeriesMember:
    """What of a night tells to which series it belongs, and where in it; ``at`` is text that sorts as
    time.
    """

    run: str
    digest: str
    at: str
    suite: str
    database: str
    host: str
    port: str
    server: str


class History:
    """An open index. Raises RecordError where it cannot be read or written."""

    def __init__(self, connection: sa.Connection, renamed: Mapping[str, str]) -> None:
        self._connection, self._renamed = connection, renamed
        self._found: dict[tuple[str, ...], int] = {}

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
        old = {line.night.run: line for line in self._those([night.run for night in added])}
        # Read anew, a run may turn out to be of another database than it was.
        gone = self._leave_out([line.night for line in old.values()])
        changed = {n.run: n for n in added if not _says_the_same(n, old.get(n.run))}
        for night in added:
            counted = _UNCOUNTED if night.run in changed else _counts_text(old[night.run].counts)
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
        rows = self._connection.execute(sa.select(_NIGHTS.c.run, _NIGHTS.c.folder))
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
        wanted = {_NIGHTS.c.suite: suite, _NIGHTS.c.database: database, _NIGHTS.c.verdict: verdict}
        query = sa.select(_NIGHTS).order_by(_NIGHTS.c.at.desc(), _NIGHTS.c.run)
        query = query.where(*(column == value for column, value in wanted.items() if value))
        if since is not None:
            query = query.where(_NIGHTS.c.at >= _time(since))
        return [_line(row) for row in self._connection.execute(query.limit(last))]

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

    def _insert(self, night: Night, looks: str, counts: str) -> None:
        values = {c.name: getattr(night, c.name) for c in _NIGHTS.c if c.name not in _OWN}
        values |= {"at": _time(night.at), "verdict": night.verdict.value, "rows": json.dumps(night.rows)}
        values |= {"ledger_moves": _moves_text(night.ledger_moves)}
        made = self._connection.execute(sa.insert(_NIGHTS).values(**values, counts=counts, looks=looks))
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
        self._found = self._found or self._numbers()
        new = [dict(zip(_IDENTITY, one, strict=True)) for one in wanted if one not in self._found]
        if new:
            self._connection.execute(sa.insert(_CHECKS), new)
            self._found = self._numbers()
        return self._found

    def _numbers(self) -> dict[tuple[str, ...], int]:
        rows = self._connection.execute(sa.select(_CHECKS))
        return {(row.name, row.meaning, row.of_table, row.severity): row.id for row in rows}

    def _leave_out(self, nights: Sequence[Night]) -> list[Night]:
        """Remove these nights, which are there; the same nights."""
        for some in _portions([night.run for night in nights]):
            ids = sa.select(_NIGHTS.c.id).where(_NIGHTS.c.run.in_(some)).scalar_subquery()
            self._connection.execute(sa.delete(_OUTCOMES).where(_OUTCOMES.c.night.in_(ids)))
            self._connection.execute(sa.delete(_NIGHTS).where(_NIGHTS.c.run.in_(some)))
        return list(nights)

    def _those(self, runs: Sequence[str]) -> Iterator[NightLine]:
        """The nights of these runs, as far as they are there."""
        for some in _portions(runs):
            yield from map(_line, self._connection.execute(sa.select(_NIGHTS).where(_NIGHTS.c.run.in_(some))))

    def _members(self) -> list[SeriesMember]:
        columns = [_NIGHTS.c[field.name] for field in fields(SeriesMember)]
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
            self._connection.execute(sa.delete(_SERIES).where(_SERIES.c.last.in_(some)))
        values = {"last": runs[-1], "made_of": self._made_of(series), "memory": _memory_text(pasts)}
        self._connection.execute(sa.insert(_SERIES).values(**values))

    def _remembered(self, series: Sequence[SeriesMember]) -> tuple[int, dict[Identity, PastLine]]:
        """How many nights of a series, from the oldest on, are counted, and what is remembered of them."""
        kept = {row.last: row for row in self._connection.execute(sa.select(_SERIES))}
        open_ = sa.select(_NIGHTS.c.run).where(_NIGHTS.c.counts == _UNCOUNTED)
        uncounted = {row.run for row in self._connection.execute(open_)}
        until = next((n for n, night in enumerate(series) if night.run in uncounted), len(series))
        for n in range(until, 0, -1):
            row = kept.get(series[n - 1].run)
            # Made of just these nights, under these names: else a night came or went among them.
            if row is not None and row.made_of == self._made_of(series[:n]):
                return n, _memory(row.memory)
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
        rows = [{"of": run, "found": _counts_text(found)} for run, found in counts.items()]
        if rows:
            written = sa.update(_NIGHTS).where(_NIGHTS.c.run == sa.bindparam("of"))
            self._connection.execute(written.values(counts=sa.bindparam("found")), rows)

    def _whole(self, nights: Sequence[Night], checks: Sequence[str]) -> list[Night]:
        """These nights with their outcomes."""
        if len(nights) > _AT_ONCE:
            return [one for some in _portions(nights) for one in self._whole(some, checks)]
        by_run: dict[str, list[CheckNight]] = {night.run: [] for night in nights}
        query = (
            sa.select(_NIGHTS.c.run, _CHECKS, *(_OUTCOMES.c[name] for name in _SAID))
            .join(_OUTCOMES, _OUTCOMES.c.night == _NIGHTS.c.id)
            .join(_CHECKS, _CHECKS.c.id == _OUTCOMES.c.check)
            .where(_NIGHTS.c.run.in_(by_run))
        )
        if checks:
            query = query.where(_CHECKS.c.name.in_(checks))
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
    _FORMAT.create(connection, checkfirst=True)
    versions = [row.format for row in connection.execute(sa.select(_FORMAT))]
    if versions and max(versions) > FORMAT:
        raise RecordError(
            f"the history is of format {max(versions)}, and this version writes {FORMAT}",
            "upgrade kisaan-validate, or make it again with `kisaan-validate history rebuild`",
        )
    # An earlier one holds nothing that the runs do not: it is filled again from them.
    if versions != [FORMAT]:
        _META.drop_all(connection)
        _META.create_all(connection)
        connection.execute(sa.insert(_FORMAT).values(format=FORMAT))


_AT_ONCE = 500
"""So many names stand in one statement: some engines take no more than 999 parameters."""


def _portions(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    return (items[n : n + _AT_ONCE] for n in range(0, len(items), _AT_ONCE))


def _memory_text(pasts: Mapping[Identity, PastLine]) -> str:
    """What lines remember, without their counts, which only pages show."""
    return json.dumps([_plain_line(past) for past in pasts.values()])


def _plain_line(past: PastLine) -> list[object]:
    answered, since = past.answered, past.since
    answer = [answered.status.value, answered.violations, answered.rows] if answered is not None else None
    at = _time(since) if since is not None else None
    return [past.check, past.meaning, answer, at, past.nights, past.silent, list(past.failed)]


def _memory(text: str) -> dict[Identity, PastLine]:
    found = {}
    for check, meaning, answer, at, nights, silent, failed in json.loads(text):
        answered = PastAnswer(Status(answer[0]), *answer[1:]) if answer is not None else None
        since = datetime.fromisoformat(at) if at is not None else None
        found[check, meaning] = PastLine(check, meaning, answered, since, nights, silent, tuple(failed))
    return found


def _check(outcome: CheckNight) -> tuple[str, ...]:
    return (outcome.check, outcome.meaning, outcome.table, outcome.severity.value)


_UNCOUNTED = ""
"""In the place of a night's counts before it is counted."""


def _says_the_same(night: Night, before: NightLine | None) -> bool:
    """Whether a run that is read anew says of its checks what it said before, of the same database."""
    if before is None:
        return False
    names = ("digest", "at", "suite", "host", "port", "database", "server")
    return all(getattr(night, name) == getattr(before.night, name) for name in names)


def _counts_text(counts: Mapping[LineState, int]) -> str:
    return json.dumps(counts)


def _counts(text: str) -> dict[LineState, int]:
    if text == _UNCOUNTED:
        return {}
    return {LineState(state): number for state, number in json.loads(text).items()}


def _night(row: sa.Row[tuple[object, ...]], outcomes: tuple[CheckNight, ...]) -> Night:
    given = {name: value for name, value in row._mapping.items() if name not in _OWN}
    given |= {"at": datetime.fromisoformat(row.at), "verdict": Verdict(row.verdict)}
    given["rows"] = tuple((title, rows) for title, rows in json.loads(row.rows))
    given["ledger_moves"] = _moves(row.ledger_moves)
    return Night(**given, outcomes=outcomes)


def _moves_text(moves: LedgerMoves | None) -> str:
    return json.dumps(asdict(moves)) if moves is not None else ""


def _moves(text: str) -> LedgerMoves | None:
    if not text:
        return None
    given = json.loads(text)
    rows = {name: tuple(LedgerRow(**row) for row in given[name]) for name in ("came", "went")}
    return LedgerMoves(**{**given, **rows})


def _line(row: sa.Row[tuple[object, ...]]) -> NightLine:
    return NightLine(_night(row, ()), _counts(row.counts))


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
