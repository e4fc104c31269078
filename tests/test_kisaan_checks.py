"""The KisaanCenter suite against both kinds of installations: green on a clean database, and every single
check can fail.
"""

from __future__ import annotations

import importlib.util
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest
from conftest import ROOT, Server
from kisaan_suite import SUITE
from plants.base import READ_CLEAN, Clean, Plant
from plants.by_hand import IN_PUBLIC, PLANTS
from plants.planters import generated_plant, plot

from kisaan_validate.facts.check import Check, Severity
from kisaan_validate.facts.result import Result, Status, Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.suite.load import Suite

DEMO = ROOT / "demo"
CHECKS = {check.id: check for check in SUITE.checks}
WITHOUT_TOTAL = "kisaan_transactions.farmer_earning.split_without_total"
"""The one check that only applies where a sale does not keep its total."""
PUBLIC_TABLES = {
    "balance_snapshots",
    "kisaan_ledger",
    "kisaan_ledger_entries",
    "kisaan_user_balances",
    "kisaan_expense_allocations",
    "farmer_product_assignments",
    "kisaan_features",
    "kisaan_plan_features",
    "kisaan_user_feature_overrides",
    "SequelizeMeta",
}
"""The tables that only an installation made from the public schema has."""


@dataclass(frozen=True)
class Market:
    """The clean database, on its server; ``silent`` are the checks that do not apply to it."""

    server: Server
    database: str
    clean: Clean
    silent: frozenset[str] = frozenset()

    def copy(self, sql: str = "") -> str:
        """A copy of it, after some SQL."""
        return self.server.create(sql, self.database)


def _texts(path: Path, pattern: str) -> list[tuple[str, str]]:
    return [(p.name, p.read_text(encoding="utf-8")) for p in sorted(path.glob(pattern))]


def build(server: Server, payments: int = 2000) -> str:
    """Schema, clean contents and clean migrations, each migration recorded as the runner does it."""
    name = server.create()
    connection = server.connect(name)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET demo.payments = {payments}")
            for file in ("schema.sql", "fill.sql"):
                cursor.execute((DEMO / file).read_text(encoding="utf-8"))
            for migration, sql in _texts(DEMO / "migrations_clean", "*.sql"):
                cursor.execute(sql)
                cursor.execute("INSERT INTO _migrations (name) VALUES (%s)", (migration,))
    finally:
        connection.close()
    return name


def build_public(server: Server, payments: int = 2000) -> str:
    """The public schema, clean contents, and its later migrations as they should have been written, each
    recorded.
    """
    name = server.create()
    connection = server.connect(name)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET demo.payments = {payments}")
            for file in ("schema.sql", "fill.sql"):
                cursor.execute((DEMO / "public" / file).read_text(encoding="utf-8"))
            for migration, sql in _texts(DEMO / "public" / "later", "*.sql"):
                cursor.execute(sql)
                cursor.execute("INSERT INTO _migrations (name) VALUES (%s)", (migration,))
    finally:
        connection.close()
    return name


def describe(server: Server, database: str) -> Clean:
    """What planters need to know of it."""
    keys = dict(server.sql(READ_CLEAN, database))
    lowest = {}
    for table, names in keys.items():
        ((*values,),) = server.sql(
            f"SELECT {', '.join(f'{k}::text' for k in names)} FROM {table} ORDER BY {', '.join(names)} "
            f"LIMIT 1",
            database,
        )
        lowest[table.strip('"')] = dict(zip(names, values, strict=True))
    highest = {
        t: server.sql(f"SELECT max(id) FROM {t}", database)[0][0] for t, k in keys.items() if k == ["id"]
    }
    return Clean(lowest, highest)


def look(server: Server, name: str) -> Market:
    """A clean database, with which checks do not apply to it."""
    market = Market(server, name, describe(server, name))
    done = validate(market, name)
    silent = frozenset(r.check_id for r in done.results if r.status is Status.NOT_APPLICABLE)
    return Market(server, name, market.clean, silent)


