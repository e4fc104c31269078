ALTER TABLE kisaan_payments
    ADD COLUMN settlement_type varchar(20) DEFAULT 'partial',
    ADD COLUMN balance_before numeric(10,2),
    ADD COLUMN balance_after numeric(10,2),
    ADD COLUMN settled_expenses integer[];
ALTER TABLE kisaan_transactions
    ADD COLUMN settled_amount numeric(12,2) DEFAULT 0,
    ADD COLUMN pending_amount numeric(12,2),
    ADD COLUMN settlement_status varchar(20) DEFAULT 'pending';
UPDATE kisaan_transactions SET pending_amount = farmer_earning;
