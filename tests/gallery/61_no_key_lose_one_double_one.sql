-- No key: one of two equal rows lost, one of another two doubled.
--
-- [[rows]]
-- table = "mandi_scale_log"
-- kind = "removed"
-- copies = 1
-- [[rows]]
-- table = "mandi_scale_log"
-- kind = "added"
-- copies = 1
DELETE FROM mandi_scale_log WHERE ctid = (SELECT min(ctid) FROM mandi_scale_log WHERE at = '2025-03-01 06:05+00');
INSERT INTO mandi_scale_log SELECT DISTINCT * FROM mandi_scale_log WHERE at = '2025-03-01 06:07+00';
