-- id: SequelizeMeta.name.not_in_both
-- title: no migration is recorded in both ledgers
-- table: SequelizeMeta
-- severity: warning
-- why: The runner keeps one ledger (_migrations), Sequelize another. A file in both was run twice, by two programs, so what it adds or fills in may be wrong.
-- hint: read the file; if running it twice does harm, compare with the backup from before the second run
-- owner: platform
-- tags: migration
-- applies: table SequelizeMeta; table _migrations
-- key: name
SELECT s.name
FROM "SequelizeMeta" AS s
JOIN _migrations AS m ON m.name = s.name
