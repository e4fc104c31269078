-- Active is inactive and the other way.
--
-- [[rows]]
-- table = "kisaan_shop_products"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_shop_products WHERE shop_id % 10 = 3"
-- columns = ["is_active"]
-- pattern = "boolean inverted"
UPDATE kisaan_shop_products SET is_active = NOT is_active WHERE shop_id % 10 = 3;
