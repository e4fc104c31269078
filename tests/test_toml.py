"""Every TOML file that people write is read by one strict reader, and its JSON Schema says the same to editors."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import jsonschema
import make_schemas
import pytest
from conftest import ROOT, slack
from helpers import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_docs import SETTINGS

from kisaan_validate.contract.load import read_contract
from kisaan_validate.contract.model import promise_model
from kisaan_validate.contract.rules import KINDS
from kisaan_validate.errors import SuiteError
from kisaan_validate.ops.config import Config, load_config
from kisaan_validate.ops.config_model import ConfigFile
from kisaan_validate.ops.scan_model import ScanTable
from kisaan_validate.probe.load import load_probes
from kisaan_validate.probe.model import ProbesFile
from kisaan_validate.rollout.plan import read_plan
from kisaan_validate.rollout.plan_model import RolloutFile
from kisaan_validate.suite.repairs import read_repair
from kisaan_validate.suite.repairs_model import RepairFile
from kisaan_validate.suite.settings import read_settings
from kisaan_validate.suite.settings_model import SettingsFile
from kisaan_validate.toml.model import Field, Names, TomlTable, tables
from kisaan_validate.toml.reader import DEEPEST, LONGEST, read
from kisaan_validate.verdict.waivers import read_waivers
from kisaan_validate.verdict.waivers_model import WaiversFile

SCHEMAS = make_schemas.toml_schemas()
MODELS = {
    "kisaan": ConfigFile,
    "probes": ProbesFile,
    "repair": RepairFile,
    "rollout": RolloutFile,
    "suite": SettingsFile,
    "waivers": WaiversFile,
}


class Part(TomlTable):
    """A part."""

    id: str = Field(description="its name", examples=["p"])
    at: date | None = None
    size: int = Field(1, ge=1, le=9)
    kind: Literal["any", "new"] = "any"


class Whole(TomlTable):
    """A file of parts."""

    names: Names = ()
    on: bool = False
    by: dict[str, Names] = Field(default_factory=dict)
    one: Part | None = None
    part: Annotated[tuple[Part, ...], Field(strict=False), tables("part")] = ()


@pytest.mark.parametrize(
    ("text", "fact", "hint"),
    [
        ("nmes = []", "unknown key 'nmes'", "did you mean 'names'?"),
        ("zzz = 1", "unknown key 'zzz'", "known: names, on, by, one, part"),
        ("names = 'a'", "names: must be a list, not a text", ""),
        ("names = ['a', 1.50]", "item 2 of names: must be a text, not 1.50", ""),
        ("names = ['a', '']", "item 2 of names: must not be empty", ""),
        ("names = [2026-01-01]", "item 1 of names: must be a text, not a day", ""),
        ("names = [10:00:00]", "item 1 of names: must be a text, not a time", ""),
        ("on = 1", "on: must be true or false, not 1", ""),
        ("[by]\nx = [1]", "item 1 of [by].x: must be a text, not 1", ""),
        ('[by]\n"a\\nb" = [1]', "item 1 of [by].'a\\nb': must be a text, not 1", ""),
        ("one = 1", "one: must be a table, not 1", "write [one]"),
        ("[one]\nsize = 2", "[one]: needs 'id'", 'write id = "p"'),
        ("[one]\nid = 'x'\nsize = true", "[one].size: must be a whole number, not true", ""),
        ("[one]\nid = 'x'\nsize = 0", "[one].size: must be a whole number of at least 1, not 0", ""),
        ("[one]\nid = 'x'\nsize = 10", "[one].size: must be a whole number of at most 9, not 10", ""),
        ("[one]\nid = 'x'\nkind = 'New'", "[one].kind: must be 'any' or 'new', not a text", ""),
        ("[one]\nid = 'x'\nat = 2026-01-01T10:00:00", "[one].at: must be a day, not a time", ""),
        ("[one]\nid = 'x'\nsise = 1", "[one]: unknown key 'sise'", "did you mean 'size'?"),
        ("part = 1", "part: must be a list of tables", "write [[part]]"),
        ("part = [1]", "part: must be a list of tables", "write [[part]]"),
        ("[[part]]\nid = 'x'\nsise = 1", "part x: unknown key 'sise'", "did you mean 'size'?"),
        ("[[part]]\nid = 'x'\n[[part]]\nid = 3", "part 2: id: must be a text, not 3", ""),
        ("[[part]]\nid = 'x\ty'\nsize = ''", "part 1: size: must be a whole number, not a text", ""),
        ("on = yes\n", "not valid TOML: Invalid value (at line 1, column 6)", ""),
    ],
)
def test_a_slip_is_said_with_file_table_and_key(text: str, fact: str, hint: str) -> None:
    """Law: one fact and one hint, and no text of the file."""
    with pytest.raises(SuiteError) as refused:
        read(text, "file.toml", Whole)
    assert refused.value.fact == f"file.toml: {fact}"
    assert refused.value.hint == hint
    assert refused.value.origin == "file.toml"


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("every = '0 d'", "[history].every: must be longer than 0 s"),
        ("forget_keys = '0 d'", "[history].forget_keys: must be longer than 0 s"),
        ("forget_keys = '36501 d'", "[history].forget_keys: must be at most 36,500 d"),
        ("[guard]\nevery = '999999999 d'", "[guard].every: must be at most 36,500 d"),
        ("keep_days = 36501", "[history].keep_days: must be a whole number of at most 36500, not 36501"),
        ("url = 's3cret'", "[history].url: must be the URL of a database"),
        ("renamed = {a = 'b', b = 'c', c = 'b'}", "[history.renamed]: leads from an id back to itself"),
        ("renamed = {a = 'a'}", "[history.renamed]: leads from an id back to itself"),
        ("renamed = {'' = 'a'}", "[history.renamed]: has an empty id"),
        ('[report]\nfolder = "a\\u0000b"', "[report].folder: must be a path"),
    ],
)
def test_what_a_history_cannot_mean_is_refused(text: str, fact: str) -> None:
    """A rhythm of no time, keys forgotten at once, a circle of names; nothing of it is repeated."""
    with pytest.raises(SuiteError) as refused:
        read(f"[history]\n{text}", "kisaan.toml", ConfigFile)
    assert refused.value.fact == f"kisaan.toml: {fact}"


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("names = []\n" + "#" * LONGEST, "it has 4,194,315 characters, at most 4,194,304 are read"),
        ("x = " + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "it is nested too deeply"),
        ("x = " + "[" * 20_000, "it is nested too deeply"),
        ("x = " + "{a = " * (DEEPEST + 1) + "1" + "}" * (DEEPEST + 1), "it is nested too deeply"),
        (".".join("a" * 100_000) + " = 1", "it is nested too deeply"),
        ("[" + ".".join(["'a b'"] * 50_000) + "]", "it is nested too deeply"),
        ("x = {y = 1, " + " . ".join("a" * 100_000) + " = 1}", "it is nested too deeply"),
        ("x = 0x" + "f" * 5_000, "a number has too many digits"),
        ("x = [" + "9" * 5_000 + "]", "Exceeds the limit"),
        ("x = 1e" + "9" * 30, "a number is out of range"),
    ],
    ids=lambda value: value[:20],
)
def test_what_has_no_end_is_refused_at_once(text: str, fact: str) -> None:
    """Length, depth and digits are bounded before anything else looks at them."""
    start = time.perf_counter()
    with pytest.raises(SuiteError, match="not valid TOML") as refused:
        read(text, "file.toml", Whole)
    assert fact in refused.value.fact
    assert len(refused.value.fact) < 200
    assert time.perf_counter() - start < 5 + slack()


def test_dots_in_texts_are_no_depth() -> None:
    """A bound on keys must not refuse what is written in a text."""
    dots = ".".join("a" * 100)
    assert read(f'names = ["{dots}", "x, {dots}"]', "f", Whole).names == (dots, f"x, {dots}")


SECRET = "postgres://olga:s3cret@db.internal/books"
WRONG = [
    f'"{SECRET}"',
    f'["{SECRET}"]',
    f'[["{SECRET}"]]',
    f'{{ dsn = "{SECRET}" }}',
    f'[{{ x = "{SECRET}" }}]',
]


@pytest.mark.parametrize("value", WRONG)
def test_no_text_of_a_configuration_is_repeated(value: str, tmp_path: Path) -> None:
    """Law: a connection string that stands in the wrong place is in no error."""
    refused = 0
    places = [f"[{name}]\n{key}" for name, section in _sections() for key in (*section.model_fields, "dsn")]
    places += ["dsn", "target", "run", "[target.expect]\nhost", "[target.expect]\ndsn"]
    for place in places:
        (tmp_path / "kisaan.toml").write_text(f"{place} = {value}\n")
        error = _refusal(lambda: load_config(tmp_path / "kisaan.toml"))
        if error is not None:
            refused += 1
            assert "s3cret" not in f"{error}{error.hint}{error.origin}"
            assert error.__cause__ is None
            assert error.__suppress_context__
    assert refused > len(places) / 2


def _refusal(read_: Callable[[], object]) -> SuiteError | None:
    try:
        read_()
    except SuiteError as error:
        return error
    return None


def _sections() -> list[tuple[str, type[TomlTable]]]:
    found: list[Any] = [(name, field.annotation) for name, field in ConfigFile.model_fields.items()]
    # Of tables with names of the reader's choice, one.
    return [("scan.nightly", ScanTable) if name == "scan" else (name, table) for name, table in found]


def test_an_empty_configuration_is_none(tmp_path: Path) -> None:
    """The defaults that the schema shows are those of a run without a file."""
    (tmp_path / "kisaan.toml").write_text("")
    read_ = load_config(tmp_path / "kisaan.toml")
    paths = {"suite": tmp_path / "checks", "reports": tmp_path / "reports"}
    for field in fields(Config):
        assert getattr(read_, field.name) == paths.get(field.name, getattr(Config(), field.name)), field.name


@pytest.mark.slow
@pytest.mark.parametrize(
    "module", ["suite.load", "suite.settings", "contract.load", "verdict.waivers", "ops.config", "probe.load"]
)
def test_only_reading_a_file_costs_its_library(module: str) -> None:
    """Who reads no TOML file does not load pydantic."""
    code = (
        f"import sys, kisaan_validate.{module}; assert not {{'pydantic', 'pydantic_core'}} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_schemas_are_current(name: str) -> None:
    """docs/schemas is generated, valid, and says of every key what it is."""
    path = make_schemas.FOLDER / f"{name}.schema.json"
    assert json.loads(path.read_text()) == SCHEMAS[name], "run: python tests/make_schemas.py"
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    parts = [SCHEMAS[name], *SCHEMAS[name].get("$defs", {}).values()]
    assert all(part["additionalProperties"] is False and part["description"] for part in parts)
    assert [
        key for part in parts for key, said in part["properties"].items() if not said.get("description")
    ] == []


def test_every_kind_of_promise_has_its_table() -> None:
    """A new kind is in the schema, and all that it can say."""
    assert SCHEMAS["contract"]["$defs"].keys() == KINDS.keys()
    for kind, made in KINDS.items():
        keys = {field.alias or name for name, field in promise_model(made).model_fields.items()}
        assert SCHEMAS["contract"]["$defs"][kind]["properties"].keys() == keys


READERS: dict[str, Callable[[Path], Any]] = {
    "contract": lambda path: read_contract(path.read_text(encoding="utf-8"), path.name),
    "kisaan": load_config,
    "repair": lambda path: read_repair(path.read_text(encoding="utf-8"), path.name),
    "probes": load_probes,
    "rollout": lambda path: read_plan(path.read_text(encoding="utf-8"), path.name),
    "suite": read_settings,
    "waivers": lambda path: read_waivers(path.read_text(encoding="utf-8"), path.name),
}


def _files() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every TOML file of the repository and its pages that is one of these: where, of which kind, what it says."""
    for path in sorted(ROOT.rglob("*.toml")):
        inside = path.relative_to(ROOT)
        if path.name != "expected.toml" and not inside.parts[0].startswith("."):
            yield from _of_kind(str(inside), tomllib.loads(path.read_text(encoding="utf-8")))
    for page, text in SETTINGS:
        yield from _of_kind(page, tomllib.loads(text))


