-- Repairs what the seven migrations never look at. Runs first, so timestamps of payments and transactions are still UTC without a
-- zone. On an undamaged database every statement changes nothing.

-- Sales: the total follows from quantity and price, the farmer's share from the total.
UPDATE kisaan_transactions
SET total_amount = round(quantity * unit_price, 2), farmer_earning = round(quantity * unit_price, 2) - commission_amount
WHERE total_amount <> round(quantity * unit_price, 2) OR farmer_earning <> total_amount - commission_amount;

-- A product that does not exist: found again by its name.
UPDATE kisaan_transactions t SET product_id = p.id
FROM kisaan_products p
WHERE p.name = t.product_name AND p.category_id = t.category_id
  AND NOT EXISTS (SELECT 1 FROM kisaan_products q WHERE q.id = t.product_id) AND t.product_id IS NOT NULL;

-- A name that is neither today's nor older than a renaming.
UPDATE kisaan_transactions t SET product_name = p.name
FROM kisaan_products p
WHERE p.id = t.product_id AND p.name <> t.product_name AND p.updated_at <= t.created_at AT TIME ZONE 'UTC';

UPDATE kisaan_transactions t SET category_id = p.category_id
FROM kisaan_products p WHERE p.id = t.product_id AND p.category_id <> t.category_id;

UPDATE kisaan_transactions SET status = 'pending' WHERE status = 'open';

-- A mistyped year: the last change of a settled sale is its settlement.
UPDATE kisaan_transactions SET settlement_date = updated_at WHERE settlement_date AT TIME ZONE 'UTC' > now();

-- Payments: what their sale says is right.
UPDATE kisaan_payments p SET shop_id = t.shop_id
FROM kisaan_transactions t WHERE t.id = p.transaction_id AND p.shop_id <> t.shop_id;

UPDATE kisaan_payments p SET counterparty_id = CASE p.payer_type WHEN 'BUYER' THEN t.buyer_id ELSE t.farmer_id END
FROM kisaan_transactions t
WHERE t.id = p.transaction_id AND p.counterparty_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM kisaan_users u WHERE u.id = p.counterparty_id);

UPDATE kisaan_payments p SET amount = CASE p.payer_type WHEN 'BUYER' THEN t.total_amount ELSE t.farmer_earning END
FROM kisaan_transactions t WHERE t.id = p.transaction_id AND p.amount <= 0;

UPDATE kisaan_payments SET updated_at = created_at WHERE updated_at < created_at;
UPDATE kisaan_payments SET payment_date = created_at AT TIME ZONE 'UTC' WHERE payment_date < '2024-01-01 00:00+00' OR payment_date > now();

-- Allocations: one row for a pair, then no more than the payment.
WITH pair AS (
    SELECT payment_id, transaction_id, min(id) AS keep, sum(allocated_amount) AS total
    FROM payment_allocations GROUP BY payment_id, transaction_id HAVING count(*) > 1
), gone AS (
    DELETE FROM payment_allocations a USING pair p
    WHERE a.payment_id = p.payment_id AND a.transaction_id = p.transaction_id AND a.id > p.keep
)
UPDATE payment_allocations a SET allocated_amount = p.total FROM pair p WHERE a.id = p.keep;

-- The newest allocation of a payment gives up the excess.
UPDATE payment_allocations a SET allocated_amount = a.allocated_amount - x.excess
FROM (SELECT max(a.id) AS id, sum(a.allocated_amount) - p.amount AS excess
      FROM payment_allocations a JOIN kisaan_payments p ON p.id = a.payment_id
      GROUP BY p.id HAVING sum(a.allocated_amount) > p.amount) x
WHERE x.id = a.id;

-- Books: a reversing entry for each absurd adjustment (never a deletion), then balances follow the ledger.
INSERT INTO kisaan_transaction_ledger (user_id, role, delta_amount, balance_before, balance_after, reason_code, created_at)
SELECT l.user_id, l.role, -l.delta_amount, l.balance_after, l.balance_before, 'REVERSAL', '2025-10-17 04:00+00'
FROM kisaan_transaction_ledger l JOIN kisaan_users u ON u.id = l.user_id
WHERE l.reason_code = 'ADJUSTMENT' AND u.balance = l.balance_after
  AND (abs(u.balance) > 10000000 OR (u.balance < 0 AND lower(u.role::text) IN ('owner', 'superadmin')));

UPDATE kisaan_transaction_ledger l SET transaction_id = NULL
WHERE transaction_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM kisaan_transactions t WHERE t.id = l.transaction_id);

UPDATE kisaan_users u SET balance = coalesce(l.balance, 0), updated_at = greatest(u.updated_at, l.last_at)
FROM kisaan_users v
LEFT JOIN (SELECT user_id, sum(delta_amount) AS balance, max(created_at) AS last_at FROM kisaan_transaction_ledger GROUP BY user_id) l
    ON l.user_id = v.id
WHERE v.id = u.id AND u.balance <> coalesce(l.balance, 0);

-- Not a number: what was paid for the expense is what it cost.
UPDATE kisaan_expenses e SET amount = s.paid
FROM (SELECT expense_id, sum(settled_amount) AS paid FROM expense_settlements GROUP BY expense_id) s
WHERE s.expense_id = e.id AND e.amount = 'NaN';

-- People: owners belong to no shop, farmers and buyers to the shop whose owner entered them.
UPDATE kisaan_users SET shop_id = NULL WHERE lower(role::text) = 'owner' AND shop_id IS NOT NULL;
UPDATE kisaan_users u SET shop_id = s.id
FROM kisaan_shops s WHERE s.owner_id = u.created_by AND u.shop_id IS NULL AND lower(u.role::text) IN ('farmer', 'buyer');

-- Every sequence that is behind its table.
DO $$
DECLARE c record; highest bigint; current bigint;
BEGIN
    FOR c IN SELECT quote_ident(table_name) AS tab, pg_get_serial_sequence(quote_ident(table_name), column_name) AS seq
             FROM information_schema.columns
             WHERE table_schema = 'public' AND column_name = 'id' AND column_default LIKE 'nextval%' LOOP
        EXECUTE format('SELECT max(id) FROM %s', c.tab) INTO highest;
        EXECUTE format('SELECT last_value FROM %s', c.seq) INTO current;
        IF highest > current THEN PERFORM setval(c.seq, highest); END IF;
    END LOOP;
END $$;
