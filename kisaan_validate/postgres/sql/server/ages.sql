-- How old the oldest unfrozen transaction and multixact may be: (kind, name, transactions, multixacts).
-- Tables of other sessions count too: a temporary table that was left behind holds its database back.
SELECT 'database', d.datname, age(d.datfrozenxid)::bigint, mxid_age(d.datminmxid)::bigint
FROM pg_database AS d
UNION ALL
SELECT 'table', n.nspname || '.' || c.relname, age(c.relfrozenxid)::bigint, mxid_age(c.relminmxid)::bigint
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 't') AND c.relfrozenxid <> '0'::xid AND c.relminmxid <> '0'::xid
ORDER BY 1, 2