def _of_kind(where: str, said: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    keys = {
        "promise": "contract",
        "phase": "rollout",
        "waiver": "waivers",
        "base_url": "probes",
        "health": "probes",
        "step": "repair",
        "run": "kisaan",
        "signoff": "kisaan",
        "schemas": "suite",
    }
    kind = next((kind for key, kind in {**keys, "criteria": "suite"}.items() if key in said), "")
    if not kind and where.endswith("suite.toml"):
        kind = "suite"
    if kind:
        yield where, kind, {"format": 1, **said} if kind in {"contract", "waivers"} else said


FILES = list(_files())


def _plain(value: Any) -> Any:
    """As a JSON Schema sees a TOML value: days as texts."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _written(value: Any) -> str:
    """A value in TOML, tables in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, str):
        return json.dumps(value).replace("\x7f", "\\u007f")
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value).replace(" ", "T")


def _document(said: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(key)} = {_written(value)}\n" for key, value in said.items())


def _fits(kind: str, said: dict[str, Any]) -> bool:
    validator: Any = jsonschema.Draft202012Validator(SCHEMAS[kind])
    return bool(validator.is_valid(_plain(said)))


def test_every_kind_of_file_is_among_those_that_are_tried() -> None:
    """The collection of files finds them: those of the repository, of its tests and of its pages."""
    assert {kind for _, kind, _ in FILES} == set(SCHEMAS)
    assert {"checks/suite.toml", "checks/contracts/2025-10-18.toml", "docs/signoff.md"} <= {
        f[0] for f in FILES
    }
    assert len(FILES) > 300


