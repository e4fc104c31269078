CREATE TABLE "Order" (id int PRIMARY KEY, "select" numeric(10,2), "a b" text, "say ""x""" int, "c.d" int);
INSERT INTO "Order" VALUES (1, 1, NULL, 1, 1), (2, 2, 'x', 2, 2), (3, 3, 'y', 3, 3);
