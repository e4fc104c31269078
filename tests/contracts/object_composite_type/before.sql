CREATE TYPE x AS (a int); CREATE TYPE y AS (a int);
