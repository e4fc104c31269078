-- A unique constraint is gone.
--
-- [[schema]]
-- kind = "constraint"
-- table = "kisaan_plan_usage"
-- name = "kisaan_plan_usage_shop_id_period_start_key"
-- aspect = "removed"
ALTER TABLE kisaan_plan_usage DROP CONSTRAINT kisaan_plan_usage_shop_id_period_start_key;
