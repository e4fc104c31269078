"""Identity: every reference finds its row, copies agree with their originals, numbers are never handed out
twice.
"""

from __future__ import annotations

from typing import Any

from kisaan_validate import declare

IDENTITY: dict[str, Any] = {"owner": "operations", "tags": ["identity"]}

# --- references, whether or not the database enforces them -------------------------------------------------

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
    "kisaan_payments.transaction_id": "kisaan_transactions",
    "kisaan_commissions.shop_id": "kisaan_shops",
    "payment_allocations.payment_id": "kisaan_payments",
    "payment_allocations.transaction_id": "kisaan_transactions",
    "kisaan_transaction_ledger.transaction_id": "kisaan_transactions",
    "kisaan_transaction_ledger.user_id": "kisaan_users",
}
MAYBE_REFERENCES = {
    "kisaan_payments.product_id": "kisaan_products",
    "kisaan_payments.counterparty_id": "kisaan_users",
    "kisaan_payments.shop_id": "kisaan_shops",
    "kisaan_transactions.product_id": "kisaan_products",
    "kisaan_credits.shop_id": "kisaan_shops",
    "kisaan_credits.user_id": "kisaan_users",
    "kisaan_settlements.shop_id": "kisaan_shops",
    "kisaan_settlements.user_id": "kisaan_users",
    "kisaan_settlements.transaction_id": "kisaan_transactions",
    "kisaan_expenses.shop_id": "kisaan_shops",
    "kisaan_expenses.user_id": "kisaan_users",
    "kisaan_expenses.transaction_id": "kisaan_transactions",
    "kisaan_expenses.ledger_entry_id": "kisaan_transaction_ledger",
    "expense_settlements.expense_id": "kisaan_expenses",
    "expense_settlements.payment_id": "kisaan_payments",
    "kisaan_expense_allocations.expense_id": "kisaan_expenses",
    "kisaan_expense_allocations.transaction_id": "kisaan_transactions",
    "kisaan_balance_snapshots.user_id": "kisaan_users",
    "balance_snapshots.user_id": "kisaan_users",
    "kisaan_ledger.shop_id": "kisaan_shops",
    "kisaan_ledger.farmer_id": "kisaan_users",
    "kisaan_ledger.created_by": "kisaan_users",
    "kisaan_ledger_entries.user_id": "kisaan_users",
    "kisaan_ledger_entries.shop_id": "kisaan_shops",
    "kisaan_user_balances.user_id": "kisaan_users",
    "kisaan_user_balances.shop_id": "kisaan_shops",
    "farmer_product_assignments.farmer_id": "kisaan_users",
    "farmer_product_assignments.product_id": "kisaan_products",
    "kisaan_plan_features.plan_id": "kisaan_plans",
    "kisaan_user_feature_overrides.user_id": "kisaan_users",
    "kisaan_audit_logs.user_id": "kisaan_users",
    "kisaan_audit_logs.shop_id": "kisaan_shops",
    "kisaan_plan_usage.shop_id": "kisaan_shops",
    "kisaan_plan_usage.plan_id": "kisaan_plans",
    "kisaan_shop_categories.shop_id": "kisaan_shops",
    "kisaan_shop_categories.category_id": "kisaan_categories",
    "kisaan_shop_products.shop_id": "kisaan_shops",
    "kisaan_shop_products.product_id": "kisaan_products",
}
"""Judged where the table, and the column, exist: not every installation has them."""

for column, parent in {**REFERENCES, **MAYBE_REFERENCES}.items():
    table, _, name = column.partition(".")
    declare.references(
        table,
        name,
        parent,
        applies=f"column {column}; table {parent}" if column in MAYBE_REFERENCES else (),
        why=f"The entry refers to a row of {parent} that does not exist: it appears on nobody's "
        "statement, and its amount is missing from somebody's account.",
        hint=f"look up the number in {parent} of the backup; restore the row, or correct the "
        "entry's reference",
        **IDENTITY,
    )

for table in ("kisaan_plan_features", "kisaan_user_feature_overrides"):
    declare.values_in(
        table,
        "feature_code",
        "kisaan_features",
        "code",
        id=f"{table}.feature_code.known",
        applies=[f"column {table}.feature_code", "column kisaan_features.code"],
        why="The entry allows or forbids a feature that the program does not know: the customer "
        "who paid for it does not get it.",
        hint="compare with the codes in kisaan_features; fix the code, or add the feature",
        owner="platform",
        tags=["identity"],
    )

