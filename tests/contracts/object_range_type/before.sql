CREATE TYPE x AS RANGE (subtype = float8); CREATE TYPE y AS RANGE (subtype = float8);
