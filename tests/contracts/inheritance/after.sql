ALTER TABLE base ALTER v TYPE bigint;
