-- id: kisaan_transactions.total_amount.paid_once
-- title: PAID payments allocated to a sale do not exceed what its buyer owes
-- table: kisaan_transactions
-- severity: warning
-- why: Only payments that are PAID count. Allocated to a sale beyond its total, the buyer's money is missing at another sale, which
--   he is asked to pay again.
-- hint: allocate the surplus to the sale it was meant for; if he did pay too much, book it as an advance
-- owner: finance
-- tags: money
-- applies: column kisaan_transactions.total_amount
-- key: id
-- shows: total_amount
SELECT t.id, t.total_amount
FROM kisaan_transactions AS t
JOIN (
  SELECT a.transaction_id, sum(a.allocated_amount) AS paid
  FROM payment_allocations AS a
  JOIN kisaan_payments AS p ON p.id = a.payment_id
  WHERE upper(p.status::text) = 'PAID' AND upper(p.payer_type::text) = 'BUYER'
  GROUP BY a.transaction_id
) AS a ON a.transaction_id = t.id
WHERE a.paid > t.total_amount
