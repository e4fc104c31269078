"""Functions, procedures, aggregates, triggers and rules."""

from __future__ import annotations

from schema_cases.parts import (
    INT_SUM,
    PART,
    RICH,
    RULE,
    TF,
    TRIGGER,
    Case,
    F,
    T,
    came,
    case,
    function_came,
    mirror,
    turned,
    went,
)


def altered_function(clause: str, back: str, attribute: str) -> Case:
    """A case of ALTER FUNCTION."""
    return case(
        F,
        f"ALTER FUNCTION f {clause}",
        f"ALTER FUNCTION f {back}",
        turned("function", "", "f(integer)", attribute),
    )


ATOMIC = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT {}; END; "
RETURNS = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql RETURN {}; "
PROCEDURE = "CREATE OR REPLACE PROCEDURE p(x int) LANGUAGE sql AS 'SELECT {}'; "

FUNCTIONS = {
    "a function": case("", F, "DROP FUNCTION f", function_came("f(integer)")),
    "a dropped function": case(F, "DROP FUNCTION f", F, mirror(function_came("f(integer)"))),
    "an overloaded function": case(
        F,
        "CREATE FUNCTION f(x text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION f(text)",
        function_came("f(text)"),
    ),
    "a body": case(
        F,
        "CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT x + 1'",
        "CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT x'",
        turned("function", "", "f(integer)", "body"),
    ),
    "an atomic body": case(
        ATOMIC.format(1), ATOMIC.format(2), ATOMIC.format(1), turned("function", "", "f()", "body"), since=14
    ),
    "a returned body": case(
        RETURNS.format(1),
        RETURNS.format(2),
        RETURNS.format(1),
        turned("function", "", "f()", "body"),
        since=14,
    ),
    "an atomic function's volatility": case(
        ATOMIC.format(1),
        "ALTER FUNCTION f STABLE",
        "ALTER FUNCTION f VOLATILE",
        turned("function", "", "f()", "volatility"),
        since=14,
    ),
    "a volatility": altered_function("STABLE", "VOLATILE", "volatility"),
    "security definer": altered_function("SECURITY DEFINER", "SECURITY INVOKER", "security definer"),
    "strict": altered_function("STRICT", "CALLED ON NULL INPUT", "strict"),
    "leakproof": altered_function("LEAKPROOF", "NOT LEAKPROOF", "leakproof"),
    "parallel": altered_function("PARALLEL SAFE", "PARALLEL UNSAFE", "parallel"),
    "a cost": altered_function("COST 7", "COST 100", "cost"),
    "a setting": altered_function("SET search_path = public", "RESET search_path", "config"),
    "another default argument": case(
        "CREATE FUNCTION f(x int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT x'",
        "CREATE OR REPLACE FUNCTION f(x int DEFAULT 2) RETURNS int LANGUAGE sql AS 'SELECT x'",
        "CREATE OR REPLACE FUNCTION f(x int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT x'",
        turned("function", "", "f(integer)", "arguments"),
    ),
    "another result": case(
        F,
        "DROP FUNCTION f; CREATE FUNCTION f(x int) RETURNS bigint LANGUAGE sql AS 'SELECT x'",
        "DROP FUNCTION f; " + F,
        turned("function", "", "f(integer)", "result"),
    ),
    "another language": case(
        "SET check_function_bodies = off; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'BEGIN RETURN "
        "1; END'",
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'",
        "SET check_function_bodies = off; CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS "
        "'BEGIN RETURN 1; END'",
        turned("function", "", "f()", "language"),
    ),
    "a procedure": case("", PROCEDURE.format(1), "DROP PROCEDURE p", function_came("p(integer)")),
    "a procedure's body": case(
        PROCEDURE.format(1),
        PROCEDURE.format(2),
        PROCEDURE.format(1),
        turned("function", "", "p(integer)", "body"),
    ),
    "an aggregate": case(
        "",
        f"CREATE AGGREGATE total(int) {INT_SUM}",
        "DROP AGGREGATE total(int)",
        function_came("total(integer)"),
    ),
    "what an aggregate starts from": case(
        f"CREATE AGGREGATE total(int) {INT_SUM}",
        "CREATE OR REPLACE AGGREGATE total(int) (sfunc = int4pl, stype = int, initcond = '5')",
        f"CREATE OR REPLACE AGGREGATE total(int) {INT_SUM}",
        turned("function", "", "total(integer)", "initial value"),
    ),
    "what an aggregate does": case(
        f"CREATE AGGREGATE total(int) {INT_SUM}",
        "CREATE OR REPLACE AGGREGATE total(int) (sfunc = int4larger, stype = int, initcond = '0')",
        f"CREATE OR REPLACE AGGREGATE total(int) {INT_SUM}",
        turned("function", "", "total(integer)", "state function"),
    ),
    "how an aggregate ends": case(
        f"CREATE AGGREGATE total(int) {INT_SUM}",
        "CREATE OR REPLACE AGGREGATE total(int) (sfunc = int4pl, stype = int, initcond = '0', finalfunc "
        "= int4abs,"
        " combinefunc = int4larger)",
        f"CREATE OR REPLACE AGGREGATE total(int) {INT_SUM}",
        turned("function", "", "total(integer)", "final function", "combine function"),
    ),
    "how many rows to expect": case(
        RICH,
        "ALTER FUNCTION shop.g ROWS 7",
        "ALTER FUNCTION shop.g ROWS 1000",
        turned("function", "", "shop.g(public.mood)", "rows"),
    ),
    "a function's owner": case(
        F,
        "ALTER FUNCTION f OWNER TO schema_owner",
        "ALTER FUNCTION f OWNER TO postgres",
        turned("function", "", "f(integer)", "owner"),
        went("grant", "", "postgres on function f(integer)"),
        came("grant", "", "schema_owner on function f(integer)"),
    ),
}