declare.values_in(
    "kisaan_ledger_entries",
    ["user_id", "shop_id"],
    "kisaan_user_balances",
    ["user_id", "shop_id"],
    id="kisaan_ledger_entries.user_id_shop_id.has_balance",
    applies=["column kisaan_ledger_entries.user_id", "column kisaan_user_balances.user_id"],
    why="A person has entries in a shop but no balance: the clerk sees that nothing is owed.",
    hint="add the balance as the sum of the person's entries in that shop",
    owner="finance",
    tags=["money", "identity"],
)

# --- copies that must agree with their original ------------------------------------------------------------

declare.agrees(
    "kisaan_payments",
    "product_id",
    with_="kisaan_transactions.product_id",
    via="transaction_id",
    id="kisaan_payments.product_id.agrees",
    applies=["column kisaan_payments.product_id", "column kisaan_transactions.product_id"],
    why="A payment for onions booked under potatoes, or under no product although its sale names "
    "one, distorts what each crop earned. The migration promised to copy the product of "
    "every sale to its payments.",
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
    applies="column kisaan_payments.shop_id",
    why="A payment for one shop's sale that is booked with another shop, or with none, is money "
    "in the wrong till.",
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
    applies="column kisaan_transactions.product_id",
    why="Onions sold as fruit distort the market fee and every report by category.",
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
    applies="column kisaan_transactions.product_id",
    severity="warning",
    why="The name on the bill should be the product's. A proxy: only bills written after the "
    "product was last changed are judged, because an older bill rightly keeps the old name.",
    hint="ask whether the product was renamed; if not, the sale refers to the wrong product",
    **IDENTITY,
)

# --- who is who --------------------------------------------------------------------------------------------

declare.holds(
    "kisaan_users",
    "lower(role::text) <> 'owner' OR shop_id IS NULL",
    id="kisaan_users.shop_id.owner_has_none",
    applies="not table SequelizeMeta",
    why="An owner owns shops and is a member of none. An owner registered as a member sees that "
    "shop's books instead of his own.",
    hint="clear the shop of the owner's account; his shops refer to him",
    **IDENTITY,
)
# What is said of the same in an installation made from the public schema: sql/owner_of_public_schema.sql
declare.holds(
    "kisaan_users",
    "lower(role::text) NOT IN ('farmer', 'buyer') OR shop_id IS NOT NULL",
    id="kisaan_users.shop_id.farmer_and_buyer_have_one",
    why="A farmer or buyer without a shop is in no list, so nobody sees his balance.",
    hint="take the shop from his latest sale",
    **IDENTITY,
)
declare.holds(
    "kisaan_users",
    "lower(role::text) NOT IN ('owner', 'superadmin') OR balance >= 0",
    id="kisaan_users.balance.owner_not_negative",
    why="Farmers and buyers may owe money; the owner of a shop, or of the whole system, cannot owe it to "
    "himself.",
    hint="look for a payment that was booked to the owner instead of to the farmer or buyer",
    owner="finance",
    tags=["money", "identity"],
)
ROLES = {
    "kisaan_shops.owner_id": (
        "owner",
        "A shop whose owner has a different role is open to the wrong person.",
    ),
    "kisaan_transactions.farmer_id": (
        "farmer",
        "The seller is not registered as a farmer: he cannot see what he sold.",
    ),
    "kisaan_transactions.buyer_id": (
        "buyer",
        "The buyer is not registered as a buyer: he cannot see what he owes.",
    ),
    "kisaan_ledger.farmer_id": (
        "farmer",
        "The ledger is a farmer's, but its holder is not registered as one.",
    ),
    "farmer_product_assignments.farmer_id": (
        "farmer",
        "Goods are brought by farmers, and this person is not one.",
    ),
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
        applies=f"column {column}",
        why=why,
        hint="ask the shop who the person is; fix the role, or the entry that refers to him",
        **IDENTITY,
    )

# --- numbers and names that occur once ---------------------------------------------------------------------

