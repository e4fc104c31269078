-- A fee of six per cent.
--
-- [[schema]]
-- kind = "function"
-- table = ""
-- name = "mandi_fee(numeric)"
-- aspect = "body"
CREATE OR REPLACE FUNCTION mandi_fee(kg numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT round(kg * 0.06, 2) $$;
