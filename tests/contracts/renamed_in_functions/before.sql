CREATE TABLE s (id int PRIMARY KEY, net int, gross int);
INSERT INTO s SELECT n, n, n * 2 FROM generate_series(1, 9) AS n;
CREATE FUNCTION tax(r s) RETURNS int LANGUAGE sql RETURN (r).gross - (r).net;
GRANT EXECUTE ON FUNCTION tax(s) TO pg_monitor;
CREATE PROCEDURE gross(rate int) LANGUAGE sql BEGIN ATOMIC
    UPDATE s SET gross = net * rate WHERE s.net > 0;
    INSERT INTO s AS t (id, net) SELECT t.id + 100, t.gross FROM s AS t ON CONFLICT (id) DO UPDATE SET net = excluded.net WHERE t.net > 0;
    DELETE FROM s WHERE gross < rate RETURNING net, gross;
END;
CREATE FUNCTION plus(total bigint, r s) RETURNS bigint LANGUAGE sql AS 'SELECT total + 1';
CREATE AGGREGATE rows_of(s) (SFUNC = plus, STYPE = bigint, INITCOND = '0');
