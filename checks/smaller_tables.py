"""The smaller tables, as both kinds of installations have them: columns, types, admissible values.

Not every installation has each of them, nor all of their columns: a column is judged where it exists.
Installations that were made from the public schema are told by their table SequelizeMeta; a table that
they alone have is missed only there. No migration promises the types of these columns, so a wrong one is a
warning.
"""

from __future__ import annotations

from typing import Annotated, Any

import pandas as pd
import pandera.pandas as pa

Instant = Annotated[pd.DatetimeTZDtype, "us", "UTC"]
Id = pd.Int64Dtype
PUBLIC = "table SequelizeMeta"
"""Where the installation was made from the public schema."""

BOOK = {
    "why": "The program and its users rely on this value being correct.",
    "hint": "find the row by its number, compare it with the backup and the paper slip, and fix it",
}
TYPE = {
    "severity": "warning",
    "why": "An unexpected type means that this installation was changed by hand, so what runs "
    "here is not what was tested on staging.",
    "hint": "compare with the staging database; restore the type in a separate migration",
    "tags": ["schema"],
}
MONEY_TYPE = {
    "severity": "warning",
    "why": "The runbook wants every rupee column to be numeric(18,2), but no migration changes "
    "this one. A narrower column rejects a large amount in the middle of trading; a wider "
    "scale allows fractions of a paisa.",
    "hint": "ALTER TABLE ... ALTER COLUMN ... TYPE numeric(18,2) in a separate migration, then "
    "run this again",
    "tags": ["money", "migration", "runbook"],
}
TIME_TYPE = {
    "severity": "warning",
    "why": "The runbook wants every time to have a zone, but no migration changes this one. "
    "Readers in different time zones read a time without a zone differently: the same "
    "entry falls on two days.",
    "hint": "ALTER COLUMN ... TYPE timestamptz USING ... AT TIME ZONE 'UTC': the servers wrote UTC",
    "tags": ["time", "migration", "runbook"],
}
NOT_NULL = {
    "why": "The program expects a value here; a missing one makes screens and statements fail.",
    "hint": "find the value in the backup, fill it in, and make the column NOT NULL",
    "tags": ["schema"],
}
KNOWN_STATE = {
    "why": "The program only handles the states it knows. An entry in another state is neither "
    "served nor blocked, neither counted nor excluded.",
    "hint": "find out which state was meant and set it",
    "tags": ["schema"],
}
ZONED = "timestamp with time zone"
INTEGERS = ("integer", "bigint")


def config(owner: str, missed_where: str | list[str] = ()) -> dict[str, Any]:
    """What is said of all checks of a model. ``missed_where``: the conditions under which its table should
    be there.
    """
    present = {
        "severity": "info",
        "why": "Not every installation has this table. If it is missing, nothing in it was examined.",
        "hint": "nothing to do if this installation never had the table; else see whether the restore "
        "was complete",
        "tags": ["schema"],
        "applies": missed_where,
    }
    return {**BOOK, "owner": owner, "checks": {"present": present, "type": TYPE, "not_null": NOT_NULL}}


def money(why: str, **field: Any) -> Any:
    """A rupee amount, exact to the paisa."""
    metadata = {"why": why, "owner": "finance", "tags": ["money"], "checks": {"type": MONEY_TYPE}}
    return pa.Field(dtype_kwargs={"precision": 18, "scale": 2}, metadata=metadata, **field)


def moment(why: str, types: str | tuple[str, ...] = ZONED, **field: Any) -> Any:
    """A point in time."""
    return pa.Field(
        metadata={"type": types, "why": why, "tags": ["time"], "checks": {"type": TIME_TYPE}}, **field
    )


def day(why: str, **field: Any) -> Any:
    """A day, which some installations keep with its time and some without: a plain date has no clock to go
    wrong.
    """
    return moment(why, (ZONED, "date"), **field)


