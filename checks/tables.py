"""What every table looks like after the migrations of 2025-10-18: columns, types, admissible values.

One model a table. What concerns several columns, rows or tables stands in money.py, identity.py, clock.py
and database.py, the smaller tables in smaller_tables.py, what only one kind of installation must have in
installations.py. A model also validates a data frame: ``Payments.validate(frame)``.
"""

from __future__ import annotations

from typing import Annotated, Any

import pandas as pd
import pandera.pandas as pa

Instant = Annotated[pd.DatetimeTZDtype, "us", "UTC"]
Id = pd.Int64Dtype
SmallId = pd.Int32Dtype

KINDS: dict[str, dict[str, Any]] = {
    "present": {
        "why": "Without this table, nothing that depends on it can be examined or signed off.",
        "hint": "check that this is the right database and that the restore was complete",
        "tags": ["schema", "runbook"],
    },
    "type": {
        "severity": "warning",
        "why": "An unexpected type means that this installation was changed by hand, so what "
        "runs here is not what was tested on staging.",
        "hint": "compare with the staging database; restore the type in a separate migration",
        "tags": ["schema"],
    },
    "not_null": {
        "why": "The program expects a value here; a missing one makes screens and statements fail.",
        "hint": "find the value in the backup, fill it in, and make the column NOT NULL",
        "tags": ["schema"],
    },
    "minimum_rows": {
        "why": "An empty table satisfies every rule about its rows: after a restore that lost "
        "the contents, every other check would pass.",
        "hint": "compare with the row counts of the backup; restore again if the backup has rows",
        "tags": ["schema"],
    },
    "unique": {
        "why": "The same name twice: a lookup may return the wrong one.",
        "hint": "ask which of the two is right, and rename or remove the other",
        "tags": ["identity"],
    },
}
"""What is said of a check whose column says nothing more particular."""

PROMISED_MONEY = {
    "severity": "blocking",
    "why": "Migration 20251018_01 promises this column 16 digits before the point and exactly "
    "two after it. A narrower column rejects a large amount in the middle of trading; a "
    "wider scale allows fractions of a paisa.",
    "hint": "find out why 20251018_01 did not run or did not do this, then run it again",
    "tags": ["money", "migration", "runbook"],
}
FORGOTTEN_MONEY = {
    "severity": "warning",
    "why": "The runbook wants every rupee column to be numeric(18,2), but no migration changes "
    "this one. A narrower column rejects a large amount in the middle of trading; a wider "
    "scale allows fractions of a paisa.",
    "hint": "ALTER TABLE ... ALTER COLUMN ... TYPE numeric(18,2) in a separate migration, then "
    "run this again",
    "tags": ["money", "migration", "runbook"],
}
PROMISED_TIME = {
    "severity": "blocking",
    "why": "Migration 20251018_05 promises this column a zone. Readers in different time zones "
    "read a time without a zone differently: the same sale falls on two days, and "
    "end-of-day totals of shop and head office disagree.",
    "hint": "ALTER COLUMN ... TYPE timestamptz USING ... AT TIME ZONE 'UTC': the servers wrote UTC",
    "tags": ["time", "migration", "runbook"],
}
FORGOTTEN_TIME = {
    "severity": "warning",
    "why": "The runbook wants every time to have a zone, but no migration changes this one. "
    "Readers in different time zones read a time without a zone differently: the same "
    "entry falls on two days.",
    "hint": "ALTER COLUMN ... TYPE timestamptz USING ... AT TIME ZONE 'UTC': the servers wrote UTC",
    "tags": ["time", "migration", "runbook"],
}
PRODUCT_TYPE = {
    "severity": "warning",
    "why": "Three tables store the same product number. One day it will not fit the narrower "
    "type, and its sale cannot be written. No migration makes the three types agree.",
    "hint": "ALTER COLUMN ... TYPE bigint, so that products, transactions and payments agree",
    "tags": ["identity", "migration"],
}
KNOWN_STATE = {
    "why": "The program only handles the states it knows. An entry in another state is neither "
    "served nor blocked, neither counted nor excluded.",
    "hint": "find out which state was meant and set it",
    "tags": ["schema"],
}


def money(why: str, promised: bool = False, **field: Any) -> Any:
    """A rupee amount, exact to the paisa. ``promised``: a migration promises its type."""
    type_ = PROMISED_MONEY if promised else FORGOTTEN_MONEY
    metadata = {"why": why, "owner": "finance", "tags": ["money"], "checks": {"type": type_}}
    return pa.Field(dtype_kwargs={"precision": 18, "scale": 2}, metadata=metadata, **field)


