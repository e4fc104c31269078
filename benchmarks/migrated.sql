-- What a migration makes of diff.sql: wider types, and 250 rows changed, 100 lost, 50 gained, one in so many of the table.
SELECT set_config('work_mem', '512MB', false), set_config('maintenance_work_mem', '512MB', false),
       set_config('jit', 'off', false), set_config('TimeZone', 'UTC', false);

CREATE TEMP TABLE chosen AS
SELECT id, row_number() OVER (ORDER BY spread) AS turn
FROM (SELECT id, md5('chosen' || id::text) AS spread FROM payments ORDER BY 2 LIMIT 400) AS c;

UPDATE payments SET amount = amount + 0.01 WHERE id IN (SELECT id FROM chosen WHERE turn BETWEEN 1 AND 100);
UPDATE payments SET fee = fee + 1 WHERE id IN (SELECT id FROM chosen WHERE turn BETWEEN 101 AND 150);
UPDATE payments SET status = lower(status) WHERE id IN (SELECT id FROM chosen WHERE turn BETWEEN 151 AND 200);
UPDATE payments SET created_at = created_at + interval '5 h 30 min' WHERE id IN (SELECT id FROM chosen WHERE turn BETWEEN 201 AND 250);
DELETE FROM payments WHERE id IN (SELECT id FROM chosen WHERE turn BETWEEN 251 AND 350);
CREATE TEMP TABLE gained AS SELECT p.*, c.turn FROM payments AS p JOIN chosen AS c USING (id) WHERE turn > 350;

ALTER TABLE payments
    ALTER amount TYPE numeric(18,2), ALTER fee TYPE numeric(18,2),
    ALTER transaction_id TYPE bigint, ALTER shop_id TYPE bigint, ALTER counterparty_id TYPE bigint,
    ALTER method TYPE text, ALTER status TYPE text,
    ALTER created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC',
    ALTER updated_at TYPE timestamptz USING updated_at AT TIME ZONE 'UTC';

DO $$ BEGIN
    IF (SELECT atttypid FROM pg_attribute WHERE attrelid = 'payments'::regclass AND attname = 'id') = 'uuid'::regtype THEN
        UPDATE gained SET id = md5('gained' || turn)::uuid;
    ELSE
        ALTER TABLE payments ALTER id TYPE bigint;
        ALTER TABLE gained ALTER id TYPE bigint;
        UPDATE gained SET id = turn + (SELECT max(id) FROM payments);
    END IF;
END $$;
INSERT INTO payments SELECT id, transaction_id, shop_id, counterparty_id, amount, fee, method, status, notes, payment_date,
    created_at AT TIME ZONE 'UTC', updated_at AT TIME ZONE 'UTC' FROM gained;
