-- id: kisaan_payments.payment_date.invented
-- title: no payment has the migration's own time as its date
-- table: kisaan_payments
-- severity: blocking
-- why: Where the date of a payment was missing, the migration wrote the time of its own run, though it was known when
--   the payment had been entered. Old payments then all appear in one and the same night: farmers' statements, monthly
--   totals and the tax return are wrong from there on.
-- finding: {count} payments carry the migration's own time as their date
-- hint: set the date of these rows to their created_at (20251018_02 should have), never to the time of the repair
-- owner: finance
-- tags: time, money, migration
-- key: id
-- shows: payment_date, created_at
-- Only dates more than six hours after the payment was entered are examined (six, so that a clock that was moved by
-- 5 h 30 min does not make them). Of these, three kinds were written by a program:
--   1. to the microsecond, or second, that of another payment: nobody types seconds;
--   2. of at least three payments, to the minute, though nobody changed them in the six hours before it, nor later: a person who
--      types the date of a payment changes its entry then or later. This holds whether now() was cut to the
--      minute or to the hour. Midnights are left out: cheques are dated ahead, by the day (payment_date_midnight.sql);
--   3. from the time at which the migration ran, by its own ledger.
-- One or two payments that were given a full minute by hand, with no migration near, cannot be told from typed ones.
SELECT p.id, p.payment_date, p.created_at
FROM kisaan_payments AS p
WHERE p.payment_date > p.created_at + interval '6 hours'
  AND (
    p.payment_date IN (
      SELECT payment_date
      FROM kisaan_payments
      WHERE payment_date > created_at + interval '6 hours'
      GROUP BY payment_date
      HAVING (payment_date <> date_trunc('minute', payment_date) AND count(*) > 1)
        OR (payment_date <> date_trunc('day', payment_date, 'UTC')
          AND payment_date <> date_trunc('day', payment_date, 'Asia/Kolkata')
          AND count(*) FILTER (WHERE payment_date > coalesce(updated_at, created_at) + interval '6 hours') > 2))
    OR EXISTS (
      SELECT FROM _migrations AS m
      WHERE m.name = '20251018_02_payment_date_not_null.sql'
        AND p.payment_date BETWEEN date_trunc('minute', m.executed_at - interval '10 minutes') AND m.executed_at + interval '1 minute'
        AND (p.payment_date = date_trunc('minute', m.executed_at)
          OR (p.payment_date <> date_trunc('day', p.payment_date, 'UTC')
            AND p.payment_date <> date_trunc('day', p.payment_date, 'Asia/Kolkata'))))
  )
