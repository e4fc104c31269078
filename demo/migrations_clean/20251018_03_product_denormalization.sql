-- One type for a product's number everywhere, and every reference a foreign key.
ALTER TABLE kisaan_products ALTER COLUMN id TYPE bigint;
ALTER SEQUENCE kisaan_products_id_seq AS bigint;
ALTER TABLE kisaan_shop_products ALTER COLUMN product_id TYPE bigint;
ALTER TABLE kisaan_payments ADD COLUMN product_id bigint
    CONSTRAINT kisaan_payments_product_id_fkey REFERENCES kisaan_products (id);
ALTER TABLE kisaan_transactions
    ADD CONSTRAINT kisaan_transactions_product_id_fkey FOREIGN KEY (product_id) REFERENCES kisaan_products (id);
