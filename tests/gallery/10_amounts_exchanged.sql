-- Two payments exchanged their amounts: the same sum, the same ends, the same set of values.
--
-- [[rows]]
-- table = "kisaan_payments"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_payments WHERE id IN (211, 212)"
-- columns = ["amount"]
-- pattern = "exchanged between rows"
UPDATE kisaan_payments p SET amount = q.amount FROM kisaan_payments q WHERE (p.id, q.id) IN ((211, 212), (212, 211));
