-- Collations of columns and indexes that recorded a version: (name, recorded, actual, indexes that use it).
SELECT n.nspname || '.' || quote_ident(o.collname), o.collversion, pg_collation_actual_version(o.oid),
       (SELECT count(*) FROM pg_index AS i WHERE o.oid = ANY (i.indcollation))
FROM pg_collation AS o
JOIN pg_namespace AS n ON n.oid = o.collnamespace
WHERE o.collversion IS NOT NULL
  AND (EXISTS (SELECT FROM pg_attribute AS a WHERE a.attcollation = o.oid AND a.attnum > 0 AND NOT a.attisdropped)
       OR EXISTS (SELECT FROM pg_index AS i WHERE o.oid = ANY (i.indcollation)))
ORDER BY 1
