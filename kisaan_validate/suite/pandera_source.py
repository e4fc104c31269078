"""pandera models and schemas as check sources. The only module that looks into pandera's objects."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.declare import Declaration
from kisaan_validate.errors import SuiteError
from kisaan_validate.rules import catalogue
from kisaan_validate.rules.applies import column_condition, split_conditions
from kisaan_validate.rules.base import Rule
from kisaan_validate.rules.meta import KEYS, merge_meta, read_meta
from kisaan_validate.rules.present import MinimumRows, ValuesPresent
from kisaan_validate.rules.rows import NotNull
from kisaan_validate.rules.texts import Affix, Length, Matches
from kisaan_validate.rules.unique import Unique
from kisaan_validate.rules.values import Compare, InRange, OneOf
from kisaan_validate.suite.dtypes import type_rule
from kisaan_validate.suite.python_source import (
    PYTHON_KEYS,
    CheckSubject,
    check_name,
    function_origin,
    own_settings,
    python_rule,
)
from kisaan_validate.text.nearest import did_you_mean

# Keys that mean something here; all other metadata is left to other tools.
_MODEL_KEYS = ("table", "minimum_rows", "checks")
_OWN_CHECKS = ("present", "minimum_rows", "strict", "unique", "type", "not_null")
_COLUMN_KEYS = ("type", "allow_nan", "nulls_equal", "counts", "checks")


@dataclass(frozen=True)
class Lines:
    """Where models and their fields stand in a file."""

    path: str
    by_name: dict[str, int]

    def origin(self, *names: str) -> str:
        """``file:line`` of the most precise of the names that is known, e.g. ("Payments", "amount")."""
        for end in range(len(names), 0, -1):
            line = self.by_name.get(".".join(names[:end]))
            if line is not None:
                return f"{self.path}:{line}"
        return self.path


def find_lines(source: str, path: str) -> Lines:
    """The lines of all classes, annotated fields, methods and assignments of a Python source text."""
    found: dict[str, int] = {}
    # Read from the source: pandera keeps no line numbers.
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = node.lineno
            for inner in node.body:
                if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
                    found[f"{node.name}.{inner.target.id}"] = inner.lineno
                elif isinstance(inner, (ast.FunctionDef, ast.ClassDef)):
                    found[f"{node.name}.{inner.name}"] = inner.lineno
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = node.lineno
    return Lines(path, found)


def declarations_of(namespace: dict[str, Any], module: str, lines: Lines) -> list[Declaration]:
    """All checks of the models and schemas that a module defines; names with a leading underscore are not
    sources.
    """
    from pandera.api.dataframe.model import DataFrameModel
    from pandera.api.pandas.array import SeriesSchema
    from pandera.api.pandas.container import DataFrameSchema

    made: list[Declaration] = []
    for name, value in namespace.items():
        # A leading underscore marks a base of other models, which is no table of its own.
        if name.startswith("_"):
            continue
        if isinstance(value, type) and issubclass(value, DataFrameModel):
            # A model that was imported is declared where it was written.
            if value.__module__ == module:
                # pandera leaves the metadata of a model's Config behind when it makes the schema.
                metadata = getattr(value.Config, "metadata", None)
                made += _SchemaReader(_schema_of(value, lines.origin(name)), name, lines, metadata).read()
        elif isinstance(value, SeriesSchema):
            raise SuiteError(
                f"{name}: a SeriesSchema is not a table", "use a DataFrameSchema", lines.origin(name)
            )
        elif isinstance(value, DataFrameSchema):
            made += _SchemaReader(value, name, lines, value.metadata).read()
    return made


def _schema_of(model: Any, origin: str) -> Any:
    try:
        schema = model.to_schema()
    except Exception as error:  # pandera raises many kinds; all of them mean that the model is wrong
        raise SuiteError(f"pandera rejects the model: {error}", "", origin) from error
    # Models of polars and other backends have other rules about NULL and types.
    if type(schema).__module__ != "pandera.api.pandas.container":
        raise SuiteError(f"{type(schema).__module__} is not supported", "use pandera.pandas", origin)
    return schema


class _SchemaReader:
    """Reads one schema into declarations."""

    def __init__(self, schema: Any, name: str, lines: Lines, metadata: dict[str, Any] | None) -> None:
        self.schema, self.name, self.lines = schema, name, lines
        self.meta = dict(metadata or {})
        self.origin = lines.origin(name)
        self.table = str(self.meta.get("table") or schema.name or name)
        self.made: list[Declaration] = []

    def read(self) -> list[Declaration]:
        """All checks of the schema, table first, then column by column."""
        # Refused, not ignored: what a model demands and nobody proves would look proved.
        self._refuse_what_is_not_supported()
        _refuse_typos(self.meta, (*KEYS, *_MODEL_KEYS), self.origin)
        # Always: all other checks of a missing table are skipped, and one must fail for it.
        self._add("present", (), catalogue.Present(), self.origin)
        if (minimum := self.meta.get("minimum_rows")) is not None:
            try:
                self._add("minimum_rows", (), MinimumRows(minimum), self.origin)
            except SuiteError as error:
                raise SuiteError(f"minimum_rows: {error.fact}", error.hint, self.origin) from None
        if self.schema.strict is True:
            self._add("strict", (), catalogue.ColumnsAre(tuple(self.schema.columns)), self.origin)
        if self.schema.unique:
            columns = (
                (self.schema.unique,) if isinstance(self.schema.unique, str) else tuple(self.schema.unique)
            )
            self._add("unique", columns, Unique(), self.origin)
        # In the order of the model, which is the order of the report.
        for name, column in self.schema.columns.items():
            self._column(str(name), column)
        for check in self.schema.checks:
            self._custom(self._subject(), check, self.origin)
        # Defaults of a model may be shared with others that have more kinds of checks; a column's are its
        # own.
        _refuse_idle_settings(
            self.meta, (*_OWN_CHECKS, *_BUILDERS, *(d.name for d in self.made)), self.origin
        )
        return self.made

    def _refuse_what_is_not_supported(self) -> None:
        schema = self.schema
        refused = {
            "strict='filter'": schema.strict == "filter",
            "ordered": bool(schema.ordered),
            "an index": schema.index is not None,
            "parsers": bool(schema.parsers),
            "drop_invalid_rows": bool(schema.drop_invalid_rows),
            "add_missing_columns": bool(schema.add_missing_columns),
            "a dtype for the whole frame": schema._dtype is not None,
        }
        for what, present in refused.items():
            if present:
                raise SuiteError(
                    f"{self.name}: {what} cannot be proved on a database table", "remove it", self.origin
                )

    def _column(self, name: str, column: Any) -> None:
        origin = self.lines.origin(self.name, name)
        for what in ("regex", "parsers", "drop_invalid_rows"):
            if getattr(column, what):
                raise SuiteError(
                    f"{self.name}.{name}: {what} cannot be proved on a database column", "", origin
                )
        if column.default is not None:
            raise SuiteError(f"{self.name}.{name}: a default that fills NULLs is not supported", "", origin)
        meta = dict(column.metadata or {})
        _refuse_typos(meta, (*KEYS, *_COLUMN_KEYS), origin)
        # An optional column is checked where it exists.
        optional = {} if column.required else {"applies": (column_condition(self.table, name),)}
        if column.required:
            self._add("present", (name,), catalogue.Present(), origin, meta)
        try:
            typed = type_rule(column.dtype, meta.get("type"))
        except TypeError as error:
            raise SuiteError(
                f"{self.name}.{name}: {error}", 'name the type: metadata={"type": "…"}', origin
            ) from None
        if typed is not None:
            self._add("type", (name,), typed, origin, meta, optional)
        if not column.nullable:
            self._add("not_null", (name,), NotNull(), origin, meta, optional)
        if column.unique:
            counts = str(meta.get("counts", "surplus"))
            if counts not in {"surplus", "groups"}:
                raise SuiteError(f"counts={counts!r} is not one of surplus, groups", "", origin)
            rule = Unique(bool(meta.get("nulls_equal", True)), counts)
            self._add("unique", (name,), rule, origin, meta, optional)
        for check in column.checks:
            self._check(name, check, meta, optional, origin)
        _refuse_idle_settings(meta, tuple(d.name for d in self.made if d.columns == (name,)), origin)

    def _check(
        self, column: str, check: Any, meta: dict[str, Any], optional: dict[str, Any], origin: str
    ) -> None:
        where = self.lines.origin(self.name, str(check.name))
        # The check's own line if it has one, else the field's.
        where = where if where != self.origin else origin
        builder = _BUILDERS.get(str(check.name))
        # pandera dispatches its built-in checks; everything else is a function of the author's.
        if type(check._check_fn).__name__ != "Dispatcher":
            self._custom(self._subject(column), check, origin, meta, optional)
            return
        # A built-in check under another name would be recognised by nothing.
        if builder is None:
            hint = "do not set its name"
            raise SuiteError(
                f"{self.name}.{column}: the built-in check named {check.name!r} is not supported", hint, where
            )
        if check.groupby is not None or check.element_wise:
            raise SuiteError(f"{self.name}.{column}: groupby and element_wise are not supported", "", origin)
        try:
            rule = builder(
                # ``ignore_na`` False means that a NULL fails.
                {**check.statistics},
                bool(meta.get("allow_nan")),
                not check.ignore_na,
                f"{origin}",
            )
        except SuiteError as error:
            raise SuiteError(f"{self.name}.{column}: {check.name}: {error.said}", error.hint, where) from None
        # Refused at load: a value without an exact literal would be an error in each run.
        for value in _values_of(rule):
            self._exact(value, column, origin)
        said = {"severity": "warning"} if check.raise_warning else {}
        if check.description or check.title:
            said["why"] = check.description or check.title
        self._add(str(check.name), (column,), rule, origin, said, meta, optional)

    def _subject(self, column: str = "") -> CheckSubject:
        """What a custom check of a column, or of the frame, is about."""
        nan = tuple(
            str(name) for name, c in self.schema.columns.items() if (c.metadata or {}).get("allow_nan")
        )
        return CheckSubject(self.table, tuple(map(str, self.schema.columns)), column, nan)

    def _custom(self, subject: CheckSubject, check: Any, origin: str, *layers: dict[str, Any]) -> None:
        """A check that is a function of the author's."""
        where = self.lines.origin(self.name, str(check.name))
        where = function_origin(check, self.lines.path) or (where if where != self.origin else origin)
        name = check_name(check)
        own = own_settings(check, where)
        for layer in (self.meta, *layers):
            # Inner layers win: the check's own settings, then the column's, then the model's.
            own |= {k: v for k, v in layer.get("checks", {}).get(name, {}).items() if k in PYTHON_KEYS}
        optional = tuple(n for n, c in self.schema.columns.items() if not c.required)
        rule = python_rule(check, subject, own, optional, where)
        said: dict[str, Any] = {"severity": "warning"} if check.raise_warning else {}
        if why := check.description or check.title:
            said["why"] = why
        columns = (subject.column,) if subject.column else rule.reads
        self._add(name, columns, rule, where, said, *layers, extra=PYTHON_KEYS)

    def _exact(self, value: Any, column: str, origin: str) -> None:
        from kisaan_validate.sql.expressions import literal

        try:
            literal(value)
        except (TypeError, ValueError) as error:
            raise SuiteError(f"{self.name}.{column}: {value!r}: {error}", "", origin) from None

    def _add(
        self,
        name: str,
        columns: tuple[str, ...],
        rule: Rule,
        origin: str,
        *layers: dict[str, Any],
        extra: tuple[str, ...] = (),
    ) -> None:
        own: dict[str, Any] = {}
        for layer in (self.meta, *layers):
            special = layer.get("checks", {}).get(name, {})
            _refuse_typos(special, (*KEYS, *extra), origin)
            special = {k: v for k, v in special.items() if k not in extra}
            plain = {k: v for k, v in layer.items() if k in KEYS}
            # A condition that makes the column optional adds to others.
            if "applies" in plain and "applies" in own:
                plain["applies"] = (*_as_tuple(own["applies"]), *_as_tuple(plain["applies"]))
            own = merge_meta(own, plain, special)
        self.made.append(Declaration(name, self.table, columns, rule, read_meta(own, origin), origin))


