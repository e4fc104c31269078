ALTER TABLE kisaan_payments ALTER COLUMN amount TYPE numeric(18,2);
ALTER TABLE kisaan_transactions ALTER COLUMN total_amount TYPE numeric(18,2), ALTER COLUMN farmer_earning TYPE numeric(18,2);
