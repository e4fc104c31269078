DELETE FROM p USING p AS q WHERE p.tableoid = q.tableoid AND p.ctid > q.ctid AND p.k = q.k;
