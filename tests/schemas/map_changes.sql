UPDATE roads SET kilometres = numrange(0, 21, '[]') WHERE number = 'R2';
UPDATE roads SET closed = closed + datemultirange(daterange('2024-05-01', '2024-05-02')) WHERE number IN ('R3', 'R4');
UPDATE roads SET grid[2][1] = 77 WHERE number = 'R5';
UPDATE roads SET stops = ARRAY[stops[1]] WHERE number = 'R6';
UPDATE roads SET lanes = B'10110' WHERE number = 'R7';
UPDATE roads SET hull = polygon(5, circle(point(8, 1), 3)) WHERE number = 'R8';
UPDATE roads SET open_hours = '{[6,10),[10,12),[13,20)}' WHERE number = 'R9';  -- the same set, written differently
UPDATE places SET climate = temperature(lower(climate), 99) WHERE id = 3;
UPDATE ONLY places SET peaks[1] = NULL WHERE id = 5;
UPDATE cities SET lat = lat + 0.000001 WHERE id = 105;  -- the generated point follows
WITH gone AS (DELETE FROM ONLY cities WHERE id = 110 RETURNING *)
INSERT INTO capitals (id, name, country, lat, lon, population, since)
    SELECT id, name, country, lat, lon, population, '[1,2)' FROM gone;
UPDATE bookings SET during = tstzrange(lower(during), upper(during), '[]') WHERE id = 60;
UPDATE bookings SET spots[2].lat = 4 WHERE id = 61;
DELETE FROM bookings WHERE id = 9;  -- another one was replaced by it
UPDATE "Mixed Case" SET "per cent %s %(x)s" = 1000, " blank " = NULL WHERE "Id" = 4;
UPDATE "Mixed Case" SET "ünï © 😀" = NULL WHERE "Id" = 5;
UPDATE "Old Maps"."Table" SET "Käse" = 'K5 ' WHERE "Käse" = 'K5';
DELETE FROM "Old Maps"."it's; DROP TABLE x --" WHERE "${id}" = 30;
INSERT INTO empty VALUES (1, 'empty');
ALTER TABLE bookings DROP CONSTRAINT no_overlap;
ALTER DOMAIN heights DROP CONSTRAINT heights_check;
ALTER TABLE places ALTER id SET INCREMENT BY 3;
ALTER TABLE roads ALTER number TYPE varchar(20);
DROP INDEX roads_kilometres;
ALTER TABLE "Old Maps"."Table" RENAME TO "TABLE";
CREATE OR REPLACE VIEW "Big cities" AS SELECT name, population FROM cities WHERE population > 20000;
