UPDATE _migrations SET id = 9 WHERE name = '04';
