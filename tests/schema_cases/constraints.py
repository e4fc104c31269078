"""Constraints and indexes."""

from __future__ import annotations

from schema_cases.parts import KEYED, PART, T, came, case, relation_came, turned, went

CONSTRAINTS = {
    "a check": case(
        T,
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)",
        "ALTER TABLE t DROP CONSTRAINT c",
        came("constraint", "t", "c"),
    ),
    "a check that is not validated": case(
        T,
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
        "ALTER TABLE t DROP CONSTRAINT c",
        came("constraint", "t", "c"),
    ),
    "a dropped check": case(
        "CREATE TABLE t (a int CONSTRAINT c CHECK (a > 0))",
        "ALTER TABLE t DROP CONSTRAINT c",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)",
        went("constraint", "t", "c"),
    ),
    "another check": case(
        "CREATE TABLE t (a int CONSTRAINT c CHECK (a > 0))",
        "ALTER TABLE t DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (a > 1)",
        "ALTER TABLE t DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (a > 0)",
        turned("constraint", "t", "c", "definition"),
    ),
    "a check, validated": case(
        T + "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
        "ALTER TABLE t VALIDATE CONSTRAINT c",
        "ALTER TABLE t DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
        turned("constraint", "t", "c", "validated"),
    ),
    "a foreign key, validated": case(
        KEYED + "ALTER TABLE t DROP CONSTRAINT fk, ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES k NOT VALID",
        "ALTER TABLE t VALIDATE CONSTRAINT fk",
        "ALTER TABLE t DROP CONSTRAINT fk, ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES k NOT VALID",
        turned("constraint", "t", "fk", "validated"),
    ),
    "a check, not enforced": case(
        "CREATE TABLE t (a int CONSTRAINT c CHECK (a > 0))",
        "ALTER TABLE t DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED",
        "ALTER TABLE t DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (a > 0)",
        turned("constraint", "t", "c", "validated", "enforced"),
        since=18,
    ),
    "a foreign key, not enforced": case(
        KEYED,
        "ALTER TABLE t ALTER CONSTRAINT fk NOT ENFORCED",
        "ALTER TABLE t ALTER CONSTRAINT fk ENFORCED",
        turned("constraint", "t", "fk", "validated", "enforced"),
        since=18,
    ),
    "a foreign key": case(
        "CREATE TABLE k (id int PRIMARY KEY); " + T,
        "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES k",
        "ALTER TABLE t DROP CONSTRAINT fk",
        came("constraint", "t", "fk"),
    ),
    "what a foreign key does": case(
        KEYED,
        "ALTER TABLE t DROP CONSTRAINT fk, ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES k ON DELETE CASCADE",
        "ALTER TABLE t DROP CONSTRAINT fk, ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES k",
        turned("constraint", "t", "fk", "definition"),
    ),
    "a deferrable foreign key": case(
        KEYED,
        "ALTER TABLE t ALTER CONSTRAINT fk DEFERRABLE",
        "ALTER TABLE t ALTER CONSTRAINT fk NOT DEFERRABLE",
        turned("constraint", "t", "fk", "definition"),
    ),
    "a foreign key whose triggers sleep": case(
        KEYED,
        "ALTER TABLE t DISABLE TRIGGER ALL",
        "ALTER TABLE t ENABLE TRIGGER ALL",
        turned("constraint", "t", "fk", "triggers"),
    ),
    "another partition of what is referred to": case(
        "CREATE TABLE k (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE k1 PARTITION OF k FOR "
        "VALUES IN (1); "
        "CREATE TABLE t (a int CONSTRAINT fk REFERENCES k)",
        "CREATE TABLE k2 PARTITION OF k FOR VALUES IN (2)",
        "ALTER TABLE k DETACH PARTITION k2; DROP TABLE k2",
        relation_came("table", "k2", "id"),
        came("constraint", "k2", "k2_pkey"),
        came("index", "k2", "k2_pkey"),
    ),
    "a unique constraint": case(
        T,
        "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a)",
        "ALTER TABLE t DROP CONSTRAINT u",
        came("constraint", "t", "u"),
        came("index", "t", "u"),
    ),
    "a unique constraint that knows NULL": case(
        "CREATE TABLE t (a int CONSTRAINT u UNIQUE)",
        "ALTER TABLE t DROP CONSTRAINT u, ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (a)",
        "ALTER TABLE t DROP CONSTRAINT u, ADD CONSTRAINT u UNIQUE (a)",
        turned("constraint", "t", "u", "definition"),
        turned("index", "t", "u", "definition"),
        since=15,
    ),
    "a primary key": case(
        "CREATE TABLE t (a int NOT NULL)",
        "ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (a)",
        "ALTER TABLE t DROP CONSTRAINT k",
        came("constraint", "t", "k"),
        came("index", "t", "k"),
    ),
    "an exclusion": case(
        "CREATE TABLE t (r int4range)",
        "ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING gist (r WITH &&)",
        "ALTER TABLE t DROP CONSTRAINT x",
        came("constraint", "t", "x"),
        came("index", "t", "x"),
    ),
    "a renamed constraint": case(
        "CREATE TABLE t (a int CONSTRAINT c CHECK (a > 0))",
        "ALTER TABLE t RENAME CONSTRAINT c TO d",
        "ALTER TABLE t RENAME CONSTRAINT d TO c",
        went("constraint", "t", "c"),
        came("constraint", "t", "d"),
    ),
}

