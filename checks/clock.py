"""Time: entries are made before they are changed, and nothing happens in the future.

Two further checks ask whether the clock was moved by 5 h 30 min; they need a witness and stand in sql/.
"""

from __future__ import annotations

from typing import Any

from kisaan_validate import declare

TIME: dict[str, Any] = {"owner": "platform", "tags": ["time"]}

STAMPED = [
    "kisaan_users", "kisaan_shops", "kisaan_plans", "kisaan_categories", "kisaan_products", "kisaan_transactions",
    "kisaan_payments", "kisaan_commissions",
]  # fmt: skip
MAYBE_STAMPED = [
    "payment_allocations", "kisaan_credits", "kisaan_settlements", "kisaan_expenses", "expense_settlements",
    "kisaan_balance_snapshots", "kisaan_audit_logs", "kisaan_plan_usage", "kisaan_shop_categories",
    "kisaan_shop_products",
]  # fmt: skip
"""Judged where the columns exist."""

for table in [*STAMPED, *MAYBE_STAMPED]:
    stamps = [f"column {table}.created_at", f"column {table}.updated_at"]
    declare.holds(
        table,
        "created_at <= updated_at",
        id=f"{table}.created_at.before_updated_at",
        applies=stamps if table in MAYBE_STAMPED else (),
        why="Nothing can be changed before it exists. Where it seems so, one of the two times was falsified, and the "
        "order of events can no longer be proved.",
        hint="compare with the backup; if many rows are affected, a migration moved one of the two columns",
        **TIME,
    )

MOMENTS = {
    **{table: ["created_at", "updated_at"] for table in STAMPED},
    "kisaan_transactions": ["created_at", "updated_at", "transaction_date", "settlement_date"],
    "kisaan_payments": ["created_at", "updated_at", "payment_date"],
    "kisaan_transaction_ledger": ["created_at"],
    "_migrations": ["executed_at"],
}
MAYBE_MOMENTS = {
    **{table: ["created_at", "updated_at"] for table in MAYBE_STAMPED},
    "kisaan_credits": ["created_at", "updated_at", "granted_at"],
    "kisaan_settlements": ["created_at", "updated_at", "settled_at"],
    "kisaan_expenses": ["created_at", "updated_at", "spent_at"],
    "expense_settlements": ["created_at", "updated_at", "settled_at"],
    "kisaan_balance_snapshots": ["created_at", "updated_at", "taken_at"],
}
for table, columns in {**MOMENTS, **MAYBE_MOMENTS}.items():
    for column in columns:
        # Five minutes: the application's servers stamp the rows, and their clocks are not the database's.
        declare.holds(
            table,
            f"{column} <= now() + interval '5 minutes'",
            id=f"{table}.{column}.not_in_future",
            applies=f"column {table}.{column}" if table in MAYBE_MOMENTS else (),
            why="What has not happened yet cannot be on the books. A date in the future stays out of every statement "
            "until it comes, and then appears on the wrong one.",
            hint="compare with the slip or the backup; five minutes are granted to clocks that differ",
            **TIME,
        )
