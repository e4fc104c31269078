-- Every money column to numeric(18,2). Rates, quantities and hashes are not money. A table that an installation lacks is
-- passed over; a value with more than two decimals would be rounded, so it stops the migration instead.
DO $$
DECLARE
    m record;
    finer bigint;
BEGIN
    FOR m IN
        SELECT c.oid::regclass AS tab, quote_ident(a.attname) AS col
        FROM (VALUES
            ('kisaan_users', 'balance'), ('kisaan_users', 'cumulative_value'),
            ('kisaan_plans', 'price'), ('kisaan_plans', 'monthly_price'), ('kisaan_plans', 'quarterly_price'), ('kisaan_plans', 'yearly_price'),
            ('kisaan_transactions', 'unit_price'), ('kisaan_transactions', 'total_amount'),
            ('kisaan_transactions', 'commission_amount'), ('kisaan_transactions', 'farmer_earning'),
            ('kisaan_payments', 'amount'),
            ('payment_allocations', 'allocated_amount'), ('kisaan_payment_allocations', 'allocated_amount'),
            ('kisaan_transaction_ledger', 'delta_amount'), ('kisaan_transaction_ledger', 'balance_before'),
            ('kisaan_transaction_ledger', 'balance_after'),
            ('kisaan_credits', 'amount'), ('kisaan_credits', 'repaid_amount'),
            ('kisaan_settlements', 'opening_balance'), ('kisaan_settlements', 'amount'), ('kisaan_settlements', 'closing_balance'),
            ('kisaan_expenses', 'amount'), ('expense_settlements', 'settled_amount'),
            ('kisaan_balance_snapshots', 'balance'), ('kisaan_plan_usage', 'amount_billed'), ('kisaan_shop_products', 'default_price')
        ) v (tab, col)
        JOIN pg_class c ON c.relname = v.tab AND c.relnamespace = 'public'::regnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = v.col AND NOT a.attisdropped
        WHERE format_type(a.atttypid, a.atttypmod) <> 'numeric(18,2)'
    LOOP
        EXECUTE format('SELECT count(*) FROM %s WHERE %s <> round(%s, 2)', m.tab, m.col, m.col) INTO finer;
        IF finer > 0 THEN
            RAISE EXCEPTION '%.% has % values finer than a paisa', m.tab, m.col, finer;
        END IF;
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %s TYPE numeric(18,2)', m.tab, m.col);
    END LOOP;
END $$;
