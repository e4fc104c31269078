"""Write the reference of declarations, promises and configuration from the code: ``python
tests/make_reference_docs.py``.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import BaseModel

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kisaan_validate import declare  # noqa: E402
from kisaan_validate.contract.load import may_be_empty  # noqa: E402
from kisaan_validate.contract.model import PLURALS, promise_model  # noqa: E402
from kisaan_validate.contract.promise import Promise  # noqa: E402
from kisaan_validate.contract.rules import KINDS  # noqa: E402
from kisaan_validate.facts.check import Form  # noqa: E402
from kisaan_validate.ops.config_model import ConfigFile  # noqa: E402
from kisaan_validate.probe.model import ProbesFile  # noqa: E402
from kisaan_validate.rollout.plan_model import RolloutFile  # noqa: E402
from kisaan_validate.rules.base import Rule  # noqa: E402
from kisaan_validate.suite.repairs_model import RepairFile  # noqa: E402
from kisaan_validate.suite.settings_model import SettingsFile  # noqa: E402
from kisaan_validate.toml.model import TomlTable  # noqa: E402
from kisaan_validate.verdict.waivers_model import WaiversFile  # noqa: E402

DOCS = ROOT / "docs"
FIGURE = "figure"
TOTAL = "total"
SERVER = "server"
FORMS = {
    FIGURE: "Figures: within `low=` and `high=`, also `where=`, `segment_by=`, `segments=100`",
    Form.ROW: "Rows: a count in the table's scan",
    Form.JOIN: "Joined rows: two counts in their join",
    Form.QUERY: "Queries: a statement each",
    Form.CATALOGUE: "Catalogue: no row is read",
    SERVER: "The server itself: seven checks, no row is read",
    TOTAL: "Control totals: a statement each, no check",
}
UNSAID = inspect.signature(declare.column).parameters["default"].default
FILES: Mapping[str, type[TomlTable]] = {
    "kisaan.toml": ConfigFile,
    "probes.toml": ProbesFile,
    "suite.toml": SettingsFile,
    "repairs/NAME.toml": RepairFile,
    "waivers.toml": WaiversFile,
    "rollout.toml": RolloutFile,
}


def sentence(text: str | None) -> str:
    """The first sentence of a docstring, as Markdown on one line."""
    first = re.split(r"(?<=[.])\s", inspect.cleandoc(text or ""), maxsplit=1)[0]
    return re.sub(r"\s+", " ", re.sub(r":\w+:`(\w+)`", r"`\1`", first).replace("``", "`"))


def item(name: str, said: str) -> str:
    """One line of a list."""
    return f"- `{name}`: {said}"


def functions() -> dict[str, Any]:
    """Every function that a suite calls, by name."""
    names = [name for name in declare.__all__ if name not in {"Declaration", "declaration"}]
    return {name: getattr(declare, name) for name in names}


def form_of(function: Any) -> str:
    """How what it declares is proved: the form of the rules that it makes; "figure" for an aggregate, "total"
    where it makes no rule, "server" where it makes one for each part of a server.
    """
    if get_type_hints(function)["return"] == list[declare.Declaration]:
        return SERVER
    if get_type_hints(function)["return"] is not declare.Declaration:
        return TOTAL
    if get_type_hints(function)[_meta(function)].__args__[0] is declare.FigureArguments:
        return FIGURE
    (form,) = {rule.form for rule in _rules(function)}
    return str(form)


def _meta(function: Any) -> str:
    return next(p.name for p in inspect.signature(function).parameters.values() if p.kind is p.VAR_KEYWORD)


def _rules(function: Any) -> Iterator[type[Rule]]:
    """The classes of rules that stand in a function of ``declare``."""
    there = inspect.unwrap(function).__globals__
    for node in ast.walk(ast.parse(inspect.getsource(function))):
        if isinstance(node, ast.Name):
            found = there.get(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found = getattr(there.get(node.value.id), node.attr, None)
        else:
            continue
        if inspect.isclass(found) and issubclass(found, Rule) and found is not Rule:
            yield found


def call(name: str, function: Any) -> str:
    """A call with its arguments: those with a value may be left out."""
    all_figures = {"low", "high"} if form_of(function) == FIGURE else set()
    given = inspect.signature(function).parameters.values()
    shown = [_argument(p) for p in given if p.kind is not p.VAR_KEYWORD and p.name not in all_figures]
    return f"{name}({', '.join(shown)})"


def _argument(p: inspect.Parameter) -> str:
    if p.kind is p.VAR_POSITIONAL:
        return f"*{p.name}"
    if p.default is p.empty:
        return f"{p.name}=…" if p.kind is p.KEYWORD_ONLY else p.name
    if p.default in (None, "", (), UNSAID):
        return f"{p.name}="
    return f"{p.name}={json.dumps(p.default) if isinstance(p.default, str) else p.default}"


def declarations_page() -> str:
    """docs/declarations.md."""
    lines: dict[str, list[str]] = {form: [] for form in FORMS}
    for name, function in functions().items():
        lines[form_of(function)].append(item(call(name, function), sentence(function.__doc__)))
    head = "# Declarations\n\n[How to use them](writing-checks.md#declarations). `x=…` is required, `x=` optional."
    return "\n\n".join([head, *(f"## {FORMS[form]}\n\n" + "\n".join(lines[form]) for form in FORMS)]) + "\n"


COMMON = {
    "attribute",
    "check",
    "column",
    "facts",
    "id",
    "kind",
    "name",
    "object",
    "rows",
    "severity",
    "table",
    "to",
    "why",
}
"""What docs/contracts.md shows, or a kind's own words say."""
NEEDED = {("rows_added", "where")}
"""What a kind of promise cannot do without, although the reader takes it for optional by its name."""


