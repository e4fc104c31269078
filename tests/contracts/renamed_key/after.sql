ALTER TABLE s RENAME id TO sale_id;
