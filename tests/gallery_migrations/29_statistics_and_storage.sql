-- settings of a table and a column: under a lock that lets readers and writers on
-- finds: nothing
-- keeps out: nobody
-- waits: nobody
SET lock_timeout = '5s';
ALTER TABLE sales ALTER COLUMN user_id SET STATISTICS 500;
ALTER TABLE sales SET (fillfactor = 90);
