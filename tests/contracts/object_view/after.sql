DROP VIEW x; ALTER VIEW y SET (security_barrier = true); CREATE VIEW z AS SELECT a, b FROM t;
