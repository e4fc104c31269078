"""dbt: tests of models, sources, seeds and snapshots (YAML), and singular tests (SQL), as checks, or why
there is none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from functools import partial
from pathlib import Path
from typing import Any

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.dbt_expectations import expectation
from kisaan_validate.author.importers.dbt_tests import GENERIC, DbtSubject, Test
from kisaan_validate.author.importers.gx_shape import custom_query
from kisaan_validate.author.importers.maker import Maker
from kisaan_validate.author.importers.outcome import NoCounterpart, Said
from kisaan_validate.author.importers.reading import YAML_BYTES, read_text, read_yaml
from kisaan_validate.author.importers.tables import Tables
from kisaan_validate.author.importers.thresholds import read_threshold
from kisaan_validate.author.source import dotted, remark
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError

_RESOURCES = ("models", "seeds", "snapshots")
_CONFIG = (
    "severity",
    "warn_if",
    "error_if",
    "where",
    "enabled",
    "limit",
    "fail_calc",
    "store_failures",
    "store_failures_as",
    "tags",
    "meta",
    "name",
    "description",
    "config",
    "alias",
    "schema",
    "database",
    "arguments",
    "group",
)


@dataclass
class Project:
    """What the files say of how relations are called; ``schemas`` are the schemas that dbt only makes up
    when it runs.
    """

    tables: Tables
    models: dict[str, str] = field(default_factory=dict)
    schemas: dict[str, str] = field(default_factory=dict)
    sources: dict[tuple[str, str], str] = field(default_factory=dict)

    def ref(self, name: str) -> str:
        """The table of a model, seed or snapshot. Raises NoCounterpart where its schema is not known."""
        known = self.models.get(name, dotted("", name))
        # Without --table the schema would be a guess: dbt puts a custom schema behind the target's.
        if name in self.schemas and known not in self.tables.names and name not in self.tables.names:
            made = f"the schema of {remark(name)} is made when dbt runs ({remark(self.schemas[name])})"
            raise NoCounterpart(f"{made}: name it with --table {remark(name)}=SCHEMA.TABLE")
        return self.tables.names.get(name) or self.tables.of(known)

    def source(self, source: str, table: str) -> str:
        """The table of a source."""
        return self.tables.of(self.sources.get((source, table), dotted(source, table)))

    def relation(self, text: Any) -> str:
        """The table that ``ref('x')`` or ``source('a', 'b')`` means, with or without braces. Raises
        NoCounterpart.
        """
        plain = sql.as_text(text, "ref(…) or source(…)").strip().removeprefix("{{").removesuffix("}}").strip()
        if (match := _CALL.fullmatch(plain)) is None:
            raise NoCounterpart(f"{remark(plain)} is neither ref('…') nor source('…', '…')")
        first, second = match["first"], match["second"]
        if match["word"] == "source" and second:
            return self.source(first, second)
        if match["word"] == "source":
            raise NoCounterpart(f"{remark(plain)}: a source needs its table")
        # ref('package', 'name'): the last is the model.
        return self.ref(second or first)

    def resolved(self, text: str) -> str:
        """A SQL text with each ref and source replaced by its table."""
        return _BRACES.sub(lambda match: sql.table_ref(self.relation(match[1])), text)


_CALL = re.compile(
    r"(?P<word>ref|source)\(\s*(?P<q>['\"])(?P<first>[^'\"{}()]+)(?P=q)\s*"
    r"(?:,\s*(?P<r>['\"])(?P<second>[^'\"{}()]+)(?P=r)\s*)?\)"
)
_BRACES = re.compile(r"\{\{-?\s*((?:ref|source)\([^{}()]*\))\s*-?\}\}")


def import_files(files: Sequence[Path], maker: Maker, tables: Tables) -> None:
    """Every test of dbt files: YAML properties and singular tests. Raises UsageError for what is neither."""
    project, documents = Project(tables), []
    for path in files:
        if path.suffix == ".sql":
            continue
        document = read_yaml(path)
        if not isinstance(document, dict):
            raise UsageError(
                f"{path} is not a dbt properties file", "it needs sections such as 'models:' or 'sources:'"
            )
        documents.append((path, document))
        _learn(project, document)
    # In two passes: a test may refer to a model of a later file.
    for path, document in documents:
        for found in _found(document, project):
            maker.item(path.name, found.place, found.title, partial(_translate, found, project, maker))
        for place, title, reason in _no_tests(document):
            maker.none(path.name, place, title, reason)
    for path in files:
        if path.suffix == ".sql":
            text = read_text(path, YAML_BYTES)
            maker.item(path.name, "singular test", path.stem, partial(_singular, path, text, project, maker))


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    yield from (entry for entry in (value if isinstance(value, list) else []) if isinstance(entry, dict))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _learn(project: Project, document: dict[Any, Any]) -> None:
    """How the relations of a file are called in the database."""
    for section in _RESOURCES:
        for entry in _mappings(document.get(section)):
            config = entry.get("config") if isinstance(entry.get("config"), dict) else {}
            said = {**entry, **(config or {})}
            name, fixed = (
                _text(entry.get("name")),
                _text(said.get("target_schema")) if section == "snapshots" else "",
            )
            project.models[name] = dotted(fixed, _text(said.get("alias")) or name)
            # A snapshot's target_schema is taken as it is; a model's schema is only a part of one.
            if not fixed and _text(said.get("schema")):
                project.schemas[name] = f"schema: {_text(said['schema'])}"
    for source in _mappings(document.get("sources")):
        schema = _text(source.get("schema")) or _text(source.get("name"))
        for table in _mappings(source.get("tables")):
            named = _text(table.get("identifier")) or _text(table.get("name"))
            project.sources[_text(source.get("name")), _text(table.get("name"))] = dotted(schema, named)


@dataclass(frozen=True)
class Found:
    """One test where it stands: of which relation, of which column (None for none), and what is written.

    ``table`` gives the relation's table, or raises NoCounterpart.
    """

    place: str
    title: str
    table: Callable[[], str]
    column: DbtSubject | None
    written: Any
    freshness: dict[str, Any] | None = None


def _found(document: dict[Any, Any], project: Project) -> Iterator[Found]:
    for section in _RESOURCES:
        for entry in _mappings(document.get(section)):
            name = _text(entry.get("name"))
            yield from _of_relation(f"{section}.{name}", entry, partial(_named, project.ref, name))
    for source in _mappings(document.get("sources")):
        for table in _mappings(source.get("tables")):
            name = _text(table.get("name"))
            place = f"sources.{_text(source.get('name'))}.{name}"
            actual = partial(_named, partial(project.source, _text(source.get("name"))), name)
            yield from _of_relation(place, table, actual)
            yield from _freshness(place, source, table, actual)


def _named(table: Callable[[str], str], name: str) -> str:
    if not name:
        raise NoCounterpart("the relation has no name")
    return table(name)


def _of_relation(place: str, entry: dict[str, Any], table: Callable[[], str]) -> Iterator[Found]:
    for written in _tests(entry):
        yield Found(place, f"{_title(written)}{_of_column(written)}", table, None, written)
    for column in _mappings(entry.get("columns")):
        name = _text(column.get("name"))
        for written in _tests(column):
            subject = DbtSubject(name, quoted=column.get("quote") is True)
            yield Found(f"{place}.columns.{name}", f"{_title(written)} of {name}", table, subject, written)


def _tests(entry: dict[str, Any]) -> list[Any]:
    made: list[Any] = []
    # The older and the newer word for the same; a file may have both.
    for key in ("tests", "data_tests"):
        given = entry.get(key)
        made += given if isinstance(given, list) else [] if given is None else [given]
    return made


def _title(written: Any) -> str:
    if isinstance(written, dict) and written:
        return str(written.get("test_name") or next(iter(written)))
    return str(written)


def _of_column(written: Any) -> str:
    """The column that a test of a relation names itself, for its title."""
    given = next(iter(written.values())) if isinstance(written, dict) and written else None
    inner = given.get("arguments", given) if isinstance(given, dict) else None
    column = inner.get("column_name") if isinstance(inner, dict) else None
    return f" of {column}" if isinstance(column, str) else ""


def _freshness(
    place: str,
    source: dict[str, Any],
    table: dict[str, Any],
    actual: Callable[[], str],
) -> Iterator[Found]:
    said = _inherited("freshness", source, table)
    if not isinstance(said, dict):
        return
    written = _text(_inherited("loaded_at_field", source, table))
    column = DbtSubject(written) if written else None
    # dbt asks both in one test; here each is a check of its own severity.
    for key in ("error_after", "warn_after"):
        if isinstance(said.get(key), dict) and said[key].get("count") is not None:
            yield Found(place, f"freshness {key}", actual, column, key, said)


def _inherited(key: str, source: dict[str, Any], table: dict[str, Any]) -> Any:
    # The table's own word before the source's, and at each the entry's before its config's.
    for entry in (table, source):
        config = entry.get("config")
        for holder in (entry, config if isinstance(config, dict) else {}):
            if key in holder:
                return holder[key]
    return None


def _no_tests(document: dict[Any, Any]) -> Iterator[tuple[str, str, str]]:
    """Things beside tests that promise something, and why they are not imported."""
    for entry in _mappings(document.get("unit_tests")):
        yield (
            "unit_tests",
            _text(entry.get("name")),
            "it tests a model's code on sample rows, not the data",
        )
    built = (
        "a constraint that dbt builds: `kisaan-validate init` reads it from the catalogue, where it "
        "is enforced"
    )
    for section in _RESOURCES:
        for entry in _mappings(document.get(section)):
            place = f"{section}.{_text(entry.get('name'))}"
            holders = [
                (place, entry),
                *((f"{place}.columns.{_text(c.get('name'))}", c) for c in _mappings(entry.get("columns"))),
            ]
            for where, holder in holders:
                for constraint in _mappings(holder.get("constraints")):
                    yield where, f"constraint {_text(constraint.get('type'))}", built


# --- one test ---------------------------------------------------------------------------------------------


def _translate(found: Found, project: Project, maker: Maker) -> list[str]:
    if found.freshness is not None:
        return [_fresh(found, maker)]
    name, arguments, config = _read(found.written)
    # A template here is a text, and neither true nor false before dbt runs.
    if config.get("enabled", True) is not True:
        raise NoCounterpart("it is disabled (enabled: false), or whether it is is known only when dbt runs")
    if config.get("fail_calc") not in (None, "count(*)"):
        raise NoCounterpart("it counts failures in its own way (fail_calc)")
    verdicts = _verdicts(config)
    # A LIMIT cuts the count that the threshold is compared with.
    if config.get("limit") is not None and any(most for _, most in verdicts):
        raise NoCounterpart("a limit together with a threshold changes what is counted")
    where = config.get("where")
    condition = (
        sql.author_condition(project.resolved(where) if isinstance(where, str) else where, "where")
        if where is not None
        else ""
    )
    test = Test(maker, found.table(), found.column, arguments, condition, project.relation, project.resolved)
    return [
        id
        for said, most in verdicts
        for id in _one(name, replace(test, said=replace(said, tolerance=most or None)))
    ]


def _one(name: str, test: Test) -> list[str]:
    # The last dot: packages may be nested.
    package, _, bare = name.rpartition(".")
    if package == "dbt_expectations":
        return list(expectation(bare, test))
    if package in {"", "dbt_utils", "dbt"} and (make := GENERIC.get(bare)) is not None:
        return make(test)
    raise NoCounterpart(
        f"not supported yet: {remark(name)}"
        if package == "dbt_utils"
        else f"{remark(name)} is a test of the project or of a package"
    )


def _read(written: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A test's name, its arguments, and its configuration. Raises NoCounterpart."""
    if isinstance(written, str):
        return written, {}, {}
    if not isinstance(written, dict) or not written:
        raise NoCounterpart("it is not a test: neither a name nor a name with arguments")
    if "test_name" in written:
        name, given = str(written["test_name"]), {k: v for k, v in written.items() if k != "test_name"}
    elif len(written) == 1:
        ((key, inner),) = written.items()
        if inner is not None and not isinstance(inner, dict):
            raise NoCounterpart("its arguments are not a mapping")
        name, given = str(key), dict(inner or {})
    else:
        raise NoCounterpart("it is not a test: one name with its arguments is expected")
    own = given.get("config") if isinstance(given.get("config"), dict) else {}
    # config: wins over the same key beside the arguments, as in dbt.
    config = {**{k: v for k, v in given.items() if k in _CONFIG}, **(own or {})}
    inner = given.get("arguments") if isinstance(given.get("arguments"), dict) else {}
    return name, {**{str(k): v for k, v in given.items() if k not in _CONFIG}, **(inner or {})}, config


