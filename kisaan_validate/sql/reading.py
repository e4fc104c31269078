"""Which tables and columns author-written SQL reads, and what its outputs are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp

from kisaan_validate.errors import SuiteError
from kisaan_validate.sql.expressions import quote

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Catalogue

from kisaan_validate.sql.assertion import row_condition
from kisaan_validate.sql.scrubbing import scrubbed


def tables_read(tree: exp.Expression) -> tuple[str, ...]:
    """The tables that a SELECT names, without its own WITH names where these can be seen, in order of
    appearance.
    """
    names = [
        table_name(t)
        for t in tree.find_all(exp.Table)
        if isinstance(t.this, exp.Identifier) and not is_own(t)
    ]
    # Every server has its catalogue; only the database's own tables can be missing.
    return tuple(dict.fromkeys(n for n in names if n and not n.startswith(_SYSTEM)))


_SYSTEM = ("pg_catalog.", "information_schema.")
"""Schemas that every server has: their relations need no presence."""


def is_own(table: exp.Table) -> bool:
    """Whether a name means a WITH query: one that stands around it, and unless RECURSIVE before it."""
    name = table_name(table)
    inner: Any = table
    outer: Any = table.parent
    while outer is not None:
        # WITH RECURSIVE sees all of its list, a plain WITH only what stands before.
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
        # A name with a schema never means a WITH query.
        if len(table.parts) == 1 and any(folded(cte.args["alias"].this) == name for cte in seen):
            return True
        inner, outer = outer, outer.parent
    return False


def table_name(table: exp.Table) -> str:
    """The name of a table node as the suite writes it, with its schema where it has one."""
    return ".".join(folded(part) for part in table.parts if isinstance(part, exp.Identifier))


def folded(identifier: exp.Identifier) -> str:
    """An identifier as the server folds it: lower case, unless it was quoted."""
    # PostgreSQL folds in ASCII; SQL with other letters must quote them (see ``scrubbing``).
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
        # The alias keeps the old name valid for the columns in the rest of the text.
        alias = "" if table.alias else f" AS {quote(table_name(table))}"
        edits.append((start, end, f"{quote(actual.schema)}.{quote(actual.name)}{alias}"))
    # From the end, so that earlier positions stay what they are.
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
    # The outputs of a set operation come from several queries, so none is followed.
    plain, all_plain = _plain_sources(select) if isinstance(tree, exp.Select) else (frozenset[str](), False)
    return {output.alias_or_name: _origins(output, plain, all_plain) for output in select.expressions}


def computed_outputs(sql: str) -> frozenset[str]:
    """The named outputs of a SELECT that are anything but a column as it is; all of a set operation's."""
    tree = sqlglot.parse_one(scrubbed(sql, ""), dialect="postgres")
    select = tree if isinstance(tree, exp.Select) else tree.find(exp.Select)
    # The first SELECT names the outputs of a set operation.
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
    # LATERAL items may compute anything from the tables beside them.
    items += list(select.args.get("laterals") or [])
    plain = [item for item in items if _is_plain_table(item)]
    return frozenset(item.alias_or_name.lower() for item in plain), len(plain) == len(items)


def _is_plain_table(item: exp.Expr) -> bool:
    if not isinstance(item, exp.Table) or not isinstance(item.this, exp.Identifier) or item.args.get("joins"):
        return False
    alias = item.args.get("alias")
    # A list of column aliases renames columns, so a name no longer says which one it is.
    return not is_own(item) and not (alias is not None and alias.args.get("columns"))


def _origins(output: exp.Expr, plain: frozenset[str], all_plain: bool) -> tuple[str, ...]:
    columns = list(output.find_all(exp.Column))
    # ``*`` shows everything, and a subquery may read anything.
    if output.is_star or output.find(exp.Select) is not None:
        return (UNTRACED,)
    for column in columns:
        known = column.table.lower() in plain if column.table else all_plain
        # A table's name as a value is the whole row.
        whole_row = not column.table and column.name.lower() in plain
        # More than table.column: a field of a composite, or a schema, which is not followed.
        if not known or whole_row or len(column.parts) > 2:
            return (UNTRACED,)
    return tuple(dict.fromkeys(column_name(column) for column in columns))


def expression_columns(expression: str, origin: str) -> tuple[str, ...]:
    """The columns that a one-table expression reads. Raises SuiteError if it is no condition on a row."""
    tree = row_condition(expression, origin)
    columns = list(tree.find_all(exp.Column))
    # With a table's name the expression could mean another row.
    if wrong := next((c for c in columns if c.table), None):
        raise SuiteError(f"{wrong.sql()}: a row expression uses column names without a table", "", origin)
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


def columns_of(tree: exp.Expression) -> list[str]:
    """The names of all columns in an expression, as often as they occur."""
    return [column_name(column) for column in tree.find_all(exp.Column)]


def columns_named(sql: str) -> frozenset[str]:
    """The columns that a SELECT names anywhere, without their tables; ``*`` names none."""
    tree = sqlglot.parse_one(scrubbed(sql, ""), dialect="postgres")
    return frozenset(column_name(column) for column in tree.find_all(exp.Column))


def column_name(column: exp.Column) -> str:
    """The name of a column as the catalogue has it."""
    identifier = column.this
    name = str(identifier.name)
    return name if identifier.args.get("quoted") else name.lower()
