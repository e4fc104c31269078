-- The amounts of a hundred payments each stand one row further.
--
-- [[rows]]
-- table = "kisaan_payments"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_payments p WHERE id BETWEEN 301 AND 400 AND amount <> (SELECT amount FROM kisaan_payments q WHERE q.id = 301 + (p.id - 300) % 100)"
-- columns = ["amount"]
-- pattern = "exchanged between rows"
UPDATE kisaan_payments p SET amount = q.amount FROM kisaan_payments q WHERE p.id BETWEEN 301 AND 400 AND q.id = 301 + (p.id - 300) % 100;