def rate(why: str, precision: int, scale: int, **field: Any) -> Any:
    """A rate of commission: never negative; how finely it is kept is each installation's own affair."""
    metadata = {
        "type": "numeric",
        "why": why,
        "owner": "finance",
        "tags": ["money"],
        "checks": {"type": KINDS["type"]},
    }
    return pa.Field(dtype_kwargs={"precision": precision, "scale": scale}, metadata=metadata, **field)


ZONED = "timestamp with time zone"


def moment(why: str, promised: bool = False, types: str | list[str] = ZONED, **field: Any) -> Any:
    """A point in time. ``promised``: a migration promises its type."""
    type_ = PROMISED_TIME if promised else FORGOTTEN_TIME
    return pa.Field(
        metadata={"type": types, "why": why, "tags": ["time"], "checks": {"type": type_}}, **field
    )


def day(why: str, **field: Any) -> Any:
    """A day, which some installations keep with its time and some without: a plain date has no clock to go
    wrong.
    """
    return moment(why, types=[ZONED, "date"], **field)


PAID_COUNTS = {
    "why": "The program counts only PAID payments. The public schema's enum also has COMPLETED: "
    "money in that state was received, but its buyer still seems to owe it.",
    "hint": "ask whether the money came; set the payment to PAID if it did, else to FAILED or CANCELLED",
    "tags": ["money"],
}


def label(*labels: str, nullable: bool = False, known: dict[str, Any] = KNOWN_STATE) -> Any:
    """A state or kind of which the program knows exactly these.

    The upper-case labels were added later, so both ways of writing are in use.
    """
    both = [text.lower() for text in labels] + [text.upper() for text in labels]
    return pa.Field(isin=both, nullable=nullable, metadata={"checks": {"isin": known}})


def link(types: str | list[str] = "bigint", **field: Any) -> Any:
    """A number by which rows refer to each other."""
    return pa.Field(metadata={"type": types, "tags": ["identity"]}, **field)


def product_link(**field: Any) -> Any:
    """The product's number, which is promised to be of one type wherever it is kept."""
    return pa.Field(
        metadata={"type": "bigint", "tags": ["identity"], "checks": {"type": PRODUCT_TYPE}}, **field
    )


def config(owner: str, **more: Any) -> dict[str, Any]:
    """What is said of all checks of a model."""
    return {
        "owner": owner,
        "why": "The program and its users rely on this value being correct.",
        "hint": "find the row by its number, compare it with the backup and the paper slip, and fix it",
        "checks": KINDS,
        **more,
    }


INTEGERS = ["integer", "bigint"]
"""Where the first installation used integer, later ones use bigint; only the product's number is promised
a type.
"""


MADE = "Every statement and every dispute is put in order by when entries were made."
TOUCHED = "The time of the last change shows that an entry was corrected."


class _Stamped(pa.DataFrameModel):
    """What every table has."""

    created_at: Instant = moment(MADE)
    updated_at: Instant = moment(TOUCHED)


class _Migrated(pa.DataFrameModel):
    """The same of the two tables whose times migration 20251018_05 converts."""

    created_at: Instant = moment(MADE, promised=True)
    updated_at: Instant = moment(TOUCHED, promised=True)


# --- people -----------------------------------------------------------------------------------------------


class Users(_Stamped):
    """Superadmins, shop owners, farmers and buyers, and what each is owed (a negative balance: what he
    owes).
    """

    id: int = link()
    username: str = pa.Field(
        unique=True,
        metadata={
            "why": "Two people with the same user name: one may sign in as the other and see his money.",
            "hint": "ask both holders and rename the younger account",
            "tags": ["identity"],
        },
    )
    password: str = pa.Field(
        str_length={"min_value": 1},
        metadata={
            "why": "An account without a password is open to anyone.",
            "hint": "lock the account at once",
            "tags": ["identity"],
        },
    )
    firstname: str = pa.Field(nullable=True)
    email: str = pa.Field(nullable=True)
    contact: str = pa.Field(nullable=True)
    role: str = label("superadmin", "owner", "farmer", "buyer")
    shop_id: Id = link(nullable=True)
    status: str = label("active", "inactive", "suspended")
    balance: pa.Decimal = money(
        "The balance is what the business tells a person he is owed or owes. Beyond one crore "
        "either way, or not a number, it is an error of entry or arithmetic.",
        in_range={"min_value": -10_000_000, "max_value": 10_000_000},
    )
    cumulative_value: pa.Decimal = money(
        "A person's total trade starts at zero and only grows; credit depends on it.",
        ge=0,
    )
    custom_commission_rate: pa.Decimal | None = rate(
        "A negative commission, or one above the whole sale, pays out money that was never earned.",
        5,
        2,
        nullable=True,
        in_range={"min_value": 0, "max_value": 100},
    )
    created_by: Id = link(nullable=True)

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_users"
        coerce = True
        metadata = config("operations", minimum_rows=1)


