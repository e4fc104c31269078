CREATE TABLE "Odd.table" ("a.b" int PRIMARY KEY, "q""uote" text); INSERT INTO "Odd.table" VALUES (1, 'x'), (2, NULL);
