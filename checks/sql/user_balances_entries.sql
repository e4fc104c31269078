-- id: kisaan_user_balances.balance.entries_sum
-- title: every balance in a shop is the sum of its ledger's entries
-- table: kisaan_user_balances
-- severity: blocking
-- why: The balance of a person in a shop is his CREDIT entries minus his DEBIT entries. If they differ, he is
--   told an amount that no entry explains.
-- hint: compare both with the last balance that was confirmed to the person; correct with a booked entry
-- owner: finance
-- tags: money
-- applies: table kisaan_user_balances; table kisaan_ledger_entries
-- key: id
-- shows: user_id, shop_id, balance
SELECT b.id, b.user_id, b.shop_id, b.balance
FROM kisaan_user_balances AS b
LEFT JOIN (
  SELECT user_id, shop_id, sum(CASE upper(direction::text) WHEN 'CREDIT' THEN amount WHEN 'DEBIT' THEN -amount END) AS entries
  FROM kisaan_ledger_entries
  GROUP BY user_id, shop_id
) AS e ON e.user_id = b.user_id AND e.shop_id = b.shop_id
WHERE b.balance <> coalesce(e.entries, 0)
