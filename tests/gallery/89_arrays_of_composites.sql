-- Within arrays of rows a price changed, two rows changed places, and a row of NULLs became NULL.
--
-- [[rows]]
-- table = "mandi_baskets"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_baskets WHERE id % 50 IN (1, 2, 3)"
-- columns = ["lots"]
-- pattern = "unexplained"
UPDATE mandi_baskets SET lots[1] = ROW(id, 99, 'first')::mandi_lot WHERE id % 50 = 1;
UPDATE mandi_baskets SET lots = ARRAY[lots[3], lots[2], lots[1]] WHERE id % 50 = 2;
UPDATE mandi_baskets SET lots = ARRAY[lots[1], NULL, lots[3]] WHERE id % 50 = 3;