def parameters(kind: type[Promise]) -> str:
    """What a promise of a kind says; brackets around what may be left out."""
    made = kind(id="any")
    said = []
    for name in made.parameters:
        optional = may_be_empty(kind, name) or getattr(made, name) not in ("", ())
        key = name.rstrip("_")
        said.append(f"[{key}]" if optional and (kind.kind, name) not in NEEDED else key)
    return " ".join(said)


def promises_page() -> str:
    """docs/promises.md."""
    head = "# Promises of a contract\n\n[How to use them](contracts.md). Brackets: optional."
    kinds = [item(f"{name} {parameters(kind)}", sentence(kind.__doc__)) for name, kind in KINDS.items()]
    said = {pair for kind in KINDS.values() for pair in _keys(promise_model(kind)).items()}
    keys = [item(key, text) for key, text in sorted(said) if key not in COMMON | PLURALS.keys()]
    return "\n\n".join([head, "\n".join(kinds), "## Keys\n\n" + "\n".join(keys)]) + "\n"


def _keys(model: type[BaseModel]) -> dict[str, str]:
    return {field.alias or name: field.description or "" for name, field in model.model_fields.items()}


def keys_of(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str, str]]:
    """(path, default, words) of every key of a file."""
    for name, field in model.model_fields.items():
        table, key = _table(field.annotation), f"{path}{field.alias or name}"
        if table is not None:
            yield from keys_of(table, f"{key}.")
            continue
        yield key, _default(field), field.description or ""


def _table(annotation: Any) -> type[BaseModel] | None:
    """The model of a table, or of the tables of a list."""
    parts = [annotation, *getattr(annotation, "__args__", ())]
    return next((p for p in parts if inspect.isclass(p) and issubclass(p, BaseModel)), None)


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, tuple):
        return ", ".join(value)
    return "" if value in (None, False, {}) else str(value)


def configuration_page() -> str:
    """docs/configuration.md."""
    parts = ["# Configuration\n\nParentheses: the default."]
    for file, model in FILES.items():
        lines = [
            item(path, f"{said} ({default})" if default else said) for path, default, said in keys_of(model)
        ]
        parts.append(f"## {file}\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


PAGES = {
    DOCS / "declarations.md": declarations_page,
    DOCS / "promises.md": promises_page,
    DOCS / "configuration.md": configuration_page,
}

if __name__ == "__main__":
    for path, page in PAGES.items():
        path.write_text(page(), encoding="utf-8")
        print(path.relative_to(ROOT))
