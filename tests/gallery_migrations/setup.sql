-- The database of the gallery: sales, their payments and users.
CREATE TABLE users (id integer PRIMARY KEY, name varchar(40) NOT NULL, email text);
CREATE TABLE sales (
  id integer PRIMARY KEY, user_id integer NOT NULL, total numeric(12,2) NOT NULL, note text,
  status varchar(20) NOT NULL DEFAULT 'open', made timestamp NOT NULL DEFAULT '2026-01-01'
);
CREATE TABLE payments (
  id integer PRIMARY KEY, sale_id integer REFERENCES sales, amount numeric(12,2), paid_on text NOT NULL DEFAULT '2026-01-02',
  rate double precision, fee numeric(12,2) NOT NULL DEFAULT 0,
  CONSTRAINT has_amount CHECK (amount IS NOT NULL)
);
CREATE INDEX sales_by_user ON sales (user_id);
CREATE VIEW open_sales AS SELECT id, total FROM sales WHERE status = 'open';
INSERT INTO users SELECT g, 'user ' || g, 'u' || g || '@example.org' FROM generate_series(1, 500) g;
INSERT INTO sales SELECT g, 1 + g % 500, g, 'n' || g FROM generate_series(1, 20000) g;
INSERT INTO payments SELECT g, g, g FROM generate_series(1, 20000) g;
