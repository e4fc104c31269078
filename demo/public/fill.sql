-- Fills schema.sql with clean, deterministic data: the same rows on every run and every server, all between 2025-01-01 and
-- 2025-10-17. The size is the setting demo.payments (default 20000, at least 2000); every sale has two payments. What is right
-- and may look odd is in here too: dates typed to the minute days after the entry, and cheques dated ahead.

SELECT set_config('demo.payments', coalesce(nullif(current_setting('demo.payments', true), ''), '20000'), false),
       set_config('work_mem', '256MB', false), set_config('jit', 'off', false);

-- A hash in place of random(): 0 .. n-1 for row i; salt separates the uses. hashint8extended is stable across versions.
CREATE FUNCTION pg_temp.pick(i bigint, salt bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    AS $$ SELECT (hashint8extended(i, salt) & 9223372036854775807) % n $$;

INSERT INTO "SequelizeMeta" (name) VALUES
    ('20241222-add-performance-indexes.js'), ('20250924_create_transaction_idempotency.ts'), ('20250925_add_is_active_to_plans.ts');
INSERT INTO _migrations (name, executed_at) VALUES
    ('20250101-create-ledger-tables.sql', '2025-01-01 19:30+00'), ('20250924_add_shop_extended_columns.sql', '2025-09-24 19:31+00'),
    ('20250925_add_product_assignment_tables.sql', '2025-09-25 19:30+00'),
    ('20250925_add_user_custom_commission_rate.sql', '2025-09-25 19:31+00'),
    ('20250925_align_payments_add_counterparty_id.sql', '2025-09-25 19:32+00'),
    ('20250925_create_transaction_ledger.sql', '2025-09-25 19:33+00');

-- Small books ------------------------------------------------------------------------------------------------------------
INSERT INTO kisaan_plans (name, description, price, created_at, updated_at)
SELECT name, 'One price a month', price, '2025-01-01 03:00+00', '2025-01-01 03:00+00'
FROM (VALUES ('Starter', 299.00), ('Growth', 899.00), ('Market', 2499.00)) v (name, price);
INSERT INTO kisaan_features (code, name, category, default_enabled, created_at, updated_at)
SELECT code, initcap(replace(code, '.', ' ')), split_part(code, '.', 1), code LIKE 'reports%', '2025-01-01 03:00+00', '2025-01-01 03:00+00'
FROM (VALUES ('history.full'), ('reports.screen'), ('reports.download'), ('retention.unlimited')) v (code);
INSERT INTO kisaan_plan_features (plan_id, feature_code, enabled, created_at, updated_at)
SELECT p.id, f.code, f.id <= p.id + 1, p.created_at, p.created_at FROM kisaan_plans p, kisaan_features f ORDER BY 1, 2;
INSERT INTO kisaan_categories (name, status, created_at, updated_at)
SELECT name, 'active', '2025-01-01 03:05+00', '2025-01-01 03:05+00' FROM (VALUES ('Fruits'), ('Vegetables'), ('Flowers'), ('Grains')) v (name);
INSERT INTO kisaan_products (name, category_id, price, record_status, unit, created_at, updated_at)
SELECT name, 1 + (n - 1) % 4, 10 + 3.25 * n, 'active', 'kg', '2025-01-01 03:10+00', '2025-01-01 03:10+00'
FROM (VALUES (1, 'Alphonso'), (2, 'Ridge Gourd'), (3, 'Kanakambara'), (4, 'Foxtail Millet'), (5, 'Sapota'), (6, 'Drumstick'),
             (7, 'Crossandra'), (8, 'Kodo Millet'), (9, 'Custard Apple'), (10, 'Yam'), (11, 'Lotus'), (12, 'Red Rice'),
             (13, 'Jamun'), (14, 'Beans'), (15, 'Aster'), (16, 'Little Millet'), (17, 'Amla'), (18, 'Beetroot'),
             (19, 'Gladiolus'), (20, 'Barley'), (21, 'Fig'), (22, 'Colocasia'), (23, 'Gerbera'), (24, 'Oats')) v (n, name)
ORDER BY n;

-- Users 1: superadmin, 2..21: the owners of shops 1..20, 22..261: farmers, 262..421: buyers, shop by shop in turn. As the
-- schema's CHECK demands, owners are members of their shops.
INSERT INTO kisaan_users (username, password, role, shop_id, contact, email, firstname, created_by, created_at, updated_at)
SELECT name || '.' || u.id, '$2b$12$' || substr(md5('p' || u.id) || md5('q' || u.id), 1, 53), u.role::enum_kisaan_users_role, u.shop,
       '+9180' || lpad(u.id::text, 8, '0'), CASE WHEN u.id % 3 = 0 THEN name || u.id || '@example.in' END, initcap(name),
       CASE WHEN u.id > 1 THEN 1 END, joined, joined
FROM (SELECT id, CASE WHEN id = 1 THEN 'superadmin' WHEN id <= 21 THEN 'owner' WHEN id <= 261 THEN 'farmer' ELSE 'buyer' END AS role,
             CASE WHEN id > 1 THEN 1 + (id - 2) % 20 END AS shop, timestamptz '2025-01-01 04:00+00' + make_interval(secs => id) AS joined
      FROM generate_series(1, 421) id) u,
     LATERAL (SELECT (ARRAY['asha','bala','chitra','devi','eknath','gauri','hari','indu','jaya','kiran','lata','mohan','nanda',
                            'omkar','prema','ravi','sita','tara','uma','vasu'])[1 + pg_temp.pick(u.id, 1, 20)] AS name) n
ORDER BY u.id;
INSERT INTO kisaan_shops (name, owner_id, plan_id, location, commission_rate, settings, address, contact, created_at, updated_at)
SELECT 'Shop ' || s, 1 + s, 1 + s % 3, 'Market yard', 4 + (s % 5) * 0.5, '{"language": "kn"}', 'Gala ' || s, '+9170' || lpad(s::text, 8, '0'),
       timestamptz '2025-01-01 05:00+00' + make_interval(secs => s), timestamptz '2025-01-01 05:00+00' + make_interval(secs => s)
FROM generate_series(1, 20) s ORDER BY s;
INSERT INTO kisaan_plan_usage (shop_id, plan_id, start_date, end_date, is_active, created_at, updated_at)
SELECT s.id, CASE old WHEN 1 THEN 1 ELSE s.plan_id END, CASE old WHEN 1 THEN date '2025-01-01' ELSE '2025-07-01' END,
       CASE old WHEN 1 THEN date '2025-06-30' END, old = 0, s.created_at, s.created_at
FROM kisaan_shops s, generate_series(0, 1) old ORDER BY s.id, old DESC;
INSERT INTO kisaan_shop_categories (shop_id, category_id, created_at, updated_at)
SELECT s.id, c.id, s.created_at, s.created_at FROM kisaan_shops s, kisaan_categories c ORDER BY 1, 2;
INSERT INTO kisaan_shop_products (shop_id, product_id, created_at, updated_at)
SELECT s.id, p.id, s.created_at, s.created_at FROM kisaan_shops s, kisaan_products p ORDER BY 1, 2;
INSERT INTO kisaan_commissions (shop_id, rate, type, created_at, updated_at)
SELECT s, rate, type::enum_kisaan_commissions_type, '2025-01-01 06:00+00', '2025-01-01 06:00+00'
FROM (SELECT s, 4 + (s % 5) * 0.5 AS rate, 'percentage' AS type FROM generate_series(1, 20) s
      UNION ALL SELECT s, 25, 'fixed' FROM generate_series(1, 20) s
      UNION ALL SELECT NULL, rate, type FROM (VALUES (5.00, 'percentage'), (30, 'fixed')) v (rate, type)) c
ORDER BY s, type;
INSERT INTO farmer_product_assignments (farmer_id, product_id, is_default, created_at, updated_at)
SELECT u.id, 1 + (u.id + n * 5) % 24, n = 0, u.created_at, u.created_at FROM kisaan_users u, generate_series(0, 2) n WHERE role = 'farmer' ORDER BY 1, n;
INSERT INTO kisaan_user_feature_overrides (user_id, feature_code, enabled, reason, created_at, updated_at)
SELECT id, 'reports.download', true, 'Trial', created_at, created_at FROM kisaan_users WHERE role = 'owner' AND id % 4 = 0 ORDER BY id;

-- Sales and their payments -----------------------------------------------------------------------------------------------
INSERT INTO kisaan_transactions (shop_id, farmer_id, buyer_id, category_id, product_name, quantity, unit_price, total_sale_value,
                                 shop_commission, farmer_earning, created_at, updated_at)
SELECT shop, 21 + 20 * pg_temp.pick(i, 3, 12) + shop, 261 + 20 * pg_temp.pick(i, 4, 8) + shop, p.category_id, p.name, quantity, paid, total,
       cut, total - cut, at, at
FROM (SELECT i, 1 + pg_temp.pick(i, 2, 20) AS shop, 1 + pg_temp.pick(i, 5, 24) AS product, (500 + pg_temp.pick(i, 6, 29500)) / 100.0 AS quantity,
             timestamptz '2025-01-06 02:00+00' + make_interval(secs => i * 24192000.0 / n) AS at
      FROM (SELECT current_setting('demo.payments')::bigint / 2 AS n) z, LATERAL generate_series(1, n) i OFFSET 0) s
JOIN kisaan_products p ON p.id = s.product
JOIN kisaan_shops h ON h.id = s.shop,
LATERAL (SELECT round(p.price * (80 + pg_temp.pick(i, 7, 41)) / 100, 2) AS paid) a,
LATERAL (SELECT round(quantity * paid, 2) AS total) b,
LATERAL (SELECT round(total * h.commission_rate / 100, 2) AS cut) c
ORDER BY i;

-- Odd numbers: the buyer pays the shop. Even numbers: the shop pays the farmer. Of a hundred, two become due later (the date is
-- typed to the minute when the money came, and the entry was touched then), and one is a cheque dated two midnights ahead.
INSERT INTO kisaan_payments (transaction_id, shop_id, counterparty_id, payer_type, payee_type, amount, status, payment_date, method,
                             created_at, updated_at)
SELECT t.id, t.shop_id, CASE side WHEN 1 THEN t.buyer_id ELSE t.farmer_id END,
       (CASE side WHEN 1 THEN 'BUYER' ELSE 'SHOP' END)::enum_kisaan_payments_payer_type,
       (CASE side WHEN 1 THEN 'SHOP' ELSE 'FARMER' END)::enum_kisaan_payments_payee_type,
       CASE side WHEN 1 THEN t.total_sale_value ELSE t.farmer_earning END,
       (CASE WHEN kind = 'cheque' OR pg_temp.pick(k, 8, 100) < 92 THEN 'PAID' WHEN pg_temp.pick(k, 8, 100) < 96 THEN 'PENDING'
             WHEN pg_temp.pick(k, 8, 100) < 99 THEN 'FAILED' ELSE 'CANCELLED' END)::enum_kisaan_payments_status,
       dated, (CASE kind WHEN 'cheque' THEN 'CHEQUE' ELSE (ARRAY['CASH','UPI','BANK_TRANSFER'])[1 + pg_temp.pick(k, 9, 3)] END)::enum_kisaan_payments_method,
       at, CASE kind WHEN 'later' THEN dated + interval '4 minutes' ELSE at END
FROM kisaan_transactions t, generate_series(1, 2) side,
LATERAL (SELECT t.id * 2 - 2 + side AS k, t.created_at + make_interval(secs => 600 + pg_temp.pick(t.id * 2 + side, 10, 7200)) AS at) a,
LATERAL (SELECT CASE WHEN pg_temp.pick(k, 11, 100) < 2 THEN 'later' WHEN pg_temp.pick(k, 11, 100) = 2 THEN 'cheque' ELSE 'now' END AS kind) b,
LATERAL (SELECT CASE kind WHEN 'later' THEN date_trunc('day', at, 'Asia/Kolkata') + interval '58 hours'
                          WHEN 'cheque' THEN date_trunc('day', at, 'Asia/Kolkata') + interval '48 hours'
                          ELSE CASE WHEN pg_temp.pick(k, 12, 5) < 4 THEN at ELSE date_trunc('minute', at - interval '7 minutes') END END AS dated) c
ORDER BY k;
INSERT INTO payment_allocations (payment_id, transaction_id, allocated_amount, created_at, updated_at)
SELECT id, transaction_id, amount, created_at, created_at FROM kisaan_payments WHERE status = 'PAID' AND payer_type = 'BUYER' ORDER BY id;

-- What the shop advances to a farmer, and how much of it was set off ---------------------------------------------------------
INSERT INTO kisaan_expenses (shop_id, user_id, expense_date, amount, type, category, transaction_id, status, created_by, deleted_at, total_amount,
                             allocated_amount, remaining_amount, allocation_status, created_at, updated_at)
SELECT shop_id, farmer_id, (at AT TIME ZONE 'Asia/Kolkata')::date, amount, CASE WHEN n % 7 = 0 THEN 'advance' ELSE 'expense' END,
       (ARRAY['transport','packaging','labor','storage','misc'])[1 + n % 5], id, CASE n % 3 WHEN 2 THEN 'settled' ELSE 'pending' END, 1 + shop_id,
       CASE WHEN n % 50 = 9 THEN at + interval '3 hours' END, amount, used, amount - used,
       CASE n % 3 WHEN 0 THEN 'unallocated' WHEN 1 THEN 'partially_allocated' ELSE 'fully_allocated' END, at, at + interval '3 hours'
FROM (SELECT t.*, id / 20 AS n, created_at + interval '5 hours' AS at, 50 + pg_temp.pick(id, 13, 90000) / 100.0 AS amount FROM kisaan_transactions t WHERE id % 20 = 0) t,
LATERAL (SELECT CASE n % 3 WHEN 0 THEN 0 WHEN 1 THEN round(amount * 0.4, 2) ELSE amount END AS used) u
ORDER BY id;
INSERT INTO kisaan_expense_allocations (expense_id, transaction_id, allocated_amount, allocation_type, allocated_at, created_at)
SELECT e.id, CASE part WHEN 1 THEN e.transaction_id END, CASE part WHEN 1 THEN round(e.amount * 0.4, 2) ELSE e.amount - round(e.amount * 0.4, 2) END,
       CASE part WHEN 1 THEN 'transaction_offset' ELSE 'balance_settlement' END, e.updated_at, e.updated_at
FROM kisaan_expenses e, generate_series(1, 2) part WHERE part = 1 AND e.allocated_amount > 0 OR part = 2 AND e.remaining_amount = 0 ORDER BY e.id, part;
INSERT INTO expense_settlements (expense_id, payment_id, amount, settled_at, created_at, updated_at)
SELECT e.id, p.id, e.amount, e.updated_at, e.updated_at, e.updated_at
FROM kisaan_expenses e LEFT JOIN kisaan_payments p ON p.transaction_id = e.transaction_id AND p.payee_type = 'FARMER' AND p.status = 'PAID'
WHERE e.status = 'settled' ORDER BY e.id;
INSERT INTO kisaan_credits (user_id, shop_id, amount, status, due_date, created_at, updated_at)
SELECT farmer_id, shop_id, 1000 + 50 * pg_temp.pick(id, 14, 100), (ARRAY['active','repaid','overdue'])[1 + id % 3]::enum_kisaan_credits_status,
       (created_at + interval '60 days')::date, created_at, created_at
FROM kisaan_transactions WHERE id % 40 = 7 ORDER BY id;
INSERT INTO kisaan_settlements (shop_id, user_id, transaction_id, amount, reason, status, settlement_date, created_at, updated_at)
SELECT shop_id, buyer_id, CASE WHEN id % 3 > 0 THEN id END, 10 + pg_temp.pick(id, 15, 20000) / 100.0,
       (ARRAY['overpayment','underpayment','adjustment','refund'])[1 + id / 30 % 4]::enum_kisaan_settlements_reason,
       CASE WHEN id % 60 = 11 THEN 'pending' ELSE 'settled' END::enum_kisaan_settlements_status,
       CASE WHEN id % 60 <> 11 THEN created_at + interval '1 day' END, created_at + interval '1 day', created_at + interval '1 day'
FROM kisaan_transactions WHERE id % 30 = 11 ORDER BY id;

-- The ledger: a sale credits the farmer and debits the buyer; paid payments and expenses move them back. Everything else follows.
INSERT INTO kisaan_transaction_ledger (id, transaction_id, user_id, role, delta_amount, balance_before, balance_after, reason_code, created_at)
WITH entry (tx, user_id, role, delta, reason, at, seq) AS (
    SELECT id::bigint, farmer_id, 'farmer', farmer_earning, 'SALE', created_at, id * 4::bigint FROM kisaan_transactions
    UNION ALL SELECT id, buyer_id, 'buyer', -total_sale_value, 'PURCHASE', created_at, id * 4::bigint + 1 FROM kisaan_transactions
    UNION ALL SELECT transaction_id, counterparty_id, lower((CASE payer_type WHEN 'SHOP' THEN payee_type::text ELSE payer_type::text END)),
                     CASE payer_type WHEN 'SHOP' THEN -amount ELSE amount END, 'PAYMENT', created_at, id * 4 + 2 FROM kisaan_payments WHERE status = 'PAID'
    UNION ALL SELECT transaction_id, user_id, 'farmer', -amount, 'EXPENSE', created_at, id * 4 + 3 FROM kisaan_expenses
)
SELECT row_number() OVER (ORDER BY at, seq, user_id), tx, user_id, role, delta, after - delta, after, reason, at
FROM (SELECT *, sum(delta) OVER (PARTITION BY user_id ORDER BY at, seq ROWS UNBOUNDED PRECEDING) AS after FROM entry) e
ORDER BY at, seq, user_id;
UPDATE kisaan_expenses e SET ledger_entry_id = l.id
FROM kisaan_transaction_ledger l WHERE l.reason_code = 'EXPENSE' AND l.transaction_id = e.transaction_id;
UPDATE kisaan_users u SET balance = l.balance, cumulative_value = l.turnover, updated_at = l.last_at
FROM (SELECT user_id, sum(delta_amount) AS balance, max(created_at) AS last_at,
             sum(abs(delta_amount)) FILTER (WHERE reason_code IN ('SALE', 'PURCHASE')) AS turnover
      FROM kisaan_transaction_ledger GROUP BY user_id) l WHERE l.user_id = u.id;
INSERT INTO balance_snapshots (user_id, balance_type, previous_balance, amount_change, new_balance, transaction_type, reference_id,
                               reference_type, created_at, updated_at)
SELECT user_id, role, balance_before, delta_amount, balance_after, lower(reason_code), transaction_id, 'transaction', created_at, created_at
FROM kisaan_transaction_ledger WHERE id % 10 = 3 ORDER BY id;
INSERT INTO kisaan_ledger_entries (user_id, shop_id, direction, amount, type, reference_type, reference_id, created_at, created_by)
SELECT l.user_id, u.shop_id, CASE WHEN delta_amount > 0 THEN 'CREDIT' ELSE 'DEBIT' END, abs(delta_amount),
       CASE reason_code WHEN 'PAYMENT' THEN 'PAYMENT' WHEN 'EXPENSE' THEN 'EXPENSE' ELSE 'TRANSACTION' END, 'transaction', transaction_id, l.created_at, 1 + u.shop_id
FROM kisaan_transaction_ledger l JOIN kisaan_users u ON u.id = l.user_id ORDER BY l.id;
INSERT INTO kisaan_user_balances (user_id, shop_id, balance, version, last_updated)
SELECT user_id, shop_id, sum(CASE direction WHEN 'CREDIT' THEN amount ELSE -amount END), count(*), max(created_at)
FROM kisaan_ledger_entries GROUP BY 1, 2 ORDER BY 1, 2;
INSERT INTO kisaan_ledger (shop_id, farmer_id, amount, commission_amount, net_amount, type, category, created_at, created_by)
SELECT shop_id, farmer_id, amount, cut, amount - cut, type, category, at AT TIME ZONE 'UTC', 1 + shop_id
FROM (SELECT shop_id, farmer_id, total_sale_value AS amount, shop_commission AS cut, 'credit' AS type, 'sale' AS category, created_at AS at
      FROM kisaan_transactions WHERE id % 5 = 0
      UNION ALL
      SELECT shop_id, user_id, amount, 0, 'debit', 'expense', created_at FROM kisaan_expenses) b
ORDER BY at, farmer_id;
INSERT INTO kisaan_audit_logs (shop_id, user_id, action, entity_type, entity_id, new_values, created_at)
SELECT shop_id, 1 + shop_id, 'create', 'transaction', id, '{"total": ' || total_sale_value || '}', created_at FROM kisaan_transactions WHERE id % 25 = 0 ORDER BY id;

-- Rows written with their own id leave the sequence behind.
SELECT setval('kisaan_transaction_ledger_id_seq', (SELECT max(id) FROM kisaan_transaction_ledger));

DROP FUNCTION pg_temp.pick(bigint, bigint, bigint);
RESET work_mem;
RESET jit;
ANALYZE;
