-- What decides about ages, slots and checksums: (name, setting).
SELECT name, setting FROM pg_settings
WHERE name IN ('autovacuum_freeze_max_age', 'autovacuum_multixact_freeze_max_age', 'max_slot_wal_keep_size', 'data_checksums')
