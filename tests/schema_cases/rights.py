"""Who may do what: policies, grants, owners."""

from __future__ import annotations

from schema_cases.parts import (
    GRANTED,
    POLICY,
    RICH,
    SEQUENCE,
    VIEW,
    F,
    T,
    came,
    case,
    owned,
    turned,
    went,
)

POLICIES = {
    "a policy": case(T, "CREATE POLICY p ON t USING (a > 0)", "DROP POLICY p ON t", came("policy", "t", "p")),
    "a dropped policy": case(
        POLICY, "DROP POLICY p ON t", "CREATE POLICY p ON t USING (a > 0)", went("policy", "t", "p")
    ),
    "whom a policy lets see": case(
        POLICY,
        "ALTER POLICY p ON t USING (a > 1)",
        "ALTER POLICY p ON t USING (a > 0)",
        turned("policy", "t", "p", "using"),
    ),
    "what a policy lets write": case(
        POLICY,
        "ALTER POLICY p ON t WITH CHECK (a > 1)",
        "DROP POLICY p ON t; CREATE POLICY p ON t USING (a > 0)",
        turned("policy", "t", "p", "with check"),
    ),
    "a policy's roles": case(
        POLICY,
        "ALTER POLICY p ON t TO schema_reader, schema_owner",
        "ALTER POLICY p ON t TO PUBLIC",
        turned("policy", "t", "p", "roles"),
    ),
    "a policy's command": case(
        POLICY,
        "DROP POLICY p ON t; CREATE POLICY p ON t FOR UPDATE USING (a > 0)",
        "DROP POLICY p ON t; CREATE POLICY p ON t USING (a > 0)",
        turned("policy", "t", "p", "command"),
    ),
    "a restrictive policy": case(
        POLICY,
        "DROP POLICY p ON t; CREATE POLICY p ON t AS RESTRICTIVE USING (a > 0)",
        "DROP POLICY p ON t; CREATE POLICY p ON t USING (a > 0)",
        turned("policy", "t", "p", "permissive"),
    ),
}

