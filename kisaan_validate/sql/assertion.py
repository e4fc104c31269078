"""Author-written SQL: what may run at all, what it reads, and which functions it calls.

A read-only transaction is no sandbox: ``COPY … TO PROGRAM``, ``pg_terminate_backend`` and ``dblink`` all
run in one. So a text must parse as one plain SELECT, it only ever runs as a subquery, and every name that
could be a function is looked up in the server's own ``pg_proc`` before anything runs (see
``database.volatility``).
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

from kisaan_validate.errors import SuiteError
from kisaan_validate.sql.expressions import quote

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Catalogue

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
    tokens = _tokens(sql, origin)
    if any(t.token_type is TokenType.SEMICOLON for t in tokens):
        raise SuiteError(
            "one statement only: found a semicolon", "remove it; one file holds one SELECT", origin
        )
    try:
        trees = sqlglot.parse(scrubbed(sql, origin), dialect="postgres")
    except SqlglotError as error:
        raise SuiteError(f"not understood as SQL: {_first_line(error)}", "", origin) from None
    except RecursionError:
        raise SuiteError("not understood as SQL: it is nested too deeply", "", origin) from None
    if len(trees) != 1 or trees[0] is None:
        raise SuiteError("expected exactly one SELECT", "", origin)
    tree: Any = trees[0]
    if not isinstance(tree, (exp.Select, exp.SetOperation, exp.Subquery)) or not tree.find(exp.Select):
        raise SuiteError(f"only SELECT may be declared, not {tree.key.upper()}", "", origin)
    if bad := next(tree.find_all(*_FORBIDDEN), None):
        raise SuiteError(f"{bad.key.upper()} may not be part of an assertion", "", origin)
    _refuse_words(tokens, origin)
    return tree


def without_end(sql: str, origin: str) -> str:
    """``sql`` without the semicolons after its last word, as editors and people end a statement, and what
    stands behind them.

    Raises SuiteError as :func:`parse_select`; a semicolon between two statements is left, for that to refuse.
    """
    code = scrubbed(sql, origin).rstrip()
    ended = re.sub(r"[;\s]+$", "", code)
    return sql[: len(ended)] if ";" in code[len(ended) :] else sql


def _refuse_words(tokens: list[Token], origin: str) -> None:
    """What the tree might not show: data-modifying words and row locks, unless they are quoted names."""
    for before, token in zip([None, *tokens], tokens, strict=False):
        word = token.text.lower()
        if token.token_type in _TEXTS or (before is not None and before.token_type is TokenType.DOT):
            continue
        if word in _FORBIDDEN_WORDS:
            raise SuiteError(
                f"{word.upper()} may not be part of an assertion", "quote it if it is a name", origin
            )
    words = [t.text.lower() if t.token_type not in _TEXTS else "" for t in tokens]
    for first, second in pairwise(words):
        if first == "for" and second in {"update", "share", "no", "key"}:
            raise SuiteError("an assertion takes no row locks (FOR UPDATE, FOR SHARE)", "", origin)


_TEXTS = frozenset(
    {
        TokenType.STRING,
        TokenType.IDENTIFIER,
        TokenType.HEREDOC_STRING,
        TokenType.BYTE_STRING,
        TokenType.BIT_STRING,
        TokenType.HEX_STRING,
        TokenType.NATIONAL_STRING,
        TokenType.RAW_STRING,
        TokenType.UNICODE_STRING,
        TokenType.NUMBER,
    }
)


# PostgreSQL's lexical structure, as far as it decides what is code: strings, quoted names, comments, all the
# rest.
_LEXEME = re.compile(
    r"""(?P<string>'(?:[^']|'')*')|(?P<name>"(?:[^"]|"")*")|--[^\r\n]*|(?P<block>/\*)|(?P<code>.)""", re.S
)
_PLAIN = frozenset("\t\n\r" + "".join(chr(c) for c in range(32, 127) if chr(c) not in "$\\`{}'\""))
_OPERATOR = re.compile(r"[-+*/<>=~!@#%^&|`?]+")


