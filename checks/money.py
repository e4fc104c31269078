"""Money: the arithmetic within a sale, the sums between tables, and no amount that is not a number."""

from __future__ import annotations

from typing import Any

from kisaan_validate import declare

FINANCE: dict[str, Any] = {"owner": "finance", "tags": ["money"]}

# --- within one sale ---------------------------------------------------------------------------------------

declare.holds(
    "kisaan_transactions",
    "total_amount = round(quantity * unit_price, 2)",
    id="kisaan_transactions.total_amount.quantity_times_price",
    applies="column kisaan_transactions.total_amount",
    why="The buyer checks the bill with a pocket calculator: weight times price, rounded to the paisa, "
    "is what he "
    "owes. Any other total is a wrong bill.",
    hint="recompute the total from weight and price on the slip; book the difference to both parties",
    **FINANCE,
)
declare.holds(
    "kisaan_transactions",
    "total_amount = commission_amount + farmer_earning",
    id="kisaan_transactions.total_amount.split",
    applies=["column kisaan_transactions.total_amount", "column kisaan_transactions.commission_amount"],
    why="What the buyer owes is divided between shop and farmer without remainder. A missing "
    "paisa was taken from one of them; an extra paisa was paid twice.",
    hint=(
        "recompute commission and earning from the agreed rate; book the difference to the party "
        "that is short"
    ),
    **FINANCE,
)
declare.holds(
    "kisaan_transactions",
    "round(quantity * unit_price, 2) = commission_amount + farmer_earning",
    id="kisaan_transactions.farmer_earning.split_without_total",
    applies=["not column kisaan_transactions.total_amount", "column kisaan_transactions.commission_amount"],
    why="Where no total is stored, it is weight times price: shop and farmer share exactly that, "
    "to the paisa.",
    hint=(
        "recompute commission and earning from the agreed rate; book the difference to the party "
        "that is short"
    ),
    **FINANCE,
)
declare.holds(
    "kisaan_transactions",
    "total_sale_value = round(quantity * unit_price, 2)",
    id="kisaan_transactions.total_sale_value.quantity_times_price",
    applies="column kisaan_transactions.total_sale_value",
    why="The buyer checks the bill with a pocket calculator: weight times price, rounded to the paisa, "
    "is what he "
    "owes. Any other total (as the public schema calls it) is a wrong bill.",
    hint="recompute the total from weight and price on the slip; book the difference to both parties",
    **FINANCE,
)
declare.holds(
    "kisaan_transactions",
    "total_sale_value = shop_commission + farmer_earning",
    id="kisaan_transactions.total_sale_value.split",
    applies=["column kisaan_transactions.total_sale_value", "column kisaan_transactions.shop_commission"],
    why="What the buyer owes is divided between shop and farmer without remainder. A missing "
    "paisa was taken from one of them; an extra paisa was paid twice.",
    hint=(
        "recompute commission and earning from the agreed rate; book the difference to the party "
        "that is short"
    ),
    **FINANCE,
)
for new, old in (("total_amount", "total_sale_value"), ("commission_amount", "shop_commission")):
    declare.holds(
        "kisaan_transactions",
        f"{new} = {old}",
        id=f"kisaan_transactions.{new}.as_before",
        applies=[f"column kisaan_transactions.{new}", f"column kisaan_transactions.{old}"],
        why=f"The step that added {new} to the public schema set it to 0 in every older sale. "
        "Where the two differ, the program bills by one and older reports use the other.",
        hint=f"where {new} is 0 and {old} is not, copy it; any other difference: compare with the slip",
        **FINANCE,
    )
declare.holds(
    "kisaan_transactions",
    "lower(commission_type) <> 'percentage' "
    "OR abs(commission_amount - quantity * unit_price * commission_rate / 100) <= 0.01 "
    "OR abs(commission_amount - quantity * unit_price * commission_rate) <= 0.01",
    id="kisaan_transactions.commission_amount.as_agreed",
    severity="warning",
    applies=[f"column kisaan_transactions.commission_{part}" for part in ("amount", "rate", "type")],
    why="A proxy: the rate kept with the sale (as a percentage or as a share), applied to the "
    "sale, should give the commission within a paisa. A renegotiated rate can explain single "
    "differences; many mean that commissions are computed wrongly.",
    hint="look at a few with the shop owner; if the rate was renegotiated, nothing needs to be fixed",
    **FINANCE,
)
declare.holds(
    "kisaan_commissions",
    "lower(type::text) <> 'percentage' OR rate <= 100",
    id="kisaan_commissions.rate.percentage_at_most_100",
    why="A commission above the whole sale leaves the farmer owing money for his own produce.",
    hint="fix the agreed rate with the shop owner before the next sale is booked",
    **FINANCE,
)

