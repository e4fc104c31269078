-- What no comparison reads, counted: (name, number, which). Not what the server or an extension brought along; what lives in
-- a schema only where that schema is compared. And what the database as a whole is like: (name, NULL, text).
WITH here AS (
    SELECT d.* FROM pg_database AS d WHERE d.datname = current_database()
), found (name, classid, oid, namespace) AS (
    SELECT 'publications', 'pg_publication'::regclass, oid, 0::oid FROM pg_publication
    UNION ALL SELECT 'subscriptions', 'pg_subscription'::regclass, s.oid, 0 FROM pg_subscription AS s, here WHERE s.subdbid = here.oid
    UNION ALL SELECT 'large objects', 'pg_largeobject'::regclass, oid, 0 FROM pg_largeobject_metadata
    UNION ALL SELECT 'casts', 'pg_cast'::regclass, oid, 0 FROM pg_cast
    UNION ALL SELECT 'languages', 'pg_language'::regclass, oid, 0 FROM pg_language
    UNION ALL SELECT 'transforms', 'pg_transform'::regclass, oid, 0 FROM pg_transform
    UNION ALL SELECT 'access methods', 'pg_am'::regclass, oid, 0 FROM pg_am
    UNION ALL SELECT 'foreign data wrappers', 'pg_foreign_data_wrapper'::regclass, oid, 0 FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'foreign servers', 'pg_foreign_server'::regclass, oid, 0 FROM pg_foreign_server
    UNION ALL SELECT 'user mappings', 'pg_user_mapping'::regclass, umid, 0 FROM pg_user_mappings
    UNION ALL SELECT 'operators', 'pg_operator'::regclass, oid, oprnamespace FROM pg_operator
    UNION ALL SELECT 'operator classes', 'pg_opclass'::regclass, oid, opcnamespace FROM pg_opclass
    UNION ALL SELECT 'operator families', 'pg_opfamily'::regclass, oid, opfnamespace FROM pg_opfamily
    UNION ALL SELECT 'collations', 'pg_collation'::regclass, oid, collnamespace FROM pg_collation
    UNION ALL SELECT 'conversions', 'pg_conversion'::regclass, oid, connamespace FROM pg_conversion
    UNION ALL SELECT 'text search configurations', 'pg_ts_config'::regclass, oid, cfgnamespace FROM pg_ts_config
    UNION ALL SELECT 'text search dictionaries', 'pg_ts_dict'::regclass, oid, dictnamespace FROM pg_ts_dict
    UNION ALL SELECT 'text search parsers', 'pg_ts_parser'::regclass, oid, prsnamespace FROM pg_ts_parser
    UNION ALL SELECT 'text search templates', 'pg_ts_template'::regclass, oid, tmplnamespace FROM pg_ts_template
    UNION ALL
    SELECT 'base types', 'pg_type'::regclass, t.oid, t.typnamespace FROM pg_type AS t
    WHERE t.typtype IN ('b', 'p') AND NOT EXISTS (SELECT FROM pg_type AS e WHERE e.typarray = t.oid)
    UNION ALL
    SELECT 'materialized views, their rows', 'pg_class'::regclass, oid, relnamespace FROM pg_class WHERE relkind = 'm'
    UNION ALL
    SELECT 'names of NOT NULL constraints', 'pg_constraint'::regclass, con.oid, con.connamespace
    FROM pg_constraint AS con
    JOIN pg_class AS c ON c.oid = con.conrelid
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = con.conkey[1]
    WHERE con.contype = 'n' AND con.conname <> left(c.relname || '_' || a.attname || '_not_null', 63)
), counted (name, number, which) AS (
    SELECT f.name, count(*), NULL::text
    FROM found AS f
    LEFT JOIN pg_namespace AS n ON n.oid = f.namespace
    WHERE f.oid >= 16384 AND (f.namespace = 0 OR n.nspname = ANY (%(schemas)s))
      AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = f.classid AND d.objid = f.oid AND d.deptype = 'e'
      )
    GROUP BY f.name
    UNION ALL
    SELECT 'security labels', (SELECT count(*) FROM pg_seclabel)
           + (SELECT count(*) FROM pg_shseclabel AS l, here WHERE l.objoid = here.oid AND l.classoid = 'pg_database'::regclass), NULL
    UNION ALL
    SELECT 'comments on attributes of types and on constraints of domains', count(*), NULL
    FROM pg_description AS d
    LEFT JOIN pg_class AS c ON d.classoid = 'pg_class'::regclass AND c.oid = d.objoid AND c.relkind = 'c' AND d.objsubid > 0
    LEFT JOIN pg_constraint AS con ON d.classoid = 'pg_constraint'::regclass AND con.oid = d.objoid
        AND (con.contypid <> 0 OR con.contype = 'n')
    JOIN pg_namespace AS n ON n.oid = coalesce(c.relnamespace, con.connamespace) AND n.nspname = ANY (%(schemas)s)
    UNION ALL
    SELECT 'settings by ALTER DATABASE or ALTER ROLE', count(*), NULL
    FROM pg_db_role_setting AS s, here, unnest(s.setconfig) WHERE s.setdatabase IN (0, here.oid)
    UNION ALL
    SELECT 'grants on the database', count(*), NULL
    FROM here, LATERAL (
        SELECT x.grantee, x.privilege_type, x.is_grantable FROM aclexplode(here.datacl) AS x
        EXCEPT
        SELECT x.grantee, x.privilege_type, x.is_grantable FROM aclexplode(acldefault('d', here.datdba)) AS x
    ) AS more
    UNION ALL
    SELECT 'comments on the database', count(*), NULL FROM here WHERE shobj_description(here.oid, 'pg_database') IS NOT NULL
    UNION ALL
    SELECT 'privileges changed on what the server or an extension brought', count(*), NULL
    FROM (
        SELECT 'pg_class'::regclass::oid AS classid, oid, relacl AS acl FROM pg_class
        WHERE relnamespace <> 'information_schema'::regnamespace  -- of which the server keeps no first state
        UNION ALL SELECT 'pg_proc'::regclass, oid, proacl FROM pg_proc
        UNION ALL SELECT 'pg_language'::regclass, oid, lanacl FROM pg_language
        UNION ALL SELECT 'pg_type'::regclass, oid, typacl FROM pg_type
    ) AS o
    LEFT JOIN pg_init_privs AS i ON i.classoid = o.classid AND i.objoid = o.oid AND i.objsubid = 0
    WHERE (o.acl IS NOT NULL OR i.initprivs IS NOT NULL)
      AND (o.oid < 16384 OR EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = o.classid AND d.objid = o.oid AND d.deptype = 'e'))
      AND ARRAY(SELECT x::text FROM unnest(o.acl) AS x ORDER BY 1)
          <> ARRAY(SELECT x::text FROM unnest(i.initprivs) AS x ORDER BY 1)
    UNION ALL
    SELECT 'other schemas', count(*), string_agg(s.said, ', ' ORDER BY s.said COLLATE "C")
    FROM (
        SELECT n.nspname || ' (' || count(*)::text || CASE count(*) WHEN 1 THEN ' table)' ELSE ' tables)' END AS said
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'f', 'm') AND NOT c.relispartition AND n.nspname <> ALL (%(schemas)s)
          AND n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> 'information_schema'
        GROUP BY n.nspname
    ) AS s
)
SELECT name, number, which FROM counted
UNION ALL SELECT 'encoding', NULL, pg_encoding_to_char(encoding) FROM here
UNION ALL SELECT 'locale provider', NULL,
       CASE coalesce(to_jsonb(here) ->> 'datlocprovider', 'c') WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin'
            ELSE 'another' END FROM here
UNION ALL SELECT 'collation', NULL, datcollate::text FROM here
UNION ALL SELECT 'character classes', NULL, datctype::text FROM here
UNION ALL SELECT 'locale', NULL,
       coalesce(to_jsonb(here) ->> 'datlocale', to_jsonb(here) ->> 'daticulocale', 'none') FROM here
UNION ALL SELECT 'ICU rules', NULL, coalesce(to_jsonb(here) ->> 'daticurules', 'none') FROM here
UNION ALL SELECT 'collation version', NULL, coalesce(to_jsonb(here) ->> 'datcollversion', 'none') FROM here
