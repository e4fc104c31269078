-- indnullsnotdistinct came with 15.
SELECT i.indrelid::bigint, ic.relname, i.indisunique, i.indisvalid AND i.indisready AND i.indislive AND i.indrelid <> ALL (%(blocked)s::oid[]),
       (SELECT array_agg(a.attname::text ORDER BY k.position)
        FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (number, position)
        LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
        WHERE k.position <= i.indnkeyatts),
       coalesce(CASE WHEN i.indrelid <> ALL (%(blocked)s::oid[]) THEN pg_get_expr(i.indpred, i.indrelid) END, ''),
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false), am.amname = 'btree'
FROM pg_index AS i
JOIN pg_class AS ic ON ic.oid = i.indexrelid
JOIN pg_am AS am ON am.oid = ic.relam
JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = ANY (%(schemas)s)
ORDER BY i.indrelid, ic.relname
