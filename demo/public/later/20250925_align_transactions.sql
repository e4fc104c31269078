-- What a sale lacks in the public schema. The step of the field fills no older sale: it leaves 0 in total_amount and
-- commission_amount. Here they are filled, before anything relies on them.
ALTER TABLE kisaan_transactions
    ADD COLUMN total_amount numeric(12,2) NOT NULL DEFAULT 0,
    ADD COLUMN commission_amount numeric(12,2) NOT NULL DEFAULT 0,
    ADD COLUMN commission_rate numeric(6,4),
    ADD COLUMN commission_type varchar(30),
    ADD COLUMN product_id bigint,
    ADD COLUMN status varchar(20),
    ADD COLUMN transaction_date timestamp,
    ADD COLUMN settlement_date timestamp,
    ADD COLUMN notes text,
    ADD COLUMN metadata jsonb;
UPDATE kisaan_transactions t
SET total_amount = total_sale_value, commission_amount = shop_commission, commission_rate = s.commission_rate, commission_type = 'percentage',
    product_id = p.id, transaction_date = t.created_at AT TIME ZONE 'UTC',
    status = (ARRAY['completed', 'COMPLETED', 'settled', 'pending', 'cancelled'])[1 + t.id % 5]
FROM kisaan_products p, kisaan_shops s
WHERE p.name = t.product_name AND p.category_id = t.category_id AND s.id = t.shop_id;
CREATE INDEX kisaan_transactions_product_id ON kisaan_transactions (product_id);
