SELECT nextval('up'), nextval('down');
