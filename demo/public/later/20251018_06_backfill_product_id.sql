UPDATE kisaan_payments p SET product_id = t.product_id FROM kisaan_transactions t WHERE t.id = p.transaction_id AND t.product_id IS NOT NULL;
