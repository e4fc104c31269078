ALTER TABLE "Odd.table" RENAME "a.b" TO "select"; ALTER TABLE "Odd.table" RENAME "q""uote" TO "c.d"; ALTER TABLE "Odd.table" RENAME TO "über";
