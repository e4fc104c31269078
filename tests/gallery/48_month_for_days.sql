-- A month became thirty days: equal to PostgreSQL's =, not the same.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE extract(month FROM stay) = 1"
-- columns = ["stay"]
-- pattern = "unexplained"
UPDATE mandi_members SET stay = stay - interval '1 mon' + interval '30 days' WHERE extract(month FROM stay) = 1;
