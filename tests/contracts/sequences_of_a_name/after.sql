SELECT nextval('up'), nextval('other');
