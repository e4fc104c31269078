"""Author-written SQL: what may run at all, what it reads, and which functions it calls.

A read-only transaction is no sandbox: ``COPY … TO PROGRAM``, ``pg_terminate_backend`` and ``dblink`` all
run in one. So a text must parse as one plain SELECT, it only ever runs as a subquery, and every name that
could be a function is looked up in the server's own ``pg_proc`` before anything runs (see
``postgres.volatility``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError
from kisaan_validate.sql.scrubbing import OPERATOR, TEXTS, first_line, scrubbed, tokens_of

# Parsed as nodes even inside a WITH, where PostgreSQL would run them.
_FORBIDDEN = (
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.Into,
    exp.Lock,
    exp.Command,
    exp.Copy,
    exp.Create,
    exp.Drop,
    exp.Alter,
    exp.TruncateTable,
    exp.Set,
    exp.Placeholder,
    exp.Parameter,
)

# Words beside the tree: what the parser does not know as a node must not pass for a name.
_FORBIDDEN_WORDS = frozenset(
    {"insert", "update", "delete", "merge", "into", "copy", "execute", "call", "do", "table"}
)


# What can stand in an expression that has one value for ever: no column, no subquery, no function of the
# world outside.
_CONSTANT = (
    exp.Literal,
    exp.Boolean,
    exp.Null,
    exp.Paren,
    exp.Tuple,
    exp.Array,
    exp.Binary,
    exp.Not,
    exp.Neg,
    exp.In,
    exp.Between,
    exp.Any,
    exp.All,
    exp.Case,
    exp.If,
    exp.Coalesce,
    exp.Nullif,
    exp.Cast,
    exp.DataType,
    exp.DataTypeParam,
    exp.Interval,
    exp.Var,
)


@dataclass(frozen=True)
class Calls:
    """The names in a SQL text that PostgreSQL could resolve to a function.

    ``called``: names before a parenthesis; ``dotted``: names after a dot, which call a function in
    attribute notation; ``operators``: every operator that the text could contain, those behind IN or LIKE
    too; ``words``: every identifier (types among them, under the names that the catalogue gives them).
    """

    called: frozenset[str]
    dotted: frozenset[str]
    operators: frozenset[str]
    words: frozenset[str]


def parse_select(sql: str, origin: str) -> Any:
    """The syntax tree of one SELECT or WITH … SELECT. Raises SuiteError, with ``origin``, for anything
    else.
    """
    tokens = tokens_of(sql, origin)
    # Looked for among tokens, because a parser may drop an empty second statement.
    if any(t.token_type is TokenType.SEMICOLON for t in tokens):
        raise SuiteError(
            "only one statement is allowed, but there is a semicolon",
            "remove it; one file holds one SELECT",
            origin,
        )
    try:
        trees = sqlglot.parse(scrubbed(sql, origin), dialect="postgres")
    except SqlglotError as error:
        raise SuiteError(f"not understood as SQL: {first_line(error)}", "", origin) from None
    # A deep text must end as an error of its check, not of the program.
    except RecursionError:
        raise SuiteError("cannot be parsed as SQL: it is nested too deeply", "", origin) from None
    if len(trees) != 1 or trees[0] is None:
        raise SuiteError("expected exactly one SELECT", "", origin)
    tree: Any = trees[0]
    # VALUES and TABLE are statements too, but show rows of no SELECT that could be looked at.
    if not isinstance(tree, (exp.Select, exp.SetOperation, exp.Subquery)) or not tree.find(exp.Select):
        raise SuiteError(f"only SELECT may be declared, not {tree.key.upper()}", "", origin)
    if bad := next(tree.find_all(*_FORBIDDEN), None):
        raise SuiteError(f"{bad.key.upper()} is not allowed in an assertion", "", origin)
    _refuse_words(tokens, origin)
    return tree


def without_end(sql: str, origin: str) -> str:
    """``sql`` without the semicolons after its last word, as editors and people end a statement, and what
    stands behind them.

    Raises SuiteError as :func:`parse_select`; a semicolon between two statements is left, for that to refuse.
    """
    # Scrubbed text has comments and strings blanked, so what is left at the end is code.
    code = scrubbed(sql, origin).rstrip()
    ended = re.sub(r"[;\s]+$", "", code)
    return sql[: len(ended)] if ";" in code[len(ended) :] else sql


def _refuse_words(tokens: list[Token], origin: str) -> None:
    """What the tree might not show: data-modifying words and row locks, unless they are quoted names."""
    for before, token in zip([None, *tokens], tokens, strict=False):
        word = token.text.lower()
        # Behind a dot stands a column or a function, never a keyword.
        if token.token_type in TEXTS or (before is not None and before.token_type is TokenType.DOT):
            continue
        if word in _FORBIDDEN_WORDS:
            raise SuiteError(
                f"{word.upper()} is not allowed in an assertion", "quote it if it is a name", origin
            )
    words = [t.text.lower() if t.token_type not in TEXTS else "" for t in tokens]
    for first, second in pairwise(words):
        if first == "for" and second in {"update", "share", "no", "key"}:
            # NO KEY UPDATE and KEY SHARE lock rows too.
            raise SuiteError("an assertion must not lock rows (FOR UPDATE, FOR SHARE)", "", origin)


def calls_of(sql: str, origin: str) -> Calls:
    """Every name in ``sql`` that could call a function (see :class:`Calls`); folded as PostgreSQL folds
    names.
    """
    tokens = tokens_of(sql, origin)
    called, dotted, words = set(), set(), set()
    for index, token in enumerate(tokens):
        quoted = token.token_type is TokenType.IDENTIFIER
        # Strings call nothing; everything that could be a name does, in case of doubt.
        if not quoted and (token.token_type in TEXTS or not re.match(r"\w", token.text)):
            continue
        # The server folds and cuts names in this way before it looks them up.
        name = _cut(token.text if quoted else token.text.lower())
        words.add(name)
        following = tokens[index + 1].token_type if index + 1 < len(tokens) else None
        if following is TokenType.L_PAREN:
            called.add(name)
        # ``row.name`` calls the function name(row) where no column has that name.
        if index and tokens[index - 1].token_type is TokenType.DOT:
            dotted.add(name)
    # ``pg_type`` has other names than SQL, and a cast may call a function.
    types = {alias for word in words for alias in _CATALOGUE_TYPES.get(word, ())}
    operators = frozenset(_operators(sql, origin)) | implied_operators(words)
    return Calls(frozenset(called), frozenset(dotted), operators, frozenset(words | types))


def implied_operators(words: Iterable[str]) -> frozenset[str]:
    """The operators that stand behind words such as IN and LIKE."""
    return frozenset(sign for word in words for sign in _IMPLIED_OPERATORS.get(word, ()))


def _cut(name: str) -> str:
    """A name as PostgreSQL keeps it: its first 63 bytes."""
    # Bytes, not characters; half a character at the cut is dropped, as the server does.
    return name.encode()[:63].decode(errors="ignore")


def _operators(sql: str, origin: str) -> set[str]:
    """Every operator that PostgreSQL could see in a run of operator characters: all parts of the run."""
    # Quoted names first, because they may hold an apostrophe.
    code = re.sub(r'"(?:[^"]|"")*"', " ", scrubbed(sql, origin))
    runs = OPERATOR.findall(re.sub(r"'[^']*'", " ", code))
    # All parts of a run, because PostgreSQL's own rules for cutting it depend on which operators exist.
    return {run[i:j] for run in runs for i in range(len(run)) for j in range(i + 1, len(run) + 1)}


_IMPLIED_OPERATORS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("in", "distinct", "using", "natural", "case", "nullif", "union", "intersect", "except"), ("=", "<>")
    ),
    **dict.fromkeys(("group", "partition", "order", "greatest", "least", "max", "min"), ("=", "<", ">")),
    "between": ("<", "<=", ">", ">="),
    "like": ("~~", "!~~"),
    "ilike": ("~~*", "!~~*"),
    "similar": ("~", "!~"),
}
"""The operators that stand behind words."""

_CATALOGUE_TYPES: dict[str, tuple[str, ...]] = {
    "int": ("int4",),
    "integer": ("int4",),
    "smallint": ("int2",),
    "bigint": ("int8",),
    "real": ("float4",),
    "float": ("float4", "float8"),
    "double": ("float8",),
    "dec": ("numeric",),
    "decimal": ("numeric",),
    "boolean": ("bool",),
    "character": ("bpchar", "varchar"),
    "char": ("bpchar", "varchar"),
    "nchar": ("bpchar",),
    "bit": ("varbit",),
    "time": ("timetz",),
    "timestamp": ("timestamptz",),
}
"""SQL's names of types, to those in ``pg_type``."""


