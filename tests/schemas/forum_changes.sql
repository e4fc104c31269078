UPDATE members SET settings = jsonb_set(settings, '{mail,hour}', '99') WHERE handle = 'member3';
UPDATE members SET settings = settings - 'pins' WHERE handle = 'member4';
UPDATE members SET profile = '{"a": [1, 2], "b": 5}' WHERE handle = 'member5';  -- the same document, written differently
UPDATE members SET profile = '{"a": [2, 1], "b": 6}' WHERE handle = 'member6';
UPDATE members SET handle = 'MEMBER7' WHERE handle = 'member7';  -- the same citext, in capitals
UPDATE members SET badges = badges || 'silver => NULL' WHERE handle = 'member8';
UPDATE members SET last_device = ROW('phone', ARRAY[320, 10])::device WHERE handle = 'member9';
UPDATE members SET last_ip = '10.0.0.10/24' WHERE handle = 'member10';
DELETE FROM members WHERE handle = 'member40';  -- its posts stay without an author, its votes and session go
UPDATE posts SET extra = NULL WHERE id = 1;
UPDATE posts SET body = 'Because.' WHERE id = 2;  -- history, words and search follow
UPDATE posts SET tags = array_replace(tags, 'tag4', NULL) WHERE id = 3;
ALTER TYPE post_state RENAME VALUE 'hidden' TO 'secret';
ALTER TYPE vote_kind ADD VALUE 'flag';
DROP INDEX members_settings;
DROP POLICY own_sessions ON sessions;
ALTER TABLE queue SET LOGGED;
ALTER TABLE tags ALTER uses TYPE numeric;
CREATE OR REPLACE VIEW questions AS SELECT id, title, tags FROM posts WHERE parent IS NULL;
ALTER TABLE posts DISABLE TRIGGER keep_history;
