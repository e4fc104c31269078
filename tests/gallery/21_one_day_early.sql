-- Dates slipped by a day: midnight in another zone.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE code > '008000'"
-- columns = ["born"]
-- pattern = "time shift"
-- facts = { shift = "-1 day" }
UPDATE mandi_members SET born = born - 1 WHERE code > '008000';
