ALTER TABLE p ALTER phone TYPE bigint USING phone::bigint + 1, ALTER id TYPE bigint;