class Shops(_Stamped):
    """The commission agents' shops."""

    id: int = link()
    name: str
    owner_id: int = link()
    plan_id: SmallId = link(INTEGERS, nullable=True)
    address: str = pa.Field(nullable=True)
    contact: str = pa.Field(nullable=True)
    status: str = label("active", "inactive", "suspended")
    commission_rate: pa.Decimal | None = rate(
        "The shop's commission in percent, not an amount: negative, or above the whole sale, it "
        "pays out money that was never earned.",
        10,
        2,
        nullable=True,
        in_range={"min_value": 0, "max_value": 100},
    )

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_shops"
        coerce = True
        metadata = config("operations", minimum_rows=1)


PLAN_PRICE = "What a shop pays for the program: a price that is negative or not a number cannot be billed."


class Plans(_Stamped):
    """What shops subscribe to. How many limits and prices a plan has differs between installations."""

    id: pa.Int32 = link(INTEGERS)
    name: str = pa.Field(unique=True)
    price: pa.Decimal | None = money(PLAN_PRICE, nullable=True, ge=0)
    monthly_price: pa.Decimal | None = money(PLAN_PRICE, nullable=True, ge=0)
    quarterly_price: pa.Decimal | None = money(PLAN_PRICE, nullable=True, ge=0)
    yearly_price: pa.Decimal | None = money(PLAN_PRICE, nullable=True, ge=0)
    features: str
    is_active: bool

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_plans"
        coerce = True
        metadata = config("operations")


# --- goods ------------------------------------------------------------------------------------------------


class Categories(_Stamped):
    """Vegetables, fruits, flowers and so on."""

    id: pa.Int32 = link(INTEGERS)
    name: str = pa.Field(unique=True)
    description: str = pa.Field(nullable=True)
    status: str = label("active", "inactive", nullable=True)

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_categories"
        coerce = True
        metadata = config("operations", minimum_rows=1)


class Products(_Stamped):
    """What is sold."""

    id: int = product_link()
    name: str
    category_id: pa.Int32 = link(INTEGERS)
    unit: str = pa.Field(nullable=True)
    price: pa.Decimal | None = money("A usual price is never negative.", nullable=True, ge=0)
    record_status: str = label("active", "inactive", nullable=True)

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_products"
        coerce = True
        metadata = config("operations", minimum_rows=1)


# --- trade ------------------------------------------------------------------------------------------------


class Transactions(_Migrated):
    """Sales: quantity x unit price = total = the shop's commission + the farmer's earning.

    The public schema calls them total_sale_value and shop_commission; total_amount, commission_amount and
    what follows status come to it with the "align columns" step of 2025-09.
    """

    id: pa.Int32 = link(INTEGERS)
    shop_id: int = link()
    farmer_id: int = link()
    buyer_id: int = link()
    category_id: pa.Int32 = link(INTEGERS)
    product_id: Id | None = product_link(nullable=True)
    product_name: str
    quantity: pa.Decimal = pa.Field(
        gt=0,
        dtype_kwargs={"precision": 12, "scale": 2},
        metadata={
            "type": "numeric",
            "severity": "warning",
            "why": "A zero or negative sale is usually a return or cancellation booked wrongly.",
            "tags": ["money"],
            "hint": "cancel the sale instead of changing its quantity",
            "checks": {"present": {"severity": "blocking"}, "not_null": {"severity": "blocking"}},
        },
    )
    unit_price: pa.Decimal = money("The price agreed in the market is never negative.", ge=0)
    # Some installations compute the total when they show it.
    total_amount: pa.Decimal | None = money(
        "What the buyer owes for the sale is never negative.", promised=True, ge=0
    )
    total_sale_value: pa.Decimal | None = money("What the buyer owes for the sale is never negative.", ge=0)
    commission_amount: pa.Decimal | None = money("What the shop keeps of a sale is never negative.", ge=0)
    shop_commission: pa.Decimal | None = money("What the shop keeps of a sale is never negative.", ge=0)
    commission_rate: pa.Decimal | None = rate(
        "A negative commission, or one above the whole sale, pays out money that was never earned.",
        6,
        4,
        nullable=True,
        in_range={"min_value": 0, "max_value": 100},
    )
    commission_type: str | None = pa.Field(nullable=True)
    farmer_earning: pa.Decimal = money(
        "What the farmer earns from a sale is never negative.", promised=True, ge=0
    )
    status: str | None = label("pending", "completed", "cancelled", "settled", nullable=True)
    transaction_date: Instant | None = day(
        "The day of the sale decides which day's account it belongs to.", nullable=True
    )
    settlement_date: Instant | None = day("The farmer is told the day of settlement.", nullable=True)
    notes: str | None = pa.Field(nullable=True)
    metadata: object | None = pa.Field(nullable=True)

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_transactions"
        coerce = True
        metadata = config("finance", minimum_rows=1)