def _verdicts(config: dict[str, Any]) -> list[tuple[Said, int]]:
    """The severity by the number of failing rows: dbt asks error_if, and where that is not met, warn_if."""
    severity = str(config.get("severity") or "error").lower()
    if severity not in {"error", "warn"}:
        raise NoCounterpart(f"the severity {remark(severity)} is not known")
    said = Said(why=_text(config.get("description")))
    warned = (replace(said, severity="warning"), _most(config.get("warn_if")))
    if severity == "warn":
        return [warned]
    most = _most(config.get("error_if"))
    # With one bound for both, the warning could never be seen behind the error.
    return [(said, most)] if warned[1] == most else [(said, most), warned]


def _most(condition: Any) -> int:
    """How many failures ``>10`` or ``!= 0`` allows. Raises NoCounterpart for other conditions."""
    if condition is None:
        return 0
    threshold, percent = read_threshold(sql.as_text(condition, "a condition such as '>10'"))
    most = threshold.inverse.most_rows
    if percent or most is None:
        raise NoCounterpart(f"the threshold {remark(str(condition))} is not 'more than so many'")
    return most


def _fresh(found: Found, maker: Maker) -> str:
    said = found.freshness or {}
    limit: dict[str, Any] = said[found.written]
    count, period = limit.get("count"), str(limit.get("period"))
    # bool is an int to isinstance.
    if isinstance(count, bool) or not isinstance(count, int) or period not in {"minute", "hour", "day"}:
        raise NoCounterpart("an age is a number of minutes, hours or days")
    if found.column is None:
        raise NoCounterpart("it has no loaded_at_field: dbt reads the warehouse's own metadata")
    where = sql.author_condition(said["filter"], "a filter") if said.get("filter") is not None else ""
    newest, table = f"max({sql.author_value(found.column.text, 'loaded_at_field')})", found.table()
    severity = "blocking" if found.written == "error_after" else "warning"
    told = Said(severity, title=f"the newest row is at most {count} {period}s old")
    condition = f"m.newest >= now() - INTERVAL '{count} {period}s'"
    return maker.measure(table, [("newest", newest)], condition, f"{table}.fresh", told, where=where)


