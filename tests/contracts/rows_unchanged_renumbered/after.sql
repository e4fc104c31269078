UPDATE t SET id = id + 100;
