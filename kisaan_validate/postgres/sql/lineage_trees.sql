-- The trees that the server keeps of these views.
SELECT w.ev_class::bigint, w.ev_action::text FROM pg_rewrite AS w WHERE w.ev_type = '1' AND w.ev_class = ANY (%(views)s::oid[])
