-- A check lets zero in.
--
-- [[schema]]
-- kind = "constraint"
-- table = "mandi_members"
-- name = "mandi_members_price"
-- aspect = "definition"
ALTER TABLE mandi_members DROP CONSTRAINT mandi_members_price, ADD CONSTRAINT mandi_members_price CHECK (price >= 0);
