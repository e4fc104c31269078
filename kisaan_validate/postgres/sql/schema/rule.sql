-- The rule _RETURN is what makes a view a view.
SELECT r.title, w.rulename, jsonb_strip_nulls(jsonb_build_object(
    'definition', pg_get_ruledef(w.oid),
    'enabled', CASE w.ev_enabled WHEN 'O' THEN 'origin' WHEN 'A' THEN 'always' WHEN 'R' THEN 'replica'
                                 ELSE 'disabled' END,
    'comment', obj_description(w.oid, 'pg_rewrite')
))
FROM unnest(%(oids)s::oid[], %(titles)s::text[]) AS r (oid, title)
JOIN pg_rewrite AS w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
