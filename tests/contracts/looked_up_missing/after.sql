ALTER TABLE p DROP product;