TRIGGERS = {
    "a trigger": case(
        T + TF,
        "CREATE TRIGGER tr AFTER INSERT ON t EXECUTE FUNCTION tf()",
        "DROP TRIGGER tr ON t",
        came("trigger", "t", "tr"),
    ),
    "a dropped trigger": case(
        TRIGGER,
        "DROP TRIGGER tr ON t",
        "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf()",
        went("trigger", "t", "tr"),
    ),
    "another event": case(
        TRIGGER,
        "DROP TRIGGER tr ON t; CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tf()",
        "DROP TRIGGER tr ON t; CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf()",
        turned("trigger", "t", "tr", "definition"),
    ),
    "a disabled trigger": case(
        TRIGGER,
        "ALTER TABLE t DISABLE TRIGGER tr",
        "ALTER TABLE t ENABLE TRIGGER tr",
        turned("trigger", "t", "tr", "enabled"),
    ),
    "a trigger for replicas": case(
        TRIGGER,
        "ALTER TABLE t ENABLE REPLICA TRIGGER tr",
        "ALTER TABLE t ENABLE TRIGGER tr",
        turned("trigger", "t", "tr", "enabled"),
    ),
    "a trigger for all": case(
        TRIGGER,
        "ALTER TABLE t ENABLE ALWAYS TRIGGER tr",
        "ALTER TABLE t ENABLE TRIGGER tr",
        turned("trigger", "t", "tr", "enabled"),
    ),
    "a constraint trigger": case(
        T + TF,
        "CREATE CONSTRAINT TRIGGER tr AFTER INSERT ON t DEFERRABLE FOR EACH ROW EXECUTE FUNCTION tf()",
        "DROP TRIGGER tr ON t",
        came("trigger", "t", "tr"),
    ),
    "a trigger of a partitioned table": case(
        PART + TF,
        "CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf()",
        "DROP TRIGGER tr ON t",
        came("trigger", "t", "tr"),
        came("trigger", "t1", "tr"),
    ),
    "a disabled event trigger": case(
        RICH,
        "ALTER EVENT TRIGGER et DISABLE",
        "ALTER EVENT TRIGGER et ENABLE",
        turned("event trigger", "", "et", "enabled"),
    ),
    "a dropped event trigger": case(
        RICH,
        "DROP EVENT TRIGGER et",
        "CREATE EVENT TRIGGER et ON ddl_command_start WHEN TAG IN ('DROP AGGREGATE') EXECUTE FUNCTION etf()",
        went("event trigger", "", "et"),
    ),
    "a rule": case(
        T, "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING", "DROP RULE r ON t", came("rule", "t", "r")
    ),
    "another rule": case(
        RULE,
        "CREATE OR REPLACE RULE r AS ON DELETE TO t DO ALSO NOTHING",
        "CREATE OR REPLACE RULE r AS ON DELETE TO t DO INSTEAD NOTHING",
        turned("rule", "t", "r", "definition"),
    ),
    "a disabled rule": case(
        RULE,
        "ALTER TABLE t DISABLE RULE r",
        "ALTER TABLE t ENABLE RULE r",
        turned("rule", "t", "r", "enabled"),
    ),
}