GRANTS = {
    "a grant": case(
        T,
        "GRANT SELECT ON t TO schema_reader",
        "REVOKE SELECT ON t FROM schema_reader",
        came("grant", "t", "schema_reader"),
    ),
    "a revoked grant": case(
        GRANTED,
        "REVOKE SELECT ON t FROM schema_reader",
        "GRANT SELECT ON t TO schema_reader",
        went("grant", "t", "schema_reader"),
    ),
    "more than before": case(
        GRANTED,
        "GRANT INSERT, DELETE ON t TO schema_reader",
        "REVOKE INSERT, DELETE ON t FROM schema_reader",
        turned("grant", "t", "schema_reader", "privileges"),
    ),
    "all there is": case(
        GRANTED,
        "GRANT ALL ON t TO schema_reader",
        "REVOKE ALL ON t FROM schema_reader; GRANT SELECT ON t TO schema_reader",
        turned("grant", "t", "schema_reader", "privileges"),
    ),
    "everybody": case(
        T, "GRANT SELECT ON t TO PUBLIC", "REVOKE SELECT ON t FROM PUBLIC", came("grant", "t", "PUBLIC")
    ),
    "a grant option": case(
        GRANTED,
        "GRANT SELECT ON t TO schema_reader WITH GRANT OPTION",
        "REVOKE GRANT OPTION FOR SELECT ON t FROM schema_reader",
        turned("grant", "t", "schema_reader", "with grant option"),
    ),
    "a default written out": case(
        T, "GRANT SELECT ON t TO schema_reader; REVOKE SELECT ON t FROM schema_reader", "SELECT"
    ),
    "taken from the owner": case(
        T,
        "REVOKE DELETE ON t FROM postgres",
        "GRANT DELETE ON t TO postgres",
        turned("grant", "t", "postgres", "privileges"),
    ),
    "a grant on a column": case(
        T,
        "GRANT SELECT (a) ON t TO schema_reader",
        "REVOKE SELECT (a) ON t FROM schema_reader",
        came("grant", "t", "schema_reader on column a"),
    ),
    "more on a column": case(
        T + "GRANT SELECT (a) ON t TO schema_reader",
        "GRANT UPDATE (a) ON t TO schema_reader",
        "REVOKE UPDATE (a) ON t FROM schema_reader",
        turned("grant", "t", "schema_reader on column a", "privileges"),
    ),
    "a grant on a view": case(
        VIEW,
        "GRANT SELECT ON v TO schema_reader",
        "REVOKE SELECT ON v FROM schema_reader",
        came("grant", "v", "schema_reader"),
    ),
    "a grant on a sequence": case(
        SEQUENCE,
        "GRANT USAGE ON SEQUENCE s TO schema_reader",
        "REVOKE USAGE ON SEQUENCE s FROM schema_reader",
        came("grant", "s", "schema_reader"),
    ),
    "a grant on a function": case(
        F,
        "GRANT EXECUTE ON FUNCTION f TO schema_reader",
        "REVOKE EXECUTE ON FUNCTION f FROM schema_reader",
        came("grant", "", "schema_reader on function f(integer)"),
    ),
    "taken from everybody": case(
        F,
        "REVOKE EXECUTE ON FUNCTION f FROM PUBLIC",
        "GRANT EXECUTE ON FUNCTION f TO PUBLIC",
        went("grant", "", "PUBLIC on function f(integer)"),
    ),
    "a grant on a schema": case(
        "CREATE SCHEMA shop",
        "GRANT USAGE ON SCHEMA shop TO schema_reader",
        "REVOKE USAGE ON SCHEMA shop FROM schema_reader",
        came("grant", "", "schema_reader on schema shop"),
    ),
    "more on a schema": case(
        "CREATE SCHEMA shop; GRANT USAGE ON SCHEMA shop TO schema_reader",
        "GRANT CREATE ON SCHEMA shop TO schema_reader",
        "REVOKE CREATE ON SCHEMA shop FROM schema_reader",
        turned("grant", "", "schema_reader on schema shop", "privileges"),
    ),
    "rights of what is to come": case(
        "CREATE SCHEMA shop",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO schema_reader",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA shop REVOKE SELECT ON TABLES FROM schema_reader",
        came("default privileges", "", "tables of postgres in schema shop"),
    ),
    "no rights for what is to come": case(
        "",
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
        came("default privileges", "", "functions of postgres"),
    ),
    "more rights of what is to come": case(
        RICH,
        "ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT INSERT ON TABLES TO schema_owner WITH GRANT OPTION",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA shop REVOKE INSERT ON TABLES FROM schema_owner",
        turned("default privileges", "", "tables of postgres in schema shop", "grants"),
    ),
    "a table's owner": case(
        T, "ALTER TABLE t OWNER TO schema_owner", "ALTER TABLE t OWNER TO postgres", owned("table", "t")
    ),
    "a view's owner": case(
        VIEW, "ALTER VIEW v OWNER TO schema_owner", "ALTER VIEW v OWNER TO postgres", owned("view", "v")
    ),
    "a materialized view's owner": case(
        T + "CREATE MATERIALIZED VIEW v AS SELECT a FROM t",
        "ALTER MATERIALIZED VIEW v OWNER TO schema_owner",
        "ALTER MATERIALIZED VIEW v OWNER TO postgres",
        owned("materialized view", "v"),
    ),
    "a sequence's owner": case(
        SEQUENCE,
        "ALTER SEQUENCE s OWNER TO schema_owner",
        "ALTER SEQUENCE s OWNER TO postgres",
        owned("sequence", "s"),
    ),
    "a schema's owner": case(
        "CREATE SCHEMA shop",
        "ALTER SCHEMA shop OWNER TO schema_owner",
        "ALTER SCHEMA shop OWNER TO postgres",
        turned("schema", "", "shop", "owner"),
        went("grant", "", "postgres on schema shop"),
        came("grant", "", "schema_owner on schema shop"),
    ),
}

_OWNED_TYPES = {
    "enum mood": ("TYPE mood", "enum", "mood"),
    "domain price": ("DOMAIN price", "domain", "price"),
    "composite type pair": ("TYPE pair", "composite type", "pair"),
    "range type span": ("TYPE span", "range type", "span"),
}

OWNERS = {
    f"the owner of {what}": case(
        RICH,
        f"ALTER {sql} OWNER TO schema_owner",
        f"ALTER {sql} OWNER TO postgres",
        turned(kind, "", name, "owner"),
        went("grant", "", f"postgres on type {name}"),
        came("grant", "", f"schema_owner on type {name}"),
    )
    for what, (sql, kind, name) in _OWNED_TYPES.items()
} | {
    "the owner of statistics": case(
        RICH,
        "ALTER STATISTICS st OWNER TO schema_owner",
        "ALTER STATISTICS st OWNER TO postgres",
        turned("statistics", "t", "st", "owner"),
    ),
    "the owner of an event trigger": case(
        RICH + "ALTER ROLE schema_super SUPERUSER",
        "ALTER EVENT TRIGGER et OWNER TO schema_super",
        "ALTER EVENT TRIGGER et OWNER TO postgres",
        turned("event trigger", "", "et", "owner"),
    ),
}
