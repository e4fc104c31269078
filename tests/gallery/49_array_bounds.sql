-- The same elements, counted from zero.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE code < '000100'"
-- columns = ["tags"]
-- pattern = "unexplained"
UPDATE mandi_members SET tags = ('[0:1]={' || array_to_string(tags, ',') || '}')::text[] WHERE code < '000100';