# --- numbers that are numbers, in whole paise --------------------------------------------------------------

AMOUNTS = {
    "kisaan_users": ["balance", "cumulative_value"],
    "kisaan_transactions": [
        "unit_price",
        "total_amount",
        "commission_amount",
        "farmer_earning",
        "total_sale_value",
        "shop_commission",
    ],
    "kisaan_payments": ["amount"],
    "payment_allocations": ["allocated_amount"],
    "kisaan_transaction_ledger": ["delta_amount", "balance_before", "balance_after"],
    "kisaan_settlements": ["opening_balance", "amount", "closing_balance"],
    "kisaan_ledger": ["amount", "commission_amount", "net_amount"],
    "kisaan_ledger_entries": ["amount"],
    "kisaan_user_balances": ["balance"],
    "balance_snapshots": ["previous_balance", "amount_change", "new_balance"],
    "kisaan_balance_snapshots": ["previous_balance", "amount_change", "new_balance"],
}
BOUNDED = {
    "kisaan_plans": ["price", "monthly_price", "quarterly_price", "yearly_price"],
    "kisaan_products": ["price"],
    "kisaan_credits": ["amount", "repaid_amount"],
    "kisaan_expenses": ["amount", "total_amount", "allocated_amount", "remaining_amount"],
    "expense_settlements": ["settled_amount", "amount"],
    "kisaan_expense_allocations": ["allocated_amount"],
    "kisaan_balance_snapshots": ["balance"],
    "balance_snapshots": ["balance"],
    "kisaan_plan_usage": ["amount_billed"],
    "kisaan_shop_products": ["default_price"],
}
"""Amounts whose bound refuses what is not a number."""

for table, columns in AMOUNTS.items():
    for column in columns:
        # NaN and both infinities fail this comparison on every version of PostgreSQL.
        declare.holds(
            table,
            f"abs({column}) < 10000000000000000",
            id=f"{table}.{column}.finite",
            applies=f"column {table}.{column}",
            why="One amount that is not a number makes every sum over it not a number: the day's total, "
            "the farmer's "
            "balance and the shop's commission are all lost at once.",
            hint="take the amount from the backup or the slip; find out which program wrote it",
            **FINANCE,
        )
for table, columns in [*AMOUNTS.items(), *BOUNDED.items()]:
    for column in columns:
        declare.decimals(
            table,
            column,
            2,
            id=f"{table}.{column}.whole_paise",
            applies=f"column {table}.{column}",
            why="Nobody can pay a fraction of a paisa, but a column without a scale, or with "
            "four decimals, accepts one. Some programs round it and some do not, until two "
            "sums that should agree differ.",
            hint="round the entries to the paisa and book the difference; then change the column "
            "to numeric(18,2)",
            **FINANCE,
        )

# --- sums between tables -----------------------------------------------------------------------------------

declare.reconciles(
    "kisaan_users",
    "balance",
    details="kisaan_transaction_ledger",
    detail_column="delta_amount",
    via="user_id",
    id="kisaan_users.balance.ledger_sum",
    why="A balance is the sum of its movements. If they differ, the person is told an amount "
    "that no entry explains, and one of the two was changed without the other.",
    hint="compare both with the last balance that was confirmed to the person; correct with a booked entry",
    **FINANCE,
)
declare.reconciles(
    "kisaan_payments",
    "amount",
    details="payment_allocations",
    detail_column="allocated_amount",
    via="payment_id",
    relation="<=",
    missing="skip",
    id="kisaan_payments.amount.allocations_within",
    why="A payment cannot settle more than its amount. Splitting 1,000 rupees into shares of "
    "1,200 makes an unpaid sale look paid.",
    hint="reset the shares to what the payer said the money was for",
    **FINANCE,
)
declare.unique(
    "payment_allocations",
    ["payment_id", "transaction_id"],
    id="payment_allocations.payment_id_transaction_id.unique",
    why="A payment counted twice for the same sale settles a debt with money that was paid only once.",
    hint="keep one of the entries; if both shares were meant, add them up in it",
    owner="finance",
    tags=["money", "identity"],
)

