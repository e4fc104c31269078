-- Over unread_sequences: every sequence of this database, what it fills, and why it cannot be asked.
, filled AS (
    SELECT d.objid AS sequence, d.refobjid AS relation, d.refobjsubid AS number
    FROM pg_depend AS d
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
    UNION
    SELECT d.refobjid, a.adrelid, a.adnum
    FROM pg_depend AS d JOIN pg_attrdef AS a ON a.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'
), columns AS (
    SELECT f.sequence, array_agg(n.nspname || '.' || c.relname || '.' || a.attname ORDER BY n.nspname, c.relname, a.attnum) AS names,
           array_agg(coalesce(inner_type.typname, base.typname, t.typname)::text ORDER BY n.nspname, c.relname, a.attnum) AS bases
    FROM filled AS f
    JOIN pg_class AS c ON c.oid = f.relation
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = f.relation AND a.attnum = f.number AND NOT a.attisdropped
    JOIN pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_type AS base ON t.typtype = 'd' AND base.oid = t.typbasetype
    LEFT JOIN pg_type AS inner_type ON base.typtype = 'd' AND inner_type.oid = base.typbasetype
    GROUP BY f.sequence
)
SELECT n.nspname, c.relname, t.typname, s.seqmin, s.seqmax, s.seqincrement, s.seqcycle,
       coalesce(columns.names, '{}'), coalesce(columns.bases, '{}'),
       u.why
FROM pg_sequence AS s
JOIN pg_class AS c ON c.oid = s.seqrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_type AS t ON t.oid = s.seqtypid
JOIN unread_sequences AS u ON u.sequence = c.oid
LEFT JOIN columns ON columns.sequence = c.oid
-- Those of other sessions' temporary tables cannot be read, and end with them.
WHERE c.relpersistence <> 't'
ORDER BY n.nspname, c.relname
