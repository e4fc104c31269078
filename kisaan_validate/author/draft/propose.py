"""Facts become lines: what the catalogue declares as blocking checks, what was observed is marked as not
agreed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from kisaan_validate.author.draft.codes import certainly
from kisaan_validate.author.draft.columns import column_lines
from kisaan_validate.author.draft.facts import Facts
from kisaan_validate.author.draft.lines import DraftLine, Note, TableDraft
from kisaan_validate.author.draft.observe import ENOUGH_ROWS
from kisaan_validate.author.source import (
    dotted,
    identifier,
    keyword_argument,
    python_text,
    python_value,
    remark,
    sql_name,
)
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.catalogue import KIND_WORDS, Catalogue, Constraint, Index, Table
from kisaan_validate.sql.expressions import text_literal, to_sql
from kisaan_validate.sql.reading import expression_columns


def propose(facts: Facts) -> tuple[TableDraft, ...]:
    """A draft of every table, view and foreign table but partitions, which are read through their parents."""
    maker = _Proposer(facts)
    tables = [t for t in facts.catalogue.tables.values() if not t.partition]
    return tuple(maker.table(t) for t in sorted(tables, key=lambda t: t.key))


def name_of(table: Table, catalogue: Catalogue) -> str:
    """The name by which declarations mean just this table."""
    # Bare where that finds this very table: the first of the suite's schemas wins.
    bare = dotted("", table.name)
    found = catalogue.find(bare)
    if found is not None and found.key == table.key:
        return bare
    return dotted(table.schema, table.name)


class _Proposer:
    def __init__(self, facts: Facts) -> None:
        self.facts, self.catalogue = facts, facts.catalogue
        self.ids: set[str] = set()
        self.models: set[str] = {"pa", "pd", "declare", "Annotated", "OBSERVED"}

    def table(self, table: Table) -> TableDraft:
        name, seen = name_of(table, self.catalogue), self.facts.of(table)
        comments = {c: text for (key, c), text in self.facts.comments.columns.items() if key == table.key}
        # Rows of views and foreign tables come from elsewhere, and say nothing of a declaration here.
        readable = table.kind in {"r", "p"} and (seen.rows is not None or not seen.reason)
        model = identifier(
            "".join(p[:1].upper() + p[1:] for p in re.split(r"[^A-Za-z0-9]+", table.name)),
            self.models,
            "Table",
        )
        self.models.add(model)
        declared = [*self._catalogue_lines(table, name), *(self._data_lines(table, name) if readable else ())]
        return TableDraft(
            name,
            table.name,
            self._title(table),
            table.schema,
            model,
            column_lines(table, name, comments, readable),
            tuple(sorted(declared, key=_subject)),
            tuple(sorted(self._observed(table, name), key=_kind_of_fact) if readable else ()),
            comments.get("", ""),
            tuple(self._notes(table)),
        )

    def _title(self, table: Table) -> str:
        rows, kind = self.facts.of(table).rows, KIND_WORDS[table.kind]
        counted = f", {rows:,} rows on {self.facts.on}" if rows is not None else ""
        schema = "" if table.schema == "public" else table.schema
        return f"{dotted(schema, table.name)}: {kind}{counted}"

    def _notes(self, table: Table) -> Iterator[str]:
        reason = self.facts.of(table).reason
        if table.kind in {"v", "m", "f"}:
            yield (
                f"a {KIND_WORDS[table.kind]}: drafted from the catalogue only: its rows come from elsewhere"
            )
        elif self.facts.of(table).rows is None:
            yield f"drafted from the catalogue only: {reason}"
        for column, why in sorted(self.facts.of(table).withheld.items()):
            yield f"withheld: the values of {column}: {why}"

    def _line(
        self,
        function: str,
        arguments: list[str],
        id: str,
        why: str,
        *,
        named: bool = False,
        observed: bool = False,
    ) -> DraftLine:
        """A line with an id of its own: numbered where another line has it."""
        number, wanted = 1, id
        # Ids must be unique in the suite, and a table may have two constraints over one column.
        while id in self.ids:
            number += 1
            id = f"{wanted}_{number}"
        self.ids.add(id)
        return DraftLine(f"declare.{function}", tuple(arguments), id, why, named or number > 1, observed)

    def _said(self, table: Table, constraint: Constraint | None) -> list[str]:
        """What COMMENT ON says of a constraint, as the argument ``why``."""
        comment = (
            self.facts.comments.constraints.get((table.key, constraint.name), "")
            if constraint is not None
            else ""
        )
        return [keyword_argument("why", comment)] if comment else []

    # --- what only the catalogue is asked for --------------------------------------------------------------

    def _catalogue_lines(self, table: Table, name: str) -> Iterator[DraftLine | Note]:
        for constraint in table.constraints:
            if constraint.kind in _KINDS and not self._is_copy(table, constraint):
                yield from self._constraint(table, name, constraint)
        # A constraint brings an index of its own name; it is drafted once.
        backed = {c.name for c in table.constraints}
        for index in table.indexes:
            if index.unique and index.name not in backed:
                yield self._index(name, index)
        for column in (
            table.columns.values() if table.kind in {"r", "p"} and self.facts.of(table).reason else ()
        ):
            # Where rows were not read, only the catalogue's word can be checked.
            if column.not_null and table.proves_not_null(column.name):
                arguments = [python_text(name), python_text(column.name), "nullable=False"]
                id = f"{name}.{column.name}.nullability"
                yield self._line("column", arguments, id, _declared(f"NOT NULL on {column.name}"))

    def _is_copy(self, table: Table, constraint: Constraint) -> bool:
        """Whether a foreign key is PostgreSQL's own copy, made for a partition of the table that another
        one refers to.
        """
        if constraint.kind != "f" or not self._to_partition(constraint):
            return False
        return any(
            c.kind == "f" and c.columns == constraint.columns and not self._to_partition(c)
            for c in table.constraints
        )

    def _to_partition(self, constraint: Constraint) -> bool:
        target = self.catalogue.tables.get(constraint.target) if constraint.target else None
        return target is not None and target.partition

    def _constraint(self, table: Table, name: str, constraint: Constraint) -> Iterator[DraftLine | Note]:
        kind = _KINDS[constraint.kind]
        why = _declared(f"{kind.upper()} {constraint.name}")
        target = self.catalogue.tables.get(constraint.target) if constraint.target else None
        # Outside of the schemas there is no table to name.
        if constraint.kind == "f" and target is None:
            where = ".".join(constraint.target or ("?",))
            yield Note(
                f"not drafted: {kind.upper()} {constraint.name} refers to {where}, which is not "
                "in the suite's schemas"
            )
            return
        arguments = [python_text(name), python_text(kind)]
        if constraint.kind in {"p", "u", "f"}:
            arguments.append(_columns(constraint.columns))
        else:
            arguments.append(keyword_argument("name", constraint.name))
        if target is not None:
            arguments.append(keyword_argument("to", name_of(target, self.catalogue)))
        arguments += self._said(table, constraint)
        yield self._line("constraint", arguments, f"{name}.{constraint.name}", why, named=True)

    def _index(self, name: str, index: Index) -> DraftLine:
        arguments = [python_text(name), keyword_argument("name", index.name), "unique=True"]
        why = _declared(f"UNIQUE INDEX {index.name}")
        return self._line("index", arguments, f"{name}.{index.name}", why, named=True)

    # --- what the catalogue declares of the rows, asked of the rows ----------------------------------------

    def _data_lines(self, table: Table, name: str) -> Iterator[DraftLine | Note]:
        for constraint in table.constraints:
            if constraint.kind in {"p", "u"}:
                yield self._unique(
                    table, name, constraint.columns, self._index_of(table, constraint), constraint
                )
            elif constraint.kind == "f" and not self._is_copy(table, constraint):
                yield from self._reference(table, name, constraint)
            elif constraint.kind == "c":
                yield self._check(table, name, constraint)
        backed = {c.name for c in table.constraints}
        for index in table.indexes:
            if index.unique and index.name not in backed:
                yield self._unique_index(table, name, index)
        for column, sequence in table.sequences.items():
            why = _declared(f"sequence {sequence.name} fills it")
            arguments = [python_text(name), python_text(column)]
            yield self._line("sequence", arguments, f"{name}.{column}.sequence", why)

    def _index_of(self, table: Table, constraint: Constraint) -> Index | None:
        return next((i for i in table.indexes if i.name == constraint.name), None)

    def _unique(
        self,
        table: Table,
        name: str,
        columns: tuple[str, ...],
        index: Index | None,
        constraint: Constraint | None,
        where: str = "",
    ) -> DraftLine:
        arguments = [python_text(name), _columns(columns)]
        # Where no column can be NULL both readings of NULL are the same, and the plain one is drafted.
        equal = all(table.proves_not_null(c) for c in columns) or (
            index is not None and index.nulls_not_distinct
        )
        arguments += [] if equal else ["nulls_equal=False"]
        arguments += [keyword_argument("where", where)] if where else []
        arguments += self._said(table, constraint)
        kind = "UNIQUE INDEX" if constraint is None else _KINDS[constraint.kind].upper()
        why = _declared(f"{kind} {index.name if index else constraint.name if constraint else ''}")
        return self._line("unique", arguments, f"{name}.{'_'.join(columns)}.unique", why)

    def _unique_index(self, table: Table, name: str, index: Index) -> DraftLine | Note:
        columns = tuple(c for c in index.columns if c is not None)
        reason = (
            "it is not valid"
            if not index.valid
            # A null among the columns stands for an expression.
            else "it is on an expression"
            if None in index.columns
            else ""
        )
        where = _unwrapped(index.predicate)
        reason = reason or (
            f"its WHERE contains what looks like {what}" if (what := certainly(where)) else ""
        )
        reason = reason or (_refusal(where) if where else "")
        if reason:
            return Note(f"rows not checked against UNIQUE INDEX {index.name}: {reason}")
        return self._unique(table, name, columns, index, None, where)

    def _reference(self, table: Table, name: str, constraint: Constraint) -> Iterator[DraftLine | Note]:
        target = self.catalogue.tables.get(constraint.target) if constraint.target else None
        if target is None:
            return
        # A temporal reference (PostgreSQL 18) is not to a row with the same values.
        if " PERIOD " in constraint.definition:
            yield Note(
                f"rows not checked against FOREIGN KEY {constraint.name}: it refers to periods, "
                "not to one row"
            )
            return
        other = name_of(target, self.catalogue)
        arguments = [
            python_text(name),
            _columns(constraint.columns),
            python_text(other),
            _columns(constraint.target_columns),
        ]
        arguments += self._said(table, constraint)
        id = f"{name}.{'_'.join(constraint.columns)}.references"
        yield self._line("references", arguments, id, _declared(f"FOREIGN KEY {constraint.name}"))

    def _check(self, table: Table, name: str, constraint: Constraint) -> DraftLine | Note:
        expression = check_expression(constraint.definition)
        if what := certainly(expression):
            return Note(
                f"rows not checked against CHECK {constraint.name}: its text is withheld because "
                f"it contains what looks like {what}"
            )
        if reason := _refusal(expression) if expression else "its text could not be read":
            return Note(f"rows not checked against CHECK {constraint.name}: {reason}: {expression}")
        arguments = [python_text(name), python_text(expression), *self._said(table, constraint)]
        why = _declared(f"CHECK {constraint.name}")
        return self._line("holds", arguments, f"{name}.{constraint.name}.rows", why, named=True)

    # --- what was observed ---------------------------------------------------------------------------------

    def _observed(self, table: Table, name: str) -> Iterator[DraftLine]:
        seen = self.facts.of(table)
        rows = seen.rows or 0
        # Of few rows everything is true by chance.
        if rows < ENOUGH_ROWS:
            return
        quoted = python_text(name)
        yield self._seen("minimum_rows", [quoted], f"{name}.minimum_rows", f"{rows:,} rows")
        for column in table.columns.values():
            # A column that was not counted is taken to have no values, so that nothing is claimed about it.
            sql, present = sql_name(column.name), rows - seen.nulls.get(column.name, rows)
            # Where the catalogue says NOT NULL it is checked as declared.
            if not column.not_null and seen.nulls.get(column.name) == 0:
                arguments, why = [quoted, python_text(f"{sql} IS NOT NULL")], f"never NULL in {rows:,} rows"
                yield self._seen("holds", arguments, f"{name}.{column.name}.never_null", why, named=True)
            if column.name in seen.unique:
                more = [] if column.not_null or seen.nulls[column.name] == 0 else ["nulls_equal=False"]
                arguments, why = (
                    [quoted, python_text(column.name), *more],
                    f"no duplicates among {present:,} values",
                )
                line = self._seen("unique", arguments, f"{name}.{column.name}.unique", why)
                yield replace(line, counted=column.name in seen.sorted_once)
            if column.name in seen.two_decimals:
                arguments, why = (
                    [quoted, python_text(column.name), "2"],
                    f"at most two decimals in {present:,} values",
                )
                yield self._seen("decimals", arguments, f"{name}.{column.name}.decimals", why)
            if values := seen.values.get(column.name):
                listed = ", ".join(_sql_value(v, column.base) for v in values)
                arguments, why = (
                    [quoted, python_text(f"{sql} IN ({listed})")],
                    f"only {len(values)} different values among {present:,}",
                )
                yield self._seen("holds", arguments, f"{name}.{column.name}.values", why, named=True)

    def _seen(
        self, function: str, arguments: list[str], id: str, what: str, *, named: bool = False
    ) -> DraftLine:
        why = f"observed, not agreed: {what} on {self.facts.on}; confirm or delete"
        return self._line(function, arguments, id, why, named=named, observed=True)


def _declared(what: str) -> str:
    return f"the catalogue declares it: {what}"


_KINDS = {"p": "primary key", "u": "unique", "f": "foreign key", "c": "check", "x": "exclusion"}


def _kind_of_fact(line: DraftLine) -> tuple[str, str]:
    return line.function, line.why


_ORDER = ("PRIMARY KEY", "UNIQUE", "FOREIGN KEY", "CHECK")


def _subject(line: DraftLine | Note) -> tuple[int, str]:
    """What the catalogue and the rows say of one constraint stands together; notes come last."""
    if isinstance(line, Note):
        return (len(_ORDER) + 1, line.text)
    return next((n for n, word in enumerate(_ORDER) if f": {word}" in line.why), len(_ORDER)), line.why


def _columns(columns: tuple[str, ...]) -> str:
    return python_text(columns[0]) if len(columns) == 1 else python_value(list(columns))


def _sql_value(value: str, base: str) -> str:
    return value if base in {"int2", "int4", "int8"} else to_sql(text_literal(value))


def check_expression(definition: str) -> str:
    """The expression of a CHECK as ``pg_get_constraintdef`` prints it; "" if that is not what it is."""
    text = definition.strip()
    # Any number of these, in any order, as versions print them.
    while (shorter := re.sub(r" (NO INHERIT|NOT VALID|NOT ENFORCED)$", "", text)) != text:
        text = shorter
    if text.startswith("CHECK "):
        return _unwrapped(text.removeprefix("CHECK").strip())
    return ""


def _unwrapped(text: str) -> str:
    """An expression without the parentheses around all of it."""
    # Only parentheses that close at the very end are around all of it.
    while text.startswith("(") and text.endswith(")") and _closes_at_end(text):
        text = text[1:-1].strip()
    return text


def _closes_at_end(text: str) -> bool:
    depth = 0
    # Parentheses within strings and quoted names close nothing.
    for match in re.finditer(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]""", text):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return match.end() == len(text)
    return False


def _refusal(expression: str) -> str:
    """Why the engine's reader of SQL does not take an expression over one row; "" if it does."""
    try:
        expression_columns(expression, "")
    except SuiteError as error:
        return remark(error.fact)
    return ""
