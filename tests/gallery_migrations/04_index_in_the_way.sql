-- CREATE INDEX stops all writers while it builds
-- finds: index-not-concurrent
-- keeps out: payments writers
-- waits: nobody
SET lock_timeout = '5s';
CREATE INDEX payments_by_sale ON payments (sale_id);
