-- A validation that can fail: it raises, the runner stops, and this file is not recorded as applied.
DO $$
DECLARE
    rule record;
    found bigint;
BEGIN
    FOR rule IN SELECT * FROM (VALUES
        ('payments without a date', $q$ SELECT 1 FROM kisaan_payments WHERE payment_date IS NULL $q$),
        ('payments dated after they were recorded', $q$ SELECT 1 FROM kisaan_payments WHERE payment_date > created_at $q$),
        ('duplicate commissions', $q$ SELECT 1 FROM kisaan_commissions GROUP BY shop_id, rate, type HAVING count(*) > 1 $q$),
        ('payments whose product differs from their sale''s', $q$ SELECT 1 FROM kisaan_payments p
             JOIN kisaan_transactions t ON t.id = p.transaction_id WHERE p.product_id IS DISTINCT FROM t.product_id $q$),
        ('sales whose total is not quantity x price', $q$ SELECT 1 FROM kisaan_transactions
             WHERE total_amount <> round(quantity * unit_price, 2) $q$),
        ('sales whose shares do not add up', $q$ SELECT 1 FROM kisaan_transactions
             WHERE total_amount <> commission_amount + farmer_earning $q$),
        ('sales whose ledger entry has another time', $q$ SELECT 1 FROM kisaan_transaction_ledger l
             JOIN kisaan_transactions t ON t.id = l.transaction_id WHERE l.reason_code = 'SALE' AND l.created_at <> t.created_at $q$),
        ('columns that are timestamp without time zone', $q$ SELECT 1 FROM information_schema.columns
             WHERE table_schema = 'public' AND data_type = 'timestamp without time zone' $q$)
    ) v (what, sql) LOOP
        EXECUTE 'SELECT count(*) FROM (' || rule.sql || ') v' INTO found;
        IF found > 0 THEN
            RAISE EXCEPTION 'validation failed: % (%)', rule.what, found;
        END IF;
    END LOOP;
END $$;