def _as_tuple(value: Any) -> tuple[str, ...]:
    return split_conditions(value) if isinstance(value, str) else tuple(value)


def _refuse_typos(given: dict[str, Any], known: tuple[str, ...], origin: str) -> None:
    """Metadata is shared with other tools: an unknown key is theirs, unless it looks misspelled."""
    for key, value in given.items():
        if key == "checks" and not (
            isinstance(value, dict) and all(isinstance(v, dict) for v in value.values())
        ):
            raise SuiteError("'checks' must map names of checks to their settings", "", origin)
        if key in known:
            continue
        # Only near misses: whole dictionaries of other tools stand in metadata.
        hint = did_you_mean(str(key), known)
        if hint.startswith("did you mean"):
            raise SuiteError(f"unknown metadata {key!r}", hint, origin)


def _refuse_idle_settings(meta: dict[str, Any], known: tuple[str, ...], origin: str) -> None:
    """Settings for a check that does not exist would be ignored in silence."""
    # A misspelled name would leave the check as it is, and nobody would see it.
    for name in meta.get("checks", {}):
        if name not in known:
            raise SuiteError(
                f"settings for a check {name!r} that does not exist", did_you_mean(name, known), origin
            )


def _values_of(rule: Rule) -> Iterator[Any]:
    if isinstance(rule, Compare):
        yield rule.value
    elif isinstance(rule, InRange):
        yield from (rule.low, rule.high)
    elif isinstance(rule, (OneOf, ValuesPresent)):
        yield from rule.values
    elif isinstance(rule, Affix):
        yield rule.string


