-- id: kisaan_user_balances.balance.entries_sum
-- title: every balance in a shop is the sum of its ledger's entries
-- table: kisaan_user_balances
-- severity: blocking
-- why: The balance of a person in a shop is nothing but his CREDIT entries less his DEBIT entries. Where the two differ, or one is
--   there without the other, he is told an amount that no entry explains.
-- hint: compare both with the last balance that was confirmed to the person; correct with a booked entry
-- owner: finance
-- tags: money
-- applies: table kisaan_user_balances; table kisaan_ledger_entries
-- key: user_id, shop_id
-- shows: balance, entries
WITH booked AS (
  SELECT user_id, shop_id, sum(CASE upper(direction::text) WHEN 'CREDIT' THEN amount WHEN 'DEBIT' THEN -amount END) AS entries
  FROM kisaan_ledger_entries
  GROUP BY user_id, shop_id
)
SELECT coalesce(b.user_id, e.user_id) AS user_id, coalesce(b.shop_id, e.shop_id) AS shop_id, b.balance, e.entries
FROM kisaan_user_balances AS b
FULL JOIN booked AS e ON e.user_id = b.user_id AND e.shop_id = b.shop_id
WHERE coalesce(b.balance, 0) <> coalesce(e.entries, 0)
