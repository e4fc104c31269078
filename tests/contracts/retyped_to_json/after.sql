ALTER TABLE p ALTER d TYPE jsonb USING d::jsonb;
