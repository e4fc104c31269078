-- many rows, a few at a time, each committed
-- finds: nothing
-- keeps out: nobody
-- waits: nobody
SET lock_timeout = '5s';
UPDATE payments SET rate = 1 WHERE id <= 5000;
UPDATE payments SET rate = 1 WHERE id > 5000 AND id <= 10000;
DELETE FROM payments WHERE id > 19990;
