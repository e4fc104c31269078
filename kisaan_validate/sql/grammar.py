"""Which words and operators of PostgreSQL begin, end or continue an expression (its documentation, "Operator
Precedence" and "SQL Key Words").
"""

from __future__ import annotations

CLAUSES = frozenset(
    {
        "select",
        "from",
        "where",
        "group",
        "having",
        "order",
        "limit",
        "offset",
        "fetch",
        "as",
        "on",
        "and",
        "or",
        "not",
        "union",
        "except",
        "intersect",
        "distinct",
        "all",
        "join",
        "left",
        "right",
        "full",
        "inner",
        "outer",
        "cross",
        "lateral",
        "with",
        "when",
        "then",
        "else",
        "end",
        "asc",
        "desc",
        "for",
        "window",
        "values",
        "is",
        "in",
        "between",
        "like",
        "ilike",
        "similar",
        "collate",
        "using",
        "natural",
        "case",
        "any",
        "some",
    }
)
"""Words that PostgreSQL reserves (or that begin or end an expression): none of them is a value of its own."""

NO_FUNCTIONS = CLAUSES | {
    "array",
    "by",
    "cast",
    "coalesce",
    "cube",
    "exists",
    "extract",
    "filter",
    "greatest",
    "grouping",
    "least",
    "materialized",
    "nullif",
    "over",
    "recursive",
    "rollup",
    "row",
    "rows",
    "sets",
    "trim",
    "within",
}
"""Words that are followed by a parenthesis and call nothing that the search path could find."""

REFUSED = frozenset(
    {"using", "natural", "similar", "overlaps", "position", "overlay", "substring", "xmlserialize"}
)
"""Words by which a function or an operator is called that cannot be named with its schema there; some only
before FROM or IN.
"""

FORMS = frozenset({"position", "overlay", "substring", "xmlserialize"})
"""Those that are plain functions where their arguments stand between commas."""

COMPARISONS = frozenset({"<", ">", "=", "<=", ">=", "<>", "!="})
IS, COMPARE, RANGE, OTHER, PLUS, TIMES, POWER, AT, COLLATE, UNARY = range(1, 11)
"""PostgreSQL's precedence of operators, from the loosest. NOT, AND and OR are looser still, and end an
expression here.
"""

# ``%%`` is a percent sign in a statement with parameters.
SYMBOLS = {"+": PLUS, "-": PLUS, "*": TIMES, "/": TIMES, "%": TIMES, "%%": TIMES, "^": POWER}
