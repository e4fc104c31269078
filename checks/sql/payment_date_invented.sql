-- id: kisaan_payments.payment_date.invented
-- title: no payment bears the migration's own time as its date
-- table: kisaan_payments
-- severity: blocking
-- why: Where the date of a payment was missing, the migration wrote the time of its own run, though it was known when
--   the payment had been entered. Old payments then all appear in one and the same night: farmers' statements, monthly
--   totals and the tax return are wrong from there on.
-- hint: set the date of these rows to their created_at (20251018_02 should have), never to the time of the repair
-- owner: finance
-- tags: time, money, migration
-- key: id
-- shows: payment_date, created_at
-- Long after the payment was entered, and either to the microsecond that of another payment (nobody types
-- microseconds; whole minutes are typed dates) or from the moment at which the migration ran.
SELECT p.id, p.payment_date, p.created_at
FROM kisaan_payments AS p
WHERE p.payment_date > p.created_at + interval '6 hours'
  AND p.payment_date <> date_trunc('minute', p.payment_date)
  AND (
    p.payment_date IN (
      SELECT payment_date FROM kisaan_payments
      WHERE payment_date > created_at + interval '6 hours'
      GROUP BY payment_date HAVING count(*) > 1)
    OR EXISTS (
      SELECT FROM _migrations AS m
      WHERE m.name = '20251018_02_payment_date_not_null.sql'
        AND p.payment_date BETWEEN m.executed_at - interval '10 minutes' AND m.executed_at + interval '1 minute')
  )
