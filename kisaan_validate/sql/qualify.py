"""What the engine itself writes is answered by PostgreSQL's own functions and operators, whatever a schema
holds.

PostgreSQL prefers an exact match of types to a polymorphic or convertible one, wherever it stands in the
search path: an aggregate ``public.lag(integer)`` answers where ``lag(n)`` was meant. So every statement of
the engine passes through :func:`qualified`: functions become ``pg_catalog.lag(n)``, operators ``a
OPERATOR(pg_catalog.=) b``, and what looks an operator up without naming it (IN, BETWEEN, IS DISTINCT FROM,
NULLIF, LIKE, CASE x WHEN) is written out. What has a schema already keeps it: the engine writes the
operators of an extension's type so.

Author-written SQL stays as it is, also inside a statement of the engine: it is marked (:func:`authored`)
until then. The grammar is PostgreSQL's, as far as the engine uses it ("Operator Precedence" in its
documentation); what is not understood is refused, never passed on.
"""

from __future__ import annotations

from functools import lru_cache

from kisaan_validate.sql.qualifying import ExpressionReader
from kisaan_validate.sql.tokens import MARK, NotUnderstood, tokens_of, unmarked

__all__ = ["NotUnderstood", "authored", "operators_in", "qualified", "unmarked"]


def authored(sql: str) -> str:
    """Author-written SQL, marked so that :func:`qualified` leaves it alone. Raises ValueError if it holds
    a NUL character.
    """
    if MARK in sql:
        raise ValueError("SQL with a NUL character")
    return f"{MARK}{sql}{MARK}"


# Cached: the same items and conditions occur in thousands of statements.
@lru_cache(maxsize=4096)
def qualified(sql: str) -> str:
    """A statement of the engine, or an item or condition of one, with every function and operator named in
    full.

    Must not be applied twice: the second time author-written SQL is not marked any more. Raises
    NotUnderstood.
    """
    reader = ExpressionReader(tokens_of(sql))
    text = reader.sequence()
    # A bracket too many would end the engine's own parenthesis.
    if reader.kind:
        raise NotUnderstood(f"cannot be parsed at {reader.text!r}: unmatched closing bracket")
    return text


def operators_in(sql: str) -> frozenset[str]:
    """The operators that SQL names, as PostgreSQL reads them. Raises NotUnderstood."""
    return frozenset(token.text for token in tokens_of(sql) if token.kind == "operator")
