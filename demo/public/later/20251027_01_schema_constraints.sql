-- The public schema's CHECK wants every owner to be a member of a shop, this migration wants none to be: the older one goes first.
ALTER TABLE kisaan_users DROP CONSTRAINT shop_id_required_for_roles;
UPDATE kisaan_users SET shop_id = NULL WHERE role = 'owner';
ALTER TABLE kisaan_users
    ADD CONSTRAINT user_role_shop CHECK (CASE role WHEN 'owner' THEN shop_id IS NULL WHEN 'superadmin' THEN true ELSE shop_id IS NOT NULL END),
    ADD CONSTRAINT user_balance_reasonable CHECK (balance BETWEEN -10000000 AND 10000000);
ALTER TABLE kisaan_transactions
    ADD CONSTRAINT transaction_amounts CHECK (total_amount >= 0 AND commission_amount >= 0 AND farmer_earning >= 0),
    ADD CONSTRAINT transaction_split CHECK (total_amount = commission_amount + farmer_earning);
ALTER TABLE kisaan_payments ADD CONSTRAINT payment_amount CHECK (amount > 0);
ALTER TABLE payment_allocations ADD CONSTRAINT allocation_amount CHECK (allocated_amount > 0);
ALTER TABLE kisaan_expenses
    ADD CONSTRAINT expense_amount CHECK (amount > 0),
    ADD CONSTRAINT expense_total CHECK (total_amount IS NULL OR total_amount = amount);
ALTER TABLE expense_settlements ADD CONSTRAINT settlement_amount CHECK (amount > 0);
CREATE UNIQUE INDEX one_active_plan_a_shop ON kisaan_plan_usage (shop_id) WHERE is_active;
