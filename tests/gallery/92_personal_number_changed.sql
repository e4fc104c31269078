-- Two people exchanged their telephone numbers, and one lost it: the same values but one, in other rows.
--
-- personal = ["mandi_people.phone", "mandi_people.name"]
-- [[rows]]
-- table = "mandi_people"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_people WHERE id IN (301, 302)"
-- columns = ["phone"]
-- pattern = "exchanged between rows"
-- [[rows]]
-- table = "mandi_people"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_people WHERE id = 777"
-- columns = ["phone"]
-- pattern = "became NULL"
UPDATE mandi_people AS p SET phone = q.phone FROM mandi_people AS q WHERE p.id IN (301, 302) AND q.id = 603 - p.id;
UPDATE mandi_people SET phone = NULL WHERE id = 777;
