-- Days and months were read the other way round.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE extract(day FROM born) <= 12 AND extract(day FROM born) <> extract(month FROM born)"
-- columns = ["born"]
-- pattern = "day and month exchanged"
UPDATE mandi_members SET born = make_date(extract(year FROM born)::int, extract(day FROM born)::int, extract(month FROM born)::int) WHERE extract(day FROM born) <= 12 AND extract(day FROM born) <> extract(month FROM born);
