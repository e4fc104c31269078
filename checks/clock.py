"""Time: entries are made before they are changed, and nothing happens in the future.

Two further checks ask whether the clock was moved by 5 h 30 min; they need a witness and stand in sql/.
"""

from __future__ import annotations

from typing import Any

from kisaan_validate import declare

TIME: dict[str, Any] = {"owner": "platform", "tags": ["time"]}

STAMPED = [
    "kisaan_users",
    "kisaan_shops",
    "kisaan_plans",
    "kisaan_categories",
    "kisaan_products",
    "kisaan_transactions",
    "kisaan_payments",
    "kisaan_commissions",
]
MAYBE_STAMPED = [
    "payment_allocations",
    "kisaan_credits",
    "kisaan_settlements",
    "kisaan_expenses",
    "expense_settlements",
    "kisaan_balance_snapshots",
    "kisaan_audit_logs",
    "kisaan_plan_usage",
    "kisaan_shop_categories",
    "kisaan_shop_products",
    "balance_snapshots",
    "farmer_product_assignments",
    "kisaan_features",
    "kisaan_plan_features",
    "kisaan_user_feature_overrides",
]
"""Judged where the columns exist."""

for table in [*STAMPED, *MAYBE_STAMPED]:
    stamps = [f"column {table}.created_at", f"column {table}.updated_at"]
    declare.holds(
        table,
        "created_at <= updated_at",
        id=f"{table}.created_at.before_updated_at",
        applies=stamps if table in MAYBE_STAMPED else (),
        why="Nothing can be changed before it exists. If it seems so, one of the two times is "
        "wrong, and the order of events can no longer be proved.",
        hint="compare with the backup; if many rows are affected, a migration moved one of the two columns",
        **TIME,
    )

MOMENTS = {
    **{table: ["created_at", "updated_at"] for table in STAMPED},
    "kisaan_payments": ["created_at", "updated_at", "payment_date"],
    "kisaan_transaction_ledger": ["created_at"],
    "_migrations": ["executed_at"],
}
MAYBE_MOMENTS = {
    **{table: ["created_at", "updated_at"] for table in MAYBE_STAMPED},
    "kisaan_credits": ["created_at", "updated_at", "granted_at"],
    "kisaan_settlements": ["created_at", "updated_at", "settled_at", "settlement_date"],
    "kisaan_expenses": ["created_at", "updated_at", "spent_at", "deleted_at"],
    "expense_settlements": ["created_at", "updated_at", "settled_at"],
    "kisaan_balance_snapshots": ["created_at", "updated_at", "taken_at"],
    "kisaan_expense_allocations": ["created_at", "updated_at", "allocated_at"],
    "kisaan_ledger": ["created_at"],
    "kisaan_ledger_entries": ["created_at"],
    "kisaan_user_balances": ["last_updated"],
}
DAYS = {
    "kisaan_transactions": ["transaction_date", "settlement_date"],
    "kisaan_expenses": ["expense_date"],
}
"""Days that some installations keep as a plain date, and some with their time."""

for table, columns in [*MOMENTS.items(), *MAYBE_MOMENTS.items(), *DAYS.items()]:
    for column in columns:
        maybe = [f"column {table}.{column}"] if table in MAYBE_MOMENTS or table in DAYS else []
        # Five minutes: the application's servers stamp the rows, and their clocks are not the database's.
        declare.holds(
            table,
            f"{column} <= now() + interval '5 minutes'",
            id=f"{table}.{column}.not_in_future",
            applies=[*maybe, f"not type {table}.{column} date"] if column in DAYS.get(table, ()) else maybe,
            why="The books record what has happened. A date in the future is missing from every "
            "statement until it comes, and then appears on the wrong one.",
            hint="compare with the slip or the backup; clocks may differ by five minutes",
            **TIME,
        )
for table, columns in DAYS.items():
    for column in columns:
        # Between midnight in India and midnight of the servers, today is already tomorrow.
        declare.holds(
            table,
            f"{column} <= (now() AT TIME ZONE 'Asia/Kolkata')::date",
            id=f"{table}.{column}.not_after_today",
            applies=f"type {table}.{column} date",
            why="The books record what has happened. A day in the future is missing from every "
            "statement until it comes, and then appears on the wrong one.",
            hint="compare with the slip or the backup; today means the day in India",
            **TIME,
        )
declare.holds(
    "kisaan_plan_usage",
    "start_date <= end_date",
    id="kisaan_plan_usage.start_date.before_end_date",
    applies=["column kisaan_plan_usage.start_date", "column kisaan_plan_usage.end_date"],
    why="A plan that ends before it begins is never billed.",
    hint="ask the shop when its plan began",
    owner="finance",
    tags=["time"],
)
