-- The server's time, the next transaction in 64 bits, and the next multixact modulo 2^32.
SELECT statement_timestamp(), pg_snapshot_xmax(pg_current_snapshot())::text,
       ((d.datminmxid::text)::bigint + mxid_age(d.datminmxid)) % 4294967296
FROM pg_database AS d WHERE d.datname = current_database()
