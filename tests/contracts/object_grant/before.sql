DO $$BEGIN CREATE ROLE contract_reader; EXCEPTION WHEN duplicate_object THEN NULL; END$$; DO $$BEGIN CREATE ROLE contract_writer; EXCEPTION WHEN duplicate_object THEN NULL; END$$;
CREATE TABLE t (id int PRIMARY KEY, a int, b int);
GRANT SELECT ON t TO contract_reader; GRANT SELECT ON t TO PUBLIC;
