"""Author-written SQL: what may run at all, what it reads, and which functions it calls.

A read-only transaction is no sandbox: ``COPY … TO PROGRAM``, ``pg_terminate_backend`` and ``dblink`` all run in one.
So a text must parse as one plain SELECT, it only ever runs as a subquery, and every name that could be a function
is looked up in the server's own ``pg_proc`` before anything runs (see ``database.volatility``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from kisaan_validate.compile.expressions import quote
from kisaan_validate.errors import SuiteError

if TYPE_CHECKING:
    from kisaan_validate.catalogue import Catalogue

_FORBIDDEN = (
    exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Into, exp.Lock, exp.Command, exp.Copy, exp.Create, exp.Drop,
    exp.Alter, exp.TruncateTable, exp.Set, exp.Placeholder, exp.Parameter,
)  # fmt: skip

_FORBIDDEN_WORDS = frozenset({"insert", "update", "delete", "merge", "into", "copy", "execute", "call", "do"})


@dataclass(frozen=True)
class Calls:
    """The names in a SQL text that PostgreSQL could resolve to a function.

    ``called``: names before a parenthesis; ``dotted``: names after a dot, which call a function in attribute
    notation; ``operators``: operator signs; ``words``: every identifier (types among them).
    """

    called: frozenset[str]
    dotted: frozenset[str]
    operators: frozenset[str]
    words: frozenset[str]


def parse_select(sql: str, origin: str) -> Any:
    """The syntax tree of one SELECT or WITH … SELECT. Raises SuiteError, with ``origin``, for anything else."""
    tokens = _tokens(sql, origin)
    if any(t.token_type is TokenType.SEMICOLON for t in tokens):
        raise SuiteError("one statement only: found a semicolon", "remove it; one file holds one SELECT", origin)
    try:
        trees = sqlglot.parse(sql, dialect="postgres")
    except SqlglotError as error:
        raise SuiteError(f"not understood as SQL: {_first_line(error)}", "", origin) from None
    if len(trees) != 1 or trees[0] is None:
        raise SuiteError("expected exactly one SELECT", "", origin)
    tree: Any = trees[0]
    if not isinstance(tree, (exp.Select, exp.SetOperation, exp.Subquery)) or not tree.find(exp.Select):
        raise SuiteError(f"only SELECT may be declared, not {tree.key.upper()}", "", origin)
    if bad := next(tree.find_all(*_FORBIDDEN), None):
        raise SuiteError(f"{bad.key.upper()} may not be part of an assertion", "", origin)
    _refuse_words(tokens, origin)
    return tree


def _refuse_words(tokens: list[Token], origin: str) -> None:
    """What the tree might not show: data-modifying words and row locks, unless they are quoted names."""
    for before, token in zip([None, *tokens], tokens, strict=False):
        word = token.text.lower()
        if token.token_type in _TEXTS or (before is not None and before.token_type is TokenType.DOT):
            continue
        if word in _FORBIDDEN_WORDS:
            raise SuiteError(f"{word.upper()} may not be part of an assertion", "quote it if it is a name", origin)
    words = [t.text.lower() if t.token_type not in _TEXTS else "" for t in tokens]
    for first, second in pairwise(words):
        if first == "for" and second in {"update", "share", "no", "key"}:
            raise SuiteError("an assertion takes no row locks (FOR UPDATE, FOR SHARE)", "", origin)


_TEXTS = frozenset(
    {
        TokenType.STRING, TokenType.IDENTIFIER, TokenType.HEREDOC_STRING, TokenType.BYTE_STRING, TokenType.BIT_STRING,
        TokenType.HEX_STRING, TokenType.NATIONAL_STRING, TokenType.RAW_STRING, TokenType.UNICODE_STRING,
        TokenType.NUMBER,
    }
)  # fmt: skip


def _tokens(sql: str, origin: str) -> list[Token]:
    # Escapes in E'…' and U&"…" are where two lexers can disagree about where a string ends: refused, not guessed.
    if re.search(r"(?i)\bU&\s*['\"]", sql):
        raise SuiteError("U& strings and names are not accepted", "write the characters themselves", origin)
    if re.search(r"(?i)\bE'", sql) and "\\" in sql:
        raise SuiteError("E'' strings with backslashes are not accepted", "write a plain '' string", origin)
    if "\x00" in sql:
        raise SuiteError("the SQL contains a NUL character", "", origin)
    try:
        return list(sqlglot.tokenize(sql, dialect="postgres"))
    except SqlglotError as error:
        raise SuiteError(f"not understood as SQL: {_first_line(error)}", "", origin) from None


def _first_line(error: Exception) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()[0]


def calls_of(sql: str, origin: str) -> Calls:
    """Every name in ``sql`` that could call a function (see :class:`Calls`); folded as PostgreSQL folds names."""
    tokens = _tokens(sql, origin)
    called, dotted, words, operators = set(), set(), set(), set()
    for index, token in enumerate(tokens):
        if token.token_type in _TEXTS and token.token_type is not TokenType.IDENTIFIER:
            continue
        name = token.text if token.token_type is TokenType.IDENTIFIER else token.text.lower()
        following = tokens[index + 1].token_type if index + 1 < len(tokens) else None
        if not re.match(r"[\w\"]", name) and token.token_type is not TokenType.IDENTIFIER:
            operators.add(name)
            continue
        words.add(name)
        if following is TokenType.L_PAREN:
            called.add(name)
        elif index and tokens[index - 1].token_type is TokenType.DOT:
            dotted.add(name)
    return Calls(frozenset(called), frozenset(dotted), frozenset(operators), frozenset(words))


def tables_read(tree: exp.Expression) -> tuple[str, ...]:
    """The tables that a SELECT names, without its own WITH names, in order of appearance."""
    own = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    names = [_table_name(t) for t in tree.find_all(exp.Table) if isinstance(t.this, exp.Identifier)]
    return tuple(dict.fromkeys(n for n in names if n and n not in own))


def _table_name(table: exp.Table) -> str:
    return ".".join(_folded(part) for part in table.parts if isinstance(part, exp.Identifier))


def _folded(identifier: exp.Identifier) -> str:
    if not identifier.args.get("quoted"):
        return identifier.name.lower()
    return f'"{identifier.name}"' if "." in identifier.name else identifier.name


def resolve_names(sql: str, reads: Iterable[str], catalogue: Catalogue) -> str:
    """``sql`` with each alias of the suite replaced by the table that exists; everything else to the letter."""
    swaps = {name: catalogue.find(name) for name in reads if name in catalogue.aliases}
    if not swaps:
        return sql
    tree = sqlglot.parse_one(sql, dialect="postgres")
    edits: list[tuple[int, int, str]] = []
    for table in tree.find_all(exp.Table):
        actual = swaps.get(_table_name(table))
        if actual is None:
            continue
        start, end = table.this.meta["start"], table.this.meta["end"]
        alias = "" if table.alias else f" AS {quote(_table_name(table))}"
        edits.append((start, end, f"{quote(actual.schema)}.{quote(actual.name)}{alias}"))
    for start, end, text in sorted(edits, reverse=True):
        sql = sql[:start] + text + sql[end + 1 :]
    return sql


def output_columns(sql: str) -> dict[str, tuple[str, ...]]:
    """For each named output of a SELECT: every column name, of any depth, that could flow into it.

    An output that is a bare name may come from a subquery that computes it from anything: then all names of the
    text count. Generous on purpose: it decides what is masked.
    """
    tree = sqlglot.parse_one(sql, dialect="postgres")
    everything = tuple(dict.fromkeys(_column_name(c) for c in tree.find_all(exp.Column) if not c.is_star))
    nested = tree.find(exp.Subquery, exp.CTE) is not None or isinstance(tree, exp.SetOperation)
    select = tree if isinstance(tree, exp.Select) else tree.find(exp.Select)
    outputs: dict[str, tuple[str, ...]] = {}
    for output in select.expressions if isinstance(select, exp.Select) else []:
        own = tuple(dict.fromkeys(_column_name(c) for c in output.find_all(exp.Column) if not c.is_star))
        outputs[output.alias_or_name] = everything if nested and isinstance(output, exp.Alias) else own
    return outputs


def expression_columns(expression: str, origin: str) -> tuple[str, ...]:
    """The columns that a one-table expression reads. Raises SuiteError if it is not a plain expression."""
    tree = _expression(expression, origin)
    columns = list(tree.find_all(exp.Column))
    if wrong := next((c for c in columns if c.table), None):
        raise SuiteError(f"{wrong.sql()}: a row expression names its columns without a table", "", origin)
    if not columns:
        raise SuiteError("the expression reads no column", "", origin)
    return tuple(dict.fromkeys(_column_name(c) for c in columns))


def qualified_columns(expression: str, sides: tuple[str, ...], origin: str) -> dict[str, list[str]]:
    """The columns that an expression reads of each of ``sides``, its only allowed qualifiers."""
    read: dict[str, list[str]] = {side: [] for side in sides}
    for column in _expression(expression, origin).find_all(exp.Column):
        if column.table not in read:
            raise SuiteError(f"{column.sql()}: write {' or '.join(f'{s}.column' for s in sides)}", "", origin)
        name = _column_name(column)
        if name not in read[column.table]:
            read[column.table].append(name)
    return read


def _expression(expression: str, origin: str) -> exp.Expression:
    tree = parse_select(f"SELECT 1 WHERE ({expression}\n)", origin)
    conditions: Any = tree.args.get("where")
    if conditions is None or tree.find(exp.Window) or len(list(tree.find_all(exp.Select))) != 1 or tree.find(exp.AggFunc):
        raise SuiteError("a row expression has no subquery, aggregate or window", "use a SQL assertion", origin)
    result: exp.Expression = conditions.this
    return result


def _column_name(column: exp.Column) -> str:
    identifier = column.this
    name = str(identifier.name)
    return name if identifier.args.get("quoted") else name.lower()
