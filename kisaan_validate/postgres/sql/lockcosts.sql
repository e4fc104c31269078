-- How many relations a lock on each table takes, and how many indexes reading it locks beside.
SELECT tree.root::bigint, count(*), coalesce(sum((SELECT count(*) FROM pg_index AS i WHERE i.indrelid = tree.oid)), 0)::bigint
FROM tree
GROUP BY tree.root
