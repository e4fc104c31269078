-- Who may do what, whoever granted it. No ACL at all means the default one: it is written out, so both look alike.
-- ALL stands for every privilege that the server's version knows for a table: MAINTAIN came with 17.
WITH held (title, suffix, acl, everything) AS (
    SELECT r.title, '', coalesce(c.relacl, d.acl), CASE WHEN c.relkind <> 'S' THEN cardinality(d.privileges) END
    FROM unnest(%(oids)s::oid[], %(titles)s::text[]) AS r (oid, title)
    JOIN pg_class AS c ON c.oid = r.oid
    CROSS JOIN LATERAL (
        SELECT dacl, ARRAY(SELECT x.privilege_type FROM aclexplode(dacl) AS x WHERE x.grantee = c.relowner)
        FROM acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner) AS dacl
    ) AS d (acl, privileges)
    UNION ALL
    SELECT r.title, ' on column ' || CASE WHEN strpos(a.attname, ' on ') > 0 OR strpos(a.attname, '"') = 1
                                          THEN '"' || replace(a.attname, '"', '""') || '"' ELSE a.attname END, a.attacl, NULL
    FROM unnest(%(oids)s::oid[], %(titles)s::text[]) AS r (oid, title)
    JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT '', ' on function ' || CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || p.proname
               || '(' || oidvectortypes(p.proargtypes) || ')',
           coalesce(p.proacl, acldefault('f', p.proowner)), NULL
    FROM pg_proc AS p
    JOIN pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname = ANY (%(schemas)s)
    WHERE NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i')
    )
    UNION ALL
    SELECT '', ' on type ' || CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || t.typname,
           coalesce(t.typacl, acldefault('T', t.typowner)), NULL
    FROM pg_type AS t
    JOIN pg_namespace AS n ON n.oid = t.typnamespace AND n.nspname = ANY (%(schemas)s)
    WHERE (t.typtype IN ('d', 'e', 'r') OR EXISTS (SELECT FROM pg_class AS c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
      AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
      )
    UNION ALL
    SELECT '', ' on schema ' || n.nspname, coalesce(n.nspacl, acldefault('n', n.nspowner)), NULL
    FROM pg_namespace AS n
    WHERE n.nspname = ANY (%(schemas)s)
      AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e'
      )
)
SELECT h.title, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee)::text END || h.suffix,
       jsonb_strip_nulls(jsonb_build_object(
    'privileges', CASE WHEN g.held = h.everything THEN 'ALL' ELSE g.privileges END,
    'with grant option', CASE WHEN g.grantable = h.everything THEN 'ALL' ELSE g.options END
))
FROM held AS h
CROSS JOIN LATERAL (
    SELECT x.grantee,
           count(*) AS held, string_agg(x.name, ', ' ORDER BY x.position) AS privileges,
           count(*) FILTER (WHERE x.option) AS grantable,
           string_agg(x.name, ', ' ORDER BY x.position) FILTER (WHERE x.option) AS options
    FROM (
        SELECT e.grantee, e.privilege_type AS name, bool_or(e.is_grantable) AS option,
               array_position(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER',
                                    'MAINTAIN', 'EXECUTE', 'USAGE', 'CREATE'], e.privilege_type) AS position
        FROM aclexplode(h.acl) AS e
        GROUP BY e.grantee, e.privilege_type
    ) AS x
    GROUP BY x.grantee
) AS g
