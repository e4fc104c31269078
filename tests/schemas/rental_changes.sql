UPDATE payment SET amount = amount + 0.01 WHERE payment_id = 17;
UPDATE film SET description = 'An epic of a cat' WHERE film_id = 7;  -- its triggers change two more columns
UPDATE film SET special_features[2] = 'Interviews' WHERE film_id IN (2, 3);
UPDATE rental SET rental_period = tstzrange(lower(rental_period), upper(rental_period), '[]') WHERE rental_id = 60;
DELETE FROM rental WHERE rental_id = 500;  -- which takes rental_id from its payment
UPDATE payment SET payment_date = '2024-02-11 UTC' WHERE payment_id = 30;  -- into another partition, under another key
INSERT INTO film_actor VALUES (1, 2);
DROP INDEX film_title;
ALTER TABLE film ALTER rental_rate TYPE numeric(6,2);
ALTER TYPE rating ADD VALUE 'X';
ALTER TABLE payment DETACH PARTITION payment_later;
ALTER TEXT SEARCH CONFIGURATION films ALTER MAPPING FOR asciihword WITH english_stem;