def scrubbed(sql: str, origin: str) -> str:
    """``sql`` with comments blanked and the insides of strings made harmless; every position stays where
    it was.

    Two lexers can disagree about dollar quotes, escapes, and what is a space or a letter: whatever could
    make them disagree is refused outside of strings and quoted names, so that nothing hides from the looks
    that follow.
    """
    if "\x00" in sql:
        raise SuiteError("the SQL contains a NUL character", "", origin)
    parts: list[str] = []
    at = 0
    while match := _LEXEME.match(sql, at):
        text, kind = match[0], match.lastgroup
        if kind == "block":
            text = sql[at : _comment_end(sql, at, origin)]
        if kind == "code" and text not in _PLAIN:
            hint = "write strings in '', names with other than ASCII letters in \"\", and no dollar quotes"
            raise SuiteError(f"{text!r} is not accepted outside of a string or a quoted name", hint, origin)
        at += len(text)
        if kind == "string":
            text = "'" + re.sub(r"[^0-9A-Za-z ]", "x", text[1:-1]) + "'"
        parts.append(text if kind in {"string", "name", "code"} else re.sub(r"[^\r\n]", " ", text))
    plain = "".join(parts)
    if re.search(r"(?i)(?<!\w)U&['\"]", plain):
        raise SuiteError("U& strings and names are not accepted", "write the characters themselves", origin)
    if re.search(r"(?i)(?<!\w)E'", plain) and "\\" in sql:
        raise SuiteError("E'' strings with backslashes are not accepted", "write a plain '' string", origin)
    return plain


def _comment_end(sql: str, start: int, origin: str) -> int:
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(sql, start):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    raise SuiteError("a comment is never closed", "", origin)


def _tokens(sql: str, origin: str) -> list[Token]:
    try:
        return list(sqlglot.tokenize(scrubbed(sql, origin), dialect="postgres"))
    except SqlglotError as error:
        raise SuiteError(f"not understood as SQL: {_first_line(error)}", "", origin) from None


def _first_line(error: Exception) -> str:
    """What a parser says, without its own class names: these mean that an operand is missing."""
    if "Required keyword" in str(error):
        return "it is incomplete: a value or a keyword is missing"
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()[0]


def refuse_idle(tree: exp.Expr, origin: str) -> None:
    """Raises SuiteError for a SELECT that no row decides about: it returns none whatever is stored, or all.

    Its WHERE (or HAVING), or one condition of several, reads no column, or its LIMIT is 0. Such a check
    would pass for ever.
    """
    if reason := _idle(tree):
        raise SuiteError(
            f"{reason}: no row decides about it", "a check that cannot fail proves nothing", origin
        )


def _idle(tree: exp.Expr) -> str:
    """Why no row of the tables decides what a query returns, or ""."""
    limit: Any = tree.args.get("limit")
    wanted = limit and (limit.args.get("expression") or limit.args.get("count"))
    if isinstance(wanted, exp.Expr) and re.fullmatch(r"0+", wanted.unnest().name):
        return "LIMIT 0 returns no row"
    if isinstance(tree, exp.Subquery):
        return _idle(tree.this)
    if isinstance(tree, exp.SetOperation):
        left, right = _idle(tree.left), _idle(tree.right)
        if isinstance(tree, exp.Except):
            return left
        return left or right if isinstance(tree, exp.Intersect) else left and right
    for word in ("where", "having"):
        clause: Any = tree.args.get(word)
        if clause is not None and _decides_nothing(clause.this):
            return f"the {word.upper()} (or a part of it) reads no column"
    return ""


def _decides_nothing(condition: exp.Expr) -> bool:
    """Whether a condition, or one that must hold beside others, is constant. ``1 = 1 AND …`` and ``true
    AND …`` may be.
    """
    if _is_constant(condition):
        return True
    whole = condition.unnest()
    parts = [part.unnest() for part in whole.flatten()] if isinstance(whole, exp.And) else []
    return any(_decides_nothing(part) for part in parts if not _plainly_true(part))


def _plainly_true(condition: exp.Expr) -> bool:
    if isinstance(condition, exp.EQ) and isinstance(condition.left, exp.Literal):
        return (
            condition.left == condition.right and not condition.left.is_string
        )  # texts are made harmless: all look alike
    return isinstance(condition, exp.Boolean) and bool(condition.this)


def _is_constant(condition: exp.Expr) -> bool:
    # An operator that is named with its schema is somebody's own function.
    return all(
        isinstance(node, _CONSTANT) and not isinstance(node, exp.Operator) for node in condition.walk()
    )


def calls_of(sql: str, origin: str) -> Calls:
    """Every name in ``sql`` that could call a function (see :class:`Calls`); folded as PostgreSQL folds
    names.
    """
    tokens = _tokens(sql, origin)
    called, dotted, words = set(), set(), set()
    for index, token in enumerate(tokens):
        quoted = token.token_type is TokenType.IDENTIFIER
        if not quoted and (token.token_type in _TEXTS or not re.match(r"\w", token.text)):
            continue
        name = _cut(token.text if quoted else token.text.lower())
        words.add(name)
        following = tokens[index + 1].token_type if index + 1 < len(tokens) else None
        if following is TokenType.L_PAREN:
            called.add(name)
        if index and tokens[index - 1].token_type is TokenType.DOT:
            dotted.add(name)
    types = {alias for word in words for alias in _CATALOGUE_TYPES.get(word, ())}
    operators = frozenset(_operators(sql, origin)) | implied_operators(words)
    return Calls(frozenset(called), frozenset(dotted), operators, frozenset(words | types))


