"""Enums, domains, composite types and ranges."""

from __future__ import annotations

from schema_cases.parts import F, T, came, case, function_came, mirror, turned, type_came

ENUM = "CREATE TYPE mood AS ENUM ('sad', 'ok'); "
DOMAIN = "CREATE DOMAIN price AS numeric(10,2) CONSTRAINT positive CHECK (VALUE >= 0); "
COMPOSITE = "CREATE TYPE pair AS (x int, y text); "

TYPES = {
    "an enum": case("", ENUM, "DROP TYPE mood", type_came("enum", "mood")),
    "a label": case(
        ENUM,
        "ALTER TYPE mood ADD VALUE 'so' BEFORE 'ok'",
        "DROP TYPE mood; " + ENUM,
        turned("enum", "", "mood", "labels"),
    ),
    "a renamed label": case(
        ENUM,
        "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
        "ALTER TYPE mood RENAME VALUE 'fine' TO 'ok'",
        turned("enum", "", "mood", "labels"),
    ),
    "the order of labels": case(
        ENUM,
        "DROP TYPE mood; CREATE TYPE mood AS ENUM ('ok', 'sad')",
        "DROP TYPE mood; " + ENUM,
        turned("enum", "", "mood", "labels"),
    ),
    "a renamed enum": case(
        ENUM + "CREATE TABLE t (m mood)",
        "ALTER TYPE mood RENAME TO humour",
        "ALTER TYPE humour RENAME TO mood",
        mirror(type_came("enum", "mood")),
        type_came("enum", "humour"),
        turned("column", "t", "m", "type"),
    ),
    "a domain": case("", DOMAIN, "DROP DOMAIN price", type_came("domain", "price")),
    "a domain's check": case(
        DOMAIN,
        "ALTER DOMAIN price ADD CONSTRAINT small CHECK (VALUE < 9)",
        "ALTER DOMAIN price DROP CONSTRAINT small",
        turned("domain", "", "price", "checks"),
    ),
    "a domain's check, validated": case(
        DOMAIN + "ALTER DOMAIN price ADD CONSTRAINT small CHECK (VALUE < 9) NOT VALID",
        "ALTER DOMAIN price VALIDATE CONSTRAINT small",
        "ALTER DOMAIN price DROP CONSTRAINT small; ALTER DOMAIN price ADD CONSTRAINT small CHECK (VALUE "
        "< 9) NOT VALID",
        turned("domain", "", "price", "checks"),
    ),
    "a domain's default": case(
        DOMAIN,
        "ALTER DOMAIN price SET DEFAULT 3",
        "ALTER DOMAIN price DROP DEFAULT",
        turned("domain", "", "price", "default"),
    ),
    "a domain's not null": case(
        DOMAIN,
        "ALTER DOMAIN price SET NOT NULL",
        "ALTER DOMAIN price DROP NOT NULL",
        turned("domain", "", "price", "not null"),
    ),
    "a domain's base": case(
        DOMAIN,
        "DROP DOMAIN price; CREATE DOMAIN price AS numeric(12,2) CONSTRAINT positive CHECK (VALUE >= 0)",
        "DROP DOMAIN price; " + DOMAIN,
        turned("domain", "", "price", "type"),
    ),
    "a domain's collation": case(
        "CREATE DOMAIN word AS text",
        'DROP DOMAIN word; CREATE DOMAIN word AS text COLLATE "C"',
        "DROP DOMAIN word; CREATE DOMAIN word AS text",
        turned("domain", "", "word", "collation"),
    ),
    "a composite type": case("", COMPOSITE, "DROP TYPE pair", type_came("composite type", "pair")),
    "an attribute": case(
        COMPOSITE,
        "ALTER TYPE pair ADD ATTRIBUTE z int",
        "ALTER TYPE pair DROP ATTRIBUTE z",
        turned("composite type", "", "pair", "attributes"),
    ),
    "an attribute's type": case(
        COMPOSITE,
        "ALTER TYPE pair ALTER ATTRIBUTE x TYPE bigint",
        "ALTER TYPE pair ALTER ATTRIBUTE x TYPE int",
        turned("composite type", "", "pair", "attributes"),
    ),
    "a range type": case(
        "", "CREATE TYPE span AS RANGE (subtype = float8)", "DROP TYPE span", type_came("range type", "span")
    ),
    "what a range type is of": case(
        "CREATE TYPE span AS RANGE (subtype = float8)",
        "DROP TYPE span; CREATE TYPE span AS RANGE (subtype = float4)",
        "DROP TYPE span; CREATE TYPE span AS RANGE (subtype = float8)",
        turned("range type", "", "span", "subtype", "operator class"),
    ),
    "an extension": case(
        "", "CREATE EXTENSION hstore", "DROP EXTENSION hstore", came("extension", "", "hstore")
    ),
    "an extension's version": case(
        "CREATE EXTENSION hstore VERSION '1.6'",
        "ALTER EXTENSION hstore UPDATE TO '1.7'",
        "DROP EXTENSION hstore; CREATE EXTENSION hstore VERSION '1.6'",
        turned("extension", "", "hstore", "version"),
    ),
    "an extension's schema": case(
        "CREATE SCHEMA aside; CREATE EXTENSION hstore",
        "ALTER EXTENSION hstore SET SCHEMA aside",
        "ALTER EXTENSION hstore SET SCHEMA public",
        turned("extension", "", "hstore", "schema"),
    ),
    "a member of an extension": case(
        "CREATE EXTENSION hstore; " + F,
        "ALTER EXTENSION hstore ADD FUNCTION f(int)",
        "ALTER EXTENSION hstore DROP FUNCTION f(int)",
        mirror(function_came("f(integer)")),
    ),
    "a schema": case(
        "",
        "CREATE SCHEMA shop",
        "DROP SCHEMA shop",
        came("schema", "", "shop"),
        came("grant", "", "postgres on schema shop"),
    ),
    "another schema": case(
        T, "CREATE SCHEMA aside; CREATE TABLE aside.x (a int)", "DROP SCHEMA aside CASCADE"
    ),
}
