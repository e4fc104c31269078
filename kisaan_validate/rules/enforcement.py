"""Does a CHECK constraint of the table already say what a rule says?

Both texts are parsed, casts and parentheses dropped, and split at AND: a rule is enforced when each of its
conjuncts is a conjunct of a validated, enforced constraint. Equality of form only: a missed implication costs
an honest "enforced by nothing", never a false "enforced".
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from kisaan_validate.sql.qualify import unmarked

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Table


def implied_by_constraints(predicate: str, table: Table, *, authored: bool = False) -> str:
    """The names of the CHECK constraints that together state ``predicate`` of all rows, or "" if they do not.

    A constraint that calls functions of somebody's own says something else than it seems to; only a
    predicate that an author wrote (``authored``) calls the same.
    """
    # Rows of children or foreign partitions are read along, and no CHECK here binds them.
    if table.unbound:
        return ""
    # PostgreSQL prints operators bare, so the engine's schema is taken off before comparing.
    wanted = _conjuncts(_NAMED.sub(r"\1", unmarked(predicate)))
    used: list[str] = []
    for constraint in table.constraints:
        binding = constraint.validated and constraint.enforced and (authored or not constraint.foreign)
        if constraint.kind == "c" and binding:
            said = _conjuncts(_body(constraint.definition))
            if wanted & said:
                used.append(constraint.name)
                # Each constraint may state a part; all together must state the whole.
                wanted = wanted - said
    return ", ".join(used) if used and not wanted else ""


_NAMED = re.compile(r"""OPERATOR\((?:\w+|"(?:[^"]|"")*")\.([^)]+)\)""")
"""An operator as an engine's comparison names it; PostgreSQL prints it bare where the schema is in the
search path.
"""


def _body(definition: str) -> str:
    return definition.removeprefix("CHECK ").removesuffix(" NO INHERIT").removesuffix(" NOT VALID")


# Cached: the same constraints are compared with every check of their table.
@lru_cache(maxsize=4096)
def _conjuncts(predicate: str) -> frozenset[str]:
    try:
        tree = sqlglot.parse_one(predicate, dialect="postgres")
    except SqlglotError:
        # A text that is not understood equals only itself.
        return frozenset({predicate})
    while (plain := tree.transform(_strip)) != tree:  # a node that was unwrapped is looked into the next time
        tree = plain
    # Compared as trees: without its parentheses, the text of a * (b + 1) would be that of a * b + 1.
    return frozenset(repr(part) for part in _flatten(plain))


def _strip(node: exp.Expression) -> exp.Expression:
    while isinstance(node, exp.Paren) or (isinstance(node, exp.Cast) and _is_plain(node)):
        node = node.this
    # Folded and quoted, so that Total and "total" are one name, and "Total" is another.
    if isinstance(node, exp.Identifier):
        return exp.to_identifier(node.name if node.args.get("quoted") else node.name.lower(), quoted=True)
    return node


_EXACT_TYPES = {exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR, exp.DataType.Type.DECIMAL}
"""Types to which a literal can be cast without becoming another value (given no length or precision)."""


def _is_plain(cast: exp.Cast) -> bool:
    """A cast that PostgreSQL itself adds when it prints a constraint: of a literal to the column's type."""
    # PostgreSQL prints -1 as a negation of a cast literal.
    inner = cast.this.unnest()
    if isinstance(inner, exp.Neg):
        inner = inner.this.unnest()
    # A cast to varchar(3) or numeric(4,1) would cut or round the literal.
    exact = cast.to.this in _EXACT_TYPES and not cast.to.expressions
    whole = cast.to.this in exp.DataType.INTEGER_TYPES and isinstance(inner, exp.Literal) and inner.is_int
    return isinstance(inner, exp.Literal) and (exact or whole)


def _flatten(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.And):
        return [*_flatten(node.left), *_flatten(node.right)]
    return [node]
