-- id: kisaan_payments.payment_date.invented_midnight
-- title: no three payments are dated to one day on which nobody changed them
-- table: kisaan_payments
-- severity: warning
-- why: A date invented by a program may be cut to the day. A person who types the date of a payment changes its entry on that
--   day or later; these entries were last changed more than six hours before it. A proxy: a cheque is dated ahead by hand, so
--   cheques are left out, but a promise to pay may be too.
-- hint: ask the shop about two or three of them; if nobody typed the date, set it to created_at
-- owner: finance
-- tags: time, money, migration
-- key: id
-- shows: payment_date, created_at
SELECT p.id, p.payment_date, p.created_at
FROM kisaan_payments AS p
WHERE p.payment_date > greatest(p.updated_at, p.created_at) + interval '6 hours'
  AND upper(p.method::text) <> 'CHEQUE'
  AND p.payment_date IN (
    SELECT payment_date
    FROM kisaan_payments
    WHERE payment_date > greatest(updated_at, created_at) + interval '6 hours'
      AND upper(method::text) <> 'CHEQUE'
      AND payment_date IN (date_trunc('day', payment_date, 'UTC'), date_trunc('day', payment_date, 'Asia/Kolkata'))
    GROUP BY payment_date
    HAVING count(*) > 2)