def link(types: str | tuple[str, ...] = INTEGERS, **field: Any) -> Any:
    """A number by which rows refer to each other."""
    return pa.Field(metadata={"type": types, "tags": ["identity"]}, **field)


def label(*labels: str, nullable: bool = False) -> Any:
    """A state or kind of which the program knows exactly these, in lower case or in upper case."""
    both = [text.lower() for text in labels] + [text.upper() for text in labels]
    return pa.Field(isin=both, nullable=nullable, metadata={"checks": {"isin": KNOWN_STATE}})


NOT_NEGATIVE = "A negative amount here is a booking on the wrong side."
NOT_NOTHING = "A zero or negative entry settles nothing: it is a booking on the wrong side, or a slip."
A_CRORE = {"min_value": -10_000_000, "max_value": 10_000_000}
BALANCE_AT_THE_TIME = (
    "The balance before and after each entry shows a farmer, line by line, where his money went. "
    "Beyond one crore either way, or not a number, it is an error of entry or arithmetic."
)


class _Numbered(pa.DataFrameModel):
    """What the smaller tables have; each column is judged where it exists."""

    id: int | None = link()


class _Made(_Numbered):
    """Entries that are made, and not changed."""

    created_at: Instant | None = moment("Every dispute is put in order by when entries were made.")


class _Smaller(_Made):
    """Entries that may be changed."""

    updated_at: Instant | None = moment("The time of the last change shows that an entry was corrected.")


class _Unnumbered(pa.DataFrameModel):
    """Entries that are told by what they join."""

    created_at: Instant | None = moment("Every dispute is put in order by when entries were made.")
    updated_at: Instant | None = moment("The time of the last change shows that an entry was corrected.")


# --- credits, settlements, expenses -----------------------------------------------------------------------


class Credits(_Smaller):
    """Advances granted to farmers, and what came back."""

    user_id: int | None = link()
    shop_id: int | None = link()
    amount: pa.Decimal | None = money(NOT_NEGATIVE, ge=0)
    repaid_amount: pa.Decimal | None = money(NOT_NEGATIVE, ge=0)
    status: str | None = label("open", "active", "repaid", "overdue", "written_off")
    granted_at: Instant | None = moment("The term of an advance starts on its day.")
    due_date: Instant | None = day("After its due day an advance is overdue.", nullable=True)

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_credits"
        coerce = True
        metadata = config("finance")


class Settlements(_Smaller):
    """Balances that were paid out, or, in the public schema, differences that were made good."""

    shop_id: int | None = link()
    user_id: int | None = link()
    transaction_id: Id | None = link(nullable=True)
    opening_balance: pa.Decimal | None = money("What was owed before a settlement.")
    amount: pa.Decimal | None = money(NOT_NOTHING, gt=0)
    closing_balance: pa.Decimal | None = money("What is still owed after a settlement.")
    reason: str | None = label("overpayment", "underpayment", "adjustment", "refund")
    status: str | None = label("pending", "settled", "cancelled")
    settled_at: Instant | None = moment("The day of a settlement closes the account up to it.")
    settlement_date: Instant | None = day(
        "The day of a settlement closes the account up to it.", nullable=True
    )

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_settlements"
        coerce = True
        metadata = config("finance")


class Expenses(_Smaller):
    """What a shop spent, for itself or for a farmer or buyer, and how much of it was set off."""

    shop_id: Id | None = link(nullable=True)
    user_id: int | None = link()
    transaction_id: Id | None = link(nullable=True)
    ledger_entry_id: Id | None = link(nullable=True)
    amount: pa.Decimal | None = money(NOT_NOTHING, gt=0)
    total_amount: pa.Decimal | None = money(NOT_NOTHING, nullable=True, gt=0)
    allocated_amount: pa.Decimal | None = money(NOT_NEGATIVE, nullable=True, ge=0)
    remaining_amount: pa.Decimal | None = money(NOT_NEGATIVE, nullable=True, ge=0)
    allocation_status: str | None = label(
        "unallocated", "partially_allocated", "fully_allocated", nullable=True
    )
    type: str | None = label("expense", "advance", "adjustment")
    category: str | None = pa.Field(nullable=True)
    status: str | None = label("pending", "settled", "cancelled")
    spent_at: Instant | None = moment("The day of an expense decides which month it belongs to.")
    expense_date: Instant | None = day(
        "The day of an expense decides which month it belongs to.", nullable=True
    )
    deleted_at: Instant | None = moment(
        "A dispute about an expense depends on when it was cancelled.", nullable=True
    )

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_expenses"
        coerce = True
        metadata = config("finance")


