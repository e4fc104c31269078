-- A market of two large tables, for measuring. Fills an empty database from three settings:
--   market.rows     sales, and as many payments
--   market.layout   dense: keys without gaps, rows in key order, one payment a sale
--                   text: as dense, and a payment refers to its sale by a text
--                   shuffled: every seventh key taken, rows in no order, several payments a sale or none, some without a sale
-- The same rows on every run and every server: a hash of a row's number stands in for random(). Every fact of a sale
-- follows from its number, so a payment repeats the facts of its sale without looking it up.

SELECT set_config('work_mem', '512MB', false), set_config('maintenance_work_mem', '512MB', false),
       set_config('jit', 'off', false), set_config('TimeZone', 'UTC', false);

CREATE TYPE payment_method AS ENUM ('CASH', 'UPI', 'BANK_TRANSFER', 'CARD', 'CHEQUE');

CREATE TABLE shops (
    id       bigserial,
    name     varchar(255) NOT NULL,
    owner_id bigint NOT NULL
);
CREATE TABLE users (
    id       bigserial,
    username varchar(255) NOT NULL,
    role     varchar(20) NOT NULL,
    shop_id  bigint
);
CREATE TABLE commissions (
    id      bigserial,
    shop_id bigint,                                 -- NULL: the house default
    rate    numeric(5,2) NOT NULL,
    type    varchar(20) NOT NULL
);
-- As in the field: few guards, no foreign keys; what must hold is said in the suite.
CREATE TABLE transactions (
    id                serial,
    shop_id           bigint,
    buyer_id          bigint,
    product_id        bigint,
    product_name      varchar(255),
    quantity          numeric(12,2),
    unit_price        numeric(12,2),
    total_amount      numeric(12,2),
    commission_amount numeric(12,2),
    farmer_earning    numeric(12,2),
    status            varchar(20),
    created_at        timestamptz
);
CREATE TABLE payments (
    id              bigserial,
    transaction_id  integer,                        -- NULL: an advance, a settlement
    shop_id         bigint,
    counterparty_id integer,
    product_id      bigint,
    amount          numeric(12,2),
    method          payment_method NOT NULL,
    status          varchar(20),
    notes           text,
    payment_date    timestamptz,
    created_at      timestamp,
    updated_at      timestamp
);

CREATE TEMP TABLE size AS
SELECT n AS rows, l = 'shuffled' AS shuffled, CASE l WHEN 'shuffled' THEN 7 ELSE 1 END AS stride,
       greatest(10, n / 5000) AS shops, greatest(200, n / 100) AS users, n / 25 AS commissions
FROM (SELECT current_setting('market.rows')::bigint AS n, current_setting('market.layout') AS l) AS s;