declare.unique(
    "kisaan_products",
    ["name", "category_id"],
    id="kisaan_products.name_category_id.unique",
    why="The same product twice in one category splits its sales over two lines of every report.",
    hint="keep one of them and make the other's sales refer to it",
    **IDENTITY,
)
declare.unique(
    "kisaan_commissions",
    ["shop_id", "rate", "type"],
    id="kisaan_commissions.shop_id_rate_type.unique",
    why="The same agreement twice: after changing one, the shop may still be charged by the "
    "other. The house's default, which belongs to no shop, is an agreement like any other; "
    "the migration's comparison missed it.",
    hint="delete the surplus rows, comparing with IS NOT DISTINCT FROM, which treats no shop as "
    "equal to no shop",
    owner="finance",
    tags=["money", "identity", "migration", "runbook"],
)

ONCE = {
    "kisaan_user_balances.user_id_shop_id": (
        ["user_id", "shop_id"],
        "",
        "finance",
        "Two balances of one person in one shop: the clerk sees one of them and pays accordingly.",
    ),
    "kisaan_plan_usage.shop_id_active": (
        ["shop_id"],
        "is_active",
        "finance",
        "A shop on two plans at once is billed twice and may use the features of both.",
    ),
    "farmer_product_assignments.farmer_id_product_id": (
        ["farmer_id", "product_id"],
        "",
        "operations",
        "The same goods twice on a farmer's list: after removing one entry, the other remains.",
    ),
    "farmer_product_assignments.farmer_id_default": (
        ["farmer_id"],
        "is_default",
        "operations",
        "Two default goods for one farmer: which one his sale is booked under is a matter of luck.",
    ),
    "kisaan_features.code": (
        ["code"],
        "",
        "platform",
        "One feature twice, allowed in one row and not in the other: which one counts is undefined.",
    ),
    "kisaan_plan_features.plan_id_feature_code": (
        ["plan_id", "feature_code"],
        "",
        "platform",
        (
            "A plan that both includes and excludes a feature: the shop pays for what it does "
            "not get, or the reverse."
        ),
    ),
    "kisaan_user_feature_overrides.user_id_feature_code": (
        ["user_id", "feature_code"],
        "",
        "platform",
        "One exception twice, for and against: which one counts is undefined.",
    ),
    "kisaan_expenses.ledger_entry_id": (
        ["ledger_entry_id"],
        "ledger_entry_id IS NOT NULL",
        "finance",
        ("Two expenses for one ledger entry: the farmer sees two but was charged for one."),
    ),
}
for name, (columns, where, owner, why) in ONCE.items():
    table = name.partition(".")[0]
    flags = [where] if where in {"is_active", "is_default"} else []
    declare.unique(
        table,
        columns,
        where=where,
        id=f"{name}.unique",
        applies=[f"column {table}.{column}" for column in [*columns, *flags]],
        why=why,
        hint="find out which of the entries is right, and remove or close the others",
        owner=owner,
        tags=["identity"],
    )

TABLES = [
    "kisaan_users",
    "kisaan_shops",
    "kisaan_plans",
    "kisaan_categories",
    "kisaan_products",
    "kisaan_transactions",
    "kisaan_payments",
    "kisaan_commissions",
    "payment_allocations",
    "kisaan_transaction_ledger",
]
SMALLER_TABLES = [
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
    "kisaan_ledger",
    "kisaan_ledger_entries",
    "kisaan_user_balances",
    "kisaan_expense_allocations",
    "farmer_product_assignments",
    "kisaan_features",
]
for table in TABLES:
    declare.constraint(
        table,
        "primary key",
        "id",
        id=f"{table}.id.primary_key",
        why="A duplicate number shows one person another's entry. While a primary key rejects "
        "duplicates, each number is known to occur once without reading them all.",
        hint=f"remove duplicates with the help of the backup, then ALTER TABLE {table} ADD PRIMARY KEY (id)",
        **IDENTITY,
    )
for table in [*TABLES, *SMALLER_TABLES]:
    declare.sequence(
        table,
        applies=[f"column {table}.id", f"not type {table}.id uuid"] if table in SMALLER_TABLES else (),
        why="The next number is already taken, as happens after a restore: the next entries fail "
        "in front of the customer until somebody notices.",
        hint=f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}",
        **IDENTITY,
    )
