-- A table is gone.
--
-- [[schema]]
-- kind = "table"
-- table = "expense_settlements"
-- name = "expense_settlements"
-- aspect = "removed"
DROP TABLE expense_settlements;
