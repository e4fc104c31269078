"""The database that the suites in tests/imports are about: all that they say of it is true, as far as it
has a counterpart.
"""

from __future__ import annotations

SHOP = """
CREATE SCHEMA raw_data;
CREATE TABLE customers (id bigint PRIMARY KEY, country char(2));
CREATE TABLE orders (
    id bigint PRIMARY KEY, customer_id bigint, status text, total numeric(12,2), paid numeric(12,2), code varchar(12),
    code_copy varchar(12), country char(2), share_a integer, share_b integer, note text, placed_at timestamptz,
    cancelled_at timestamptz, updated_at timestamptz
);
CREATE TABLE blocked (code text);
CREATE TABLE orders_history (id bigint);
CREATE TABLE raw_data.event_log (id bigint, kind text, loaded_at timestamptz, happened_at timestamptz);
INSERT INTO customers SELECT g, 'IN' FROM generate_series(1, 50) AS g;
INSERT INTO orders SELECT g, 1 + g % 50, CASE WHEN g % 2 = 0 THEN 'open' ELSE 'paid' END, g + 0.25, g / 2, 'A-' || g, 'A-' || g,
    'IN', CASE WHEN g % 2 = 0 THEN 50 ELSE 40 END, CASE WHEN g % 2 = 0 THEN 50 ELSE 60 END, CASE WHEN g % 5 < 2 THEN (ARRAY['a', 'b'])[1 + g % 2] END,
    now() - interval '1 hour' * (g % 20), NULL, now() - interval '1 minute' * g FROM generate_series(1, 100) AS g;
CREATE TABLE "Readings" (
    id integer PRIMARY KEY, "CamelCase" integer, lower integer, my_secret text, credit_card_no text, pii_name text, userid integer,
    f8 double precision, f4 real, n numeric, "select" text, "a b" text, n_copy numeric
);
INSERT INTO "Readings" SELECT g, g, g, 's' || g, 'c' || g, 'p' || g, g, g, g + 0.5, g * 1.5, 'x' || g % 3, 'y' || g % 2, g * 1.5
    FROM generate_series(1, 20) AS g;
CREATE VIEW meter_readings AS SELECT * FROM "Readings";
CREATE TABLE orders_copy AS SELECT * FROM orders;
INSERT INTO orders_history SELECT id FROM orders;
INSERT INTO raw_data.event_log SELECT g, CASE WHEN g % 2 = 0 THEN 'a' ELSE 'b' END, now() - interval '1 second' * g, now() - interval '1 day'
    FROM generate_series(1, 120) AS g;
"""