class Payments(_Migrated):
    """Money that moved, usually for a sale, sometimes without one (advances, settlements)."""

    id: int = link()
    transaction_id: SmallId = link(INTEGERS, nullable=True)
    shop_id: Id | None = link(nullable=True)
    counterparty_id: SmallId | None = link(INTEGERS, nullable=True)
    product_id: Id | None = product_link(nullable=True)
    payer_type: str = label("BUYER", "SHOP", "FARMER", "EXTERNAL")
    payee_type: str = label("BUYER", "SHOP", "FARMER", "EXTERNAL")
    amount: pa.Decimal = money(
        "A payment that is zero, negative or not a number settles no debt.", promised=True, gt=0
    )
    status: str = label("PENDING", "PAID", "FAILED", "CANCELLED", known=PAID_COUNTS)
    payment_date: Instant = pa.Field(
        ge=pd.Timestamp("2024-01-01", tz="UTC"),
        metadata={
            "owner": "finance",
            "why": "The date of a payment decides which statement it belongs to. The business "
            "began on 1 January 2024: with an earlier date, or none, the payment is on no "
            "statement.",
            "hint": "use the date on the slip, else created_at; never the date of the fix",
            "tags": ["time"],
            "checks": {"type": FORGOTTEN_TIME, "not_null": {"tags": ["migration", "runbook"]}},
        },
    )
    method: str = label("CASH", "UPI", "BANK_TRANSFER", "CARD", "CHEQUE")
    notes: str = pa.Field(nullable=True)

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_payments"
        coerce = True
        metadata = config("finance", minimum_rows=1)


class Commissions(_Stamped):
    """Agreed rates of commission; without a shop (where that is allowed) the house's default."""

    id: int = link()
    shop_id: Id = link(nullable=True)
    rate: pa.Decimal = rate("A negative commission pays the buyer for buying.", 5, 2, ge=0)
    type: str = label("percentage", "fixed")

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_commissions"
        coerce = True
        metadata = config("finance")


class Allocations(pa.DataFrameModel):
    """How one payment is split over several sales."""

    id: pa.Int32 = link(INTEGERS)
    payment_id: int = link(INTEGERS)
    transaction_id: pa.Int32 = link(INTEGERS)
    allocated_amount: pa.Decimal = money(
        "A zero or negative share makes another, unpaid sale look paid.", gt=0
    )
    created_at: Instant | None = moment("When a payment was split.")
    updated_at: Instant | None = moment("When the split was last changed.")

    class Config:
        """The table (a logical name: see suite.toml), and what holds for all its checks."""

        name = "payment_allocations"
        coerce = True
        metadata = config("finance")


BALANCE_AT_THE_TIME = (
    "The balance before and after each entry shows a farmer, line by line, where his money went. "
    "Beyond one crore either way, or not a number, it is an error of entry or arithmetic."
)


class Ledger(pa.DataFrameModel):
    """Every movement of a person's balance. Always kept its times with a zone: the witness against a
    shifted clock.
    """

    id: int = link()
    transaction_id: SmallId = link(INTEGERS, nullable=True)
    user_id: int = link()
    role: str
    delta_amount: pa.Decimal = money("By how much a person's balance moved: the balance is the sum of these.")
    # No bound here: a movement that broke one stays in the history after it was reversed.
    balance_before: pa.Decimal = money(BALANCE_AT_THE_TIME, nullable=True)
    balance_after: pa.Decimal = money(BALANCE_AT_THE_TIME, nullable=True)
    reason_code: str
    created_at: Instant = moment("When a balance moved, by the only time that no migration changed.")

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_transaction_ledger"
        coerce = True
        metadata = config("finance")


class Migrations(pa.DataFrameModel):
    """The migration runner's own ledger."""

    name: str = pa.Field(unique=True)
    executed_at: Instant = moment("When the books themselves were changed.", nullable=True)

    class Config:
        """The table, and what holds for all its checks."""

        name = "_migrations"
        coerce = True
        metadata = config("platform")
