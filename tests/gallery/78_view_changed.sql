-- A view shows others.
--
-- [[schema]]
-- kind = "view"
-- table = "mandi_active"
-- name = "mandi_active"
-- aspect = "definition"
CREATE OR REPLACE VIEW mandi_active AS SELECT id, name FROM mandi_members WHERE NOT active;