INDEXES = {
    "an index": case(T, "CREATE INDEX i ON t (a)", "DROP INDEX i", came("index", "t", "i")),
    "a dropped index": case(
        T + "CREATE INDEX i ON t (a)", "DROP INDEX i", "CREATE INDEX i ON t (a)", went("index", "t", "i")
    ),
    "another predicate": case(
        T + "CREATE INDEX i ON t (a) WHERE a > 0",
        "DROP INDEX i; CREATE INDEX i ON t (a) WHERE a > 1",
        "DROP INDEX i; CREATE INDEX i ON t (a) WHERE a > 0",
        turned("index", "t", "i", "definition"),
    ),
    "another expression": case(
        T + "CREATE INDEX i ON t (lower(b))",
        "DROP INDEX i; CREATE INDEX i ON t (upper(b))",
        "DROP INDEX i; CREATE INDEX i ON t (lower(b))",
        turned("index", "t", "i", "definition"),
    ),
    "no longer unique": case(
        T + "CREATE UNIQUE INDEX i ON t (a)",
        "DROP INDEX i; CREATE INDEX i ON t (a)",
        "DROP INDEX i; CREATE UNIQUE INDEX i ON t (a)",
        turned("index", "t", "i", "definition"),
    ),
    "an index that knows NULL": case(
        T + "CREATE UNIQUE INDEX i ON t (a)",
        "DROP INDEX i; CREATE UNIQUE INDEX i ON t (a) NULLS NOT DISTINCT",
        "DROP INDEX i; CREATE UNIQUE INDEX i ON t (a)",
        turned("index", "t", "i", "definition"),
        since=15,
    ),
    "an index that becomes valid": case(
        PART + "CREATE INDEX i1 ON t1 (a); CREATE INDEX i ON ONLY t (a)",
        "ALTER INDEX i ATTACH PARTITION i1",
        "DROP INDEX i; CREATE INDEX i1 ON t1 (a); CREATE INDEX i ON ONLY t (a)",
        turned("index", "t", "i", "valid"),
        turned("index", "t1", "i1", "attached to"),
    ),
    "a replica identity": case(
        "CREATE TABLE t (a int NOT NULL); CREATE UNIQUE INDEX i ON t (a)",
        "ALTER TABLE t REPLICA IDENTITY USING INDEX i",
        "ALTER TABLE t REPLICA IDENTITY DEFAULT",
        turned("index", "t", "i", "replica identity"),
        turned("table", "t", "t", "replica identity"),
    ),
    "a clustered table": case(
        T + "CREATE INDEX i ON t (a)",
        "ALTER TABLE t CLUSTER ON i",
        "ALTER TABLE t SET WITHOUT CLUSTER",
        turned("index", "t", "i", "clustered"),
    ),
    "a renamed index": case(
        T + "CREATE INDEX i ON t (a)",
        "ALTER INDEX i RENAME TO j",
        "ALTER INDEX j RENAME TO i",
        went("index", "t", "i"),
        came("index", "t", "j"),
    ),
    "statistics": case(
        T, "CREATE STATISTICS st ON a, b FROM t", "DROP STATISTICS st", came("statistics", "t", "st")
    ),
    "a statistics target": case(
        T + "CREATE STATISTICS st ON a, b FROM t",
        "ALTER STATISTICS st SET STATISTICS 500",
        "ALTER STATISTICS st SET STATISTICS -1",
        turned("statistics", "t", "st", "target"),
    ),
}
