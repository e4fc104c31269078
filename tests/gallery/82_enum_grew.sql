-- A label came that the application does not know.
--
-- [[schema]]
-- kind = "enum"
-- table = ""
-- name = "enum_kisaan_payments_status"
-- aspect = "labels"
ALTER TYPE enum_kisaan_payments_status ADD VALUE 'REFUNDED';
