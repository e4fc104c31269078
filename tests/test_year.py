"""A year of nights on one database, with a clock of its own: what goes out is what should, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Server
from receivers import Hook, web_server
from test_pings import Receiver
from year_night import PHASES, YearNight, killed, play

FIRST = datetime(2026, 1, 5, 2, 30, tzinfo=UTC)
NIGHTS = 400

TABLES = """
CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(12,2) NOT NULL, note text, day date NOT NULL);
CREATE TABLE lines (id bigint PRIMARY KEY, order_id bigint NOT NULL, amount numeric(12,2) NOT NULL);
CREATE SEQUENCE orders_seen;
CREATE TABLE sales (id bigserial PRIMARY KEY, came timestamptz NOT NULL);
INSERT INTO sales (came) SELECT '2025-12-01' FROM generate_series(1, 5000);
CREATE ROLE night_{name} LOGIN;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO night_{name};
"""

GROWTH = """
WITH fresh AS (
    INSERT INTO orders SELECT nextval('orders_seen'), 10, 'n', '2026-01-05' FROM generate_series(1, {rows})
    RETURNING id
)
INSERT INTO lines SELECT id, id, 5 FROM fresh
"""

WAIVER = """format = 1
[[waiver]]
check = "note"
reason = "the importer is being repaired"
owner = "Asha"
rows = 1
expires = {until}
"""

SALES = "INSERT INTO sales (came) SELECT '{day}T12:00Z' FROM generate_series(1, {rows})"

DROP, RESTORE = 353, 361
"""The night after a Wednesday with as few sales as a Sunday; the night on which sales that were lost are back."""

Told = list[tuple[str, tuple[str, ...]]]
"""What a message tells: of each incident, its news and its checks."""


@dataclass
class Year:
    """The nights of one database. ``clock`` is the time of the next one."""

    server: Server
    folder: Path
    database: str
    hook: Hook
    watcher: Receiver
    ping: str
    clock: datetime = FIRST
    total: str = "total"
    until: str = "'2026-01-05'"
    renamed: str = ""
    waiver: str = ""
    away: bool = False
    told: dict[int, Told] = field(default_factory=dict)
    codes: dict[int, str] = field(default_factory=dict)
    pings: dict[int, list[str]] = field(default_factory=dict)

    def sql(self, text: str) -> None:
        """Change the database as its owner."""
        self.server.sql(text, self.database)

    def grow(self, number: int) -> None:
        """What came on the day before a night: on Sundays a third of what comes on other days."""
        day, before = (self.clock - timedelta(days=1)).date(), number - 1
        rows = 60 + before * 11 % 9 if day.weekday() == 6 or number == DROP else 200 + before * 37 % 23
        self.sql(SALES.format(day=day, rows=rows))
        if number not in CLOSED:
            self.sql(GROWTH.format(rows=1 if self.clock.weekday() > 4 else 5))

    def night(self, number: int, *, crash: str = "") -> None:
        """One night: a scan from its first ping to its last, or until it is killed in a phase."""
        bodies, signals = len(self.hook.bodies), len(self.watcher.got)
        url = "http://127.0.0.1:9/away" if self.away else self.hook.url
        dsn = self.server.dsn(self.database, f"night_{self.database}")
        said = (self.total, self.until, self.renamed, self.waiver, crash)
        night = YearNight(str(self.folder), dsn, self.clock.isoformat(), url, self.ping, *said)
        if verdict := killed(night) if crash else play(night):
            self.codes[number] = verdict
        self.pings[number] = self.watcher.signals[signals:]
        news = [told for body in self.hook.bodies[bodies:] for told in _news(json.loads(body))]
        if news:
            self.told[number] = news


def _news(message: dict[str, Any]) -> Told:
    return [(one["news"], tuple(sorted(one["checks"]))) for one in message["facts"]["incidents"]]


@pytest.fixture
def year(server: Server, tmp_path: Path) -> Iterator[Year]:
    """A database, and somebody who is told."""
    database = server.create()
    server.sql(TABLES.format(name=database), database)
    watcher = Receiver()
    with web_server() as hook, watcher.running() as ping:
        yield Year(server, tmp_path, database, hook, watcher, ping)
    server.drop(database)
    server.sql(f"DROP ROLE night_{database}")


def _set(**said: Any) -> Callable[[Year], None]:
    def change(year: Year) -> None:
        for name, value in said.items():
            setattr(year, name, value)

    return change


BAD = "INSERT INTO orders VALUES ({id}, -1, 'n', '2026-01-05')"
NO_NOTE = "INSERT INTO orders VALUES ({id}, 1, NULL, '2026-01-05')"
ORPHAN = "INSERT INTO lines VALUES (-5, -5, 5)"
FLAP_ON, FLAP_OFF = "INSERT INTO lines VALUES (-9, 1, 5000)", "DELETE FROM lines WHERE id = -9"

EVENTS: dict[int, str | Callable[[Year], None]] = {
    # A bug comes, grows, and goes.
    20: BAD.format(id=-1),
    23: BAD.format(id=-2),
    26: "DELETE FROM orders WHERE id < 0",
    # It comes again and stays for five weeks.
    40: BAD.format(id=-1),
    75: "DELETE FROM orders WHERE id < 0",
    # One check fails and holds in turn, then rests.
    100: FLAP_ON, 101: FLAP_OFF, 102: FLAP_ON, 103: FLAP_OFF, 104: FLAP_ON, 105: FLAP_OFF,
    # A failure is renamed while it is open.
    140: BAD.format(id=-1),
    142: _set(total="orders.total", renamed='total = "orders.total"'),
    145: "DELETE FROM orders WHERE id < 0",
    # The meaning of a check changes while it fails.
    160: "INSERT INTO orders VALUES (-3, 1, 'n', '2026-06-01')",
    162: _set(until="'2026-03-01'"),
    165: "DELETE FROM orders WHERE id < 0",
    # A failure is accepted for ten days, and then is not fixed.
    180: NO_NOTE.format(id=-4),
    181: _set(waiver=WAIVER.format(until="2026-07-12")),
    192: "DELETE FROM orders WHERE id < 0",
    193: _set(waiver=""),
    # A table is gone for a night, and three checks with it.
    220: "ALTER TABLE lines RENAME TO lines_old",
    221: "ALTER TABLE lines_old RENAME TO lines",
    # A right is missing for three nights.
    240: lambda year: year.sql(f"REVOKE SELECT ON orders FROM night_{year.database}"),
    243: lambda year: year.sql(f"GRANT SELECT ON orders TO night_{year.database}"),
    # Two failures come with one night; the scan is killed before it tells.
    260: BAD.format(id=-1) + "; " + ORPHAN,
    263: "DELETE FROM orders WHERE id < 0; DELETE FROM lines WHERE id < 0",
    # Killed while it connects, while it asks, while it records; a week without a scan, in which a bug came and stayed.
    280: BAD.format(id=-1),
    284: "DELETE FROM orders WHERE id < 0",
    286: NO_NOTE.format(id=-4),
    289: "DELETE FROM orders WHERE id < 0",
    291: ORPHAN,
    294: "DELETE FROM lines WHERE id < 0",
    305: BAD.format(id=-1),
    310: "DELETE FROM orders WHERE id < 0",
    # Nobody takes the message of that night.
    330: lambda year: (year.sql(BAD.format(id=-1)), _set(away=True)(year))[1],
    331: _set(away=False),
    333: "DELETE FROM orders WHERE id < 0",
    # Killed when the message lies in the spool; killed when it is sent, before the last ping.
    340: NO_NOTE.format(id=-4),
    343: "DELETE FROM orders WHERE id < 0",
    346: ORPHAN,
    348: "DELETE FROM lines WHERE id < 0",
    # Old sales are lost for a night: less than on any night before, whatever came yesterday.
    360: "CREATE TABLE lost AS SELECT * FROM sales WHERE id % 5 < 2 AND id < 60000; DELETE FROM sales USING lost WHERE lost.id = sales.id",
    RESTORE: "INSERT INTO sales SELECT * FROM lost; DROP TABLE lost",
}  # fmt: skip

CRASHES = {260: "index", 280: "record", 286: "connect", 291: "prove", 340: "tell", 346: "ping"}
UNRECORDED = {280, 286, 291}
"""Killed before there was anything to record."""
MISSED = range(302, 309)
CLOSED = {221}
"""Nights without new rows: a table is not there."""


NEW, FIXED, STILL = "new", "fixed", "still failing"

TOLD: dict[int, Told] = {
    20: [(NEW, ("total",))],
    23: [("worse", ("total",))],
    26: [(FIXED, ("total",))],
    40: [(NEW, ("total",))],
    # Once a week while it stays.
    47: [(STILL, ("total",))],
    54: [(STILL, ("total",))],
    61: [(STILL, ("total",))],
    68: [(STILL, ("total",))],
    75: [(FIXED, ("total",))],
    100: [(NEW, ("large",))],
    101: [(FIXED, ("large",))],
    # The third change within ten nights: told once, until it rests.
    102: [("flapping", ("large",))],
    112: [(FIXED, ("large",))],
    140: [(NEW, ("total",))],
    145: [(FIXED, ("orders.total",))],
    160: [(NEW, ("day",))],
    # Another meaning is another failure, and the old one is asked no more.
    162: [(NEW, ("day",)), ("no longer asked", ("day",))],
    165: [(FIXED, ("day",))],
    180: [(NEW, ("note",))],
    189: [("waiver ended", ("note",))],
    192: [(FIXED, ("note",))],
    # What is not there rings at once, and as one.
    220: [("no answer", ("amount", "large", "lines"))],
    221: [(FIXED, ("amount", "large", "lines"))],
    # A right that is missing rings on the second night.
    241: [("no answer", ("day", "lines", "note", "orders.total"))],
    243: [(FIXED, ("day", "lines", "note", "orders.total"))],
    # What was new on the night that told nobody.
    261: [(STILL, ("lines",)), (STILL, ("orders.total",))],
    263: [(FIXED, ("orders.total",)), (FIXED, ("lines",))],
    281: [(NEW, ("orders.total",))],
    284: [(FIXED, ("orders.total",))],
    287: [(NEW, ("note",))],
    289: [(FIXED, ("note",))],
    292: [(NEW, ("lines",))],
    294: [(FIXED, ("lines",))],
    309: [(NEW, ("orders.total",))],
    310: [(FIXED, ("orders.total",))],
    331: [(NEW, ("orders.total",))],
    333: [(FIXED, ("orders.total",))],
    # What lay in the spool, and nothing of it twice.
    341: [(NEW, ("note",))],
    343: [(FIXED, ("note",))],
    346: [(NEW, ("lines",))],
    348: [(FIXED, ("lines",))],
    # As few sales as on each of 57 Sundays, on a Wednesday.
    DROP: [(NEW, ("arrivals",))],
    DROP + 1: [(FIXED, ("arrivals",))],
    360: [(NEW, ("rows",))],
    RESTORE: [(FIXED, ("rows",))],
}

RED = {20, 23, 40, 140, 160, 162, 180, 260, 281, 287, 292, 309, 330, 340, 346, DROP, 360}
"""Nights with a failure that the last run did not know; that of a warning is none."""

OPEN = {220, 240, 241, 242}
"""Nights without all answers."""


CODES = {"PASS": "0", "FAIL": "1", "INCONCLUSIVE": "3"}


@pytest.mark.slow
@pytest.mark.timeout(3_000)
def test_a_year_of_nights_tells_what_is_news_and_nothing_else(year: Year) -> None:
    """Law: the messages of 400 nights are exactly these, and a night is green only if nothing of it is new or
    without an answer. A scan that was killed, in whichever phase, ends no ping, and loses nothing that the
    next one does not tell.
    """
    assert set(CRASHES.values()) == set(PHASES)
    for number in range(NIGHTS):
        year.clock = FIRST + timedelta(days=number)
        year.grow(number)
        event = EVENTS.get(number)
        if isinstance(event, str):
            year.sql(event)
        elif event is not None:
            event(year)
        if number not in MISSED:
            year.night(number, crash=CRASHES.get(number, ""))
    assert year.told == TOLD
    green = {number for number, verdict in year.codes.items() if verdict == "PASS"}
    assert {n for n, verdict in year.codes.items() if verdict == "FAIL"} == RED
    assert green == set(range(NIGHTS)) - RED - OPEN - set(MISSED) - UNRECORDED
    ends = {n: ["start", CODES[verdict]] for n, verdict in year.codes.items() if n not in CRASHES}
    assert year.pings == ends | {n: ["start"] for n in CRASHES}
