"""A year of nights on one database, with a clock of its own: what goes out is what should, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Server
from receivers import Hook, web_server

from kisaan_validate.cli.job import record_after
from kisaan_validate.cli.last_run import remembering
from kisaan_validate.cli.telling import tell
from kisaan_validate.facts.result import FailOn
from kisaan_validate.facts.run import Run
from kisaan_validate.ops.config import Config, load_config
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.suite.load import Suite, load_suite
from kisaan_validate.verdict.judgement import Judgement, judge
from kisaan_validate.verdict.waivers import Waivers, read_waivers

FIRST = datetime(2026, 1, 5, 2, 30, tzinfo=UTC)
NIGHTS = 400

SUITE = """from kisaan_validate import declare as d
d.holds("orders", "total >= 0", id="{total}")
d.holds("orders", "note IS NOT NULL", id="note")
d.holds("orders", "day <= {until}", id="day")
d.references("lines", "order_id", "orders", id="lines")
d.holds("lines", "amount > 0", id="amount")
d.holds("lines", "amount < 1000", id="large", severity="warning")
"""

TABLES = """
CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(12,2) NOT NULL, note text, day date NOT NULL);
CREATE TABLE lines (id bigint PRIMARY KEY, order_id bigint NOT NULL, amount numeric(12,2) NOT NULL);
CREATE SEQUENCE orders_seen;
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

CONFIG = """[history]
every = "1 d"
[history.renamed]
{renamed}
[[notify.webhook]]
name = "on-call"
url_env = "HOOK_URL"
"""

WAIVER = """format = 1
[[waiver]]
check = "note"
reason = "the importer is being repaired"
owner = "Asha"
rows = 1
expires = {until}
"""

Told = list[tuple[str, tuple[str, ...]]]
"""What a message tells: of each incident, its news and its checks."""


@dataclass
class Year:
    """The nights of one database. ``clock`` is the time of the next one."""

    server: Server
    folder: Path
    database: str
    hook: Hook
    clock: datetime = FIRST
    total: str = "total"
    until: str = "'2026-01-05'"
    renamed: str = ""
    waiver: str = ""
    away: bool = False
    told: dict[int, Told] = field(default_factory=dict)
    codes: dict[int, str] = field(default_factory=dict)

    def sql(self, text: str) -> None:
        """Change the database as its owner."""
        self.server.sql(text, self.database)

    def config(self) -> Config:
        """What kisaan.toml says tonight."""
        file = self.folder / "kisaan.toml"
        file.write_text(CONFIG.format(renamed=self.renamed))
        return replace(load_config(file), reports=self.folder / "reports")

    def suite(self) -> Suite:
        """What the suite says tonight."""
        checks = self.folder / "checks"
        checks.mkdir(exist_ok=True)
        (checks / "suite.toml").write_text('name = "nightly"\n')
        (checks / "all.py").write_text(SUITE.format(total=self.total, until=self.until))
        return load_suite(checks)

    def waivers(self, suite: Suite) -> Waivers | None:
        """What is accepted tonight."""
        return read_waivers(self.waiver, "waivers.toml", suite.rules) if self.waiver else None

    def measured(self) -> Judgement:
        """The run of tonight, by tonight's clock."""
        suite = self.suite()
        options = Options(jobs=1, fail_on=FailOn.NEW, waivers=self.waivers(suite))
        made = moved(run(suite, self.dsn, options=options), self.clock)
        return judge(made, waivers=options.waivers)

    @property
    def dsn(self) -> str:
        """Where the scan connects."""
        return self.server.dsn(self.database, f"night_{self.database}")

    def night(self, number: int, *, crash: str = "") -> None:
        """One night: prove, record, tell. ``crash`` ends it before the step of that name."""
        config, before = self.config(), len(self.hook.bodies)
        judged = self.measured()
        if crash != "record":
            judged, _ = record_after(judged, config.reports, remembering(config, since_last=True))
            self.codes[number] = judged.verdict.value
            if crash != "tell":
                url = "http://127.0.0.1:9/away" if self.away else self.hook.url
                tell(config, judged, now=self.clock, env={"HOOK_URL": url})
        news = [told for body in self.hook.bodies[before:] for told in _news(json.loads(body))]
        if news:
            self.told[number] = news


def moved(made: Run, at: datetime) -> Run:
    """The run as if it had been made then."""
    took = made.finished_at - made.started_at
    stamp = f"{at:%Y%m%dT%H%M%SZ}-{made.id.rpartition('-')[2]}"
    return replace(made, id=stamp, started_at=at, finished_at=at + took, place=replace(made.place, at=at))


def _news(message: dict[str, Any]) -> Told:
    return [(one["news"], tuple(sorted(one["checks"]))) for one in message["facts"]["incidents"]]


@pytest.fixture
def year(server: Server, tmp_path: Path) -> Iterator[Year]:
    """A database, and somebody who is told."""
    database = server.create()
    server.sql(TABLES.format(name=database), database)
    with web_server() as hook:
        yield Year(server, tmp_path, database, hook)
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
    # Killed before it recorded; a week without a scan, in which a bug came and stayed.
    280: BAD.format(id=-1),
    284: "DELETE FROM orders WHERE id < 0",
    305: BAD.format(id=-1),
    310: "DELETE FROM orders WHERE id < 0",
    # Nobody takes the message of that night.
    330: lambda year: (year.sql(BAD.format(id=-1)), _set(away=True)(year))[1],
    331: _set(away=False),
    333: "DELETE FROM orders WHERE id < 0",
}  # fmt: skip

CRASHES = {260: "tell", 280: "record"}
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
    309: [(NEW, ("orders.total",))],
    310: [(FIXED, ("orders.total",))],
    331: [(NEW, ("orders.total",))],
    333: [(FIXED, ("orders.total",))],
}

RED = {20, 23, 40, 140, 160, 162, 180, 260, 281, 309, 330}
"""Nights with a failure that the last run did not know; that of a warning is none."""

OPEN = {220, 240, 241, 242}
"""Nights without all answers."""


@pytest.mark.slow
@pytest.mark.timeout(1_500)
def test_a_year_of_nights_tells_what_is_news_and_nothing_else(year: Year) -> None:
    """Law: the messages of 400 nights are exactly these, and a night is green only if nothing of it is new or
    without an answer.
    """
    for number in range(NIGHTS):
        year.clock = FIRST + timedelta(days=number)
        if number not in CLOSED:
            year.sql(GROWTH.format(rows=1 if year.clock.weekday() > 4 else 5))
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
    assert green == set(range(NIGHTS)) - RED - OPEN - set(MISSED) - {280}
