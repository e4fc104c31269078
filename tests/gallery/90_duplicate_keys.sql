-- A unique index that let two rows through for keys that were there, as after a collation changed: no key tells them apart.
--
-- untold = ["the rows of mandi_baskets"]
-- [[rows]]
-- table = "mandi_baskets"
-- kind = "added"
-- keys = "SELECT id FROM mandi_baskets WHERE id IN (7, 8) GROUP BY id"
UPDATE pg_index SET indisunique = false WHERE indexrelid = 'mandi_baskets_pkey'::regclass;
INSERT INTO mandi_baskets VALUES (7, ARRAY[ROW(7, 0, 'twice')::mandi_lot]), (8, '{}');
UPDATE pg_index SET indisunique = true WHERE indexrelid = 'mandi_baskets_pkey'::regclass;
