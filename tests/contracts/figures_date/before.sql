CREATE TABLE f (id int PRIMARY KEY, a date, b date, c date);
INSERT INTO f VALUES (1, '2024-02-29', '2024-02-29', '2024-02-29'), (2, '-infinity', '-infinity', '-infinity'), (3, NULL, NULL, NULL);
