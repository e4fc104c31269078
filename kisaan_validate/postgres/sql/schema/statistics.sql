-- What CREATE STATISTICS made. No target is -1 before 17, NULL from then on.
SELECT r.title, CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || s.stxname,
       jsonb_strip_nulls(jsonb_build_object(
    'definition', pg_get_statisticsobjdef(s.oid),
    'target', nullif(s.stxstattarget, -1)::text,
    'owner', pg_get_userbyid(s.stxowner),
    'comment', obj_description(s.oid, 'pg_statistic_ext')
))
FROM unnest(%(oids)s::oid[], %(titles)s::text[]) AS r (oid, title)
JOIN pg_statistic_ext AS s ON s.stxrelid = r.oid
JOIN pg_namespace AS n ON n.oid = s.stxnamespace
