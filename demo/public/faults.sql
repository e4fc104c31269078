-- Plants what the field did to an installation of the public schema. The numbers are the same at every size; every fault breaks
-- one invariant only, and no two faults touch the same row. manifest.toml lists them by the names used here.
CREATE TEMP TABLE demo_fault (fault text, tab text, id bigint, PRIMARY KEY (tab, id));
INSERT INTO demo_fault
SELECT f.fault, f.tab, r.id
FROM (VALUES ('sale_total_not_product', 'tx', 'settled', 1, 3), ('sale_split_does_not_add_up', 'tx', 'settled', 4, 5),
             ('payment_date_null', 'payment', 'paid', 1, 40), ('payment_date_full_minute', 'payment', 'paid', 41, 52),
             ('payment_completed', 'payment', 'pending', 1, 3), ('expense_total_differs', 'expense', 'partial', 1, 2),
             ('expense_of_nothing', 'expense', 'open', 1, 1), ('expense_in_future', 'expense', 'open', 2, 2),
             ('expense_allocations_off', 'expense', 'partial', 3, 3), ('balance_off_ledger', 'user', 'buyer', 1, 1),
             ('balance_off_entries', 'user', 'farmer', 1, 2), ('two_defaults', 'user', 'farmer', 3, 5))
     f (fault, tab, class, first, last)
JOIN (SELECT 'tx' AS tab, 'settled' AS class, id, row_number() OVER (ORDER BY hashint8extended(id, 1)) AS rank FROM kisaan_transactions WHERE id % 20 <> 0
      UNION ALL
      SELECT 'payment', lower(status::text), id, row_number() OVER (PARTITION BY status ORDER BY hashint8extended(id, 2))
      FROM kisaan_payments WHERE payment_date <= created_at AND created_at < '2025-10-05' AND status IN ('PAID', 'PENDING')
      UNION ALL
      SELECT 'expense', CASE allocation_status WHEN 'unallocated' THEN 'open' WHEN 'partially_allocated' THEN 'partial' END, id,
             row_number() OVER (PARTITION BY allocation_status ORDER BY hashint8extended(id, 3)) FROM kisaan_expenses
      UNION ALL
      SELECT 'user', role::text, id, row_number() OVER (PARTITION BY role ORDER BY hashint8extended(id, 4))
      FROM kisaan_users u WHERE EXISTS (SELECT FROM kisaan_user_balances b WHERE b.user_id = u.id)) r
  ON r.tab = f.tab AND r.class = f.class AND r.rank BETWEEN f.first AND f.last;

-- Sales and payments ---------------------------------------------------------------------------------------------------------
UPDATE kisaan_transactions t SET total_sale_value = total_sale_value + 0.01, farmer_earning = farmer_earning + 0.01
FROM demo_fault f WHERE f.fault = 'sale_total_not_product' AND f.id = t.id;
UPDATE kisaan_transactions t SET shop_commission = shop_commission + 1.00 FROM demo_fault f WHERE f.fault = 'sale_split_does_not_add_up' AND f.id = t.id;
UPDATE kisaan_payments p SET payment_date = NULL FROM demo_fault f WHERE f.fault = 'payment_date_null' AND f.tab = 'payment' AND f.id = p.id;
-- Somebody ran the runbook's UPDATE by hand one night, and cut the seconds off so that it would not look like a program's.
UPDATE kisaan_payments p SET payment_date = '2025-10-10 20:15+00' FROM demo_fault f WHERE f.fault = 'payment_date_full_minute' AND f.id = p.id;
UPDATE kisaan_payments p SET status = 'COMPLETED' FROM demo_fault f WHERE f.fault = 'payment_completed' AND f.id = p.id;
-- A share that belongs to one sale, entered at another that was paid already.
UPDATE payment_allocations SET transaction_id = (SELECT transaction_id FROM payment_allocations WHERE id = 21) WHERE id = 22;

-- The ledgers -----------------------------------------------------------------------------------------------------------------
UPDATE kisaan_users u SET balance = balance + 500 FROM demo_fault f WHERE f.fault = 'balance_off_ledger' AND f.id = u.id;
UPDATE kisaan_user_balances b SET balance = balance - 100 FROM demo_fault f WHERE f.fault = 'balance_off_entries' AND f.id = b.user_id;
UPDATE kisaan_ledger SET net_amount = net_amount + 1 WHERE id IN (11, 23);
UPDATE kisaan_ledger SET farmer_id = 2 WHERE id = 31;
UPDATE balance_snapshots SET amount_change = amount_change + 0.0050, new_balance = new_balance + 0.0050 WHERE id IN (5, 15, 25, 35, 45);

-- The smaller books -----------------------------------------------------------------------------------------------------------
UPDATE kisaan_expenses e SET total_amount = total_amount + 10, remaining_amount = remaining_amount + 10
FROM demo_fault f WHERE f.fault = 'expense_total_differs' AND f.id = e.id;
UPDATE kisaan_expenses e SET amount = 0, total_amount = NULL, remaining_amount = NULL FROM demo_fault f WHERE f.fault = 'expense_of_nothing' AND f.id = e.id;
UPDATE kisaan_expenses e SET expense_date = '2091-04-05' FROM demo_fault f WHERE f.fault = 'expense_in_future' AND f.id = e.id;
UPDATE kisaan_expense_allocations a SET allocated_amount = allocated_amount - 0.01
FROM demo_fault f WHERE f.fault = 'expense_allocations_off' AND f.id = a.expense_id;
UPDATE expense_settlements SET amount = 0 WHERE id = 4;
UPDATE kisaan_settlements SET amount = -amount WHERE id IN (2, 3);
UPDATE kisaan_settlements SET transaction_id = 900000001 WHERE id IN (5, 6);
UPDATE kisaan_credits SET user_id = 9000001 WHERE id = 3;
UPDATE kisaan_shops SET commission_rate = 104 WHERE id = 7;
UPDATE kisaan_plan_usage SET is_active = true, end_date = NULL WHERE id IN (9, 11);
INSERT INTO kisaan_plan_features (plan_id, feature_code, created_at, updated_at) VALUES (2, 'reports.dowload', '2025-03-01', '2025-03-01');
UPDATE farmer_product_assignments a SET is_default = true FROM demo_fault f
WHERE f.fault = 'two_defaults' AND f.id = a.farmer_id AND a.id = (SELECT max(b.id) FROM farmer_product_assignments b WHERE b.farmer_id = a.farmer_id);
INSERT INTO kisaan_commissions (shop_id, rate, type, created_at, updated_at)
SELECT shop_id, rate, type, created_at + interval '1 day', updated_at + interval '1 day' FROM kisaan_commissions WHERE shop_id IS NULL;
INSERT INTO "SequelizeMeta" (name) VALUES ('20250924_add_shop_extended_columns.sql');
UPDATE kisaan_users SET username = 'test' WHERE id = 50;

-- The database itself ---------------------------------------------------------------------------------------------------------
DROP INDEX kisaan_payments_status;
CREATE INDEX kisaan_payments_paid ON kisaan_payments (status) WHERE status = 'PAID';  -- covers only what is paid
SELECT setval('kisaan_credits_id_seq', (SELECT max(id) FROM kisaan_credits) - 5);

DROP TABLE demo_fault;
ANALYZE;
