"""The KisaanCenter suite against the demo: green on a clean database, and every single check can fail."""

from __future__ import annotations

import importlib.util
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest
from conftest import ROOT, Server
from plants.base import READ_CLEAN, Clean, Plant
from plants.by_hand import PLANTS
from plants.planters import generated_plant, plot

from kisaan_validate.model import Check, Result, Run, Severity, Status, Verdict
from kisaan_validate.runner import Options, run
from kisaan_validate.suite.load import Suite, load_suite

DEMO = ROOT / "demo"
SUITE = load_suite(ROOT / "checks")
CHECKS = {check.id: check for check in SUITE.checks}
WITHOUT_TOTAL = "kisaan_transactions.farmer_earning.split_without_total"
"""The one check that only applies where a sale does not keep its total."""


@dataclass(frozen=True)
class Market:
    """The clean database, on its server."""

    server: Server
    database: str
    clean: Clean

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


def describe(server: Server, database: str) -> Clean:
    """What planters need to know of it."""
    keys = dict(server.sql(READ_CLEAN, database))
    lowest = {t: {k: str(server.sql(f"SELECT min({k}) FROM {t}", database)[0][0])} for t, k in keys.items()}
    highest = {t: server.sql(f"SELECT max(id) FROM {t}", database)[0][0] for t, k in keys.items() if k == "id"}
    return Clean(lowest, highest)


@pytest.fixture(scope="module")
def market(server: Server) -> Iterator[Market]:
    """A clean, cleanly migrated demo market of 2,000 payments."""
    name = build(server)
    yield Market(server, name, describe(server, name))
    server.drop(name)


def validate(market: Market, database: str, select: tuple[str, ...] = ()) -> Run:
    """One run of the suite, or of a part of it."""
    return run(SUITE, market.server.dsn(database), select=select, options=Options(jobs=1 if select else 2))


def alarms(done: Run) -> dict[str, tuple[Status, str]]:
    """Everything in a run that is neither passed nor not applicable."""
    quiet = {Status.PASS, Status.NOT_APPLICABLE}
    return {r.check_id: (r.status, r.message) for r in done.results if r.status not in quiet}


def test_a_clean_database_passes_every_check(market: Market) -> None:
    """On a clean, cleanly migrated database nothing fails, nothing is skipped, and all but one check apply."""
    done = validate(market, market.database)
    assert alarms(done) == {}
    assert done.verdict is Verdict.PASS
    assert {r.check_id for r in done.results if r.status is Status.NOT_APPLICABLE} == {WITHOUT_TOTAL}


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


# --- planted violations ---------------------------------------------------------------------------------------------


def plant_for(check: Check, suite: Suite, clean: Clean) -> Plant:
    """The plant of a check. Fails if there is none."""
    plant = PLANTS.get(check.id) or generated_plant(check, suite.rules[check.id], clean)
    if plant is None:
        pytest.fail(f"{check.id} has no plant: add one to tests/plants/by_hand.py")
    return plant


def test_there_is_no_plant_without_a_check() -> None:
    """A plant whose check is gone proves nothing and must go too."""
    assert sorted(set(PLANTS) - set(CHECKS)) == []


def harvest(market: Market, plants: dict[str, Plant]) -> dict[str, Result]:
    """Plant in one copy of the clean database and ask these checks, and no other."""
    name = market.copy(";\n".join(plant.sql for plant in plants.values()))
    try:
        return {result.check_id: result for result in validate(market, name, tuple(plants)).results}
    finally:
        market.server.drop(name)


@pytest.fixture(scope="module")
def harvests(market: Market, request: pytest.FixtureRequest) -> Iterator[Callable[[str], tuple[Plant, Result]]]:
    """The outcome of each plant that this session asks for; two plots grow at a time."""
    plots: dict[str, dict[str, Plant]] = defaultdict(dict)
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.originalname == HARVEST_TEST:
            check = CHECKS[str(item.callspec.params["check_id"])]
            plots[plot(check, market.clean)][check.id] = plant_for(check, SUITE, market.clean)
    with ThreadPoolExecutor(2) as pool:
        growing: dict[str, tuple[Plant, Future[dict[str, Result]]]] = {}
        for plants in plots.values():
            future = pool.submit(harvest, market, plants)
            growing |= {id: (plant, future) for id, plant in plants.items()}
        yield lambda id: (growing[id][0], growing[id][1].result()[id])
        pool.shutdown(cancel_futures=True)


HARVEST_TEST = "test_the_planted_violation_is_found"


@pytest.mark.parametrize("check_id", CHECKS)
def test_the_planted_violation_is_found(check_id: str, harvests: Callable[[str], tuple[Plant, Result]]) -> None:
    """Every check fails on its planted violation, with the exact count and the violating key in its evidence."""
    plant, result = harvests(check_id)
    assert (result.status, result.violations) == (Status.FAIL, plant.violations), result.message
    if plant.key:
        shown = [dict(row) for row in result.sample]
        assert any(plant.key.items() <= row.items() for row in shown), shown


# --- installations --------------------------------------------------------------------------------------------------

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
        "ALTER TABLE kisaan_payments ALTER COLUMN transaction_id TYPE bigint, ALTER COLUMN counterparty_id TYPE bigint"
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
    """An installation without the smaller books passes; each missing one is mentioned once, as information."""
    gone = ["kisaan_credits", "expense_settlements", "kisaan_expenses", "kisaan_settlements", "kisaan_audit_logs"]
    name = market.copy(";".join(f"DROP TABLE {table}" for table in gone))
    done = validate(market, name)
    market.server.drop(name)
    assert set(alarms(done)) == {f"{table}.present" for table in gone}
    assert done.verdict is Verdict.PASS


# --- the models as pandera models -----------------------------------------------------------------------------------


def models() -> dict[str, Any]:
    """The suite's models by table, imported as any program would import them."""
    spec = importlib.util.spec_from_file_location("kisaan_tables", ROOT / "checks" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = {n: v for n, v in vars(module).items() if isinstance(v, type) and issubclass(v, pa.DataFrameModel)}
    return {v.to_schema().name: v for n, v in found.items() if not n.startswith("_")}


MODELS = models()


@pytest.mark.parametrize("table", MODELS)
def test_the_models_validate_data_frames_too(table: str, market: Market) -> None:
    """The model that is proved on the server accepts the same rows as a pandas data frame."""
    connection = market.server.connect(market.database)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} LIMIT 200")
        frame = pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description])
    connection.close()
    assert len(MODELS[table].validate(frame)) == len(frame) > 0
