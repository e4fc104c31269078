-- id: kisaan_payments.created_at.not_shifted
-- title: few payments were entered 5 h 30 min before they were made
-- table: kisaan_payments
-- severity: warning
-- why: Most payments are entered when they are made. If many seem to have been entered five and a half
--   hours earlier, the migration moved created_at by the difference between Indian and universal time. A proxy: the
--   date of a payment can also be typed by hand, so one row in a hundred is tolerated.
-- hint: see kisaan_transactions.created_at.not_shifted, which has better evidence; fix both tables the same way
-- owner: platform
-- tags: time, migration
-- tolerance: 1%
-- key: id
-- shows: created_at, payment_date
SELECT id, created_at, payment_date
FROM kisaan_payments
WHERE payment_date - created_at BETWEEN interval '5 hours 25 minutes' AND interval '5 hours 35 minutes'
