-- One byte of one picture.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE code = (SELECT min(code) FROM mandi_members)"
-- columns = ["photo"]
-- pattern = "unexplained"
UPDATE mandi_members SET photo = set_byte(photo, 7, get_byte(photo, 7) # 1) WHERE code = (SELECT min(code) FROM mandi_members);
