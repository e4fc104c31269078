"""What one kind of installation must have, and the other need not.

Two kinds are in the field. One is described by tables.py. The other was made from the public schema; it is
told by its table SequelizeMeta, and lacks a column here and there until the "align columns" step of
2025-09 has run.
"""

from __future__ import annotations

from typing import Any

from kisaan_validate import declare

PUBLIC = "table SequelizeMeta"
PRESENT: dict[str, Any] = {
    "why": "Without this table, nothing that depends on it can be examined or signed off.",
    "hint": "check that this is the right database and that the restore was complete",
    "owner": "platform",
    "tags": ["schema", "runbook"],
}

NOT_IN_THE_PUBLIC_SCHEMA = {
    "kisaan_users": ["custom_commission_rate"],
    "kisaan_payments": ["shop_id", "counterparty_id"],
    "kisaan_transactions": [
        "product_id",
        "commission_rate",
        "commission_type",
        "status",
        "transaction_date",
        "settlement_date",
        "notes",
        "metadata",
    ],
}
for table, columns in NOT_IN_THE_PUBLIC_SCHEMA.items():
    for name in columns:
        declare.column(table, name, id=f"{table}.{name}.present", applies=f"not {PUBLIC}", **PRESENT)

# --- columns of which an installation has one or the other -------------------------------------------------

declare.column(
    "kisaan_transactions",
    "commission_amount",
    id="kisaan_transactions.commission_amount.present",
    applies="not column kisaan_transactions.shop_commission",
    **PRESENT,
)
declare.column(
    "kisaan_plans",
    "price",
    id="kisaan_plans.price.present",
    applies="not column kisaan_plans.monthly_price",
    **PRESENT,
)
for first, second in (("monthly", "yearly"), ("quarterly", "monthly"), ("yearly", "monthly")):
    declare.column(
        "kisaan_plans",
        f"{first}_price",
        id=f"kisaan_plans.{first}_price.present",
        applies=f"column kisaan_plans.{second}_price",
        **PRESENT,
    )
declare.column(
    "kisaan_payments",
    "product_id",
    id="kisaan_payments.product_id.present",
    why="Migration 20251018_03 promises every payment its product. Without the column, the "
    "migrations did nothing about products in payments.",
    hint="see which migrations ran (_migrations.name.all_applied); fix the cause and run them again",
    owner="platform",
    tags=["schema", "migration"],
)

# --- the second ledger of migrations -----------------------------------------------------------------------

SECOND: dict[str, Any] = {"owner": "platform", "tags": ["migration"], "applies": PUBLIC}
declare.holds(
    "SequelizeMeta",
    "name IS NOT NULL AND name <> ''",
    id="SequelizeMeta.name.filled",
    why="A migration recorded without a name looks like one that never ran.",
    hint="compare with the files of the release; add the missing name, or delete the row",
    **SECOND,
)
declare.unique(
    "SequelizeMeta",
    "name",
    id="SequelizeMeta.name.unique",
    why="The same migration recorded twice was run twice, or the table was restored on top of itself.",
    hint="find out which of the two ran and whether a second run did harm; delete the surplus row",
    **SECOND,
)

# --- indexes that the business relies on -------------------------------------------------------------------

INDEXED = {
    "kisaan_users": ["shop_id"],
    "kisaan_shops": ["owner_id"],
    "kisaan_transactions": ["shop_id", "farmer_id", "buyer_id", "created_at"],
    "kisaan_payments": ["transaction_id", "status", "shop_id"],
    "payment_allocations": ["payment_id", "transaction_id"],
}
for table, columns in INDEXED.items():
    for name in columns:
        declare.index(
            table,
            name,
            id=f"{table}.{name}.index",
            severity="warning",
            applies=f"column {table}.{name}",
            why="A shop's screens look up rows by this column all day. Without an index, each "
            "lookup reads the whole table, and on a market morning everybody waits.",
            hint=f"CREATE INDEX CONCURRENTLY ON {table} ({name})",
            owner="platform",
            tags=["schema"],
        )
ONCE: dict[str, tuple[str | list[str], str]] = {
    "kisaan_users.username": ("username", "two people who share a user name see each other's money"),
    "kisaan_products.name_category_id": (
        ["name", "category_id"],
        "a duplicate product in a category splits its sales",
    ),
}
for id, (unique, harm) in ONCE.items():
    table = id.partition(".")[0]
    declare.constraint(
        table,
        "unique",
        unique,
        id=f"{id}.enforced",
        severity="warning",
        why=f"Even if every entry occurs once today, nothing enforces it: {harm}.",
        hint=f"remove duplicates, then CREATE UNIQUE INDEX CONCURRENTLY ON {table} "
        f"({unique if isinstance(unique, str) else ', '.join(unique)})",
        owner="platform",
        tags=["identity", "schema"],
    )
