DROP TYPE x; COMMENT ON TYPE y IS 'said'; CREATE TYPE z AS RANGE (subtype = int8);
