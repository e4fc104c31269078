-- Failures that the server counted: (database, number); NULL where checksums are off.
SELECT coalesce(s.datname, ''), s.checksum_failures FROM pg_stat_database AS s ORDER BY 1