@pytest.fixture(scope="module")
def market(server: Server) -> Iterator[Market]:
    """A clean, cleanly migrated demo market of 2,000 payments."""
    name = build(server)
    yield look(server, name)
    server.drop(name)


@pytest.fixture(scope="module")
def public(server: Server) -> Iterator[Market]:
    """A clean market of 2,000 payments in the public schema, with all its later migrations."""
    name = build_public(server)
    yield look(server, name)
    server.drop(name)


def validate(market: Market, database: str, select: tuple[str, ...] = ()) -> Run:
    """One run of the suite, or of a part of it."""
    return run(SUITE, market.server.dsn(database), select=select, options=Options(jobs=1 if select else 2))


def alarms(done: Run) -> dict[str, tuple[Status, str]]:
    """Everything in a run that is neither passed nor not applicable."""
    quiet = {Status.PASS, Status.NOT_APPLICABLE}
    return {r.check_id: (r.status, r.message) for r in done.results if r.status not in quiet}


def test_a_clean_database_passes_every_check(market: Market) -> None:
    """On a clean, cleanly migrated database nothing fails and nothing is skipped; what only others have
    does not apply.
    """
    done = validate(market, market.database)
    assert alarms(done) == {}
    assert done.verdict is Verdict.PASS
    own = {id for id in market.silent if CHECKS[id].table not in PUBLIC_TABLES}
    assert WITHOUT_TOTAL in own
    # A column, a table or a rule of the other kind of installation; no check of the first kind is lost by a
    # condition.
    assert all(CHECKS[id].applies for id in own)
    assert not own & set(BASELINE_CHECKS)


BASELINE_CHECKS = (
    *(
        f"kisaan_transactions.{c}.present"
        for c in ("product_id", "commission_amount", "status", "transaction_date", "metadata")
    ),
    *(f"kisaan_payments.{c}.present" for c in ("product_id", "shop_id", "counterparty_id")),
    "kisaan_users.custom_commission_rate.present",
    "kisaan_users.shop_id.owner_has_none",
    "kisaan_transactions.total_amount.split",
    "kisaan_payments.product_id.agrees",
    "kisaan_payments.product_id.foreign_key",
    "kisaan_commissions.shop_id_rate_type.enforced",
    "kisaan_transactions.transaction_date.not_in_future",
    "kisaan_transactions.product_name.agrees",
    "kisaan_transactions.commission_amount.as_agreed",
)
"""Checks that are conditional for the sake of the public schema, and must go on applying to the other kind
of installation.
"""


WIDTHS = "*.type", "database.no_numeric_*", "database.timestamps.have_zone", "*.product_id.foreign_key"
"""What the later migrations of the public schema leave as it was; each of them is a warning."""


def test_the_public_schema_has_no_skip_and_no_blocking_failure(public: Market) -> None:
    """With all its later migrations and clean contents nothing blocks or is skipped, and each warning is a
    type or a guard.
    """
    done = validate(public, public.database)
    assert {status for status, _ in alarms(done).values()} == {Status.FAIL}
    assert {CHECKS[id].severity for id in alarms(done)} == {Severity.WARNING}
    assert [id for id in alarms(done) if not any(fnmatchcase(id, pattern) for pattern in WIDTHS)] == []
    assert done.verdict is Verdict.PASS
    untouched = [t.table for t in done.coverage if not t.checks]
    assert untouched == []


BY_HAND = """
ALTER TABLE balance_snapshots RENAME TO kisaan_balance_snapshots;
CREATE TABLE balance_snapshots (id serial PRIMARY KEY, user_id bigint, balance numeric(18,2), taken_at timestamptz NOT NULL);
INSERT INTO balance_snapshots (user_id, balance, taken_at) SELECT user_id, new_balance, created_at FROM kisaan_balance_snapshots;
ALTER TABLE kisaan_expense_allocations ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE kisaan_expenses ALTER COLUMN expense_date DROP DEFAULT, ALTER COLUMN expense_date TYPE timestamptz;
ALTER TABLE kisaan_transactions ALTER COLUMN transaction_date TYPE date, ALTER COLUMN settlement_date TYPE date;
"""
"""What else is met in the field: snapshots under both names, days with a clock and times without one."""