@pytest.mark.slow
@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_file_fits_its_schema_and_no_unknown_key_does(kind: str, tmp_path: Path) -> None:
    """Law: a schema takes the files of the repository; an unknown key, in whichever table, is refused by the
    schema and by the reader.
    """
    path = tmp_path / f"{kind}.toml"
    for where, _, said in (file for file in FILES if file[1] == kind):
        assert _fits(kind, said), where
        path.write_text(_document(said), encoding="utf-8")
        READERS[kind](path)
        for planted in _planted(said):
            assert not _fits(kind, planted), where
            path.write_text(_document(planted), encoding="utf-8")
            with pytest.raises(SuiteError, match="unknownn"):
                READERS[kind](path)


FREE = {"aliases", "filters", "facts", "headers", "capture", "json"}
"""Tables whose keys are names of the database, or of an application."""


def _planted(said: Any, key: str = "") -> Iterator[Any]:
    """The same with an unknown key in one table, for each table; of a list, in its first and last."""
    if isinstance(said, dict):
        if key not in FREE:
            yield {**said, "unknownn": 1}
        for name, inner in said.items():
            yield from ({**said, name: planted} for planted in _planted(inner, name))
    elif isinstance(said, list):
        for place in {0, len(said) - 1} if said else ():
            inside = _planted(said[place])
            yield from ([*said[:place], planted, *said[place + 1 :]] for planted in inside)


