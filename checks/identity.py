"""Identity: every reference finds its row, copies agree with their originals, numbers are never handed out twice."""

from __future__ import annotations

from typing import Any

from kisaan_validate import declare

IDENTITY: dict[str, Any] = {"owner": "operations", "tags": ["identity"]}

# --- references, whether or not the database enforces them ----------------------------------------------------------

REFERENCES = {
    "kisaan_users.shop_id": "kisaan_shops",
    "kisaan_users.created_by": "kisaan_users",
    "kisaan_shops.owner_id": "kisaan_users",
    "kisaan_shops.plan_id": "kisaan_plans",
    "kisaan_products.category_id": "kisaan_categories",
    "kisaan_transactions.shop_id": "kisaan_shops",
    "kisaan_transactions.farmer_id": "kisaan_users",
    "kisaan_transactions.buyer_id": "kisaan_users",
    "kisaan_transactions.category_id": "kisaan_categories",
    "kisaan_transactions.product_id": "kisaan_products",
    "kisaan_payments.transaction_id": "kisaan_transactions",
    "kisaan_payments.shop_id": "kisaan_shops",
    "kisaan_payments.counterparty_id": "kisaan_users",
    "kisaan_payments.product_id": "kisaan_products",
    "kisaan_commissions.shop_id": "kisaan_shops",
    "payment_allocations.payment_id": "kisaan_payments",
    "payment_allocations.transaction_id": "kisaan_transactions",
    "kisaan_transaction_ledger.transaction_id": "kisaan_transactions",
    "kisaan_transaction_ledger.user_id": "kisaan_users",
}
SMALLER_REFERENCES = {
    "kisaan_credits.shop_id": "kisaan_shops",
    "kisaan_credits.user_id": "kisaan_users",
    "kisaan_settlements.shop_id": "kisaan_shops",
    "kisaan_settlements.user_id": "kisaan_users",
    "kisaan_expenses.shop_id": "kisaan_shops",
    "expense_settlements.expense_id": "kisaan_expenses",
    "kisaan_balance_snapshots.user_id": "kisaan_users",
    "kisaan_audit_logs.user_id": "kisaan_users",
    "kisaan_audit_logs.shop_id": "kisaan_shops",
    "kisaan_plan_usage.shop_id": "kisaan_shops",
    "kisaan_plan_usage.plan_id": "kisaan_plans",
    "kisaan_shop_categories.shop_id": "kisaan_shops",
    "kisaan_shop_categories.category_id": "kisaan_categories",
    "kisaan_shop_products.shop_id": "kisaan_shops",
    "kisaan_shop_products.product_id": "kisaan_products",
}
"""The smaller tables are judged where they, and the column, exist."""

for column, parent in {**REFERENCES, **SMALLER_REFERENCES}.items():
    table, _, name = column.partition(".")
    declare.references(
        table,
        name,
        parent,
        applies=f"column {column}; table {parent}" if column in SMALLER_REFERENCES else (),
        why=f"The entry points to a row of {parent} that is not there: it appears on nobody's statement, and what it "
        "is worth is missing from somebody's account.",
        hint=f"look the number up in the backup's {parent}; bring the row back, or point the entry to the right one",
        **IDENTITY,
    )

# --- copies that must agree with their original ---------------------------------------------------------------------

declare.agrees(
    "kisaan_payments",
    "product_id",
    with_="kisaan_transactions.product_id",
    via="transaction_id",
    id="kisaan_payments.product_id.agrees",
    why="A payment for onions that is filed under potatoes, or under nothing although its sale names the product, "
    "falsifies what each crop brought in. The migration promised to copy the product of every sale to its payments.",
    hint="copy the product from the sale again: 20251018_06 does nothing else",
    owner="operations",
    tags=["identity", "migration"],
)
declare.agrees(
    "kisaan_payments",
    "shop_id",
    with_="kisaan_transactions.shop_id",
    via="transaction_id",
    id="kisaan_payments.shop_id.agrees",
    why="A payment for a sale of one shop that is booked with another shop, or with none, is money in the wrong till.",
    hint="compare with the slip: either the payment's shop or its sale is wrong",
    owner="finance",
    tags=["identity", "money"],
)
declare.agrees(
    "kisaan_transactions",
    "category_id",
    with_="kisaan_products.category_id",
    via="product_id",
    id="kisaan_transactions.category_id.agrees",
    why="Onions sold as fruit distort the market fee and every report by kind of goods.",
    hint="set the sale's category to its product's",
    **IDENTITY,
)
declare.agrees(
    "kisaan_transactions",
    "product_name",
    with_="kisaan_products.name",
    via="product_id",
    where="parent.updated_at <= child.created_at",
    id="kisaan_transactions.product_name.agrees",
    severity="warning",
    why="The name on the bill should be the product's. A proxy decides which bills are judged: those written after the "
    "product was last touched, because an older bill rightly keeps the name of its day.",
    hint="ask whether the product was renamed; if not, the sale points to the wrong product",
    **IDENTITY,
)

