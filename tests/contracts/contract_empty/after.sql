UPDATE t SET a = a * 2; CREATE INDEX i ON t (a);
