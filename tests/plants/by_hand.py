"""Plants for the checks that say something of KisaanCenter alone. Where the field made the mistake, that
mistake.
"""

from __future__ import annotations

from plants.base import Plant

ORPHANED = "SET session_replication_role = replica;\n"

DROP_CONSTRAINT = """
DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT conname FROM pg_constraint
             WHERE conrelid = '{table}'::regclass AND contype = '{kind}'
               AND (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute AS a
                    WHERE a.attrelid = conrelid AND a.attnum = ANY (conkey)) = '{columns}'::text[] LOOP
        EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', c.conname);
    END LOOP;
END $$
"""
DROP_UNIQUE_INDEXES = """
DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = 'kisaan_commissions'::regclass AND contype = 'u' LOOP
        EXECUTE format('ALTER TABLE kisaan_commissions DROP CONSTRAINT %I', c.conname);
    END LOOP;
    FOR c IN SELECT indexrelid::regclass AS name FROM pg_index
             WHERE indrelid = 'kisaan_commissions'::regclass AND indisunique AND NOT indisprimary LOOP
        EXECUTE format('DROP INDEX %s', c.name);
    END LOOP;
END $$;
"""

UNGUARD_ALL = """
DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype IN ('c', 'u') LOOP
        EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I CASCADE', c.conname);
    END LOOP;
    FOR c IN SELECT indexrelid::regclass AS name FROM pg_index WHERE indrelid = '{table}'::regclass AND indisunique AND NOT indisprimary LOOP
        EXECUTE format('DROP INDEX %s', c.name);
    END LOOP;
END $$;
"""
"""Nothing keeps a wrong entry out of the table."""

IN_PUBLIC = {"kisaan_transactions.total_sale_value.paid_once"}
"""Plants that make the installation that they are about out of one in the public schema."""