Builder = Callable[[dict[str, Any], bool, bool, str], Rule]


def _compare(operator: str, key: str) -> Builder:
    def build(s: dict[str, Any], nan: bool, null_fails: bool, origin: str) -> Rule:
        return Compare(null_fails, operator, s[key], nan)

    return build


def _in_range(s: dict[str, Any], nan: bool, null_fails: bool, origin: str) -> Rule:
    return InRange(null_fails, s["min_value"], s["max_value"], s["include_min"], s["include_max"], nan)


def _one_of(key: str, negated: bool) -> Builder:
    def build(s: dict[str, Any], nan: bool, null_fails: bool, origin: str) -> Rule:
        # None in a list means NULL, which passes or fails by ``ignore_na`` alone.
        values = frozenset(v for v in s[key] if v is not None)
        # A listed set refuses a NaN anyway, so only its negation needs to allow it.
        return OneOf(null_fails, values, negated, negated and nan)

    return build


def _matches(anchored: bool) -> Builder:
    def build(s: dict[str, Any], nan: bool, null_fails: bool, origin: str) -> Rule:
        pattern = s["pattern"]
        if not isinstance(pattern, str):
            if pattern.flags & ~32:  # re.UNICODE is the default of every str pattern
                raise SuiteError(
                    "flags of a compiled pattern have no counterpart", "write (?i) and the like", origin
                )
            pattern = pattern.pattern
        return Matches(null_fails, pattern, anchored, nan)

    return build


