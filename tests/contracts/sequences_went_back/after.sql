SELECT setval('up', 3), nextval('down'), setval('other', 5, false);
