-- One view in the words of a restored dump, which say the same; another lost a state from its list.
--
-- [[schema]]
-- kind = "view"
-- table = "mandi_shut"
-- name = "mandi_shut"
-- aspect = "definition"
CREATE OR REPLACE VIEW mandi_open AS
    SELECT id FROM mandi_states WHERE state::text = ANY (ARRAY['open'::varchar::text, 'late'::varchar::text]);
CREATE OR REPLACE VIEW mandi_shut AS
    SELECT id FROM mandi_states WHERE state::text = ANY (ARRAY['shut'::varchar::text]);
