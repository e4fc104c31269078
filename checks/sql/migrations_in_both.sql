-- id: SequelizeMeta.name.not_in_both
-- title: no migration is recorded in both ledgers
-- table: SequelizeMeta
-- severity: warning
-- why: The runner keeps one ledger (_migrations), Sequelize another. A file that is in both was run twice, by two programs: what it
--   adds up, or fills in, may be wrong by a second helping.
-- hint: read the file; if running it twice does harm, compare with the backup from before the second run
-- owner: platform
-- tags: migration
-- applies: table SequelizeMeta; table _migrations
-- key: name
SELECT s.name
FROM "SequelizeMeta" AS s
JOIN _migrations AS m ON m.name = s.name