-- 0 .. n-1 for row i; salt separates the uses. hashint8extended is stable across versions.
CREATE FUNCTION pg_temp.pick(i bigint, salt bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    AS $$ SELECT (hashint8extended(i, salt) & 9223372036854775807) % n $$;
-- The key of row i: one of each stride; a stride of 1 leaves no choice.
CREATE FUNCTION pg_temp.key(i bigint, salt bigint, stride bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    AS $$ SELECT i * stride - pg_temp.pick(i, salt, stride) $$;
-- What sale t was about.
CREATE FUNCTION pg_temp.shop(t bigint, shops bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    AS $$ SELECT 1 + pg_temp.pick(t, 10, shops) $$;
CREATE FUNCTION pg_temp.buyer(t bigint, users bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    AS $$ SELECT 1 + pg_temp.pick(t, 11, users) $$;
CREATE FUNCTION pg_temp.product(t bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    AS $$ SELECT nullif(pg_temp.pick(t, 12, 41), 0) $$;
CREATE FUNCTION pg_temp.quantity(t bigint) RETURNS numeric LANGUAGE sql IMMUTABLE
    AS $$ SELECT (2000 + pg_temp.pick(t, 13, 28000)) * 0.01 $$;
CREATE FUNCTION pg_temp.unit_price(t bigint) RETURNS numeric LANGUAGE sql IMMUTABLE
    AS $$ SELECT (1000 + pg_temp.pick(t, 14, 49000)) * 0.01 $$;
CREATE FUNCTION pg_temp.sold_at(t bigint, rows bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE
    AS $$ SELECT timestamptz '2024-01-01 00:30+00'
                 + make_interval(secs => t * 55900000 / rows + pg_temp.pick(t, 15, 1000) / 1000.0) $$;

INSERT INTO shops (name, owner_id)
SELECT 'Gala ' || s || ', APMC Market Yard', 1 + pg_temp.pick(s, 20, z.users)
FROM size AS z, generate_series(1, z.shops) AS s;

INSERT INTO users (username, role, shop_id)
SELECT 'user' || lpad(u::text, 8, '0'), CASE u % 3 WHEN 0 THEN 'farmer' ELSE 'buyer' END, 1 + pg_temp.pick(u, 21, z.shops)
FROM size AS z, generate_series(1, z.users) AS u;

-- Every agreement occurs once; those of the house, without a shop, too.
INSERT INTO commissions (shop_id, rate, type)
SELECT nullif((c - 1) % (z.shops + 1), 0), 0.25 * (1 + turn / 2), CASE turn % 2 WHEN 0 THEN 'percentage' ELSE 'fixed' END
FROM size AS z, generate_series(1, z.commissions) AS c, LATERAL (SELECT (c - 1) / (z.shops + 1) AS turn) AS a;

-- OFFSET 0 keeps the planner from flattening a subquery, which would compute the same hashes over and over.
INSERT INTO transactions
SELECT pg_temp.key(t, 3, z.stride), pg_temp.shop(t, z.shops), pg_temp.buyer(t, z.users), pg_temp.product(t),
       (ARRAY['Onion', 'Potato', 'Tomato', 'Brinjal', 'Okra', 'Cauliflower', 'Green Chilli', 'Banana', 'Pomegranate',
              'Marigold', 'Wheat', 'Turmeric'])[1 + coalesce(pg_temp.product(t), 0) % 12],
       quantity, unit_price, total, commission, total - commission,
       CASE WHEN luck < 70 THEN 'completed' WHEN luck < 95 THEN 'settled' WHEN luck < 98 THEN 'pending' ELSE 'cancelled' END,
       pg_temp.sold_at(t, z.rows)
FROM size AS z,
     LATERAL (SELECT t FROM generate_series(1, z.rows) AS t
              ORDER BY CASE WHEN z.shuffled THEN pg_temp.pick(t, 1, 4611686018427387904) ELSE t END) AS n,
     LATERAL (SELECT pg_temp.quantity(t) AS quantity, pg_temp.unit_price(t) AS unit_price,
                     pg_temp.pick(t, 30, 100) AS luck OFFSET 0) AS a,
     LATERAL (SELECT round(quantity * unit_price, 2) AS total OFFSET 0) AS b,
     LATERAL (SELECT round(total * (40 + pg_temp.pick(t, 31, 5) * 5) / 1000, 2) AS commission OFFSET 0) AS c;

INSERT INTO payments
SELECT pg_temp.key(k, 4, z.stride),
       CASE WHEN NOT z.shuffled OR pg_temp.pick(k, 41, 20) > 0 THEN pg_temp.key(t, 3, z.stride) END,
       pg_temp.shop(t, z.shops), pg_temp.buyer(t, z.users), pg_temp.product(t),
       CASE WHEN luck % 10 = 9 THEN round(total * 0.6, 2) ELSE total END,
       (ARRAY['CASH', 'UPI', 'UPI', 'BANK_TRANSFER', 'CARD', 'CHEQUE'])[1 + luck % 6]::payment_method,
       CASE WHEN luck < 940 THEN 'PAID' WHEN luck < 960 THEN 'PENDING' WHEN luck < 990 THEN 'FAILED' ELSE 'CANCELLED' END,
       CASE WHEN luck % 4 = 0 THEN 'slip ' || k WHEN luck % 50 = 1 THEN 'part of the sum, the rest on Friday' END,
       paid, (paid + interval '90 seconds') AT TIME ZONE 'UTC',
       (paid + make_interval(secs => 90 + luck * 400)) AT TIME ZONE 'UTC'
FROM size AS z,
     LATERAL (SELECT k FROM generate_series(1, z.rows) AS k
              ORDER BY CASE WHEN z.shuffled THEN pg_temp.pick(k, 2, 4611686018427387904) ELSE k END) AS n,
     LATERAL (SELECT CASE WHEN z.shuffled THEN 1 + pg_temp.pick(k, 40, z.rows) ELSE k END AS t,
                     pg_temp.pick(k, 42, 1000) AS luck OFFSET 0) AS a,
     LATERAL (SELECT round(pg_temp.quantity(t) * pg_temp.unit_price(t), 2) AS total,
                     pg_temp.sold_at(t, z.rows) + make_interval(secs => pg_temp.pick(k, 43, 400000)) AS paid OFFSET 0) AS b;

-- Generated, so that whatever is done to a number below is done to its text.
DO $$ BEGIN
    IF current_setting('market.layout') = 'text' THEN
        ALTER TABLE transactions ADD reference text GENERATED ALWAYS AS ('sale/2024/' || lpad(id::text, 12, '0')) STORED;
        ALTER TABLE transactions ADD UNIQUE (reference);
        ALTER TABLE payments ADD sale text GENERATED ALWAYS AS ('sale/2024/' || lpad(transaction_id::text, 12, '0')) STORED;
        CREATE INDEX payments_sale ON payments (sale);
    END IF;
END $$;
ALTER TABLE shops ADD PRIMARY KEY (id);
ALTER TABLE users ADD PRIMARY KEY (id);
ALTER TABLE commissions ADD PRIMARY KEY (id);
ALTER TABLE transactions ADD PRIMARY KEY (id);
ALTER TABLE payments ADD PRIMARY KEY (id);
CREATE INDEX payments_transaction_id ON payments (transaction_id);
SELECT setval('transactions_id_seq', (SELECT max(id) FROM transactions)),
       setval('payments_id_seq', (SELECT max(id) FROM payments));

GRANT SELECT ON ALL TABLES IN SCHEMA public TO market_reader;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO market_reader;

-- Rows to be spoiled, spread over the whole table and numbered; each violation takes the next few of them.
CREATE TEMP TABLE spare AS
SELECT 'transactions' AS origin, id, row_number() OVER (ORDER BY pg_temp.pick(id, 50, 4611686018427387904), id) AS turn
FROM transactions, size WHERE pg_temp.pick(id, 51, greatest(1, rows / 10000)) = 0
UNION ALL
SELECT 'payments', id, row_number() OVER (ORDER BY pg_temp.pick(id, 50, 4611686018427387904), id)
FROM payments, size WHERE transaction_id IS NOT NULL AND pg_temp.pick(id, 51, greatest(1, rows / 10000)) = 0
UNION ALL
SELECT 'commissions', id, row_number() OVER (ORDER BY pg_temp.pick(id, 50, 4611686018427387904), id) FROM commissions;
ANALYZE;
