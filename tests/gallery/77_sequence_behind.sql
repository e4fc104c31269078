-- A sequence is behind its table: the next payment fails.
--
-- [[schema]]
-- kind = "sequence value"
-- table = ""
-- name = "kisaan_payments_id_seq"
-- aspect = "last value"
SELECT setval('kisaan_payments_id_seq', 5);
