-- Winter's offset was taken for the whole year: only summer moved.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE (seen AT TIME ZONE 'Europe/Berlin') - (seen AT TIME ZONE 'UTC') = interval '2 hours'"
-- columns = ["seen"]
-- pattern = "summer time shift"
-- facts = { shift = "+01:00", zone = "Europe/Berlin" }
UPDATE mandi_members SET seen = seen + interval '1 hour' WHERE (seen AT TIME ZONE 'Europe/Berlin') - (seen AT TIME ZONE 'UTC') = interval '2 hours';