def implied_operators(words: Iterable[str]) -> frozenset[str]:
    """The operators that stand behind words such as IN and LIKE."""
    return frozenset(sign for word in words for sign in _IMPLIED_OPERATORS.get(word, ()))


def _cut(name: str) -> str:
    """A name as PostgreSQL keeps it: its first 63 bytes."""
    return name.encode()[:63].decode(errors="ignore")


def _operators(sql: str, origin: str) -> set[str]:
    """Every operator that PostgreSQL could see in a run of operator characters: all parts of the run."""
    code = re.sub(r'"(?:[^"]|"")*"', " ", scrubbed(sql, origin))
    runs = _OPERATOR.findall(re.sub(r"'[^']*'", " ", code))
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


def tables_read(tree: exp.Expression) -> tuple[str, ...]:
    """The tables that a SELECT names, without its own WITH names where these can be seen, in order of
    appearance.
    """
    names = [
        table_name(t)
        for t in tree.find_all(exp.Table)
        if isinstance(t.this, exp.Identifier) and not is_own(t)
    ]
    return tuple(dict.fromkeys(n for n in names if n and not n.startswith(_SYSTEM)))


_SYSTEM = ("pg_catalog.", "information_schema.")
"""Schemas that every server has: their relations need no presence."""


def is_own(table: exp.Table) -> bool:
    """Whether a name means a WITH query: one that stands around it, and unless RECURSIVE before it."""
    name = table_name(table)
    inner: Any = table
    outer: Any = table.parent
    while outer is not None:
        if isinstance(outer, exp.With):
            listed = outer.expressions
            seen = (
                listed
                if outer.args.get("recursive")
                else listed[: next(n for n, c in enumerate(listed) if c is inner)]
            )
        else:
            found = outer.args.get("with_")
            seen = found.expressions if isinstance(found, exp.With) and found is not inner else []
        if len(table.parts) == 1 and any(folded(cte.args["alias"].this) == name for cte in seen):
            return True
        inner, outer = outer, outer.parent
    return False


def table_name(table: exp.Table) -> str:
    """The name of a table node as the suite writes it, with its schema where it has one."""
    return ".".join(folded(part) for part in table.parts if isinstance(part, exp.Identifier))


def folded(identifier: exp.Identifier) -> str:
    """An identifier as the server folds it: lower case, unless it was quoted."""
    if not identifier.args.get("quoted"):
        return identifier.name.lower()
    return f'"{identifier.name}"' if "." in identifier.name else identifier.name


def resolve_names(sql: str, reads: Iterable[str], catalogue: Catalogue) -> str:
    """``sql`` with each alias of the suite replaced by the table that exists; everything else to the
    letter.
    """
    swaps = {name: catalogue.find(name) for name in reads if name in catalogue.aliases}
    if not swaps:
        return sql
    tree = sqlglot.parse_one(scrubbed(sql, ""), dialect="postgres")
    edits: list[tuple[int, int, str]] = []
    for table in tree.find_all(exp.Table):
        actual = swaps.get(table_name(table))
        if actual is None or is_own(table):
            continue
        start, end = table.this.meta["start"], table.this.meta["end"]
        alias = "" if table.alias else f" AS {quote(table_name(table))}"
        edits.append((start, end, f"{quote(actual.schema)}.{quote(actual.name)}{alias}"))
    for start, end, text in sorted(edits, reverse=True):
        sql = sql[:start] + text + sql[end + 1 :]
    return sql


UNTRACED = "*"
"""Stands for "any column": the origin of an output that could not be followed."""


def output_columns(sql: str) -> dict[str, tuple[str, ...]]:
    """For each named output of a SELECT: the columns of plain tables that flow into it, or UNTRACED.

    It decides what is masked, so it fails closed: an output is followed only where each of its columns
    comes straight from a table named in the same FROM. Anything out of a subquery, a WITH query, a
    function, a set operation, a column alias list or a whole row is UNTRACED.
    """
    tree = sqlglot.parse_one(scrubbed(sql, ""), dialect="postgres")
    select = tree if isinstance(tree, exp.Select) else tree.find(exp.Select)
    if not isinstance(select, exp.Select):
        return {}
    plain, all_plain = _plain_sources(select) if isinstance(tree, exp.Select) else (frozenset[str](), False)
    return {output.alias_or_name: _origins(output, plain, all_plain) for output in select.expressions}


