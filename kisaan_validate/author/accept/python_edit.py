"""Declarations in Python, edited where they stand: by the positions of the syntax tree, so that all else
keeps its bytes.
"""

from __future__ import annotations

import ast
import inspect
import keyword
import re
from collections.abc import Iterator
from dataclasses import field

from kisaan_validate import declare
from kisaan_validate.author.accept.changes import Place, SuiteChanges
from kisaan_validate.author.source import python_text
from kisaan_validate.dataclass import dataclass

_NUMERIC = re.compile(r"numeric\((\d+),(-?\d+)\)")
_TABLES = frozenset({"table", "to"})
"""Arguments of declarations that name a table; ``declare.table`` calls its own ``name``."""

_COLUMNS = {"column": "table", "columns": "table", "on": "to"}
"""Arguments that name columns, and the argument that names their table."""


def edited(source: str, changes: SuiteChanges) -> str:
    """The source with everything changed that is understood. Raises SyntaxError."""
    tree, edits = ast.parse(source), _Edits(source.encode())
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            _edit_model(node, changes, edits)
        elif isinstance(node, ast.Call) and (name := declared_name(node)):
            _edit_call(node, name, changes, edits)
    return edits.done()


@dataclass
class _Edits:
    """Replacements of bytes, done from the end so that positions stay true."""

    text: bytes
    found: dict[tuple[int, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._starts = [0]
        for line in self.text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        """The offset of a position of the tree."""
        return self._starts[line - 1] + column

    def span(self, node: ast.AST) -> tuple[int, int]:
        """From where to where a node stands."""
        assert isinstance(node, (ast.expr, ast.keyword))
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def replace(self, node: ast.expr, text: str) -> None:
        """Write something else in the place of a node."""
        self.found[self.span(node)] = text

    def insert(self, offset: int, text: str) -> None:
        """Write something more."""
        self.found[offset, offset] = text

    def add_argument(self, call: ast.Call, text: str) -> None:
        """One more argument at the end of a call."""
        arguments = [*call.args, *call.keywords]
        if arguments:
            self.insert(max(self.span(argument)[1] for argument in arguments), f", {text}")
        else:
            self.insert(self.span(call)[1] - 1, text)

    def remove_argument(self, call: ast.Call, argument: ast.keyword) -> None:
        """An argument with the comma before or behind it."""
        start, end = self.span(argument)
        before = [e for a in (*call.args, *call.keywords) if (e := self.span(a)[1]) <= start]
        after = [s for a in (*call.args, *call.keywords) if (s := self.span(a)[0]) >= end]
        self.found[(max(before), end) if before else (start, min(after, default=end))] = ""

    def done(self) -> str:
        """The text with all edits done."""
        text = self.text
        for (start, end), new in sorted(self.found.items(), reverse=True):
            text = text[:start] + new.encode() + text[end:]
        return text.decode()


# --- models of pandera ------------------------------------------------------------------------------------


def _edit_model(model: ast.ClassDef, changes: SuiteChanges, edits: _Edits) -> None:
    name = _config_name(model)
    table = changes.table(str(name.value) if name is not None else model.name)
    if name is not None and (new := changes.tables.get(table)) is not None:
        edits.replace(name, python_text(new))
    taken = {f.target.id for f in _fields(model) if isinstance(f.target, ast.Name)}
    for line in _fields(model):
        _edit_field(model, line, table, taken, changes, edits)


def _fields(model: ast.ClassDef) -> list[ast.AnnAssign]:
    """The fields of a model, whether ``pa.Field`` or a function of the author's makes them; none of a class
    that is no model.
    """
    found = [n for n in model.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]
    is_model = _config_name(model) is not None or any(_is_field(node.value) for node in found)
    return found if is_model else []


def _is_field(value: ast.expr | None) -> bool:
    called = value.func if isinstance(value, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr == "Field"


def _config_name(model: ast.ClassDef) -> ast.Constant | None:
    """Where the table of a model is named, as a plain text."""
    for node in model.body:
        if isinstance(node, ast.ClassDef) and node.name == "Config":
            for line in node.body:
                named = isinstance(line, ast.Assign) and [ast.unparse(t) for t in line.targets] == ["name"]
                if named and isinstance(line, ast.Assign) and (text := _text(line.value)) is not None:
                    return text
    return None


def _edit_field(
    model: ast.ClassDef,
    line: ast.AnnAssign,
    table: str,
    taken: set[str],
    changes: SuiteChanges,
    edits: _Edits,
) -> None:
    call, target = line.value, line.target
    alias = _text(_argument(call, "alias")) if isinstance(call, ast.Call) else None
    place = (table, str(alias.value) if alias is not None else ast.unparse(target))
    field = call if isinstance(call, ast.Call) and _is_field(call) else None
    if field is not None and (to := changes.types.get(place)) is not None:
        _retype(line, field, to, edits)
    if field is not None and (nullable := changes.nullable.get(place)) is not None:
        _set_nullable(field, nullable, edits)
    if (new := changes.columns.get(place)) is None:
        return
    plain = new.isidentifier() and not keyword.iskeyword(new) and not new.startswith("_")
    if alias is not None:
        edits.replace(alias, python_text(new))
    elif plain and new not in taken:
        edits.replace(target, new)
    elif field is not None:
        edits.add_argument(field, f"alias={python_text(new)}")
    for text in _of_decorators(model):
        if text.value == place[1]:
            edits.replace(text, python_text(new))


def _of_decorators(model: ast.ClassDef) -> Iterator[ast.Constant]:
    """The texts in decorators such as ``@pa.check("total")``: they name columns."""
    for node in model.body:
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(decorator, ast.Call):
                yield from filter(None, map(_text, decorator.args))


def _retype(line: ast.AnnAssign, call: ast.Call, to: str, edits: _Edits) -> None:
    """Write another type: where precision and scale are said there, else as ``metadata={"type": …}``."""
    metadata, sizes = _argument(call, "metadata"), _argument(call, "dtype_kwargs")
    said = _entry(metadata, "type")
    numbers = _NUMERIC.fullmatch(to) if ast.unparse(line.annotation).endswith("Decimal") else None
    precision, scale = _entry(sizes, "precision"), _entry(sizes, "scale")
    if said is not None:
        edits.replace(said, python_text(to))
    elif numbers is not None and precision is not None and scale is not None:
        edits.replace(precision, numbers[1])
        edits.replace(scale, numbers[2])
    elif isinstance(metadata, ast.Dict):
        more = ", " if metadata.keys else ""
        edits.insert(edits.span(metadata)[0] + 1, f'"type": {python_text(to)}{more}')
    elif metadata is None:
        edits.add_argument(call, f'metadata={{"type": {python_text(to)}}}')


def _set_nullable(call: ast.Call, nullable: bool, edits: _Edits) -> None:
    argument = next((k for k in call.keywords if k.arg == "nullable"), None)
    if argument is None and nullable:
        edits.add_argument(call, "nullable=True")
    elif argument is not None and isinstance(argument.value, ast.Constant):
        if nullable:
            edits.replace(argument.value, "True")
        elif argument.value.value is True:
            edits.remove_argument(call, argument)


# --- calls of declare -------------------------------------------------------------------------------------


def declared_name(call: ast.Call) -> str:
    """Which declaration of ``declare`` a call makes; "" if none."""
    function = call.func
    if isinstance(function, ast.Attribute) and ast.unparse(function.value) == "declare":
        return function.attr if function.attr in declare.__all__ else ""
    return ""


def _edit_call(call: ast.Call, name: str, changes: SuiteChanges, edits: _Edits) -> None:
    arguments = bound_arguments(call, name)
    for argument, value in arguments.items():
        text, tables = _text(value), {*_TABLES, "name"} if name == "table" else _TABLES
        if argument in tables and text is not None and (new := changes.table_name(str(text.value))):
            edits.replace(text, python_text(new))
    columns = {**_COLUMNS, "name": "table"} if name == "column" else _COLUMNS
    for argument, whose in columns.items():
        table = _text(arguments.get(whose))
        if table is None or argument not in arguments:
            continue
        for text in _texts(arguments[argument]):
            if new := changes.columns.get((changes.table(str(table.value)), str(text.value))):
                edits.replace(text, python_text(new))
    if name == "column":
        _edit_fact(arguments, changes, edits)


def _edit_fact(arguments: dict[str, ast.expr], changes: SuiteChanges, edits: _Edits) -> None:
    """The type or nullability that ``declare.column`` states."""
    table, column = _text(arguments.get("table")), _text(arguments.get("name"))
    if table is None or column is None:
        return
    place: Place = (changes.table(str(table.value)), str(column.value))
    type_, nullable = _text(arguments.get("type")), arguments.get("nullable")
    if type_ is not None and place in changes.types:
        edits.replace(type_, python_text(changes.types[place]))
    if isinstance(nullable, ast.Constant) and place in changes.nullable:
        edits.replace(nullable, str(changes.nullable[place]))


def bound_arguments(call: ast.Call, name: str) -> dict[str, ast.expr]:
    """The arguments of a call by name; {} where it unpacks some by position."""
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return {}
    named = list(inspect.signature(getattr(declare, name)).parameters)
    given = dict(zip(named, call.args, strict=False))
    return given | {k.arg: k.value for k in call.keywords if k.arg is not None}


# --- parts of expressions ---------------------------------------------------------------------------------


def _argument(call: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == name), None)


def _text(node: ast.expr | None) -> ast.Constant | None:
    return node if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _texts(node: ast.expr) -> list[ast.Constant]:
    """The texts of a name, or of a list of names."""
    members = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
    return [text for text in map(_text, members) if text is not None]


def _entry(node: ast.expr | None, key: str) -> ast.Constant | None:
    """The constant under a key of a dict that is written out."""
    if not isinstance(node, ast.Dict):
        return None
    for k, value in zip(node.keys, node.values, strict=True):
        if isinstance(k, ast.Constant) and k.value == key and isinstance(value, ast.Constant):
            return value
    return None