declare.reconciles(
    "kisaan_expenses",
    "allocated_amount",
    details="kisaan_expense_allocations",
    detail_column="allocated_amount",
    via="expense_id",
    id="kisaan_expenses.allocated_amount.allocations_sum",
    applies=["column kisaan_expenses.allocated_amount", "column kisaan_expense_allocations.allocated_amount"],
    why="The allocated part of an expense is the sum of its allocations. If they differ, the "
    "farmer is charged for it again, or never.",
    hint="compare the allocations with the payments they reduced; fix the expense",
    **FINANCE,
)
declare.holds(
    "kisaan_expenses",
    "total_amount = amount",
    id="kisaan_expenses.total_amount.same_as_amount",
    applies=["column kisaan_expenses.total_amount", "column kisaan_expenses.amount"],
    why="An expense keeps its amount twice (migration 20251027_01 states that they are equal). "
    "Where they differ, two screens charge the farmer different amounts.",
    hint="compare with the receipt, and set both to what it says",
    **FINANCE,
)

# --- arithmetic that no migration promises -----------------------------------------------------------------

ARITHMETIC = {
    "kisaan_transaction_ledger.balance_after.step": (
        "balance_after = balance_before + delta_amount",
        (
            "Each line of a statement must lead from the old balance to the new one, or the statement cannot "
            "be explained."
        ),
        ["balance_after", "balance_before"],
    ),
    "kisaan_settlements.amount.step": (
        "amount = opening_balance - closing_balance",
        "A settlement is what was owed before minus what is owed after.",
        ["amount", "opening_balance", "closing_balance"],
    ),
    "kisaan_ledger.net_amount.step": (
        "net_amount = amount - coalesce(commission_amount, 0)",
        "A farmer is credited the sale minus the shop's commission, to the paisa.",
        ["net_amount", "amount", "commission_amount"],
    ),
    "balance_snapshots.new_balance.step": (
        "new_balance = previous_balance + amount_change",
        "Each snapshot must lead from the old balance to the new one, or the statement cannot be explained.",
        ["new_balance", "previous_balance", "amount_change"],
    ),
    "kisaan_balance_snapshots.new_balance.step": (
        "new_balance = previous_balance + amount_change",
        "Each snapshot must lead from the old balance to the new one, or the statement cannot be explained.",
        ["new_balance", "previous_balance", "amount_change"],
    ),
    "kisaan_expenses.remaining_amount.step": (
        "remaining_amount = greatest(total_amount - coalesce(allocated_amount, 0), 0)",
        (
            "What is left of an expense is its cost minus what was allocated; otherwise it is "
            "charged again, or never."
        ),
        ["remaining_amount", "total_amount", "allocated_amount"],
    ),
    "kisaan_expenses.allocation_status.as_amounts": (
        """CASE lower(allocation_status) WHEN 'unallocated' THEN coalesce(allocated_amount, 0) = 0
        WHEN 'partially_allocated' THEN allocated_amount > 0 AND remaining_amount > 0
        WHEN 'fully_allocated' THEN remaining_amount <= 0.01 END""",
        ("The state of an expense decides whether it is allocated again, so it must agree with its amounts."),
        ["allocation_status", "allocated_amount", "remaining_amount"],
    ),
    "kisaan_expense_allocations.transaction_id.as_type": (
        "lower(allocation_type) <> 'transaction_offset' OR transaction_id IS NOT NULL",
        "An expense allocated to a sale must name the sale, or the farmer cannot check it.",
        ["transaction_id", "allocation_type"],
    ),
    "kisaan_credits.repaid_amount.within": (
        "repaid_amount <= amount",
        "More of an advance was repaid than was given: the surplus belongs to the farmer.",
        ["repaid_amount", "amount"],
    ),
}
for name, (expression, why, columns) in ARITHMETIC.items():
    table = name.partition(".")[0]
    declare.holds(
        table,
        expression,
        id=name,
        severity="warning",
        applies=[f"column {table}.{column}" for column in columns],
        why=why,
        hint="compare with the slip and book the difference",
        **FINANCE,
    )
declare.reconciles(
    "kisaan_expenses",
    "amount",
    details="expense_settlements",
    detail_column="settled_amount",
    via="expense_id",
    relation="<=",
    missing="skip",
    id="kisaan_expenses.amount.settlements_within",
    severity="warning",
    applies=[
        "column kisaan_expenses.amount",
        "column expense_settlements.settled_amount",
        "column expense_settlements.expense_id",
    ],
    why="More was paid for an expense than it cost.",
    hint="ask for the receipt; book the surplus as a claim against the recipient",
    **FINANCE,
)
declare.reconciles(
    "kisaan_expenses",
    "amount",
    details="expense_settlements",
    detail_column="amount",
    via="expense_id",
    relation="<=",
    missing="skip",
    id="kisaan_expenses.amount.settled_within",
    severity="warning",
    applies=[
        "column kisaan_expenses.amount",
        "column expense_settlements.amount",
        "column expense_settlements.expense_id",
    ],
    why="More was paid for an expense than it cost.",
    hint="ask for the receipt; book the surplus as a claim against the recipient",
    **FINANCE,
)
