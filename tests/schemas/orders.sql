-- An order book: money, composite keys and references to them, blank-padded codes, floats, binary data.

CREATE TABLE categories (
    category_id smallint PRIMARY KEY,
    category_name varchar(15) NOT NULL,
    description text,
    picture bytea
);
CREATE TABLE customers (
    customer_id character(5) PRIMARY KEY,
    company_name varchar(40) NOT NULL,
    contact_name varchar(30),
    city varchar(15),
    postal_code varchar(10),
    fax varchar(24)
);
CREATE TABLE employees (
    employee_id smallint PRIMARY KEY,
    last_name varchar(20) NOT NULL,
    first_name varchar(10) NOT NULL,
    title varchar(30),
    birth_date date,
    hire_date date CHECK (hire_date > birth_date),
    reports_to smallint REFERENCES employees,
    working_hours interval,
    starts time,
    salary money
);
CREATE TABLE shippers (shipper_id smallint PRIMARY KEY, company_name varchar(40) NOT NULL, phone varchar(24));
CREATE TABLE products (
    product_id smallint PRIMARY KEY,
    product_name varchar(40) NOT NULL,
    category_id smallint REFERENCES categories,
    quantity_per_unit varchar(20),
    unit_price money,
    weight real,
    units_in_stock smallint,
    discontinued integer NOT NULL
);
CREATE TABLE orders (
    order_id smallint,
    line_of_business "char" NOT NULL,
    customer_id character(5) REFERENCES customers,
    employee_id smallint REFERENCES employees,
    order_date date,
    shipped_date date,
    ship_via smallint REFERENCES shippers,
    freight money NOT NULL DEFAULT 0::money,
    PRIMARY KEY (order_id, line_of_business),
    CHECK (shipped_date >= order_date)
);
CREATE TABLE order_details (
    order_id smallint NOT NULL,
    line_of_business "char" NOT NULL,
    product_id smallint NOT NULL REFERENCES products,
    unit_price money NOT NULL,
    quantity smallint NOT NULL CHECK (quantity > 0),
    discount real NOT NULL DEFAULT 0,
    PRIMARY KEY (order_id, line_of_business, product_id),
    FOREIGN KEY (order_id, line_of_business) REFERENCES orders ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE territories (region_id smallint, territory_id varchar(20), name character(60) NOT NULL,
    PRIMARY KEY (territory_id, region_id));
CREATE TABLE employee_territories (
    employee_id smallint NOT NULL REFERENCES employees,
    territory_id varchar(20) NOT NULL,
    region_id smallint NOT NULL,
    PRIMARY KEY (employee_id, territory_id, region_id),
    FOREIGN KEY (region_id, territory_id) REFERENCES territories (region_id, territory_id)
        MATCH FULL DEFERRABLE
);
-- The book itself: a key of four columns, figures of many digits, no key at all for the tape.
CREATE TABLE book (
    venue character varying(4),
    symbol text COLLATE "C",
    side "char" CHECK (side IN ('B', 'S')),
    price numeric(20,8),
    quantity numeric NOT NULL,
    level integer GENERATED ALWAYS AS (CASE WHEN quantity > 500 THEN 1 ELSE 2 END) STORED,
    PRIMARY KEY (venue, symbol, side, price)
);
CREATE TABLE tape (at timestamp(3) NOT NULL, symbol text NOT NULL, price double precision, paid money, flags bit(4));
CREATE SEQUENCE trade_number AS integer INCREMENT BY 5 START WITH 1000;

INSERT INTO categories SELECT g, 'Category ' || g, 'Goods of kind ' || g, decode(md5(g::text), 'hex')
    FROM generate_series(1, 8) AS g;
INSERT INTO customers SELECT 'C' || lpad(g::text, g % 2 + 2, '0'), 'Company ' || g, 'Contact ' || g, 'City ' || g % 9,
        CASE WHEN g % 4 > 0 THEN 'PC' || g END, NULL
    FROM generate_series(10, 79) AS g;
INSERT INTO employees SELECT g, 'Last' || g, 'First' || g, 'Representative', date '1960-01-01' + g * 100,
        date '1992-01-01' + g, CASE WHEN g > 1 THEN 1 END, interval '1 mon 3 days 04:05:06' * g, time '08:30' + g * interval '1 min',
        (2000 + g * 10.5)::numeric::money
    FROM generate_series(1, 25) AS g;
INSERT INTO shippers VALUES (1, 'Speedy', '5551001'), (2, 'United', '5551002'), (3, 'Federal', NULL);
INSERT INTO products SELECT g, 'Product ' || g, g % 8 + 1, g || ' boxes', (g * 1.25)::numeric::money, g / 3.0, g % 40,
        g % 2
    FROM generate_series(1, 77) AS g;
INSERT INTO orders SELECT g, CASE WHEN g % 3 = 0 THEN 'r' ELSE 'w' END,
        (SELECT customer_id FROM customers ORDER BY customer_id OFFSET g % 70 LIMIT 1), g % 25 + 1,
        date '2023-01-01' + g, CASE WHEN g % 10 > 0 THEN date '2023-01-05' + g END, g % 3 + 1,
        (g % 50 + 0.35)::numeric::money
    FROM generate_series(1, 300) AS g;
INSERT INTO order_details SELECT order_id, line_of_business, p, (p * 1.25)::numeric::money, p % 12 + 1, (p % 4) * 0.05
    FROM orders, generate_series(1, 77) AS p WHERE (order_id + p) % 25 = 0;
INSERT INTO territories SELECT g % 4 + 1, 'T' || g, 'Territory ' || g FROM generate_series(1, 50) AS g;
INSERT INTO employee_territories SELECT g % 25 + 1, 'T' || g, g % 4 + 1 FROM generate_series(1, 50) AS g;
INSERT INTO book SELECT v, s, d, 100 + n * 0.00000001 + n, n * 37 % 1000 + 0.5
    FROM unnest(ARRAY['XNSE', 'XBOM']) AS v, unnest(ARRAY['ABC', 'abc', 'Ö']) AS s, unnest(ARRAY['B', 'S']::"char"[]) AS d,
        generate_series(1, 20) AS n;
INSERT INTO tape SELECT timestamp '2024-01-01' + g * interval '1.234 s', 'ABC', 100 + g / 7.0, (g % 10)::money, (g % 16)::bit(4)
    FROM generate_series(1, 200) AS g;
INSERT INTO tape VALUES ('2024-01-02', 'ABC', 'NaN', NULL, B'0000'), ('2024-01-02', 'ABC', 'Infinity', NULL, B'0000'),
    ('2024-01-02', 'ABC', '-0', NULL, B'0000'), ('2024-01-02', 'ABC', '-0', NULL, B'0000');
SELECT nextval('trade_number');

CREATE VIEW order_totals AS
    SELECT order_id, line_of_business, sum(unit_price * quantity * (1 - discount)) AS total
    FROM order_details GROUP BY order_id, line_of_business;
CREATE VIEW recent_orders AS SELECT * FROM orders WHERE order_date > '2023-06-01' WITH CASCADED CHECK OPTION;
