-- Plants the faults that the field had before the migrations, on top of fill.sql. The numbers are the same at every size; every
-- fault breaks one invariant only, and no two faults touch the same row. manifest.toml lists them by the names used here.

CREATE FUNCTION pg_temp.h(id bigint, salt bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT hashint8extended(id, salt) $$;
CREATE TEMP TABLE demo_fault (fault text, tab text, id bigint, PRIMARY KEY (tab, id));

-- Choosing rows ----------------------------------------------------------------------------------------------------------
-- One pass ranks the rows of every class by hash; each fault then takes its share of the ranks.
INSERT INTO demo_fault
SELECT f.fault, 'tx', t.id
FROM (SELECT id, class, row_number() OVER (PARTITION BY class ORDER BY pg_temp.h(id, 101), id) AS rank
      FROM (SELECT t.id, CASE WHEN t.status = 'pending' AND round((t.total_amount + 0.01) * t.commission_rate / 100, 2) = t.commission_amount
                                   THEN 'unpaid'                      -- no payment and no ledger row refers to it
                              WHEN t.status = 'settled' AND t.product_id IS NOT NULL AND p.updated_at < t.created_at AT TIME ZONE 'UTC'
                                   THEN 'settled' END AS class        -- has exactly two payments
            FROM kisaan_transactions t LEFT JOIN kisaan_products p ON p.id = t.product_id) c WHERE class IS NOT NULL) t
JOIN (VALUES ('transaction_total_not_product', 'unpaid', 1, 3), ('transaction_split_does_not_add_up', 'unpaid', 4, 5),
             ('transaction_product_orphan', 'settled', 1, 4), ('transaction_product_name_differs', 'settled', 5, 9),
             ('transaction_category_differs', 'settled', 10, 11), ('transaction_status_unknown', 'unpaid', 6, 7),
             ('transaction_settled_in_future', 'settled', 12, 12), ('ledger_transaction_orphan', 'settled', 13, 15))
     f (fault, class, first, last) ON f.class = t.class AND t.rank BETWEEN f.first AND f.last;

INSERT INTO demo_fault
SELECT f.fault, 'payment', p.id
FROM (SELECT id, class, row_number() OVER (PARTITION BY class ORDER BY pg_temp.h(id, 102), id) AS rank
      FROM (SELECT p.id, CASE WHEN a.n = 1 AND p.amount < t.total_amount - 500 THEN 'part_allocated'
                              WHEN a.n = 1 AND p.amount > 300 AND p.amount = t.total_amount THEN 'allocated'
                              WHEN a.n IS NULL AND p.status = 'FAILED' AND p.transaction_id IS NOT NULL THEN 'failed'
                              WHEN a.n IS NULL AND p.status = 'PAID' AND p.transaction_id IS NULL THEN 'free'
                              WHEN a.n IS NULL AND p.status = 'PAID' THEN 'tied' END AS class
            FROM kisaan_payments p LEFT JOIN kisaan_transactions t ON t.id = p.transaction_id
            LEFT JOIN (SELECT payment_id, count(*) AS n FROM payment_allocations GROUP BY 1) a ON a.payment_id = p.id) c WHERE class IS NOT NULL) p
JOIN (VALUES ('payment_over_allocated', 'part_allocated', 1, 1), ('allocation_booked_twice', 'allocated', 1, 1),
             ('payment_amount_zero', 'failed', 1, 2), ('payment_date_before_company', 'free', 1, 2),
             ('payment_date_null', 'free', 3, 12), ('payment_date_null', 'tied', 1, 127),
             ('payment_counterparty_orphan', 'tied', 128, 129), ('payment_shop_differs', 'tied', 130, 133),
             ('payment_updated_before_created', 'tied', 134, 136))
     f (fault, class, first, last) ON f.class = p.class AND p.rank BETWEEN f.first AND f.last;

INSERT INTO demo_fault
SELECT f.fault, 'user', u.id
FROM (SELECT id, lower(role::text) AS role, row_number() OVER (PARTITION BY lower(role::text) ORDER BY pg_temp.h(id, 103), id) AS rank
      FROM kisaan_users u WHERE EXISTS (SELECT 1 FROM kisaan_transaction_ledger l WHERE l.user_id = u.id)) u
JOIN (VALUES ('user_balance_off_ledger', 'buyer', 1, 2), ('user_balance_beyond_limit', 'buyer', 3, 3), ('farmer_without_shop', 'farmer', 1, 2),
             ('owner_with_shop', 'owner', 1, 1), ('owner_balance_negative', 'owner', 2, 2))
     f (fault, role, first, last) ON f.role = u.role AND u.rank BETWEEN f.first AND f.last;

-- What the migrations are meant to cure -----------------------------------------------------------------------------------
UPDATE kisaan_payments p SET payment_date = NULL FROM demo_fault f WHERE f.fault = 'payment_date_null' AND f.tab = 'payment' AND f.id = p.id;

-- 40 surplus rows: 20 keys twice, 10 keys three times.
INSERT INTO kisaan_commissions (shop_id, rate, type, created_at, updated_at)
SELECT c.shop_id, c.rate, c.type, c.created_at + make_interval(secs => 86400 * n), c.updated_at + make_interval(secs => 86400 * n)
FROM kisaan_commissions c, generate_series(1, 2) n
WHERE c.id IN (SELECT id FROM kisaan_commissions WHERE shop_id IS NOT NULL ORDER BY id LIMIT 300) AND c.id % 10 = 3 AND (n = 1 OR c.id % 30 = 3)
ORDER BY n, c.id;

-- The house defaults twice more each: equal to a reader, never equal to "=".
INSERT INTO kisaan_commissions (shop_id, rate, type, created_at, updated_at)
SELECT shop_id, rate, type, created_at + make_interval(secs => 86400 * n), updated_at + make_interval(secs => 86400 * n)
FROM kisaan_commissions, generate_series(1, 2) n WHERE shop_id IS NULL ORDER BY n, id;

-- What no migration touches -----------------------------------------------------------------------------------------------
UPDATE kisaan_transactions t SET total_amount = total_amount + 0.01, farmer_earning = farmer_earning + 0.01
FROM demo_fault f WHERE f.fault = 'transaction_total_not_product' AND f.id = t.id;
UPDATE kisaan_transactions t SET farmer_earning = farmer_earning + 1.00
FROM demo_fault f WHERE f.fault = 'transaction_split_does_not_add_up' AND f.id = t.id;
UPDATE kisaan_transactions t SET product_id = 900001 FROM demo_fault f WHERE f.fault = 'transaction_product_orphan' AND f.id = t.id;
UPDATE kisaan_transactions t SET product_name = product_name || ' (Grade B)'
FROM demo_fault f WHERE f.fault = 'transaction_product_name_differs' AND f.id = t.id;
UPDATE kisaan_transactions t SET category_id = category_id % 6 + 1 FROM demo_fault f WHERE f.fault = 'transaction_category_differs' AND f.id = t.id;
UPDATE kisaan_transactions t SET status = 'open' FROM demo_fault f WHERE f.fault = 'transaction_status_unknown' AND f.id = t.id;
UPDATE kisaan_transactions t SET settlement_date = settlement_date + interval '27 years'
FROM demo_fault f WHERE f.fault = 'transaction_settled_in_future' AND f.id = t.id;
UPDATE kisaan_transaction_ledger l SET transaction_id = 2000000000 + l.transaction_id
FROM demo_fault f WHERE f.fault = 'ledger_transaction_orphan' AND f.id = l.transaction_id AND l.reason_code = 'SALE';

UPDATE kisaan_payments p SET counterparty_id = 9000000 + counterparty_id FROM demo_fault f WHERE f.fault = 'payment_counterparty_orphan' AND f.id = p.id;
UPDATE kisaan_payments p SET shop_id = shop_id % 60 + 1 FROM demo_fault f WHERE f.fault = 'payment_shop_differs' AND f.id = p.id;
UPDATE kisaan_payments p SET updated_at = created_at - interval '1 hour' FROM demo_fault f WHERE f.fault = 'payment_updated_before_created' AND f.id = p.id;
UPDATE kisaan_payments p SET payment_date = payment_date - make_interval(secs => 3650 * 86400::bigint)
FROM demo_fault f WHERE f.fault = 'payment_date_before_company' AND f.id = p.id;
UPDATE kisaan_payments p SET amount = 0 FROM demo_fault f WHERE f.fault = 'payment_amount_zero' AND f.id = p.id;
UPDATE payment_allocations a SET allocated_amount = allocated_amount + 250.00
FROM demo_fault f WHERE f.fault = 'payment_over_allocated' AND f.id = a.payment_id;
-- The pair twice, the sum unchanged.
INSERT INTO payment_allocations (payment_id, transaction_id, allocated_amount, created_at, updated_at)
SELECT a.payment_id, a.transaction_id, 100.00, a.created_at, a.updated_at
FROM payment_allocations a JOIN demo_fault f ON f.fault = 'allocation_booked_twice' AND f.id = a.payment_id;
UPDATE payment_allocations a SET allocated_amount = allocated_amount - 100.00
FROM demo_fault f WHERE f.fault = 'allocation_booked_twice' AND f.id = a.payment_id
    AND a.id = (SELECT min(b.id) FROM payment_allocations b WHERE b.payment_id = a.payment_id);

UPDATE kisaan_users u SET balance = balance + 500.00 FROM demo_fault f WHERE f.fault = 'user_balance_off_ledger' AND f.id = u.id;
UPDATE kisaan_users u SET shop_id = NULL FROM demo_fault f WHERE f.fault = 'farmer_without_shop' AND f.id = u.id;
UPDATE kisaan_users u SET shop_id = u.id - 1 FROM demo_fault f WHERE f.fault = 'owner_with_shop' AND f.id = u.id;
-- Two adjustments booked in ledger and balance alike: the books agree, the amounts are absurd.
INSERT INTO kisaan_transaction_ledger (user_id, role, delta_amount, balance_before, balance_after, reason_code, created_at)
SELECT u.id, lower(u.role::text), goal - u.balance, u.balance, goal, 'ADJUSTMENT', '2025-10-16 10:00+00'
FROM kisaan_users u JOIN demo_fault f ON f.tab = 'user' AND f.id = u.id
JOIN (VALUES ('owner_balance_negative', -1250.00), ('user_balance_beyond_limit', -12000000.00)) v (fault, goal) ON v.fault = f.fault ORDER BY u.id;
UPDATE kisaan_users u SET balance = l.balance_after, updated_at = l.created_at
FROM kisaan_transaction_ledger l WHERE l.reason_code = 'ADJUSTMENT' AND l.user_id = u.id;

UPDATE kisaan_expenses SET amount = 'NaN' WHERE id = 7;  -- greater than every number, so "amount > 0" lets it pass
-- As after a restore that copied rows but not sequences.
SELECT setval('kisaan_credits_id_seq', (SELECT max(id) FROM kisaan_credits) - 5);

DROP TABLE demo_fault;
DROP FUNCTION pg_temp.h(bigint, bigint);
ANALYZE kisaan_users, kisaan_transactions, kisaan_payments, kisaan_commissions, payment_allocations, kisaan_transaction_ledger, kisaan_expenses;
