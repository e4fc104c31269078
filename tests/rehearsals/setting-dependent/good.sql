SET lock_timeout = '2s';
ALTER TABLE books ADD COLUMN sold timestamptz DEFAULT now();
ALTER TABLE books ADD COLUMN made timestamp DEFAULT (now() AT TIME ZONE 'UTC');