LEAVES = st.one_of(
    st.sampled_from(
        ["", " ", "a", "t.a", "a = 1", "90 s", "1 x", "blocking", "fixed", "rows_added", "column"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.integers(-3, 10**20),
    st.booleans(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
    st.sampled_from([date(2026, 1, 1), datetime(2026, 1, 1, 1, 1)]),
)
KEYS = sorted(
    {
        key
        for schema in SCHEMAS.values()
        for part in (schema, *schema["$defs"].values())
        for key in part["properties"]
    }
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
)


def _tables_of(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [
        *([value] if isinstance(value, (dict, list)) else []),
        *(t for part in inner for t in _tables_of(part)),
    ]


@st.composite
def slips(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A file of the repository with a few values changed, added or left out."""
    _, kind, said = draw(st.sampled_from(FILES))
    said = json.loads(json.dumps(said, default=lambda day: {"day": day.isoformat()}), object_hook=_day)
    for _ in range(draw(st.integers(0, 3))):
        table = draw(st.sampled_from(_tables_of(said)))
        keys = KEYS if isinstance(table, dict) else list(range(len(table)))
        present = list(table) if isinstance(table, dict) else keys
        change = draw(st.sampled_from(["set", "remove", "replace"]))
        if present and change != "set":
            key = draw(st.sampled_from(present))
            if change == "remove":
                del table[key]
            else:
                table[key] = draw(TREES)
        elif isinstance(table, dict):
            table[draw(st.sampled_from(KEYS))] = draw(TREES)
        else:
            table.append(draw(TREES))
    return kind, said


def _day(said: dict[str, Any]) -> Any:
    return date.fromisoformat(said["day"]) if said.keys() == {"day"} else said


@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(slips())
def test_a_file_is_read_or_refused_in_words(file: tuple[str, dict[str, Any]]) -> None:
    """Law: whatever stands in a file, there is a model or one SuiteError in our own words; and what the reader
    takes, the schema takes.
    """
    assert _fault(*file) == ""


@settings(max_examples=examples(100), deadline=None)
@given(
    st.sampled_from(list(SCHEMAS)),
    st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), TREES, max_size=4),
)
def test_any_tree_is_read_or_refused_in_words(kind: str, said: dict[str, Any]) -> None:
    """The same of trees that are no files of ours."""
    assert _fault(kind, said) == ""


def _fault(kind: str, said: dict[str, Any]) -> str:
    """What is wrong with how a file of this kind is read or refused; "" if nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{kind}.toml"
        path.write_text(_document(said), encoding="utf-8", newline="")
        error = _refusal(lambda: READERS[kind](path))
    if error is None:
        return "" if _fits(kind, said) else "the reader takes what the schema refuses"
    words = str(error)
    if not words.startswith((path.name, str(path))):
        return f"it does not begin with the file: {words}"
    foreign = re.search(r"Input should|something else|pydantic|Decimal\(", words)
    return f"not our words: {words}" if foreign else ""
