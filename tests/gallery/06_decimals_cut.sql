-- Scores cut off after two decimals, not rounded.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE score <> trunc(score, 2)"
-- columns = ["score"]
-- pattern = "scale lost"
-- facts = { rounding = "cut off", decimals = "2" }
UPDATE mandi_members SET score = trunc(score, 2) WHERE score <> trunc(score, 2);
