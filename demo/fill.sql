-- Fills schema.sql with a clean, deterministic market: the same rows on every run and every server, all between 2024-01-01
-- and 2025-10-17. The size is the setting demo.payments (default 300000); transactions are four fifths of it.
--
-- Transactions come in groups of eight, payments in groups of ten (nine tied to the first five sales, one free-standing):
-- so a row's partners follow from its number alone and nothing has to be searched. OFFSET 0 keeps the planner from
-- flattening a subquery, which would compute the same hashes over and over.

SELECT set_config('demo.payments', coalesce(nullif(current_setting('demo.payments', true), ''), '300000'), false),
       set_config('work_mem', '256MB', false), set_config('maintenance_work_mem', '256MB', false),
       set_config('jit', 'off', false),
       set_config('enable_nestloop', 'off', false);  -- without statistics it would be chosen, and last for hours

-- A hash in place of random(): 0 .. n-1 for row i; salt separates the uses. hashint8extended is stable across versions.
CREATE FUNCTION pg_temp.pick(i bigint, salt bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    AS $$ SELECT (hashint8extended(i, salt) & 9223372036854775807) % n $$;
-- What happened to payment number k, and how long after its sale it was booked.
CREATE FUNCTION pg_temp.outcome(k bigint) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT CASE WHEN pg_temp.pick(k, 1, 100) < 94 THEN 'PAID' WHEN pg_temp.pick(k, 1, 100) < 96 THEN 'PENDING'
                      WHEN pg_temp.pick(k, 1, 100) < 99 THEN 'FAILED' ELSE 'CANCELLED' END $$;
CREATE FUNCTION pg_temp.lag_of(k bigint) RETURNS interval LANGUAGE sql IMMUTABLE
    AS $$ SELECT make_interval(secs => pg_temp.pick(k, 2, 5) * 86400 + 600 + pg_temp.pick(k, 3, 7200)) $$;
CREATE FUNCTION pg_temp.is_partial(k bigint) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS $$ SELECT pg_temp.pick(k, 4, 10) = 0 $$;

-- Foreign keys and secondary indexes are taken off for the load and rebuilt in one pass at the end, far cheaper than row by row.
CREATE TEMP TABLE demo_off AS
    SELECT 1 AS turn, format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS off,
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS back
    FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace
    UNION ALL
    SELECT 0, format('DROP INDEX %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid);
DO $$ DECLARE x record; BEGIN
    FOR x IN SELECT * FROM demo_off LOOP EXECUTE x.off; END LOOP;
END $$;

CREATE TEMP TABLE demo_size AS
    SELECT p AS payments, (p + 9) / 10 * 8 AS transactions, 10 + p / 10000 AS farmers, 6 + p / 15000 AS buyers,  -- the last two: per shop
           60 AS shops, 647 AS days, timestamp '2024-01-02 00:30' AS opening
    FROM (SELECT current_setting('demo.payments')::int AS p) s;

INSERT INTO _migrations (name, executed_at) VALUES
    ('20240101_01_initial_schema.sql', '2024-01-01 03:00+00'),
    ('20240612_01_balance_snapshots.sql', '2024-06-12 20:10+00'),
    ('20250304_01_payment_allocations.sql', '2025-03-04 19:45+00'),
    ('20250721_01_upper_case_roles.sql', '2025-07-21 20:05+00');

INSERT INTO kisaan_plans (name, price, monthly_price, quarterly_price, yearly_price, billing_cycle, max_farmers, max_buyers,
                          max_transactions, features, is_active, created_at, updated_at)
SELECT name, price, price, price * 2.85, price * 10.5, cycle::enum_kisaan_plans_billing_cycle, farmers, buyers, sales, features, true,
       '2024-01-01 03:10+00', '2024-01-01 03:10+00'
FROM (VALUES ('Mandi Basic', 499.00, 'monthly', 100, 60, 20000, '["ledger","payments"]'),
             ('Mandi Plus', 1299.00, 'quarterly', 500, 300, 100000, '["ledger","payments","reports"]'),
             ('Mandi Pro', 2999.00, 'yearly', NULL, NULL, NULL, '["ledger","payments","reports","api"]'))
     v (name, price, cycle, farmers, buyers, sales, features);

INSERT INTO kisaan_categories (name, description, created_at, updated_at)
SELECT name, description, '2024-01-01 03:20+00', '2024-01-01 03:20+00'
FROM (VALUES ('Vegetables', 'Sabzi, sold by weight'), ('Fruits', 'Phal, sold by weight'), ('Flowers', 'Phool, loose flowers'),
             ('Grains', 'Anaj'), ('Pulses', 'Dal, whole and split'), ('Spices', 'Masala, dried')) v (name, description);

CREATE TEMP TABLE demo_price AS
SELECT id, name, category_id, price
FROM (VALUES (1, 'Onion', 1, 24.50), (2, 'Potato', 1, 18.00), (3, 'Tomato', 1, 22.75), (4, 'Brinjal', 1, 26.00), (5, 'Okra', 1, 38.50),
             (6, 'Cauliflower', 1, 21.00), (7, 'Cabbage', 1, 14.25), (8, 'Green Chilli', 1, 46.00), (9, 'Bottle Gourd', 1, 17.50),
             (10, 'Spinach', 1, 19.00), (11, 'Carrot', 1, 28.00), (12, 'Ginger', 1, 92.00), (13, 'Banana', 2, 27.00), (14, 'Mango', 2, 84.00),
             (15, 'Papaya', 2, 23.50), (16, 'Guava', 2, 41.00), (17, 'Pomegranate', 2, 118.00), (18, 'Orange', 2, 52.00), (19, 'Grapes', 2, 66.50),
             (20, 'Sweet Lime', 2, 44.00), (21, 'Marigold', 3, 58.00), (22, 'Rose', 3, 140.00), (23, 'Jasmine', 3, 310.00),
             (24, 'Chrysanthemum', 3, 95.00), (25, 'Tuberose', 3, 125.00), (26, 'Wheat', 4, 25.25), (27, 'Paddy', 4, 22.00), (28, 'Bajra', 4, 24.00),
             (29, 'Jowar', 4, 31.50), (30, 'Maize', 4, 20.75), (31, 'Tur', 5, 98.00), (32, 'Moong', 5, 86.00), (33, 'Urad', 5, 91.50),
             (34, 'Chana', 5, 57.00), (35, 'Masoor', 5, 63.00), (36, 'Turmeric', 6, 132.00), (37, 'Coriander Seed', 6, 74.00),
             (38, 'Cumin', 6, 265.00), (39, 'Dry Red Chilli', 6, 178.00), (40, 'Black Pepper', 6, 540.00)) v (id, name, category_id, price);

-- Okra was called Lady Finger until March 2025: older sales rightly keep the old name.
INSERT INTO kisaan_products (name, category_id, unit, created_at, updated_at)
SELECT name, category_id, 'kg', '2024-01-01 03:30+00',
       CASE name WHEN 'Okra' THEN timestamptz '2025-03-01 06:00+00' ELSE '2024-01-01 03:30+00' END
FROM demo_price ORDER BY id;

INSERT INTO kisaan_shops (name, owner_id, plan_id, address, contact, status, created_at, updated_at)
SELECT (ARRAY['Shree Ganesh Traders','Jai Kisan Commission Agents','Patil Brothers','Annapurna Agro','Balaji Mandi House','Mahalaxmi Vegetables',
              'Sai Krupa Traders','Gupta & Sons','New Maharashtra Fruit Co','Reddy Farm Produce','Kaveri Agencies','Om Shanti Traders'])[1 + (s - 1) % 12]
       || ', ' || (ARRAY['Lasalgaon','Vashi','Azadpur','Yeshwanthpur','Koyambedu'])[1 + (s - 1) / 12],
       1 + s, 1 + pg_temp.pick(s, 10, 3),
       'Gala ' || s || ', APMC Market Yard, ' || (ARRAY['Lasalgaon','Vashi','Azadpur','Yeshwanthpur','Koyambedu'])[1 + (s - 1) / 12],
       '+9190000' || lpad(s::text, 5, '0'), 'active', timestamptz '2024-01-01 04:00+00' + make_interval(secs => s), timestamptz '2024-01-01 04:00+00' + make_interval(secs => s)
FROM generate_series(1, (SELECT shops FROM demo_size)) s;

INSERT INTO kisaan_shop_categories (shop_id, category_id, created_at, updated_at)
SELECT s.id, c.id, s.created_at, s.created_at FROM kisaan_shops s, kisaan_categories c ORDER BY s.id, c.id;
INSERT INTO kisaan_shop_products (shop_id, product_id, default_price, created_at, updated_at)
SELECT s.id, p.id, p.price + (pg_temp.pick(s.id * 100 + p.id, 11, 9) - 4) * 0.25, s.created_at, s.created_at
FROM kisaan_shops s, demo_price p ORDER BY s.id, p.id;

-- Five rates in per cent and a fixed charge for every shop, three house defaults; all keys differ.
INSERT INTO kisaan_commissions (shop_id, rate, type, created_at, updated_at)
SELECT s, CASE r WHEN 6 THEN 20 + s % 4 * 5 ELSE 4 + (s % 5) * 0.5 + (r - 1) * 0.25 END,
       (CASE r WHEN 6 THEN 'fixed' ELSE 'percentage' END)::enum_kisaan_commissions_type,
       timestamptz '2024-01-01 05:00+00' + make_interval(secs => s * 6 + r), timestamptz '2024-01-01 05:00+00' + make_interval(secs => s * 6 + r)
FROM generate_series(1, (SELECT shops FROM demo_size)) s, generate_series(1, 6) r
UNION ALL
SELECT NULL, rate, type::enum_kisaan_commissions_type, '2024-01-01 03:40+00', '2024-01-01 03:40+00'
FROM (VALUES (5.00, 'percentage'), (6.50, 'percentage'), (25.00, 'fixed')) v (rate, type)
ORDER BY 1, 3, 2;

-- Users 1: superadmin, 2..61: the owners of shops 1..60, then the farmers, then the buyers, shop by shop in turn.
-- A farmer appears in sales only after the day he joined: the choice grows with the number of the sale.
INSERT INTO kisaan_transactions (id, shop_id, farmer_id, buyer_id, category_id, product_id, product_name, quantity, unit_price,
                                 total_amount, commission_amount, commission_rate, commission_type, farmer_earning, status,
                                 transaction_date, settlement_date, notes, metadata, created_at, updated_at)
SELECT i, shop, farmer, buyer, p.category_id, CASE WHEN pg_temp.pick(i, 20, 33) > 0 THEN p.id END,
       CASE WHEN p.name = 'Okra' AND at < '2025-03-01 06:00' THEN 'Lady Finger' ELSE p.name END,
       quantity, paid, total, commission, rate, 'percentage', total - commission,
       CASE WHEN pos = 7 THEN CASE WHEN pg_temp.pick(i, 21, 2) = 0 THEN 'pending' ELSE 'cancelled' END
            WHEN settled THEN 'settled' ELSE 'completed' END,
       at - make_interval(mins => greatest(0, pg_temp.pick(i, 22, 60)::int - 40)),
       CASE WHEN settled THEN changed END,
       CASE WHEN pg_temp.pick(i, 23, 50) = 0 THEN 'Quality checked at the gate' END,
       CASE WHEN pg_temp.pick(i, 24, 4) = 0 THEN '{"source": "mobile"}'::jsonb END,
       at, changed
FROM (SELECT i::int AS i, pos, z.opening + make_interval(days => ((i - 1) * z.days / z.transactions)::int,
                 secs => ((i - 1) * z.days % z.transactions) * 43200 / z.transactions + pg_temp.pick(i, 25, 1000) / 1000.0) AS at,
             k, shop, z.payments,
             1 + z.shops * (1 + pg_temp.pick(i, 26, greatest(1, z.farmers * i / z.transactions))) + shop AS farmer,
             1 + z.shops * (1 + z.farmers + pg_temp.pick(same, 27, greatest(1, z.buyers * same / z.transactions))) + shop AS buyer,
             pos < 4 AND k + 1 <= z.payments AND pg_temp.outcome(k) = 'PAID' AND pg_temp.outcome(k + 1) = 'PAID' AND NOT pg_temp.is_partial(k) AS settled,
             1 + pg_temp.pick(i, 28, 40) AS product, (500 + pg_temp.pick(i, 29, 29500)) / 100.0 AS quantity
      FROM demo_size z, LATERAL generate_series(1::bigint, z.transactions) i,
           LATERAL (SELECT (i - 1) % 8 AS pos, (i - 1) / 8 * 10 + (i - 1) % 8 * 2 + 1 AS k,
                           CASE WHEN (i - 1) % 8 = 6 THEN i - 1 ELSE i END AS same) a,      -- sales 5 and 6 of a group share shop and buyer
           LATERAL (SELECT 1 + pg_temp.pick(same, 30, z.shops) AS shop OFFSET 0) b OFFSET 0) t
JOIN demo_price p ON p.id = t.product,
LATERAL (SELECT round(p.price * (80 + pg_temp.pick(i, 31, 41)) / 100, 2) AS paid,
                CASE WHEN farmer % 37 = 0 THEN 3.50 ELSE 4 + (shop % 5) * 0.5 END AS rate,
                at + CASE WHEN settled THEN greatest(pg_temp.lag_of(k), pg_temp.lag_of(k + 1)) ELSE interval '0' END AS changed) c,
LATERAL (SELECT round(quantity * paid, 2) AS total) d,
LATERAL (SELECT round(total * rate / 100, 2) AS commission) e
ORDER BY i;

-- Slots 0..8 of ten: buyer pays shop, shop pays farmer, in turn, for sales 0..4 of the group. Slot 9: a payment without a sale.
INSERT INTO kisaan_payments (id, transaction_id, shop_id, counterparty_id, payer_type, payee_type, amount, status, payment_date,
                             method, notes, created_at, updated_at)
SELECT k, CASE WHEN slot < 9 THEN t.id END, t.shop_id,
       CASE kind WHEN 'collect' THEN t.buyer_id WHEN 'settle' THEN t.buyer_id WHEN 'pay' THEN t.farmer_id WHEN 'advance' THEN t.farmer_id END,
       (CASE WHEN kind IN ('collect', 'settle') THEN 'BUYER' WHEN kind = 'refund' THEN 'EXTERNAL' ELSE 'SHOP' END)::enum_kisaan_payments_party,
       (CASE WHEN kind IN ('pay', 'advance') THEN 'FARMER' WHEN kind = 'expense' THEN 'EXTERNAL' ELSE 'SHOP' END)::enum_kisaan_payments_party,
       CASE kind WHEN 'collect' THEN CASE WHEN pg_temp.is_partial(k) THEN round(t.total_amount * 0.6, 2) ELSE t.total_amount END
                 WHEN 'pay' THEN t.farmer_earning
                 WHEN 'settle' THEN t.total_amount + round(u.total_amount * 0.75, 2)
                 WHEN 'advance' THEN 500 + 50 * pg_temp.pick(k, 40, 90)
                 ELSE 150 + 10 * pg_temp.pick(k, 41, 200) END,
       pg_temp.outcome(k)::enum_kisaan_payments_status,
       (CASE WHEN pg_temp.pick(k, 42, 5) < 4 THEN at ELSE greatest(t.created_at, at - make_interval(mins => 15 + pg_temp.pick(k, 43, 4000)::int)) END) AT TIME ZONE 'UTC',
       (ARRAY['CASH','CASH','CASH','UPI','UPI','UPI','BANK_TRANSFER','BANK_TRANSFER','CARD','CHEQUE'])[1 + pg_temp.pick(k, 44, 10)]::enum_kisaan_payments_method,
       CASE kind WHEN 'advance' THEN 'Advance before harvest' WHEN 'settle' THEN 'Settlement of open sales' WHEN 'expense' THEN 'Market cess and loading'
                 WHEN 'refund' THEN 'Deposit returned' END,
       at, at + CASE WHEN pg_temp.pick(k, 45, 10) = 0 THEN make_interval(mins => 1 + pg_temp.pick(k, 46, 300)::int) ELSE interval '0' END
FROM (SELECT k, (k - 1) % 10 AS slot, (k - 1) / 10 * 8 + 1 + CASE WHEN (k - 1) % 10 = 9 THEN 5 ELSE (k - 1) % 10 / 2 END AS sale,
             CASE WHEN (k - 1) % 10 < 9 THEN CASE (k - 1) % 2 WHEN 0 THEN 'collect' ELSE 'pay' END
                  WHEN (k - 1) / 10 % 20 = 0 THEN 'expense' WHEN (k - 1) / 10 % 5 = 1 THEN 'advance'
                  WHEN (k - 1) / 10 % 40 = 2 THEN 'refund' ELSE 'settle' END AS kind
      FROM generate_series(1::bigint, (SELECT payments FROM demo_size)) k) x
JOIN kisaan_transactions t ON t.id = x.sale
LEFT JOIN kisaan_transactions u ON u.id = x.sale + 1 AND x.slot = 9,
LATERAL (SELECT t.created_at + pg_temp.lag_of(k) AS at OFFSET 0) b
ORDER BY k;

-- A settlement is split over its two sales; the buyer's payment of the first sale of a group is allocated to that sale.
INSERT INTO payment_allocations (payment_id, transaction_id, allocated_amount, created_at, updated_at)
SELECT p.id, t.id, CASE WHEN p.transaction_id IS NOT NULL THEN p.amount WHEN t.id % 8 = 6 THEN t.total_amount ELSE round(t.total_amount * 0.75, 2) END,
       p.created_at AT TIME ZONE 'UTC', p.created_at AT TIME ZONE 'UTC'
FROM (SELECT p.*, (id - 1) / 10 * 8 + sale AS sale
      FROM kisaan_payments p, LATERAL (VALUES (10, 6), (10, 7), (1, 1)) s (slot, sale)
      WHERE status = 'PAID' AND id % 10 = slot % 10 AND (slot = 1 OR payer_type = 'BUYER')) p
JOIN kisaan_transactions t ON t.id = p.sale
ORDER BY p.id, t.id;

-- The ledger: a sale credits the farmer and debits the buyer, a paid payment moves them back, owners are booked by the month.
INSERT INTO kisaan_transaction_ledger (id, transaction_id, user_id, role, delta_amount, balance_before, balance_after, reason_code, created_at)
WITH entry (tx, user_id, role, delta, reason, at, seq) AS (
    SELECT id, farmer_id, 'farmer', farmer_earning, 'SALE', created_at, id * 2::bigint
    FROM kisaan_transactions WHERE status IN ('completed', 'settled')
    UNION ALL
    SELECT id, buyer_id, 'buyer', -total_amount, 'PURCHASE', created_at, id * 2::bigint + 1
    FROM kisaan_transactions WHERE status IN ('completed', 'settled')
    UNION ALL
    SELECT transaction_id, counterparty_id, lower((CASE payer_type WHEN 'SHOP' THEN payee_type ELSE payer_type END)::text),
           CASE payer_type WHEN 'SHOP' THEN -amount ELSE amount END,
           CASE WHEN payer_type = 'BUYER' THEN 'BUYER_PAID' WHEN transaction_id IS NULL THEN 'ADVANCE' ELSE 'FARMER_PAID' END, created_at, id
    FROM kisaan_payments WHERE status = 'PAID' AND counterparty_id IS NOT NULL
    UNION ALL
    SELECT NULL, 1 + shop_id, 'owner', delta, reason, least(month + interval '1 month', timestamp '2025-10-16') - wait, shop_id
    FROM (SELECT shop_id, date_trunc('month', created_at) AS month, sum(commission_amount) AS earned
          FROM kisaan_transactions WHERE status IN ('completed', 'settled') GROUP BY 1, 2) m,
         LATERAL (VALUES ('COMMISSION', earned, interval '2 hours'), ('WITHDRAWAL', -round(earned * 0.9, 2), interval '1 hour')) v (reason, delta, wait)
)
SELECT row_number() OVER (ORDER BY at, seq, user_id), tx, user_id, role, delta, after - delta, after, reason, at AT TIME ZONE 'UTC'
FROM (SELECT *, sum(delta) OVER (PARTITION BY user_id ORDER BY at, seq ROWS UNBOUNDED PRECEDING) AS after FROM entry) e
ORDER BY at, seq, user_id;

INSERT INTO kisaan_users (id, username, password, firstname, email, contact, role, shop_id, status, balance, cumulative_value,
                          custom_commission_rate, created_by, created_at, updated_at)
SELECT u.id, name, '$2b$10$' || substr(translate(md5('a' || u.id) || md5('b' || u.id), '0', '/'), 1, 53), initcap(split_part(name, '.', 1)),
       CASE WHEN pg_temp.pick(u.id, 50, 3) = 0 THEN name || '@example.in' END, '+9191' || lpad(u.id::text, 8, '0'),
       (CASE WHEN joined >= '2025-07-21 20:05+00' THEN upper(u.role) ELSE u.role END)::enum_kisaan_users_role, u.shop,
       (CASE WHEN l.last_at IS NULL AND u.id > 61 AND pg_temp.pick(u.id, 51, 4) = 0 THEN 'inactive' ELSE 'active' END)::enum_kisaan_users_status,
       coalesce(l.balance, 0), coalesce(l.turnover, 0), CASE WHEN u.role = 'farmer' AND u.id % 37 = 0 THEN 3.50 END,
       CASE WHEN u.role = 'owner' THEN 1 WHEN u.shop IS NOT NULL THEN 1 + u.shop END, joined, greatest(joined, l.last_at)
FROM (SELECT 1::bigint AS id, 'superadmin' AS role, NULL::bigint AS shop, timestamptz '2024-01-01 03:05+00' AS joined
      UNION ALL
      SELECT 1 + s, 'owner', NULL, timestamptz '2024-01-01 03:50+00' + make_interval(secs => s)
      FROM demo_size z, LATERAL generate_series(1, z.shops) s
      UNION ALL
      SELECT 1 + z.shops * (1 + j) + s, 'farmer', s, timestamptz '2024-01-01 05:30+00' + make_interval(secs => j * z.days::bigint * 86400 / z.farmers + s)
      FROM demo_size z, LATERAL generate_series(0, z.farmers - 1) j, LATERAL generate_series(1, z.shops) s
      UNION ALL
      SELECT 1 + z.shops * (1 + z.farmers + j) + s, 'buyer', s, timestamptz '2024-01-01 05:30+00' + make_interval(secs => j * z.days::bigint * 86400 / z.buyers + s)
      FROM demo_size z, LATERAL generate_series(0, z.buyers - 1) j, LATERAL generate_series(1, z.shops) s) u
LEFT JOIN (SELECT user_id, sum(delta_amount) AS balance, max(created_at) AS last_at,
                  sum(abs(delta_amount)) FILTER (WHERE reason_code IN ('SALE', 'PURCHASE', 'COMMISSION')) AS turnover
           FROM kisaan_transaction_ledger GROUP BY user_id) l ON l.user_id = u.id,
LATERAL (SELECT (ARRAY['ramesh','suresh','lakshmi','vijay','sunita','ganesh','anita','prakash','kavita','mahesh','savitri','dinesh','meena','rajesh',
                       'gopal','shankar','parvati','bhaskar','imran','harpreet'])[1 + pg_temp.pick(u.id, 52, 20)] || '.' ||
                (ARRAY['patil','jadhav','reddy','gowda','yadav','sharma','pawar','shinde','naik','singh','kumar','deshmukh','more','khan','rao',
                       'chavan','verma'])[1 + pg_temp.pick(u.id, 53, 17)] || '.' || u.id AS name) n
ORDER BY u.id;

INSERT INTO kisaan_credits (shop_id, user_id, amount, repaid_amount, status, granted_at, created_at, updated_at)
SELECT shop_id, counterparty_id, amount, CASE WHEN id % 3 = 0 THEN amount ELSE round(amount * 0.4, 2) END,
       CASE WHEN id % 3 = 0 THEN 'repaid' ELSE 'open' END, payment_date, created_at AT TIME ZONE 'UTC', updated_at AT TIME ZONE 'UTC'
FROM kisaan_payments WHERE transaction_id IS NULL AND payee_type = 'FARMER' AND status = 'PAID' ORDER BY id;

INSERT INTO kisaan_settlements (shop_id, user_id, opening_balance, amount, closing_balance, settled_at, created_at, updated_at)
SELECT u.shop_id, l.user_id, l.balance_before, -l.delta_amount, l.balance_after, l.created_at, l.created_at, l.created_at
FROM kisaan_transaction_ledger l JOIN kisaan_users u ON u.id = l.user_id
WHERE l.reason_code = 'FARMER_PAID' AND l.id % 20 = 0 ORDER BY l.id;

INSERT INTO kisaan_expenses (shop_id, category, description, amount, spent_at, created_at, updated_at)
SELECT shop_id, category, description, amount, at, at, at
FROM (SELECT shop_id, 'loading' AS category, notes AS description, amount, payment_date AS at
      FROM kisaan_payments WHERE payee_type = 'EXTERNAL' AND status = 'PAID'
      UNION ALL
      SELECT s, 'rent', 'Gala rent', 4000 + 250 * pg_temp.pick(s, 60, 12), timestamptz '2024-01-05 06:00+00' + make_interval(secs => m * 30 * 86400::bigint + s)
      FROM generate_series(1, (SELECT shops FROM demo_size)) s, generate_series(0, 20) m) e
ORDER BY at, shop_id;
INSERT INTO expense_settlements (expense_id, settled_amount, method, settled_at, created_at, updated_at)
SELECT id, amount, 'BANK_TRANSFER', spent_at + interval '26 hours', spent_at + interval '26 hours', spent_at + interval '26 hours'
FROM kisaan_expenses WHERE id % 5 > 0 ORDER BY id;

INSERT INTO kisaan_balance_snapshots (user_id, balance, taken_at, created_at, updated_at)
SELECT user_id, balance_after, created_at + interval '15 minutes', created_at + interval '15 minutes', created_at + interval '15 minutes'
FROM kisaan_transaction_ledger WHERE reason_code = 'WITHDRAWAL' ORDER BY id;

INSERT INTO kisaan_plan_usage (shop_id, plan_id, period_start, transactions_used, amount_billed, created_at, updated_at)
SELECT t.shop_id, s.plan_id, t.month AT TIME ZONE 'UTC', t.n, p.monthly_price,
       least(t.month + interval '1 month', timestamp '2025-10-16') AT TIME ZONE 'UTC', least(t.month + interval '1 month', timestamp '2025-10-16') AT TIME ZONE 'UTC'
FROM (SELECT shop_id, date_trunc('month', created_at) AS month, count(*) AS n FROM kisaan_transactions GROUP BY 1, 2) t
JOIN kisaan_shops s ON s.id = t.shop_id JOIN kisaan_plans p ON p.id = s.plan_id ORDER BY t.month, t.shop_id;

INSERT INTO kisaan_audit_logs (user_id, shop_id, action, entity_type, entity_id, new_values, created_at, updated_at)
SELECT 1 + shop_id, shop_id, 'transaction.create', 'transaction', id, jsonb_build_object('total_amount', total_amount),
       created_at AT TIME ZONE 'UTC', created_at AT TIME ZONE 'UTC'
FROM kisaan_transactions WHERE id % 20 = 0 ORDER BY id;

-- Rows written with their own id leave the sequence behind: put every sequence where the application would have left it.
DO $$ DECLARE c record; x record; BEGIN
    FOR c IN SELECT quote_ident(table_name) AS tab, pg_get_serial_sequence(quote_ident(table_name), column_name) AS seq FROM information_schema.columns
             WHERE table_schema = 'public' AND column_name = 'id' AND column_default LIKE 'nextval%' LOOP
        EXECUTE format('SELECT setval(%L, max(id)) FROM %s', c.seq, c.tab);
    END LOOP;
    FOR x IN SELECT * FROM demo_off ORDER BY turn, back LOOP EXECUTE x.back; END LOOP;
END $$;

DROP TABLE demo_off, demo_size, demo_price;
DROP FUNCTION pg_temp.outcome(bigint), pg_temp.lag_of(bigint), pg_temp.is_partial(bigint), pg_temp.pick(bigint, bigint, bigint);
RESET work_mem;
RESET maintenance_work_mem;
RESET jit;
RESET enable_nestloop;

ANALYZE _migrations, kisaan_plans, kisaan_categories, kisaan_products, kisaan_users, kisaan_shops, kisaan_transactions, kisaan_payments,
    kisaan_commissions, payment_allocations, kisaan_transaction_ledger, kisaan_credits, kisaan_settlements, kisaan_expenses, expense_settlements,
    kisaan_balance_snapshots, kisaan_audit_logs, kisaan_plan_usage, kisaan_shop_categories, kisaan_shop_products;
