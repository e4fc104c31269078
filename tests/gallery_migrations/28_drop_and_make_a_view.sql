-- DROP VIEW looks like loss: only who asks for the view waits a moment
-- finds: nothing
-- keeps out: open_sales readers writers
-- waits: nobody
SET lock_timeout = '5s';
DROP VIEW open_sales;
CREATE VIEW open_sales AS SELECT id, total, note FROM sales WHERE status = 'open';