@pytest.fixture(scope="module")
def changed(public: Market) -> Iterator[Market]:
    """The public schema, as people changed it by hand."""
    name = public.copy(BY_HAND)
    yield look(public.server, name)
    public.server.drop(name)


def test_every_check_applies_to_one_of_them(market: Market, public: Market, changed: Market) -> None:
    """What applies to no installation could never be seen to fail."""
    assert market.silent & public.silent & changed.silent == {WITHOUT_TOTAL, *IN_PUBLIC}


def test_an_installation_changed_by_hand_has_no_skip_and_no_blocking_failure(changed: Market) -> None:
    """Snapshots under both names, and days that are kept as either type, neither block nor go unjudged."""
    done = validate(changed, changed.database)
    assert {status for status, _ in alarms(done).values()} == {Status.FAIL}
    assert {CHECKS[id].severity for id in alarms(done)} == {Severity.WARNING}


def test_a_clean_database_passes_on_postgresql_15(server15: Server) -> None:
    """The suite says the same on an older server."""
    name = build(server15)
    done = validate(Market(server15, name, Clean({}, {})), name)
    server15.drop(name)
    assert alarms(done) == {}
    assert done.verdict is Verdict.PASS


def test_every_check_explains_itself() -> None:
    """Every check says why it matters, what to do, who is responsible and what it is about."""
    silent = [c.id for c in SUITE.checks if not (c.why and c.hint and c.owner and c.tags)]
    assert silent == []


def test_every_check_that_rests_on_a_proxy_is_no_more_than_a_warning() -> None:
    """What cannot be decided exactly never blocks, and says that it is a proxy."""
    assert [c.id for c in SUITE.checks if "proxy" in c.why.lower() and c.severity is Severity.BLOCKING] == []
    assert any("proxy" in c.why.lower() for c in SUITE.checks)


# --- planted violations -----------------------------------------------------------------------------------


def plant_for(check: Check, suite: Suite, clean: Clean) -> Plant:
    """The plant of a check. Fails if there is none."""
    plant = PLANTS.get(check.id) or generated_plant(check, suite.rules[check.id], clean)
    if plant is None:
        pytest.fail(f"{check.id} has no plant: add one to tests/plants/by_hand.py")
    return plant


def test_there_is_no_plant_without_a_check() -> None:
    """A plant whose check is gone proves nothing and must go too."""
    assert sorted(set(PLANTS) - set(CHECKS)) == []


def field(id: str, market: Market, public: Market, changed: Market) -> Market:
    """Where the plant of a check grows: where the check applies; else in a market that the plant changes."""
    return next(
        (m for m in (market, public, changed) if id not in m.silent), public if id in IN_PUBLIC else market
    )


def harvest(market: Market, plants: dict[str, Plant]) -> dict[str, Result]:
    """Plant in one copy of the clean database and ask these checks, and no other."""
    name = market.copy(";\n".join(plant.sql for plant in plants.values()))
    try:
        return {result.check_id: result for result in validate(market, name, tuple(plants)).results}
    finally:
        market.server.drop(name)


@pytest.fixture(scope="module")
def harvests(
    market: Market, public: Market, changed: Market, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], tuple[Plant, Result]]]:
    """The outcome of each plant that this session asks for; two plots grow at a time."""
    plots: dict[tuple[str, str], dict[str, Plant]] = defaultdict(dict)
    # Nobody may be connected to what is copied, and other tests look at the markets themselves meanwhile.
    where = {m.database: replace(m, database=m.copy()) for m in (market, public, changed)}
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.originalname == HARVEST_TEST:
            check = CHECKS[str(item.callspec.params["check_id"])]
            there = field(check.id, market, public, changed)
            plots[there.database, plot(check, there.clean)][check.id] = plant_for(check, SUITE, there.clean)
    with ThreadPoolExecutor(2) as pool:
        growing: dict[str, tuple[Plant, Future[dict[str, Result]]]] = {}
        for (database, _), plants in plots.items():
            future = pool.submit(harvest, where[database], plants)
            growing |= {id: (plant, future) for id, plant in plants.items()}
        yield lambda id: (growing[id][0], growing[id][1].result()[id])
        pool.shutdown(cancel_futures=True)
    for copied in where.values():
        copied.server.drop(copied.database)