class ExpenseSettlements(_Smaller):
    """What was paid of a shop's expenses."""

    expense_id: int | None = link()
    payment_id: Id | None = link(nullable=True)
    settled_amount: pa.Decimal | None = money(NOT_NOTHING, gt=0)
    amount: pa.Decimal | None = money(NOT_NOTHING, gt=0)
    method: str | None = label("CASH", "UPI", "BANK_TRANSFER", "CARD", "CHEQUE")
    settled_at: Instant | None = moment("The day on which an expense was paid.")

    class Config:
        """The table, and what holds for all its checks."""

        name = "expense_settlements"
        coerce = True
        metadata = config("finance")


class ExpenseAllocations(_Smaller):
    """How an expense was set off: against a sale, or when a balance was paid out."""

    id: int | None = link((*INTEGERS, "uuid"))
    expense_id: int | None = link()
    transaction_id: Id | None = link(nullable=True)
    allocated_amount: pa.Decimal | None = money(NOT_NOTHING, gt=0)
    allocation_type: str | None = label("transaction_offset", "balance_settlement", "advance", "adjustment")
    allocated_at: Instant | None = moment(
        "The time of an allocation decides which payment it reduced.", nullable=True
    )

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_expense_allocations"
        coerce = True
        metadata = config("finance", PUBLIC)


# --- balances, and the ledgers they add up from -----------------------------------------------------------


class _Snapshot(_Smaller):
    """What a balance was: at a month's end, or before and after each movement."""

    user_id: int | None = link()
    balance_type: str | None
    balance: pa.Decimal | None = money(BALANCE_AT_THE_TIME, nullable=True, in_range=A_CRORE)
    previous_balance: pa.Decimal | None = money(BALANCE_AT_THE_TIME)
    amount_change: pa.Decimal | None = money("By how much a balance moved: new balance = old balance + this.")
    new_balance: pa.Decimal | None = money(BALANCE_AT_THE_TIME, in_range=A_CRORE)
    transaction_type: str | None
    reference_id: Id | None = link(nullable=True)
    reference_type: str | None = pa.Field(nullable=True)
    taken_at: Instant | None = moment("The time for which a balance was recorded.")


class BalanceSnapshots(_Snapshot):
    """The snapshots under the name that they were renamed to."""

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_balance_snapshots"
        coerce = True
        metadata = config("finance", [f"not {PUBLIC}", "not table balance_snapshots"])


class PublicBalanceSnapshots(_Snapshot):
    """The snapshots under the name that the public schema gives them."""

    class Config:
        """The table, and what holds for all its checks."""

        name = "balance_snapshots"
        coerce = True
        metadata = config("finance", [PUBLIC, "not table kisaan_balance_snapshots"])


class FarmerLedger(_Made):
    """A farmer's ledger in a shop: what he is credited for a sale, what is debited."""

    shop_id: int | None = link()
    farmer_id: int | None = link()
    amount: pa.Decimal | None = money(NOT_NEGATIVE, ge=0)
    commission_amount: pa.Decimal | None = money(
        "What the shop keeps of a sale is never negative.", nullable=True, ge=0
    )
    net_amount: pa.Decimal | None = money(
        "What is left for the farmer is never negative.", nullable=True, ge=0
    )
    type: str | None = label("credit", "debit")
    category: str | None = label("sale", "expense", "withdrawal", "other")
    created_by: int | None = link()

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_ledger"
        coerce = True
        metadata = config("finance", PUBLIC)


