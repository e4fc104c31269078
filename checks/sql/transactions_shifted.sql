-- id: kisaan_transactions.created_at.not_shifted
-- title: no sale was moved by 5 h 30 min against its ledger entry
-- table: kisaan_transactions
-- severity: blocking
-- why: The migration read the old times in the time zone of its session. Run from an Indian desk, it moved every sale by
--   five and a half hours, so that morning sales fall on the day before. The evidence is the first ledger entry of
--   the same sale, which always kept its zone and is written together with it. Where a stray ledger entry happens to
--   be five and a half hours away, one row in a hundred is tolerated; a moved clock moves all of them.
-- hint: find out in which time zone 20251018_05 ran; move created_at and updated_at back by that offset in one statement,
--   in both kisaan_transactions and kisaan_payments
-- owner: platform
-- tags: time, migration
-- tolerance: 1%
-- key: id
-- shows: created_at, booked_at
SELECT t.id, t.created_at, l.booked_at
FROM kisaan_transactions AS t
JOIN (
  SELECT transaction_id, min(created_at) AS booked_at
  FROM kisaan_transaction_ledger
  WHERE transaction_id IS NOT NULL
  GROUP BY transaction_id
) AS l ON l.transaction_id = t.id
WHERE l.booked_at - t.created_at BETWEEN interval '5 hours 25 minutes' AND interval '5 hours 35 minutes'
   OR t.created_at - l.booked_at BETWEEN interval '5 hours 25 minutes' AND interval '5 hours 35 minutes'
