SELECT count(*) FROM kisaan_payments WHERE payment_date IS NULL;
