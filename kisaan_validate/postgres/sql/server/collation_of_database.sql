-- The same of the database's own collation, which records a version since PostgreSQL 15.
SELECT 'database ' || d.datname, d.datcollversion, pg_database_collation_actual_version(d.oid),
       (SELECT count(*) FROM pg_index AS i
        WHERE EXISTS (SELECT FROM pg_collation AS o WHERE o.collname = 'default' AND o.oid = ANY (i.indcollation)))
FROM pg_database AS d WHERE d.datname = current_database() AND d.datcollversion IS NOT NULL
