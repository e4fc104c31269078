-- UTC was read as Berlin's local time: one hour in winter, two in summer.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE true"
-- columns = ["seen"]
-- pattern = "zone shift"
-- facts = { way = "read as", zone = "Europe/Berlin" }
UPDATE mandi_members SET seen = (seen AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Berlin';
