"""docs/invariants.md is complete and true: every promise has a line, every line a check, every check a
line.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest
from conftest import ROOT
from kisaan_suite import SUITE

from kisaan_validate.facts.check import Severity

DOC = (ROOT / "docs" / "invariants.md").read_text(encoding="utf-8")
CHECKS = {check.id: check for check in SUITE.checks}
GENERATED = {"present", "type", "not_null"}

PROMISES = [
    # money
    "total_amount = round(quantity × unit_price, 2)",
    "total_amount = commission_amount + farmer_earning, to the paisa",
    "all three ≥ 0",
    "payment amount > 0",
    "no NaN",
    "sums before and after a migration equal to the paisa",
    "Σ allocated_amount of a payment ≤ its amount",
    "(payment_id, transaction_id) unique in allocations",
    "Σ ledger delta_amount of a user = users.balance",
    "balances of owner and superadmin ≥ 0",
    "|balance| ≤ 10,000,000",
    # identity
    "payments.product_id agrees with its transaction's",
    "payments.shop_id agrees with its transaction's",
    "a transaction's category is its product's category",
    "product_name equals the product's name unless the product was renamed later",
    "no orphan in any reference",
    "owner has no shop_id",
    "farmer and buyer have one",
    "sequences are not behind max(id)",
    # time
    "created_at ≤ updated_at",
    "nothing in the future",
    "payment_date between the company's start (2024-01-01) and now",
    "every timestamp column is timestamptz",
    # service
    "GET /api/health answers 2xx",
    "POST /api/users, /api/transactions, /api/payments work on a staging copy",
    # the public schema
    "settlement and expense amounts > 0",
    "an expense's total_amount = amount",
    "one active plan_usage a shop",
    "only PAID payments count",
    "the indexes that the business relies on",
    "shops.commission_rate is a percentage, no money",
    "plans with one price, or with a monthly, quarterly and yearly one",
    "no fraction of a paisa, whatever the column admits",
    # the migrations, and what goes wrong in the field
    "payments.amount, transactions.total_amount, transactions.farmer_earning → numeric(18,2)",
    "money columns it forgets keep the old precision",
    "on an installation without total_amount the whole file fails and nothing after it runs",
    "payment_date is never NULL",
    "history is falsified: every backfilled row has the same migration-time date",
    "payments.product_id added",
    "three tables, two types",
    "no foreign key",
    "rows with a NULL in the key are never equal, so their duplicates survive",
    "no unique constraint is added, so duplicates come back",
    "created_at, updated_at of payments and transactions → timestamptz",
    "every timestamp moves by 5 h 30 min",
    "payments.product_id := transactions.product_id",
    "a validation that cannot fail",
    "The runner stops at the first failure while the service answers",
    # the runbook
    "Verify current schema state",
    "Check for any NULL payment_dates",
    "Check monetary column types",
    "Verify migrations applied",
    "HAVING COUNT(*) > 1;  -- Should be 0",
    "SET payment_date = NOW()",
    "DELETE … c1.shop_id = c2.shop_id",
    "Alert on any payment_date NULL insertions",
    "Watch for commission calculation issues",
    "All migrations applied without errors",
    "No NULL payment_dates in payments table",
    "No duplicate commissions",
    "Monetary columns use NUMERIC(18,2)",
    "Timestamps use TIMESTAMPTZ",
    "Backend service starts successfully",
    "Smoke tests pass",
    "No increase in error rates",
    "Check payment creation success rate",
    "Backup, maintenance window, stakeholders",
    "RUN_MIGRATIONS_ON_STARTUP",
]
"""Every invariant of the domain, every fault of the field, every line of the runbook that states a
condition.
"""


def lines() -> list[tuple[str, str]]:
    """(promise, what is said of it) of every line."""
    found = [line for line in DOC.splitlines() if line.startswith("- ")]
    cells = [re.fullmatch(r"- \*\*(.+?)\*\*(.+)", line) for line in found]
    assert all(cells)
    return [(cell[1].replace("\\*", "*"), cell[2]) for cell in cells if cell]


LINES = lines()
NAMED = list(dict.fromkeys(name for _, right in LINES for name in re.findall(r"`([^`]+)`", right)))


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_has_its_line(promise: str) -> None:
    """A promise of the business, of the migrations or of the runbook stands in the left column."""
    assert any(promise in left for left, _ in LINES)


@pytest.mark.parametrize(("promise", "proof"), LINES)
def test_every_line_names_a_check_or_says_who_answers_instead(promise: str, proof: str) -> None:
    """No line is left without an answer: a check, or where the answer lies if the database has none."""
    assert "`" in proof or "Not a question to the database" in proof or "baseline" in proof


@pytest.mark.parametrize("name", NAMED)
def test_every_named_check_exists(name: str) -> None:
    """A check that the page names is in the suite; a pattern stands for checks of one kind only."""
    matched = [check for id, check in CHECKS.items() if fnmatchcase(id, name)]
    assert matched
    assert "*" not in name or len({check.kind for check in matched}) == 1


def test_every_check_is_named() -> None:
    """A check that nobody relies on has no line, and needs none: it must go, or say here what it is for."""
    unnamed = [
        id
        for id, check in CHECKS.items()
        if check.kind not in GENERATED and not any(fnmatchcase(id, name) for name in NAMED)
    ]
    assert unnamed == []


def test_every_type_that_a_migration_promised_is_named() -> None:
    """Blocking type checks are promises about money, time or products; each has a line of its own."""
    promised = [id for id, c in CHECKS.items() if c.kind == "type" and c.severity is Severity.BLOCKING]
    assert promised
    assert [id for id in promised if not any(fnmatchcase(id, name) for name in NAMED)] == []


def test_what_is_called_a_warning_is_one() -> None:
    """A check that does not block is called a warning or information on a line that names it."""
    soft = {id for id, c in CHECKS.items() if c.severity is not Severity.BLOCKING and c.kind not in GENERATED}
    told = {
        id
        for left, right in LINES
        if "warning" in left + right or "information" in right
        for name in re.findall(r"`([^`]+)`", right)
        for id in CHECKS
        if fnmatchcase(id, name)
    }
    assert soft - told == set()
