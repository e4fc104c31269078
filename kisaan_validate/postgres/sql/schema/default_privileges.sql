-- What ALTER DEFAULT PRIVILEGES says of objects yet to be made: by this role, in this schema or in any.
SELECT '', CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                                WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END
           || ' of ' || pg_get_userbyid(d.defaclrole) || coalesce(' in schema ' || n.nspname, ''),
       jsonb_strip_nulls(jsonb_build_object(
    'grants', (SELECT string_agg(g.grantee || ': ' || g.privileges, '; ' ORDER BY g.grantee COLLATE "C")
               FROM (SELECT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee)::text END AS grantee,
                            string_agg(x.privilege_type
                                       || CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END,
                                       ', ' ORDER BY x.privilege_type COLLATE "C") AS privileges
                     FROM aclexplode(d.defaclacl) AS x
                     GROUP BY x.grantee) AS g)
))
FROM pg_default_acl AS d
LEFT JOIN pg_namespace AS n ON n.oid = d.defaclnamespace
WHERE d.defaclnamespace = 0 OR n.nspname = ANY (%(schemas)s)
