-- One table of 12 columns, for measuring comparisons. Fills an empty database from three settings:
--   diff.rows     its rows
--   diff.layout   ordered: keys without gaps, rows in key order; shuffled: every seventh key taken, rows in no order;
--                 uuid: keys are uuids, rows in no order; texts: as ordered, with a long note in every row
-- The same rows on every run and every server: a hash of a row's number stands in for random().

SELECT set_config('work_mem', '512MB', false), set_config('maintenance_work_mem', '512MB', false),
       set_config('jit', 'off', false), set_config('TimeZone', 'UTC', false);

CREATE TABLE rows_made AS
SELECT n, abs(hashint8extended(n, 7)) AS dice
FROM generate_series(1, current_setting('diff.rows')::int) AS n;

CREATE TABLE payments AS
SELECT
    CASE WHEN current_setting('diff.layout') IN ('ordered', 'texts') THEN n ELSE n * 7 END AS id,
    CASE WHEN dice % 9 > 0 THEN n END AS transaction_id,
    (dice % 5000)::int AS shop_id,
    (dice % 90001)::int AS counterparty_id,
    (dice % 9999999)::numeric(12,2) / 100 AS amount,
    (dice % 9999)::numeric(12,2) / 100 AS fee,
    (ARRAY['CASH', 'UPI', 'BANK_TRANSFER', 'CARD', 'CHEQUE'])[1 + dice % 5]::varchar(20) AS method,
    (ARRAY['PENDING', 'PAID', 'FAILED', 'CANCELLED'])[1 + dice % 4]::varchar(20) AS status,
    CASE WHEN current_setting('diff.layout') = 'texts' THEN repeat('note ' || dice || ' ', (1 + dice % 12)::int)
         WHEN dice % 3 = 0 THEN 'note ' || dice END AS notes,
    timestamptz '2024-01-01 00:00+00' + dice % 60000000 * interval '1 second' AS payment_date,
    timestamp '2024-01-01 00:00' + n * interval '1 second' AS created_at,
    timestamp '2024-02-01 00:00' + dice % 50000000 * interval '1.000123 second' AS updated_at
FROM rows_made
ORDER BY CASE WHEN current_setting('diff.layout') IN ('ordered', 'texts') THEN n ELSE dice END;

DO $$ BEGIN
    ALTER TABLE payments ALTER amount TYPE numeric(12,2), ALTER fee TYPE numeric(12,2);
    IF current_setting('diff.layout') = 'uuid' THEN
        ALTER TABLE payments ALTER id TYPE uuid USING md5(id::text)::uuid;
    END IF;
END $$;
ALTER TABLE payments ADD PRIMARY KEY (id);
DROP TABLE rows_made;
