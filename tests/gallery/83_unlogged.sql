-- A table does not survive a crash.
--
-- [[schema]]
-- kind = "table"
-- table = "kisaan_audit_logs"
-- name = "kisaan_audit_logs"
-- aspect = "persistence"
ALTER TABLE kisaan_audit_logs SET UNLOGGED;
