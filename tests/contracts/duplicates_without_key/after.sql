DELETE FROM t USING t AS u WHERE t.ctid > u.ctid AND (t.a, t.b) IS NOT DISTINCT FROM (u.a, u.b);
