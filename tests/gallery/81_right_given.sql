-- Everybody may delete payments.
--
-- [[schema]]
-- kind = "grant"
-- table = "kisaan_payments"
-- name = "PUBLIC"
-- aspect = "added"
GRANT DELETE ON kisaan_payments TO PUBLIC;
