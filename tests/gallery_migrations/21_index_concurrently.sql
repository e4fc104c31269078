-- an index beside the readers and writers
-- finds: nothing
-- keeps out: nobody
-- waits: nobody
SET lock_timeout = '5s';
CREATE INDEX CONCURRENTLY payments_by_sale ON payments (sale_id);
