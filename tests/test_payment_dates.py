"""Dates of payments that a program made up, told from dates that people typed: every way of writing now(),
every kind of typing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest
from conftest import Server
from kisaan_suite import SUITE

from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run

INVENTED, MIDNIGHT = "kisaan_payments.payment_date.invented", "kisaan_payments.payment_date.invented_midnight"
INDIA = timezone(timedelta(hours=5, minutes=30))
CUTS = ("", "second", "minute", "hour")
TABLES = """
CREATE TABLE kisaan_payments (id bigserial PRIMARY KEY, payment_date timestamptz, method text, created_at {type}, updated_at {type});
CREATE TABLE _migrations (name text PRIMARY KEY, executed_at timestamptz);
"""


@dataclass(frozen=True)
class Group:
    """Payments that have one instant: how many, how many of them were touched at it or later, and which
    check finds them.
    """

    at: datetime
    rows: int
    touched: int = 0
    method: str = "CASH"
    found: str = ""
    entered: timedelta = timedelta(days=3)


def cut(moment: datetime, to: str) -> datetime:
    """now(), as a program cut it."""
    zeros = {
        "second": ("microsecond",),
        "minute": ("microsecond", "second"),
        "hour": ("microsecond", "second", "minute"),
    }
    return moment.replace(**dict.fromkeys(zeros.get(to, ()), 0))


def groups() -> Iterator[Group]:
    """Backfills of every size, cut in every way, with some entries touched since; and all that people
    rightly do.
    """
    days = itertools.count(1)

    def moment(hour: int = 13) -> datetime:
        return datetime(2025, 1, 1, hour, 7, 9, 123456, UTC) + timedelta(days=next(days))

    for to, rows in itertools.product(CUTS, range(1, 7)):
        for touched in range(rows + 1):
            told = (to in {"", "second"} and rows > 1) or rows - touched > 2
            yield Group(cut(moment(), to), rows, touched, found=INVENTED if told else "")
    for zone, rows, method in itertools.product((UTC, INDIA), (1, 2, 3, 9), ("UPI", "CHEQUE")):
        midnight = (datetime(2025, 1, 1, tzinfo=zone) + timedelta(days=next(days))).astimezone(UTC)
        yield Group(midnight, rows, method=method, found=MIDNIGHT if rows > 2 and method != "CHEQUE" else "")
        yield Group(midnight + timedelta(days=400), rows, touched=rows, method=method)
    for to in ("minute", "hour"):
        yield Group(
            cut(moment(), to), 30, touched=30
        )  # a morning's receipts, entered in the evening and dated by hand
        yield Group(
            cut(moment(), to), 30, entered=timedelta(hours=5, minutes=59)
        )  # dated when they were entered, more or less
        # The clock of the entries was moved by migration 05: no longer by more than six hours.
        yield Group(cut(moment(), to), 30, entered=timedelta(hours=5, minutes=30))


def fill(server: Server, database: str, made: list[Group]) -> dict[str, set[int]]:
    """The payments of all groups, and the ids that each check must find."""
    rows, wanted, id = [], {INVENTED: set[int](), MIDNIGHT: set[int]()}, 0
    for group in made:
        for number in range(group.rows):
            id += 1
            entered = group.at - group.entered - timedelta(seconds=number)
            touched = group.at + timedelta(minutes=5) if number < group.touched else entered
            stamps = [moment.strftime("%Y-%m-%d %H:%M:%S.%f") for moment in (group.at, entered, touched)]
            rows.append(f"({id}, '{stamps[0]}+00', '{group.method}', '{stamps[1]}', '{stamps[2]}')")
            if group.found:
                wanted[group.found].add(id)
    server.sql(
        f"SET TimeZone = 'UTC'; INSERT INTO kisaan_payments (id, payment_date, method, created_at, "
        f"updated_at) VALUES {', '.join(rows)}",
        database,
    )
    return wanted


def found(server: Server, database: str) -> dict[str, set[int]]:
    """The ids that the checks find."""
    done = run(
        SUITE, server.dsn(database), select=(INVENTED, MIDNIGHT), options=Options(jobs=1, sample=100_000)
    )
    assert {r.status.value for r in done.results} <= {"fail", "pass"}
    return {r.check_id: {int(str(dict(row)["id"])) for row in r.sample} for r in done.results}


@pytest.mark.parametrize("type_", ["timestamptz", "timestamp"])
def test_made_up_dates_are_found_and_typed_ones_are_not(type_: str, server: Server, database: str) -> None:
    """now() is found whole, or cut to the second where two payments share it, to the minute or hour where
    three do that nobody touched; what people type, date ahead, or enter late is not; also before migration
    05 gave the entries a zone."""
    server.sql(TABLES.format(type=type_), database)
    wanted = fill(server, database, list(groups()))
    assert wanted[INVENTED]
    assert wanted[MIDNIGHT]
    assert found(server, database) == wanted


def test_one_payment_is_found_by_the_time_at_which_the_migration_ran(server15: Server) -> None:
    """Near the time that the runner recorded, a single date is found, however it was cut; a midnight only
    if it ran in that minute.
    """
    name = server15.create(TABLES.format(type="timestamptz"))
    ran = datetime(2025, 10, 18, 20, 4, 31, 500000, UTC)
    near = [
        Group(cut(ran - timedelta(minutes=m), to), 1, found=INVENTED)
        for m in (0, 3, 9)
        for to in ("", "second", "minute")
    ]
    far = [Group(cut(ran - timedelta(minutes=m), to), 1) for m in (-20, 12, 600) for to in ("", "minute")]
    wanted = fill(server15, name, near + far)
    server15.sql(
        f"INSERT INTO _migrations VALUES ('20251018_02_payment_date_not_null.sql', '{ran.isoformat()}')", name
    )
    # Two of the groups share a minute with another only if they were cut to the same one.
    assert found(server15, name)[INVENTED] == wanted[INVENTED]
    for at, told in (
        (datetime(2025, 10, 18, 18, 30, 40, tzinfo=UTC), True),
        (datetime(2025, 10, 18, 18, 32, 40, tzinfo=UTC), False),
    ):
        server15.sql(
            f"TRUNCATE kisaan_payments; UPDATE _migrations SET executed_at = '{at.isoformat()}'", name
        )
        fill(server15, name, [Group(datetime(2025, 10, 18, 18, 30, tzinfo=UTC), 1)])  # midnight in India
        assert bool(found(server15, name)[INVENTED]) is told
    server15.drop(name)
