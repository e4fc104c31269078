ALTER TABLE p ADD product bigint;