def _affix(at_end: bool) -> Builder:
    def build(s: dict[str, Any], nan: bool, null_fails: bool, origin: str) -> Rule:
        return Affix(null_fails, s["string"], at_end, nan)

    return build


def _length(s: dict[str, Any], nan: bool, null_fails: bool, origin: str) -> Rule:
    exact = s.get("exact_value")
    if exact is not None:
        return Length(null_fails, exact, exact, nan)
    if s.get("min_value") is None and s.get("max_value") is None:
        raise SuiteError("str_length needs a bound", "", origin)
    return Length(null_fails, s.get("min_value"), s.get("max_value"), nan)


def _present_values(s: dict[str, Any], nan: bool, null_fails: bool, origin: str) -> Rule:
    return ValuesPresent(frozenset(s["values"]))


_BUILDERS: dict[str, Builder] = {
    "equal_to": _compare("equal_to", "value"),
    "not_equal_to": _compare("not_equal_to", "value"),
    "greater_than": _compare("greater_than", "min_value"),
    "greater_than_or_equal_to": _compare("greater_than_or_equal_to", "min_value"),
    "less_than": _compare("less_than", "max_value"),
    "less_than_or_equal_to": _compare("less_than_or_equal_to", "max_value"),
    "in_range": _in_range,
    "isin": _one_of("allowed_values", False),
    "notin": _one_of("forbidden_values", True),
    "str_matches": _matches(anchored=True),
    "str_contains": _matches(anchored=False),
    "str_startswith": _affix(at_end=False),
    "str_endswith": _affix(at_end=True),
    "str_length": _length,
    "unique_values_eq": _present_values,
}
"""pandera's built-in checks, by pandera's name."""
