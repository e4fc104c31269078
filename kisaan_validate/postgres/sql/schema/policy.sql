SELECT r.title, p.polname, jsonb_strip_nulls(jsonb_build_object(
    'command', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                             ELSE 'ALL' END,
    'permissive', CASE WHEN p.polpermissive THEN 'yes' END,
    'roles', (SELECT string_agg(role.name, ', ' ORDER BY role.name COLLATE "C")
              FROM (SELECT CASE o WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(o)::text END AS name
                    FROM unnest(p.polroles) AS o) AS role),
    'using', pg_get_expr(p.polqual, p.polrelid),
    'with check', pg_get_expr(p.polwithcheck, p.polrelid),
    'comment', obj_description(p.oid, 'pg_policy')
))
FROM unnest(%(oids)s::oid[], %(titles)s::text[]) AS r (oid, title)
JOIN pg_policy AS p ON p.polrelid = r.oid