class LedgerEntries(_Made):
    """A person's ledger in a shop: CREDIT is owed to him, DEBIT he owes."""

    user_id: int | None = link()
    shop_id: int | None = link()
    direction: str | None = label("CREDIT", "DEBIT")
    amount: pa.Decimal | None = money(NOT_NOTHING, gt=0)
    type: str | None
    reference_type: str | None = pa.Field(nullable=True)
    reference_id: Id | None = link(nullable=True)
    created_by: Id | None = link(nullable=True)

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_ledger_entries"
        coerce = True
        metadata = config("finance", PUBLIC)


class UserBalances(_Numbered):
    """What the entries of a person's ledger in a shop add up to."""

    user_id: int | None = link()
    shop_id: int | None = link()
    balance: pa.Decimal | None = money(BALANCE_AT_THE_TIME, in_range=A_CRORE)
    version: int | None = pa.Field(
        ge=0,
        metadata={
            "type": INTEGERS,
            "why": "The version counts the changes of a balance, so that two clerks cannot "
            "overwrite each other. A negative version was set by hand, and so was the "
            "balance.",
            "hint": "compare the balance with the sum of the ledger's entries",
            "tags": ["money"],
        },
    )
    last_updated: Instant | None = moment(
        "The time of the last computation tells which entries a balance includes."
    )

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_user_balances"
        coerce = True
        metadata = config("finance", PUBLIC)


# --- shops, plans, features -------------------------------------------------------------------------------


class AuditLogs(_Smaller):
    """Who did what."""

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_audit_logs"
        coerce = True
        metadata = config("platform")


class PlanUsage(_Smaller):
    """Which plan a shop is on, and what it used of it: month by month, or from a day to a day."""

    shop_id: int | None = link()
    plan_id: int | None = link()
    amount_billed: pa.Decimal | None = money(NOT_NEGATIVE, ge=0)
    period_start: Instant | None = moment("The month that was billed.")
    start_date: Instant | None = day("The day from which a plan is billed.")
    end_date: Instant | None = day("The day up to which a plan is billed.", nullable=True)
    is_active: bool | None

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_plan_usage"
        coerce = True
        metadata = config("finance")


class ShopCategories(_Smaller):
    """What kinds of goods a shop trades in."""

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_shop_categories"
        coerce = True
        metadata = config("operations")


class ShopProducts(_Smaller):
    """What a shop sells, and at which usual price."""

    product_id: Id | None = link()
    default_price: pa.Decimal | None = money("A usual price is never negative.", nullable=True, ge=0)

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_shop_products"
        coerce = True
        metadata = config("operations")


class FarmerProducts(_Smaller):
    """Which goods a farmer brings, and which of them is taken for granted when his sale is entered."""

    farmer_id: int | None = link()
    product_id: int | None = link()
    is_default: bool | None

    class Config:
        """The table, and what holds for all its checks."""

        name = "farmer_product_assignments"
        coerce = True
        metadata = config("operations", PUBLIC)


class Features(_Smaller):
    """What the program can be allowed to do for a shop."""

    code: str | None
    name: str | None
    default_enabled: bool | None

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_features"
        coerce = True
        metadata = config("platform", PUBLIC)


class PlanFeatures(_Unnumbered):
    """Which features a plan includes."""

    plan_id: int | None = link()
    feature_code: str | None
    enabled: bool | None

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_plan_features"
        coerce = True
        metadata = config("platform", PUBLIC)


class FeatureOverrides(_Unnumbered):
    """Which features one person has, or lacks, whatever the plan says."""

    user_id: int | None = link()
    feature_code: str | None
    enabled: bool | None

    class Config:
        """The table, and what holds for all its checks."""

        name = "kisaan_user_feature_overrides"
        coerce = True
        metadata = config("platform", PUBLIC)
