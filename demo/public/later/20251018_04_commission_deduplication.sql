-- No shop is equal to no shop. Two partial indexes say so on every version; from 15 on, NULLS NOT DISTINCT does.
DELETE FROM kisaan_commissions a USING kisaan_commissions b
WHERE a.id > b.id AND a.shop_id IS NOT DISTINCT FROM b.shop_id AND a.rate = b.rate AND a.type = b.type;
DROP INDEX kisaan_commissions_once;
CREATE UNIQUE INDEX kisaan_commissions_of_shops ON kisaan_commissions (shop_id, rate, type) WHERE shop_id IS NOT NULL;
CREATE UNIQUE INDEX kisaan_commissions_of_the_house ON kisaan_commissions (rate, type) WHERE shop_id IS NULL;