# --- singular tests ---------------------------------------------------------------------------------------


def _singular(path: Path, text: str, project: Project, maker: Maker) -> list[str]:
    """A SELECT of failing rows, with refs and sources, and a config at most."""
    # Jinja's comments may hold anything, also what looks like a template.
    body = re.sub(r"\{#.*?#\}", "", text, flags=re.S)
    if re.search(r"\{%-?\s*(test|macro|snapshot)\b", body):
        raise NoCounterpart("it defines a test or macro and tests nothing by itself")
    config: dict[str, Any] = {}
    for match in re.finditer(r"\{\{-?\s*config\((.*?)\)\s*-?\}\}", body, re.S):
        config |= _config_call(match[1])
    body = project.resolved(re.sub(r"\{\{-?\s*config\(.*?\)\s*-?\}\}", "", body, flags=re.S))
    if config.get("enabled", True) is not True:
        raise NoCounterpart("it is disabled (enabled=false)")
    # These change which rows are counted, so the check would mean something else.
    if unknown := [k for k in config if k not in {*_CONFIG, "materialized"}] or [
        k for k in ("where", "fail_calc", "limit") if k in config
    ]:
        raise NoCounterpart(f"the config {remark(unknown[0])} changes what is counted")
    made = []
    for said, most in _verdicts(config):
        made.append(
            custom_query(maker, "", body, path.stem, replace(said, tolerance=most or None, title=path.stem))
        )
    return made


def _config_call(arguments: str) -> dict[str, Any]:
    """The keyword arguments of ``config(…)``: plain values only."""
    try:
        call = ast.parse(f"f({arguments})", mode="eval").body
        assert isinstance(call, ast.Call)
        return {str(k.arg): _plain(k.value) for k in call.keywords if k.arg}
    # Only literals are read: nothing of a config is executed.
    except (SyntaxError, ValueError, AssertionError, RecursionError, MemoryError):
        raise NoCounterpart(f"the config cannot be parsed: {remark(arguments)}") from None


def _plain(node: ast.expr) -> Any:
    # Jinja writes its constants in small letters.
    if isinstance(node, ast.Name) and node.id in {"true", "false", "none"}:
        return {"true": True, "false": False, "none": None}[node.id]
    return ast.literal_eval(node)
