-- NULL is a value of the key here: it stands for the house default.
DELETE FROM kisaan_commissions c1 USING kisaan_commissions c2
WHERE c1.id > c2.id AND c1.shop_id IS NOT DISTINCT FROM c2.shop_id AND c1.rate = c2.rate AND c1.type = c2.type;

-- And they do not come back. Before PostgreSQL 15 no single index treats NULLs as equal.
DO $$
BEGIN
    IF current_setting('server_version_num')::int >= 150000 THEN
        EXECUTE 'CREATE UNIQUE INDEX kisaan_commissions_key ON kisaan_commissions (shop_id, rate, type) NULLS NOT DISTINCT';
    ELSE
        EXECUTE 'CREATE UNIQUE INDEX kisaan_commissions_key ON kisaan_commissions (shop_id, rate, type) WHERE shop_id IS NOT NULL';
        EXECUTE 'CREATE UNIQUE INDEX kisaan_commissions_house_key ON kisaan_commissions (rate, type) WHERE shop_id IS NULL';
    END IF;
END $$;