def row_condition(expression: str, origin: str) -> exp.Expression:
    """As :func:`plain_expression`, and it reads a column: what does not holds, or restricts, for all rows
    or for none.
    """
    tree = plain_expression(expression, origin)
    if not tree.find(exp.Column):
        raise SuiteError(
            "the expression reads no column", "it does not depend on the row; use a column", origin
        )
    return tree


_BEFORE = "SELECT 1 WHERE ("


def plain_expression(expression: str, origin: str) -> exp.Expression:
    """The syntax tree of one SQL expression over the values of a row. Raises SuiteError for anything else."""
    # The line break ends a ``--`` comment, which would otherwise swallow the parenthesis.
    tree = parse_select(f"{_BEFORE}{expression}\n)", origin)
    conditions: Any = tree.args.get("where")
    # The text will stand in parentheses elsewhere: here too they must hold all of it, and nothing else.
    whole = {key for key, value in tree.args.items() if value} == {"expressions", "where"}
    if not whole or not isinstance(conditions.this, exp.Paren):
        raise SuiteError("a row expression is one expression", "balance its parentheses", origin)
    # One row must decide: what reads other rows needs a statement of its own.
    if tree.find(exp.Window, exp.AggFunc) or len(list(tree.find_all(exp.Select))) != 1:
        raise SuiteError(
            "a row expression must not contain a subquery, aggregate or window function",
            "use a SQL assertion",
            origin,
        )
    result: exp.Expression = conditions.this
    return result


def with_texts(tree: exp.Expression, expression: str) -> exp.Expression:
    """The tree of :func:`plain_expression`, changed so that its strings say what the author wrote in them."""
    source = _BEFORE + expression
    for text in tree.find_all(exp.Literal):
        # Parsed was scrubbed text, whose strings are harmless but no longer tell '-5' from '+5'.
        if text.is_string and "start" in text.meta:
            written = source[text.meta["start"] : text.meta["end"] + 1]
            text.set("this", written[1:-1].replace("''", "'"))
    return tree