def computed_outputs(sql: str) -> frozenset[str]:
    """The named outputs of a SELECT that are anything but a column as it is; all of a set operation's."""
    tree = sqlglot.parse_one(scrubbed(sql, ""), dialect="postgres")
    select = tree if isinstance(tree, exp.Select) else tree.find(exp.Select)
    outputs = select.expressions if isinstance(select, exp.Select) else []
    return frozenset(
        o.alias_or_name
        for o in outputs
        if not isinstance(tree, exp.Select) or not isinstance(o.unalias(), exp.Column)
    )


def _plain_sources(select: exp.Select) -> tuple[frozenset[str], bool]:
    """The names by which plain tables are known in a FROM, and whether there is nothing else in it."""
    first = select.args.get("from_") or select.args.get("from")
    joins = select.args.get("joins") or []
    items = ([first.this] if first is not None else []) + [join.this for join in joins]
    items += list(select.args.get("laterals") or [])
    plain = [item for item in items if _is_plain_table(item)]
    return frozenset(item.alias_or_name.lower() for item in plain), len(plain) == len(items)


def _is_plain_table(item: exp.Expr) -> bool:
    if not isinstance(item, exp.Table) or not isinstance(item.this, exp.Identifier) or item.args.get("joins"):
        return False
    alias = item.args.get("alias")
    return not is_own(item) and not (alias is not None and alias.args.get("columns"))


def _origins(output: exp.Expr, plain: frozenset[str], all_plain: bool) -> tuple[str, ...]:
    columns = list(output.find_all(exp.Column))
    if output.is_star or output.find(exp.Select) is not None:
        return (UNTRACED,)
    for column in columns:
        known = column.table.lower() in plain if column.table else all_plain
        whole_row = not column.table and column.name.lower() in plain
        if not known or whole_row or len(column.parts) > 2:
            return (UNTRACED,)
    return tuple(dict.fromkeys(column_name(column) for column in columns))


def expression_columns(expression: str, origin: str) -> tuple[str, ...]:
    """The columns that a one-table expression reads. Raises SuiteError if it is no condition on a row."""
    tree = row_condition(expression, origin)
    columns = list(tree.find_all(exp.Column))
    if wrong := next((c for c in columns if c.table), None):
        raise SuiteError(f"{wrong.sql()}: a row expression names its columns without a table", "", origin)
    return tuple(dict.fromkeys(column_name(c) for c in columns))


def qualified_columns(expression: str, sides: tuple[str, ...], origin: str) -> dict[str, list[str]]:
    """The columns that an expression reads of each of ``sides``, its only allowed qualifiers."""
    read: dict[str, list[str]] = {side: [] for side in sides}
    for column in row_condition(expression, origin).find_all(exp.Column):
        if column.table not in read:
            raise SuiteError(f"{column.sql()}: write {' or '.join(f'{s}.column' for s in sides)}", "", origin)
        name = column_name(column)
        if name not in read[column.table]:
            read[column.table].append(name)
    return read


def row_condition(expression: str, origin: str) -> exp.Expression:
    """As :func:`plain_expression`, and it reads a column: what does not holds, or restricts, for all rows
    or for none.
    """
    tree = plain_expression(expression, origin)
    if not tree.find(exp.Column):
        raise SuiteError(
            "the expression reads no column", "it does not depend on the row: write what does", origin
        )
    return tree


def columns_of(tree: exp.Expression) -> list[str]:
    """The names of all columns in an expression, as often as they occur."""
    return [column_name(column) for column in tree.find_all(exp.Column)]


def columns_named(sql: str) -> frozenset[str]:
    """The columns that a SELECT names anywhere, without their tables; ``*`` names none."""
    tree = sqlglot.parse_one(scrubbed(sql, ""), dialect="postgres")
    return frozenset(column_name(column) for column in tree.find_all(exp.Column))


def plain_expression(expression: str, origin: str) -> exp.Expression:
    """The syntax tree of one SQL expression over the values of a row. Raises SuiteError for anything else."""
    tree = parse_select(f"SELECT 1 WHERE ({expression}\n)", origin)
    conditions: Any = tree.args.get("where")
    # The text will stand in parentheses elsewhere: here too they must hold all of it, and nothing else.
    whole = {key for key, value in tree.args.items() if value} == {"expressions", "where"}
    if not whole or not isinstance(conditions.this, exp.Paren):
        raise SuiteError(
            "a row expression is one expression", "close each parenthesis that it opens, no other", origin
        )
    if tree.find(exp.Window, exp.AggFunc) or len(list(tree.find_all(exp.Select))) != 1:
        raise SuiteError(
            "a row expression has no subquery, aggregate or window", "use a SQL assertion", origin
        )
    result: exp.Expression = conditions.this
    return result


def column_name(column: exp.Column) -> str:
    """The name of a column as the catalogue has it."""
    identifier = column.this
    name = str(identifier.name)
    return name if identifier.args.get("quoted") else name.lower()