PLANTS: dict[str, Plant] = {
    # --- the public schema ----------------------------------------------------------------------------------
    "SequelizeMeta.name.filled": Plant(
        "UPDATE \"SequelizeMeta\" SET name = '' WHERE name LIKE '20241222%'", 1, {"name": ""}
    ),
    "SequelizeMeta.name.unique": Plant(
        'ALTER TABLE "SequelizeMeta" DROP CONSTRAINT "SequelizeMeta_pkey"; INSERT INTO "SequelizeMeta" '
        'SELECT name FROM "SequelizeMeta" LIMIT 1',
        1,
        {"rows_found": "2"},
    ),
    "SequelizeMeta.name.not_in_both": Plant(
        "INSERT INTO _migrations (name) SELECT name FROM \"SequelizeMeta\" WHERE name LIKE '20250924%'",
        1,
        {"name": "20250924_create_transaction_idempotency.ts"},
    ),
    "kisaan_users.shop_id.owner_disputed": Plant(
        UNGUARD_ALL.format(table="kisaan_users") + "UPDATE kisaan_users SET shop_id = 3 WHERE id IN (4, 5)",
        2,
        {"id": "5", "shop_id": "3"},
    ),
    "kisaan_plan_usage.start_date.before_end_date": Plant(
        "UPDATE kisaan_plan_usage SET end_date = start_date - 1 WHERE id = 3", 1, {"id": "3"}
    ),
    "kisaan_plan_usage.shop_id_active.unique": Plant(
        "DROP INDEX one_active_plan_a_shop; UPDATE kisaan_plan_usage SET is_active = true WHERE id IN (1, 3)",
        2,
        {"shop_id": "2"},
    ),
    "farmer_product_assignments.farmer_id_default.unique": Plant(
        "UPDATE farmer_product_assignments SET is_default = true WHERE id = 2", 1, {"farmer_id": "22"}
    ),
    "kisaan_expenses.ledger_entry_id.unique": Plant(
        UNGUARD_ALL.format(table="kisaan_expenses")
        + "UPDATE kisaan_expenses SET ledger_entry_id = (SELECT ledger_entry_id FROM kisaan_expenses "
        "WHERE id = 1) WHERE id IN (2, 3)",
        2,
        {"rows_found": "3"},
    ),
    "kisaan_ledger.farmer_id.role": Plant(
        "UPDATE kisaan_ledger SET farmer_id = 2 WHERE id = 4", 1, {"id": "4"}
    ),
    "farmer_product_assignments.farmer_id.role": Plant(
        "UPDATE farmer_product_assignments SET farmer_id = 300 WHERE id = 5", 1, {"id": "5"}
    ),
    "kisaan_users.username.enforced": Plant(UNGUARD_ALL.format(table="kisaan_users"), 1, {}),
    "kisaan_products.name_category_id.enforced": Plant(
        # A unique index over more columns keeps no product from being there twice.
        UNGUARD_ALL.format(table="kisaan_products")
        + "CREATE UNIQUE INDEX wide ON kisaan_products (name, category_id, unit)",
        1,
        {},
    ),
    "kisaan_transactions.total_sale_value.quantity_times_price": Plant(
        "UPDATE kisaan_transactions SET total_sale_value = total_sale_value - 0.01 WHERE id IN (4, 8)",
        2,
        {"id": "8"},
    ),
    "kisaan_transactions.total_sale_value.split": Plant(
        "UPDATE kisaan_transactions SET shop_commission = shop_commission + 0.01 WHERE id = 9", 1, {"id": "9"}
    ),
    "kisaan_transactions.total_amount.as_before": Plant(
        # As the step of the field leaves older sales.
        UNGUARD_ALL.format(table="kisaan_transactions")
        + "UPDATE kisaan_transactions SET total_amount = 0 WHERE id <= 12",
        12,
        {"id": "12"},
    ),
    "kisaan_transactions.commission_amount.as_before": Plant(
        UNGUARD_ALL.format(table="kisaan_transactions")
        + "UPDATE kisaan_transactions SET commission_amount = 0 WHERE id = 12",
        1,
        {"id": "12"},
    ),
    "kisaan_transactions.total_amount.paid_once": Plant(
        # A payment that is not PAID does not count, one that is allocated twice does.
        "INSERT INTO payment_allocations (payment_id, transaction_id, allocated_amount) SELECT p.id, 1, "
        "0.01 FROM kisaan_payments p "
        "WHERE status = 'PAID' AND payer_type = 'BUYER' ORDER BY id DESC LIMIT 1;"
        "INSERT INTO payment_allocations (payment_id, transaction_id, allocated_amount) SELECT p.id, 2, "
        "1000000 FROM kisaan_payments p "
        "WHERE status = 'FAILED' AND payer_type = 'BUYER' ORDER BY id LIMIT 1",
        1,
        {"id": "1"},
    ),
    "kisaan_transactions.total_sale_value.paid_once": Plant(
        "ALTER TABLE kisaan_transactions DROP COLUMN total_amount CASCADE;"
        "UPDATE payment_allocations SET allocated_amount = allocated_amount + 0.01 WHERE transaction_id "
        "IN (SELECT transaction_id "
        "FROM payment_allocations ORDER BY 1 LIMIT 2)",
        2,
        {},
    ),
    "kisaan_expenses.allocated_amount.allocations_sum": Plant(
        "UPDATE kisaan_expense_allocations SET allocated_amount = allocated_amount + 0.01 WHERE "
        "expense_id = 1;"
        "INSERT INTO kisaan_expense_allocations (expense_id, allocated_amount, allocation_type) VALUES "
        "(3, 5, 'adjustment')",
        2,
        {"id": "3"},
    ),
    "kisaan_expenses.total_amount.same_as_amount": Plant(
        UNGUARD_ALL.format(table="kisaan_expenses")
        + "UPDATE kisaan_expenses SET total_amount = amount + 0.01 WHERE id = 4;"
        "UPDATE kisaan_expenses SET total_amount = NULL WHERE id = 5",
        1,
        {"id": "4"},
    ),
    "kisaan_ledger.net_amount.step": Plant(
        "UPDATE kisaan_ledger SET net_amount = net_amount - 0.01 WHERE id = 6", 1, {"id": "6"}
    ),
    "balance_snapshots.new_balance.step": Plant(
        "UPDATE balance_snapshots SET new_balance = new_balance + 0.0001 WHERE id = 7", 1, {"id": "7"}
    ),
    "kisaan_balance_snapshots.new_balance.step": Plant(
        "UPDATE kisaan_balance_snapshots SET amount_change = 0 WHERE id = 8", 1, {"id": "8"}
    ),
    "kisaan_expenses.remaining_amount.step": Plant(
        "UPDATE kisaan_expenses SET remaining_amount = remaining_amount + 0.01 WHERE id = 9", 1, {"id": "9"}
    ),
    "kisaan_expenses.allocation_status.as_amounts": Plant(
        "UPDATE kisaan_expenses SET allocation_status = 'FULLY_ALLOCATED' WHERE id IN (1, 4);"
        "UPDATE kisaan_expenses SET allocation_status = 'unallocated' WHERE id = 7",
        3,
        {"id": "7"},
    ),
    "kisaan_expense_allocations.transaction_id.as_type": Plant(
        "UPDATE kisaan_expense_allocations SET transaction_id = NULL WHERE id = 1", 1, {"id": "1"}
    ),
    "kisaan_expenses.amount.settled_within": Plant(
        "UPDATE expense_settlements SET amount = amount + 0.01 WHERE id = 2", 1, {"id": "5"}
    ),
    "kisaan_user_balances.balance.entries_sum": Plant(
        # A paisa too much, and a balance without entries.
        "UPDATE kisaan_user_balances SET balance = balance + 0.01 WHERE id = 1;"
        "INSERT INTO kisaan_user_balances (user_id, shop_id, balance) VALUES (1, 1, 5)",
        2,
        {"id": "1"},
    ),
    "kisaan_ledger_entries.user_id_shop_id.has_balance": Plant(
        "UPDATE kisaan_ledger_entries SET shop_id = shop_id % 20 + 1 WHERE id = 5", 1, {"id": "5"}
    ),
    "kisaan_user_balances.version.greater_than_or_equal_to": Plant(
        "UPDATE kisaan_user_balances SET version = -1 WHERE id = 1", 1, {"id": "1"}
    ),
    "kisaan_payments.payment_date.invented_midnight": Plant(
        "UPDATE kisaan_payments SET payment_date = '2026-01-10 00:00+05:30', method = 'CASH' WHERE id <= 4;"
        "UPDATE kisaan_payments SET payment_date = '2026-01-11 00:00+05:30', method = 'CHEQUE' WHERE id "
        "BETWEEN 5 AND 9;"
        "UPDATE kisaan_payments SET payment_date = '2026-01-12 00:00+05:30', method = 'UPI' WHERE id "
        "BETWEEN 10 AND 11",
        4,
        {"id": "4"},
    ),
    "database.timestamps.defaults_keep_zone": Plant(
        "ALTER TABLE kisaan_payments ALTER created_at SET DEFAULT (now() AT TIME ZONE 'UTC')",
        1,
        {"table_name": "kisaan_payments", "column_name": "created_at"},
    ),
    # --- money ----------------------------------------------------------------------------------------------
    "kisaan_transactions.total_amount.quantity_times_price": Plant(
        "UPDATE kisaan_transactions SET total_amount = total_amount + 0.01 WHERE id IN (1, 2, 3)",
        3,
        {"id": "2"},
    ),
    "kisaan_transactions.total_amount.split": Plant(
        "UPDATE kisaan_transactions SET farmer_earning = farmer_earning + 0.01 WHERE id IN (4, 5)",
        2,
        {"id": "4"},
    ),
    "kisaan_transactions.farmer_earning.split_without_total": Plant(
        "ALTER TABLE kisaan_transactions DROP COLUMN total_amount CASCADE;"
        "UPDATE kisaan_transactions SET farmer_earning = farmer_earning - 0.01 WHERE id = 6",
        1,
        {"id": "6"},
    ),
    "kisaan_transactions.commission_amount.as_agreed": Plant(
        "UPDATE kisaan_transactions SET commission_amount = commission_amount + 1, farmer_earning = "
        "farmer_earning - 1 "
        "WHERE id = 7",
        1,
        {"id": "7"},
    ),
    "kisaan_commissions.rate.percentage_at_most_100": Plant(
        "UPDATE kisaan_commissions SET rate = 100.01 WHERE id = 1 AND type = 'percentage'", 1, {"id": "1"}
    ),
    "kisaan_users.balance.ledger_sum": Plant(
        "UPDATE kisaan_users SET balance = balance + 0.01 WHERE id IN (2, 100)", 2, {"id": "100"}
    ),
    "kisaan_payments.amount.allocations_within": Plant(
        "UPDATE kisaan_payments SET amount = amount - 0.01 "
        "WHERE id = (SELECT min(payment_id) FROM payment_allocations)",
        1,
        {"id": "1"},
    ),
    "payment_allocations.payment_id_transaction_id.unique": Plant(
        "INSERT INTO payment_allocations (payment_id, transaction_id, allocated_amount) "
        "SELECT payment_id, transaction_id, 0.01 FROM payment_allocations WHERE id = 1",
        1,
        {"payment_id": "1", "transaction_id": "1"},
    ),
    "kisaan_transaction_ledger.balance_after.step": Plant(
        "UPDATE kisaan_transaction_ledger SET balance_after = balance_after + 0.01 WHERE id = 5",
        1,
        {"id": "5"},
    ),
    "kisaan_settlements.amount.step": Plant(
        "UPDATE kisaan_settlements SET amount = amount + 0.01 WHERE id = 1", 1, {"id": "1"}
    ),
    "kisaan_credits.repaid_amount.within": Plant(
        "UPDATE kisaan_credits SET repaid_amount = amount + 0.01 WHERE id = 1", 1, {"id": "1"}
    ),
    "kisaan_expenses.amount.settlements_within": Plant(
        "UPDATE kisaan_expenses SET amount = amount - 0.01 WHERE id = 1", 1, {"id": "1"}
    ),
    # --- identity -------------------------------------------------------------------------------------------
    "kisaan_payments.product_id.agrees": Plant(
        # One left empty by the backfill, one filed under another product, one whose sale names no product.
        "UPDATE kisaan_payments SET product_id = NULL WHERE id = 1;"
        "UPDATE kisaan_payments SET product_id = 1 + product_id % 40 WHERE id = 3;"
        "UPDATE kisaan_transactions SET product_id = NULL WHERE id = 3;"
        "UPDATE kisaan_payments SET product_id = NULL WHERE transaction_id = 3 AND id > 5",
        3,
        {"id": "1"},
    ),
    "kisaan_payments.shop_id.agrees": Plant(
        "UPDATE kisaan_payments SET shop_id = 1 + shop_id % 60 WHERE id = 1;"
        "UPDATE kisaan_payments SET shop_id = NULL WHERE id = 2",
        2,
        {"id": "1"},
    ),
    "kisaan_transactions.category_id.agrees": Plant(
        "UPDATE kisaan_transactions SET category_id = 1 + category_id % 6 WHERE id = 1", 1, {"id": "1"}
    ),
    "kisaan_transactions.product_name.agrees": Plant(
        "UPDATE kisaan_transactions SET product_name = 'Kanda' WHERE id = 1", 1, {"id": "1"}
    ),
    "kisaan_users.shop_id.owner_has_none": Plant(
        "UPDATE kisaan_users SET shop_id = 1 WHERE id = 2", 1, {"id": "2"}
    ),
    "kisaan_users.shop_id.farmer_and_buyer_have_one": Plant(
        "UPDATE kisaan_users SET shop_id = NULL WHERE id IN (62, 1021)", 2, {"id": "1021"}
    ),
    "kisaan_users.balance.owner_not_negative": Plant(
        "UPDATE kisaan_users SET balance = -0.01 WHERE id IN (1, 2, 62)", 2, {"id": "1"}
    ),
    "kisaan_shops.owner_id.role": Plant("UPDATE kisaan_shops SET owner_id = 1 WHERE id = 1", 1, {"id": "1"}),
    "kisaan_transactions.farmer_id.role": Plant(
        "UPDATE kisaan_transactions SET farmer_id = buyer_id WHERE id = 1", 1, {"id": "1"}
    ),
    "kisaan_transactions.buyer_id.role": Plant(
        "UPDATE kisaan_transactions SET buyer_id = farmer_id WHERE id = 1", 1, {"id": "1"}
    ),
    "kisaan_commissions.shop_id_rate_type.unique": Plant(
        # The house default twice more: NULL equals NULL here, which the migration overlooked.
        DROP_UNIQUE_INDEXES + "ALTER TABLE kisaan_commissions ALTER COLUMN shop_id DROP NOT NULL;"
        "INSERT INTO kisaan_commissions (shop_id, rate, type) VALUES (NULL, 99, 'fixed'), (NULL, 99, "
        "'fixed'), "
        "(NULL, 99, 'fixed')",
        2,
        {"shop_id": None, "rate": "99.00", "type": "fixed"},
    ),
    # --- time -----------------------------------------------------------------------------------------------
    "kisaan_payments.payment_date.invented": Plant(
        # Cut to the minute (one of the entries was touched since); the very instant twice; and two promises
        # for one minute, which are none.
        "UPDATE kisaan_payments SET payment_date = date_trunc('minute', now() - interval '2 days') WHERE "
        "id <= 5;"
        "UPDATE kisaan_payments SET updated_at = now() WHERE id = 5;"
        "UPDATE kisaan_payments SET payment_date = now() - interval '3 days' WHERE id IN (6, 7);"
        "UPDATE kisaan_payments SET payment_date = '2026-02-01 10:00+05:30' WHERE id IN (8, 9)",
        7,
        {"id": "5"},
    ),
    "kisaan_transactions.created_at.not_shifted": Plant(
        "UPDATE kisaan_transactions SET created_at = created_at - interval '5 hours 30 minutes', "
        "updated_at = updated_at - interval '5 hours 30 minutes'",
        1400,  # the sales that are on the ledger: neither pending nor cancelled
        {"id": "1"},
    ),
    "kisaan_payments.created_at.not_shifted": Plant(
        "UPDATE kisaan_payments SET created_at = created_at - interval '5 hours 30 minutes', "
        "updated_at = updated_at - interval '5 hours 30 minutes'",
        1601,  # the payments that were entered when they were made
        {"id": "1"},
    ),
    # --- the database ---------------------------------------------------------------------------------------
    "_migrations.name.all_applied": Plant(
        "DELETE FROM _migrations WHERE name >= '20251018_05'",
        3,
        {"missing_name": "20251018_06_backfill_product_id.sql"},
    ),
    "_migrations.executed_at.in_order": Plant(
        "UPDATE _migrations SET executed_at = now() - interval '1 minute' WHERE name LIKE '20251018%';"
        "UPDATE _migrations SET executed_at = now() WHERE name LIKE '20251018_05%'",
        2,
        {"name": "20251018_07_validation_queries.sql"},
    ),
    "kisaan_payments.payment_date.not_null_enforced": Plant(
        "ALTER TABLE kisaan_payments ALTER COLUMN payment_date DROP NOT NULL", 1, {}
    ),
    "kisaan_payments.product_id.foreign_key": Plant(
        DROP_CONSTRAINT.format(table="kisaan_payments", kind="f", columns="{product_id}"), 1, {}
    ),
    "kisaan_transactions.product_id.foreign_key": Plant(
        # Not validated is not enforced: old rows were never looked at.
        DROP_CONSTRAINT.format(table="kisaan_transactions", kind="f", columns="{product_id}")
        + "; ALTER TABLE kisaan_transactions ADD FOREIGN KEY (product_id) REFERENCES kisaan_products "
        "(id) NOT VALID",
        1,
        {},
    ),
    "kisaan_commissions.shop_id_rate_type.enforced": Plant(DROP_UNIQUE_INDEXES, 1, {}),
    "database.timestamps.have_zone": Plant(
        "ALTER TABLE kisaan_transactions ALTER COLUMN transaction_date TYPE timestamp, "
        "ALTER COLUMN settlement_date TYPE timestamp",
        2,
        {"column": "kisaan_transactions.transaction_date"},
    ),
    "database.no_real": Plant(
        "ALTER TABLE kisaan_expenses ALTER COLUMN amount TYPE real", 1, {"column": "kisaan_expenses.amount"}
    ),
    "database.no_double_precision": Plant(
        "ALTER TABLE kisaan_users ADD COLUMN limit_amount double precision",
        1,
        {"column": "kisaan_users.limit_amount"},
    ),
    "database.no_money": Plant(
        "ALTER TABLE kisaan_users ADD COLUMN limit_amount money", 1, {"column": "kisaan_users.limit_amount"}
    ),
    "database.no_numeric_10_2": Plant(
        "ALTER TABLE kisaan_expenses ALTER COLUMN amount TYPE numeric(10,2)",
        1,
        {"column": "kisaan_expenses.amount"},
    ),
    "database.no_numeric_12_2": Plant(
        "ALTER TABLE kisaan_users ALTER COLUMN balance TYPE numeric(12,2)",
        1,
        {"column": "kisaan_users.balance"},
    ),
    "database.no_numeric_15_2": Plant(
        "ALTER TABLE payment_allocations ALTER COLUMN allocated_amount TYPE numeric(15,2)",
        1,
        {"column": "payment_allocations.allocated_amount"},
    ),
    "database.no_numeric_16_4": Plant(
        "ALTER TABLE kisaan_balance_snapshots ALTER COLUMN balance TYPE numeric(16,4)",
        1,
        {"column": "kisaan_balance_snapshots.balance"},
    ),
    "kisaan_users.username.smoke_test_left": Plant(
        "UPDATE kisaan_users SET username = 'test' WHERE id = 70", 1, {"id": "70"}
    ),
}
"""Check id to plant."""