HARVEST_TEST = "test_the_planted_violation_is_found"


@pytest.mark.parametrize("check_id", CHECKS)
def test_the_planted_violation_is_found(
    check_id: str, harvests: Callable[[str], tuple[Plant, Result]]
) -> None:
    """Every check fails on its planted violation, with the exact count and the violating key in its
    evidence.
    """
    plant, result = harvests(check_id)
    assert (result.status, result.violations) == (Status.FAIL, plant.violations), result.message
    if plant.key:
        shown = [dict(row) for row in result.sample]
        assert any(plant.key.items() <= row.items() for row in shown), shown


# --- installations ----------------------------------------------------------------------------------------

INSTALLATIONS = {
    "allocations under the older name": "ALTER TABLE payment_allocations RENAME TO kisaan_payment_allocations",
    "sales that do not keep their total": "ALTER TABLE kisaan_transactions DROP COLUMN total_amount CASCADE",
    "every shop has its own commission": (
        "DELETE FROM kisaan_commissions WHERE shop_id IS NULL;"
        "ALTER TABLE kisaan_commissions ALTER COLUMN shop_id SET NOT NULL;"
        "DROP INDEX kisaan_commissions_key; ALTER TABLE kisaan_commissions ADD UNIQUE (shop_id, rate, type)"
    ),
    "wide numbers throughout": (
        "ALTER TABLE kisaan_transactions ALTER COLUMN id TYPE bigint;"
        "ALTER TABLE kisaan_payments ALTER COLUMN transaction_id TYPE bigint, ALTER COLUMN "
        "counterparty_id TYPE bigint"
    ),
}


@pytest.mark.parametrize("installation", INSTALLATIONS)
def test_an_installation_of_its_own_kind_raises_no_alarm(installation: str, market: Market) -> None:
    """What rightly differs between installations is neither a failure nor a reason to skip."""
    name = market.copy(INSTALLATIONS[installation])
    done = validate(market, name)
    market.server.drop(name)
    assert alarms(done) == {}
    assert done.verdict is Verdict.PASS


def test_without_the_smaller_tables_only_their_absence_is_told(market: Market) -> None:
    """An installation without the smaller books passes; each missing one is mentioned once, as
    information.
    """
    gone = [
        "kisaan_credits",
        "expense_settlements",
        "kisaan_expenses",
        "kisaan_settlements",
        "kisaan_audit_logs",
    ]
    name = market.copy(";".join(f"DROP TABLE {table}" for table in gone))
    done = validate(market, name)
    market.server.drop(name)
    assert set(alarms(done)) == {f"{table}.present" for table in gone}
    assert done.verdict is Verdict.PASS


# --- the models as pandera models -------------------------------------------------------------------------


def models(file: str) -> dict[str, Any]:
    """A file's models by table, imported as any program would import them."""
    spec = importlib.util.spec_from_file_location(f"kisaan_{file}", ROOT / "checks" / f"{file}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = {
        n: v for n, v in vars(module).items() if isinstance(v, type) and issubclass(v, pa.DataFrameModel)
    }
    return {v.to_schema().name: v for n, v in found.items() if not n.startswith("_")}


MODELS = models("tables") | models("smaller_tables")


@pytest.mark.parametrize("table", MODELS)
def test_the_models_validate_data_frames_too(table: str, market: Market, public: Market) -> None:
    """The model that is proved on the server accepts the same rows as a pandas data frame."""
    there = public if table in PUBLIC_TABLES else market
    connection = there.server.connect(there.database)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} LIMIT 200")
        frame = pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description])
    connection.close()
    assert len(MODELS[table].validate(frame)) == len(frame) > 0