# --- who is who -----------------------------------------------------------------------------------------------------

declare.holds(
    "kisaan_users",
    "lower(role::text) <> 'owner' OR shop_id IS NULL",
    id="kisaan_users.shop_id.owner_has_none",
    why="An owner owns shops; he does not belong to one. An owner who is entered as a shop's member sees that shop's "
    "books instead of his own.",
    hint="clear the shop of the owner's account; his shops point to him",
    **IDENTITY,
)
declare.holds(
    "kisaan_users",
    "lower(role::text) NOT IN ('farmer', 'buyer') OR shop_id IS NOT NULL",
    id="kisaan_users.shop_id.farmer_and_buyer_have_one",
    why="A farmer or buyer without a shop appears in nobody's list: his balance is owed by no one.",
    hint="take the shop from his latest sale",
    **IDENTITY,
)
declare.holds(
    "kisaan_users",
    "lower(role::text) NOT IN ('owner', 'superadmin') OR balance >= 0",
    id="kisaan_users.balance.owner_not_negative",
    why="Farmers and buyers may owe money; the owner of a shop, or of the whole system, cannot owe it to himself.",
    hint="look for a payment that was booked to the owner instead of to the farmer or buyer",
    owner="finance",
    tags=["money", "identity"],
)
ROLES = {
    "kisaan_shops.owner_id": ("owner", "A shop whose owner is entered in another role is open to the wrong person."),
    "kisaan_transactions.farmer_id": ("farmer", "The seller is not entered as a farmer: he cannot see what he sold."),
    "kisaan_transactions.buyer_id": ("buyer", "The buyer is not entered as a buyer: he cannot see what he owes."),
}
for column, (role, why) in ROLES.items():
    table, _, name = column.partition(".")
    declare.holds_with(
        table,
        f"lower(parent.role::text) = '{role}'",
        parent="kisaan_users",
        via=name,
        id=f"{column}.role",
        severity="warning",
        why=why,
        hint="ask the shop who the person is; correct the role, or the entry that points to him",
        **IDENTITY,
    )

# --- numbers and names that occur once ------------------------------------------------------------------------------

declare.unique(
    "kisaan_products",
    ["name", "category_id"],
    id="kisaan_products.name_category_id.unique",
    why="The same product twice in one category divides its sales between two lines of every report.",
    hint="keep one of them and point the sales of the other to it",
    **IDENTITY,
)
declare.unique(
    "kisaan_commissions",
    ["shop_id", "rate", "type"],
    id="kisaan_commissions.shop_id_rate_type.unique",
    why="The same agreement twice: change one, and the shop is charged by the other. The house's default, which "
    "belongs to no shop, is an agreement like any other; the migration's comparison overlooked it.",
    hint="delete the surplus rows comparing with IS NOT DISTINCT FROM, which takes no shop for equal to no shop",
    owner="finance",
    tags=["money", "identity", "migration", "runbook"],
)

TABLES = [
    "kisaan_users", "kisaan_shops", "kisaan_plans", "kisaan_categories", "kisaan_products", "kisaan_transactions",
    "kisaan_payments", "kisaan_commissions", "payment_allocations", "kisaan_transaction_ledger",
]  # fmt: skip
SMALLER_TABLES = [
    "kisaan_credits", "kisaan_settlements", "kisaan_expenses", "expense_settlements", "kisaan_balance_snapshots",
    "kisaan_audit_logs", "kisaan_plan_usage", "kisaan_shop_categories", "kisaan_shop_products",
]  # fmt: skip
for table in TABLES:
    declare.constraint(
        table,
        "primary key",
        "id",
        id=f"{table}.id.primary_key",
        why="A number that is given twice shows one person another's entry. As long as the database itself refuses the "
        "second, nobody need read all the numbers to know that each occurs once.",
        hint=f"remove duplicates with the help of the backup, then ALTER TABLE {table} ADD PRIMARY KEY (id)",
        **IDENTITY,
    )
for table in [*TABLES, *SMALLER_TABLES]:
    declare.sequence(
        table,
        applies=f"column {table}.id" if table in SMALLER_TABLES else (),
        why="The next number to be handed out is already taken, as happens after a restore: the next entry of this "
        "kind fails in the customer's face, and the one after it, until somebody notices.",
        hint=f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}",
        **IDENTITY,
    )
