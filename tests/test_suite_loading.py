"""A folder becomes a suite: what is read, what is refused with file and line, and that nothing is ignored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest
from conftest import ROOT, Server
from helpers import assertion, counts, examples, folder_results, keys, prove, refusal, results, write_suite
from hypothesis import given, settings
from hypothesis import strategies as st

from kisaan_validate import declare
from kisaan_validate.author.source import dotted
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.catalogue import Catalogue, Column, Table
from kisaan_validate.facts.check import Check, Form, Severity, Tolerance
from kisaan_validate.facts.result import Status
from kisaan_validate.rules.applies import column_condition, parse_condition, split_conditions
from kisaan_validate.rules.meta import read_meta
from kisaan_validate.suite.dtypes import BY_NAME
from kisaan_validate.suite.load import Suite, load_suite, suite_of
from kisaan_validate.suite.pandera_source import _BUILDERS

HEAD = """\
import re
import numpy as np
import pandas as pd
import pandera.pandas as pa
from typing import Optional
from pandera.typing import Index
from kisaan_validate import declare

"""
FIRST = HEAD.count("\n") + 1


def model(field: str = "", config: str = "", more: str = "") -> str:
    """A model with one column; ``field`` and ``config`` add a line each."""
    lines = ["class T(pa.DataFrameModel):", "    a: int", *([f"    {field}"] if field else [])]
    lines += [f"    {line}" for line in more.splitlines()]
    return "\n".join([*lines, "    class Config:", "        name = 't'", f"        {config or 'pass'}"])


def column(arguments: str) -> str:
    """A schema with one column b."""
    return f"T = pa.DataFrameSchema({{'b': pa.Column({arguments})}})"


# name: (source, line of the fault counted from the source's first, a word of the message)
REFUSED = {
    "a built-in by another name": (column("int, pa.Check.gt(0, name='positive')"), 0, "named 'positive'"),
    "rows that are said to be wise": (
        column("int, pa.Check(lambda s: s > 0, statistics={'row_wise': 1})"),
        0,
        "row_wise=1",
    ),
    "a misspelt row_wise": (
        column("int, pa.Check(lambda s: s > 0, statistics={'rowwise': True})"),
        0,
        "'rowwise'",
    ),
    "a misspelt row_wise of a column": (
        column("int, pa.Check(lambda s: s > 0, name='x'), metadata={'checks': {'x': {'row_wize': True}}}"),
        0,
        "'row_wize'",
    ),
    "settings of no function": (
        column("int, pa.Check.gt(0), metadata={'checks': {'greater_than': {'row_wise': True}}}"),
        0,
        "'row_wise'",
    ),
    "elements that are not rows": (
        column("int, pa.Check(abs, element_wise=True, statistics={'row_wise': False})"),
        0,
        "element_wise",
    ),
    "groups that are rows": (
        column("int, pa.Check(len, groupby='b', statistics={'row_wise': True})"),
        0,
        "groups rows",
    ),
    "other columns of a column": (
        column("int, pa.Check(len, statistics={'columns': ['b']})"),
        0,
        "of one column",
    ),
    "an unknown column of the frame": (
        model(
            more="@pa.dataframe_check(statistics={'columns': ['aa']})\ndef c(cls, df):\n    return df.aa > 0"
        ),
        3,
        "'aa'",
    ),
    "NULLs that pass where none are named": (
        model(more="@pa.dataframe_check(statistics={'nulls': 'pass'})\ndef c(cls, df):\n    return df.a > 0"),
        3,
        "nulls='pass'",
    ),
    "a hypothesis": (column("float, pa.Hypothesis.one_sample_ttest(popmean=0)"), 0, "one_sample_ttest"),
    "groupby": (column("int, pa.Check.gt(0, groupby='b')"), 0, "groupby"),
    "element_wise": (column("int, pa.Check.gt(0, element_wise=True)"), 0, "element_wise"),
    "columns by pattern": (model("b: int = pa.Field(alias='b_.*', regex=True)"), 0, "regex"),
    "a parser": (model("b: int", more="@pa.parser('b')\ndef p(cls, s):\n    return s"), 2, "parsers"),
    "a parser of the frame": (
        model(more="@pa.dataframe_parser\ndef p(cls, df):\n    return df"),
        0,
        "parsers",
    ),
    "an index": (model("b: Index[int]"), 0, "an index"),
    "two indexes": (model("b: Index[int]", more="c: Index[int]"), 0, "an index"),
    "ordered": (model(config="ordered = True"), 0, "ordered"),
    "strict='filter'": (model(config="strict = 'filter'"), 0, "filter"),
    "drop_invalid_rows": (model(config="drop_invalid_rows = True"), 0, "drop_invalid_rows"),
    "drop_invalid_rows of a column": (column("int, drop_invalid_rows=True"), 0, "drop_invalid_rows"),
    "add_missing_columns": (
        model("b: int = pa.Field(default=1)", "add_missing_columns = True"),
        0,
        "add_missing",
    ),
    "a default": (model("b: int = pa.Field(default=1)"), 2, "default"),
    "a dtype of the frame": (model(config="dtype = 'int64'"), 0, "dtype for the whole frame"),
    "a series schema": ("T = pa.SeriesSchema(int, pa.Check.gt(0))", 0, "SeriesSchema"),
    "complex numbers": (model("b: complex"), 2, "no PostgreSQL counterpart"),
    "unsigned integers": (model("b: pa.UInt64"), 2, "no PostgreSQL counterpart"),
    "a type that is not a name": (model("b: int = pa.Field(metadata={'type': 5})"), 2, "int"),
    "flags of a pattern": (column("str, pa.Check.str_matches(re.compile('a', re.I))"), 0, "flags"),
    "a NUL character": (model("b: str = pa.Field(eq='a\\0b')"), 2, "NUL"),
    "nanoseconds": (
        model("b: pd.Timestamp = pa.Field(gt=pd.Timestamp('2024-01-01T00:00:00.000000001'))"),
        2,
        "finer",
    ),
    "no time at all": (model("b: pd.Timestamp = pa.Field(gt=pd.NaT)"), 2, "NaT"),
    "a value of numpy": (model("b: int = pa.Field(gt=np.int64(3))"), 2, "int64"),
    "a value without a literal": (column("object, pa.Check.eq([1])"), 0, "list"),
    "an object in a set": (column("int, pa.Check.isin([1, object()])"), 0, "object"),
    "two prefixes": (column("str, pa.Check.str_startswith(('a', 'b'))"), 0, "tuple"),
    "NULL as a wanted value": (column("int, pa.Check.unique_values_eq([1, None])"), 0, "None"),
    "misspelt metadata": (model("b: int = pa.Field(metadata={'severty': 'info'})"), 2, "severty"),
    "misspelt metadata of the model": (model(config="metadata = {'minimum_row': 1}"), 0, "minimum_row"),
    "an unknown severity": (model("b: int = pa.Field(metadata={'severity': 'fatal'})"), 2, "fatal"),
    "settings of no check": (
        model("b: int = pa.Field(metadata={'checks': {'isin': {'why': 'x'}}})"),
        2,
        "'isin'",
    ),
    "settings of an unknown check": (
        model(config="metadata = {'checks': {'not_nul': {'why': 'x'}}}"),
        0,
        "not_nul",
    ),
    "settings that are none": (
        model("b: int = pa.Field(metadata={'checks': {'not_null': 'info'}})"),
        2,
        "checks",
    ),
    "an inexact tolerance": (model("b: int = pa.Field(metadata={'tolerance': 0.1})"), 2, "not exact"),
    "a way of counting": (model("b: int = pa.Field(unique=True, metadata={'counts': 'rows'})"), 2, "counts"),
    "rows that are no number": (model(config="metadata = {'minimum_rows': 'many'}"), 0, "minimum_rows"),
    "a condition": (model("b: int = pa.Field(metadata={'applies': 'colum t.b'})"), 2, "condition"),
    "not Python": ("\ndef x(:", 1, "not valid Python"),
    "a failing import": ("\n\nimport nothing_like_this", 2, "nothing_like_this"),
    "an exception": ("x = 1\n1 / 0", 1, "ZeroDivisionError"),
    "the end of the process": ("import sys\nsys.exit(0)", 1, "SystemExit"),
    "a misspelt argument": ("declare.unique('t', 'a', severty='info')", 0, "severty"),
    "an unknown choice": ("declare.unique('t', 'a', counts='rows')", 0, "surplus"),
    "an unknown relation": (
        "declare.reconciles('t', 'a', details='d', detail_column='x', via='y', relation='<>')",
        0,
        "relation",
    ),
    "columns without partners": ("declare.references('t', ['a', 'b'], 'u', 'id')", 0, "pairs"),
    "no column to agree with": ("declare.agrees('t', 'a', with_='x', via='b')", 0, "table.column"),
    "two facts in one": ("declare.column('t', 'a', type='int', nullable=True)", 0, "one fact"),
    "an empty ledger": ("declare.ledger('t', 'a', [])", 0, "names"),
    "an unknown constraint": ("declare.constraint('t', 'uniq', 'a')", 0, "uniq"),
    "a constraint over nothing": ("declare.constraint('t', 'unique')", 0, "columns or a name"),
    "an index over nothing": ("declare.index('t')", 0, "columns or a name"),
    "no table": ("declare.unique('', 'a')", 0, "needs a table"),
    "half a row": ("declare.minimum_rows('t', 1.5)", 0, "number of rows"),
    "SQL for a number": ("declare.minimum_rows('t', '1; DROP TABLE t')", 0, "number of rows"),
    "one id twice": ("declare.unique('t', 'a')\ndeclare.unique('t', 'a')", 1, "already taken"),
    "less than nothing tolerated": ("declare.table('t', tolerance=-1)", 0, "negative"),
    "more than all tolerated": ("declare.table('t', tolerance='101%')", 0, "can never fail"),
    "all tolerated": ("declare.table('t', tolerance='100%')", 0, "can never fail"),
    "all tolerated by a model": (
        model("b: int = pa.Field(metadata={'tolerance': '1/1'})"),
        2,
        "can never fail",
    ),
    "no rows are enough": ("declare.minimum_rows('t', 0)", 0, "can never fail"),
    "no rows are enough for a model": (model(config="metadata = {'minimum_rows': 0}"), 0, "can never fail"),
    "an expression about neither row": (
        "declare.holds_with('t', '1 = 1', parent='u', via='b')",
        0,
        "no column",
    ),
    "rows that are all or none": ("declare.references('t', 'b', 'u', where='false')", 0, "no column"),
    "an expression about nothing": ("declare.holds('t', '1 = 1')", 0, "no column"),
    "an expression about another table": ("declare.holds('t', 'u.a = 1')", 0, "u.a"),
    "an expression about neither side": (
        "declare.holds_with('t', 'a = 1', parent='u', via='b')",
        0,
        "child.column",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_proved_is_refused(name: str, tmp_path: Path) -> None:
    """A source that asks for what no database table can answer is refused, with the file and line of the
    fault.
    """
    source, line, word = REFUSED[name]
    error = refusal(tmp_path, {"a.py": HEAD + source + "\n"})
    assert error.origin == f"a.py:{FIRST + line}", error
    assert word in error.fact
    assert str(tmp_path) not in str(error)


HEADERS = {
    "no id": ("-- key: id\nSELECT 1 AS id\n", 1, "'id'"),
    "no key": ("-- id: x\nSELECT 1 AS id\n", 1, "'key'"),
    "an unknown header": ("-- id: x\n-- key: id\n-- severty: info\nSELECT 1 AS id\n", 3, "severty"),
    "a header twice": ("-- id: x\n-- key: id\n-- id: y\nSELECT 1 AS id\n", 3, "twice"),
    "no statement": ("-- id: x\n-- key: id\n\n", 4, "no SELECT"),
    "a key that is no output": ("-- id: x\n-- key: no\nSELECT 1 AS id\n", 3, "'no'"),
    "shown, but no output": ("-- id: x\n-- key: id\n-- shows: no\nSELECT 1 AS id\n", 4, "'no'"),
    "all tolerated": ("-- id: x\n-- key: id\n-- tolerance: 100%\nSELECT 1 AS id\n", 1, "can never fail"),
    "a condition on nothing": ("-- id: x\n-- key: id\nSELECT 1 AS id\nWHERE 1 = 0\n", 3, "no column"),
    "a wrong tolerance": ("-- id: x\n-- key: id\n-- tolerance: some\nSELECT 1 AS id\n", 1, "some"),
    "a wrong severity": ("-- id: x\n-- key: id\n-- severity: fatal\nSELECT 1 AS id\n", 1, "fatal"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_the_header_of_an_assertion(name: str, tmp_path: Path) -> None:
    """A wrong or missing header of a SQL assertion is refused with file and line."""
    text, line, word = HEADERS[name]
    error = refusal(tmp_path, {"sql/x.sql": text})
    assert error.origin == f"sql/x.sql:{line}"
    assert word in error.fact


def test_the_whole_header_is_read(tmp_path: Path) -> None:
    """Every header of an assertion arrives; an indented comment continues it."""
    text = assertion(
        "SELECT id, n AS shown FROM t WHERE s = 'a\u2028b\x0cc'",
        id="t.x",
        title="it holds",
        table="t",
        severity="warning",
        why="because\n--   of this",
        hint="do that",
        owner="finance",
        tags="money, time",
        tolerance="0.1%",
        shows="shown",
        applies="table t; not column u.x",
    )
    suite = load_suite(write_suite(tmp_path, {"sql/x.sql": text}))
    (check,) = suite.checks
    assert check == Check(
        id="t.x",
        table="t",
        columns=(),
        form=Form.QUERY,
        kind="sql",
        claim="it holds",
        severity=Severity.WARNING,
        tolerance=Tolerance(numerator=1, denominator=1000),
        why="because of this",
        hint="do that",
        owner="finance",
        tags=("money", "time"),
        applies=("table t", "not column u.x"),
        origin="sql/x.sql:14",
        digest=check.digest,
    )
    assert suite.rules["t.x"].functions_sql().endswith("s = 'a\u2028b\x0cc'")


SETTINGS = {
    "an unknown key": ("schema = ['public']", "did you mean 'schemas'?"),
    "a wrong type": ("schemas = 'public'", ""),
    "no schema": ("schemas = []", ""),
    "not TOML": ("schemas =", ""),
    "a name that is none": ("schemas = [1]", ""),
    "an alias that is no list": ("[aliases]\nx = 'y'", ""),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_settings_of_a_suite(name: str, tmp_path: Path) -> None:
    """``suite.toml`` is read strictly: a slip of the pen there would change what is masked or left out."""
    text, hint = SETTINGS[name]
    error = refusal(
        tmp_path, {"suite.toml": text, "a.py": "from kisaan_validate import declare\ndeclare.table('t')"}
    )
    assert error.origin == "suite.toml"
    assert hint in error.hint


def test_an_empty_or_missing_folder(tmp_path: Path) -> None:
    """A folder without a check, and no folder at all, are errors: nothing to check is never success."""
    with pytest.raises(SuiteError, match="declares no check"):
        load_suite(write_suite(tmp_path, {"a.py": "x = 1\n", "_b.py": "1 / 0\n"}))
    with pytest.raises(SuiteError, match="there is no folder"):
        load_suite(tmp_path / "nowhere")


EVERYTHING = """
from typing import Annotated
import pandas as pd
import pandera.pandas as pa
from kisaan_validate import declare


class Payments(pa.DataFrameModel):
    id: int = pa.Field(unique=True)
    amount: pa.Decimal = pa.Field(
        dtype_kwargs={"precision": 18, "scale": 2}, gt=0, le=1000, metadata={
            "why": "money", "tags": ["money"], "severity": "warning",
            "checks": {"greater_than": {"severity": "blocking", "why": "positive", "tolerance": "1/1000"}},
        })
    status: str = pa.Field(isin=["paid", "open"], nullable=True, raise_warning=True)
    note: str | None = pa.Field(str_length={"max_value": 5}, metadata={"applies": "not table old"})

    class Config:
        name = "payments"
        unique = ["id", "status"]
        strict = True
        metadata = {"owner": "finance", "tags": ["books"], "minimum_rows": 2, "checks": {"type": {"severity": "info"}}}


Plain = pa.DataFrameSchema({
    "n": pa.Column(int, [pa.Check.gt(0), pa.Check.gt(5, description="more than five"), pa.Check.str_length(min_value=1)], required=False),
}, name="plain")

declare.references("payments", "status", "states", "name")
declare.unique("payments", ["amount", "status"], id="mine")
_hidden = pa.DataFrameSchema({"n": pa.Column(int, pa.Check(lambda s: s > 0))})
"""


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """A suite that says everything that a model can say."""
    return load_suite(write_suite(tmp_path_factory.mktemp("everything"), {"a.py": EVERYTHING}))


def test_ids(everything: Suite) -> None:
    """Ids are made of table, column and pandera's name of the check; a repeated one is numbered."""
    assert [c.id for c in everything.checks] == [
        "payments.present",
        "payments.minimum_rows",
        "payments.strict",
        "payments.id_status.unique",
        "payments.id.present",
        "payments.id.type",
        "payments.id.not_null",
        "payments.id.unique",
        "payments.amount.present",
        "payments.amount.type",
        "payments.amount.not_null",
        "payments.amount.greater_than",
        "payments.amount.less_than_or_equal_to",
        "payments.status.present",
        "payments.status.type",
        "payments.status.isin",
        "payments.note.type",
        "payments.note.not_null",
        "payments.note.str_length",
        "plain.present",
        "plain.n.type",
        "plain.n.not_null",
        "plain.n.greater_than",
        "plain.n.greater_than_2",
        "plain.n.str_length",
        "payments.status.references",
        "mine",
    ]


def test_metadata(everything: Suite) -> None:
    """A column's metadata overrides the model's, a check's overrides both; tags add up; origins are lines."""
    checks = {c.id: c for c in everything.checks}
    amount, bound = checks["payments.amount.greater_than"], checks["payments.amount.less_than_or_equal_to"]
    assert (amount.severity, amount.why, amount.owner) == (Severity.BLOCKING, "positive", "finance")
    assert amount.tolerance == Tolerance(numerator=1, denominator=1000)
    assert amount.tags == ("books", "money")
    assert (bound.severity, bound.why, bound.tolerance) == (Severity.WARNING, "money", None)
    assert checks["payments.status.isin"].severity is Severity.WARNING
    assert checks["plain.n.greater_than_2"].why == "more than five"
    assert checks["payments.status.type"].severity is Severity.INFO
    assert checks["payments.status.type"].tags == ("books",)
    assert checks["payments.note.str_length"].applies == ("not table old", "column payments.note")
    assert checks["plain.n.greater_than"].applies == ("column plain.n",)
    lines = EVERYTHING.splitlines()
    for id, text in {
        "payments.present": "class Payments",
        "payments.amount.not_null": "    amount: ",
        "payments.note.type": "    note: ",
        "plain.n.type": "Plain = ",
        "mine": "declare.unique(",
    }.items():
        path, _, number = checks[id].origin.rpartition(":")
        assert path == "a.py"
        assert lines[int(number)].startswith(text), (
            id
        )  # the text begins with an empty line that the file has not


def test_the_digest_covers_meaning_not_prose() -> None:
    """A check's digest changes with what it means, and with nothing else."""

    def digest(made: declare.Declaration) -> str:
        return suite_of(made).checks[0].digest

    base = digest(declare.unique("t", "a"))
    assert (
        digest(declare.unique("t", "a", why="prose", hint="x", owner="y", tags="z", severity="info", id="w"))
        == base
    )
    others = [
        declare.unique("u", "a"),
        declare.unique("t", "b"),
        declare.unique("t", "a", counts="groups"),
        declare.unique("t", "a", nulls_equal=False),
        declare.unique("t", "a", where="a > 0"),
        declare.unique("t", "a", tolerance=1),
        declare.unique("t", "a", applies="table u"),
        declare.minimum_rows("t", 1),
        declare.minimum_rows("t", 2),
    ]
    digests = [base, *map(digest, others)]
    assert len(set(digests)) == len(digests)


def test_the_digest_of_a_suite_covers_every_byte(tmp_path: Path) -> None:
    """One changed byte in any source, or a renamed file, gives another digest; an unread file does not."""
    files = {
        "suite.toml": "name = 'x'",
        "a.py": "from kisaan_validate import declare\ndeclare.table('t')\n",
        "sql/b.sql": assertion("SELECT 1 AS id"),
    }

    def digest(**more: str) -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        return load_suite(
            write_suite(
                folder, files | {k.replace("__", "/").replace("_py", ".py"): v for k, v in more.items()}
            )
        ).digest

    base = digest()
    assert digest() == base
    assert digest(**{"notes.txt": "x", "_c_py": "1 / 0", "data/x.py": "1 / 0"}) == base
    assert digest(a_py=files["a.py"] + "\n") != base
    assert digest(**{"sql/b.sql": files["sql/b.sql"] + "-- x\n"}) != base
    assert digest(**{"suite.toml": "name = 'y'"}) != base
    assert digest(c_py="x = 1\n") != base


def test_selection(everything: Suite) -> None:
    """A pattern selects by id, table or tag; one that matches nothing is an error with the nearest name."""
    assert {c.table for c in everything.narrowed(select=["plain"]).checks} == {"plain"}
    assert [c.id for c in everything.narrowed(select=["*.str_length"]).checks] == [
        "payments.note.str_length",
        "plain.n.str_length",
    ]
    assert "payments.amount.type" in {c.id for c in everything.narrowed(select=["money"]).checks}
    assert not [c for c in everything.narrowed(exclude=["payments"]).checks if c.table == "payments"]
    with pytest.raises(SuiteError) as caught:
        everything.narrowed(select=["payment"])
    assert "did you mean 'payments'" in caught.value.hint
    with pytest.raises(SuiteError):
        everything.narrowed(exclude=["nothing.like.this"])


def test_every_built_in_check_of_pandera_is_known() -> None:
    """pandera's list of built-in checks for columns is this package's list: an update of pandera must show
    here.
    """
    from pandera.api.checks import Check as PanderaCheck
    from pandera.backends.pandas import builtin_checks

    source = Path(builtin_checks.__file__).read_text(encoding="utf-8")
    built_in = set(re.findall(r"^def (\w+)\(", source, re.M)) & set(
        PanderaCheck.REGISTERED_CUSTOM_CHECKS | dict.fromkeys(dir(PanderaCheck))
    )
    assert built_in == set(_BUILDERS)


@pytest.mark.parametrize(
    ("given", "rows", "share"),
    [
        (5, 5, None),
        ("5", 5, None),
        ("5 rows", 5, None),
        ("1 row", 1, None),
        (0, 0, None),
        ("0.1%", None, Fraction(1, 1000)),
        ("33.3333333333333333333%", None, Fraction("0.333333333333333333333")),
        ("1/3", None, Fraction(1, 3)),
        (Fraction(2, 7), None, Fraction(2, 7)),
        ("0%", None, Fraction(0)),
        ("99.9999999999999999999%", None, 1 - Fraction(1, 10**21)),
    ],
)
def test_tolerances_are_exact(given: Any, rows: int | None, share: Fraction | None) -> None:
    """A tolerance is a number of rows or an exact fraction, as it was written."""
    (check,) = suite_of(declare.table("t", tolerance=given)).checks
    assert check.tolerance is not None
    assert check.tolerance.rows == rows
    if share is not None:
        assert Fraction(check.tolerance.numerator or 0, check.tolerance.denominator or 1) == share


@pytest.mark.parametrize(
    "given",
    [
        0.1,
        True,
        "1e-3",
        "0,1%",
        "1/0",
        "-1",
        "some",
        Decimal("0.1"),
        "101/100",
        "",
        Fraction(1),
        Tolerance(numerator=2, denominator=2),
    ],
)
def test_tolerances_that_are_not_exact(given: Any) -> None:
    """A float, any text that needs guessing, and a share of all rows are refused."""
    with pytest.raises(SuiteError, match=r"tolerance|tolerates"):
        declare.table("t", tolerance=given)


# --- correspondence ---------------------------------------------------------------------------------------


def types_of(text: str) -> list[tuple[str, list[str], list[str]]]:
    """(dtype, types that satisfy it, types that do not) of each line of the first list of the page."""
    lines = [
        line for line in text.split("\n\n## ")[0].splitlines() if line.startswith("- `") and "`: `" in line
    ]
    parts = [(line[2:].split("`: `", 1)[0], line.split("`: `", 1)[1].partition("; not ")) for line in lines]
    return [(dtype.strip("`"), code(f"`{yes}"), code(no)) for dtype, (yes, _, no) in parts]


def code(cell: str) -> list[str]:
    """The texts between backticks."""
    return re.findall(r"`([^`]*)`", cell)


CORRESPONDENCE = types_of((ROOT / "docs" / "correspondence.md").read_text(encoding="utf-8"))
FRAMES = {
    "int": pd.Series([1]),
    "pd.Int64Dtype()": pd.Series([1, None], dtype="Int64"),
    "pa.Int32": pd.Series([1], dtype="int32"),
    "pa.Int16": pd.Series([1], dtype="int16"),
    "float": pd.Series([1.5]),
    "pa.Float32": pd.Series([1.5], dtype="float32"),
    "pa.Decimal(18, 2)": pd.Series([Decimal("1.50")]),
    "bool": pd.Series([True]),
    "pd.BooleanDtype()": pd.Series([True, None], dtype="boolean"),
    "str": pd.Series(["x"], dtype="string"),
    'pa.Category(["sad", "happy"])': pd.Series(pd.Categorical(["sad"], ["sad", "happy"])),
    'pd.DatetimeTZDtype("us", "UTC")': pd.Series(pd.to_datetime(["2024-01-01"], utc=True)).dt.as_unit("us"),
    'pd.DatetimeTZDtype("ns", "Asia/Kolkata")': pd.Series(pd.to_datetime(["2024-01-01"]))
    .dt.tz_localize("Asia/Kolkata")
    .dt.as_unit("ns"),
    "pd.Timestamp": pd.Series(pd.to_datetime(["2024-01-01"])).dt.as_unit("ns"),
    "pa.Date": pd.Series([date(2024, 1, 1)]),
    "pd.Timedelta": pd.Series(pd.to_timedelta(["1 day"])).dt.as_unit("ns"),
    "object": pd.Series([b"x"]),
}
"""A column of a DataFrame that each dtype validates."""
NAMES: dict[str, Any] = {"pd": pd, "pa": pa, "Decimal": Decimal, "date": date}


@pytest.fixture(scope="module")
def types(server: Server) -> Iterator[str]:
    """A database with two enums."""
    name = server.create(
        "CREATE TYPE mood AS ENUM ('happy', 'sad'); CREATE TYPE weather AS ENUM ('happy', 'sad', 'rain')"
    )
    yield name
    server.drop(name)


@pytest.mark.parametrize("row", CORRESPONDENCE, ids=[row[0] for row in CORRESPONDENCE])
def test_correspondence(row: tuple[str, list[str], list[str]], server: Server, types: str) -> None:
    """Each line of docs/correspondence.md is what the server's catalogue and pandera say."""
    dtype, accepted, refused = row
    listed = ", ".join(f"c{n} {type_}" for n, type_ in enumerate([*accepted, *refused]))
    server.sql(f"DROP TABLE IF EXISTS t; CREATE TABLE t ({listed})", types)
    made = eval(dtype, NAMES)
    names = [f"c{n}" for n in range(len(accepted) + len(refused))]
    schema = pa.DataFrameSchema({name: pa.Column(made, nullable=True) for name in names}, name="t")
    found = results(server, types, schema)
    for number, type_ in enumerate([*accepted, *refused]):
        answer = found.get(f"t.c{number}.type")
        status = answer.status if answer is not None else Status.PASS
        assert status is (Status.PASS if number < len(accepted) else Status.FAIL), (type_, answer)
    frame = pd.DataFrame({"x": FRAMES[dtype]})
    pa.DataFrameSchema({"x": pa.Column(made, nullable=True)}).validate(frame)


def test_correspondence_is_complete() -> None:
    """Every dtype that the code knows stands in the table."""
    documented = {
        re.sub(r"\[.*", "", str(pa.Column(eval(dtype, NAMES)).dtype)).lower()
        for dtype, _, _ in CORRESPONDENCE
    }
    assert set(BY_NAME) - {"str"} <= documented  # pandera calls str a string
    assert {"category", "datetime64", "date", "int64"} <= documented


def test_metadata_names_the_type(server: Server, types: str) -> None:
    """``metadata["type"]`` takes the place of the dtype, in any spelling that SQL has."""
    server.sql(
        "DROP TABLE IF EXISTS t; CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);"
        "CREATE TABLE t (a varchar(255), b numeric(18,2), c positive, d uuid, e int8, f timestamptz, g "
        "text[])",
        types,
    )
    wanted = {
        "a": ("varchar(255)", "varchar(254)"),
        "b": ("decimal( 18, 2 )", "numeric(18,3)"),
        "c": ("positive", "bigint"),
        "d": (["text", "uuid"], ["text", "bigint"]),
        "e": ("INT8", "int4"),
        "f": ("TIMESTAMP WITH TIME ZONE", "timestamp"),
        "g": ("text[]", "text"),
    }
    for which, status in enumerate((Status.PASS, Status.FAIL)):
        columns = {
            n: pa.Column(object, metadata={"type": t[which]}, nullable=True) for n, t in wanted.items()
        }
        found = results(server, types, pa.DataFrameSchema(columns, name="t"))
        assert {found[f"t.{n}.type"].status for n in wanted} == {status}


# --- independence -----------------------------------------------------------------------------------------

LIBRARY = Path(__file__).parent / "fixtures" / "library"


def test_a_suite_of_another_business(server: Server, database: str) -> None:
    """A lending library's suite runs unchanged: nothing in the engine belongs to one business."""
    server.sql((LIBRARY / "schema.sql").read_text(encoding="utf-8"), database)
    suite = load_suite(LIBRARY / "checks")
    assert prove(server, database, suite).verdict == "PASS"
    server.sql((LIBRARY / "damage.sql").read_text(encoding="utf-8"), database)
    found = folder_results(server, database, LIBRARY / "checks")
    assert {id: n for id, n in counts(found).items() if n} == {
        "books.isbn.str_matches": 1,
        "books.copies.greater_than_or_equal_to": 1,
        "loans.returned.holds": 1,
        "loans.member_id.references": 1,
        "members.email.unique": 1,
        "loans.one_copy_at_a_time": 1,
    }
    assert keys(found["members.email.unique"], "email") == [("•••",)]
    assert keys(found["books.isbn.str_matches"], "id") == [("2",)]


BUSINESS = (
    r"(?<!_)kisaan_(?!validate)",
    r"(?i)\bcommission",
    r"(?i)farmer",
    r"(?i)buyer",
    r"(?i)\bshops?\b",
    r"(?i)paisa",
    r"(?i)rupee",
    r"(?i)mandi\b",
    r"20251018",
    r"(?i)vegetable",
    r"(?i)kisaancenter",
)


def test_the_engine_knows_no_business() -> None:
    """Not one word of the business whose database it was written for stands in the engine."""
    found = []
    for path in sorted((ROOT / "kisaan_validate").rglob("*")):
        if (
            path.suffix in {".py", ".sql", ".html", ".css", ".js", ".j2", ".json"}
            and "_demo" not in path.parts
        ):
            text = path.read_text(encoding="utf-8")
            for one in filter(None, (re.search(word, text) for word in BUSINESS)):
                line = text[: one.start()].count("\n") + 1
                found.append(f"{path.name}:{line}: {one[0]}")
    assert not found, "\n".join(found)


ODD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
ODD_NAMES = st.one_of(
    ODD,
    st.sampled_from(
        [
            "Weird Table",
            'a"b',
            '"',
            '""',
            ";",
            "; not table t",
            "a.b",
            ".",
            " ",
            "\n",
            "not",
            "table",
            "type",
            "x numeric",
        ]
    ),
)


@settings(max_examples=examples(150), deadline=None)
@given(ODD_NAMES, ODD_NAMES, st.booleans())
def test_any_identifier_travels_through_a_condition(table: str, column: str, aliased: bool) -> None:
    """Law: the condition that an optional column makes is met exactly where that column of that table is,
    whatever they are called, under an alias too; it is read back from a text of several conditions as it
    was written."""
    declared = table if aliased else dotted("", table)
    condition = column_condition(declared, column)
    facts = Column(column, "integer", "int4", False)
    there = Table(1, "s", "real" if aliased else table, "r", {column: facts})
    aliases = {declared: ("real",)} if aliased else {}
    for present in (True, False):
        tables = {there.key: there if present else replace(there, columns={f"{column}_": facts})}
        catalogue = Catalogue(("s",), tables, 180_000, aliases)
        assert (parse_condition(condition).unmet(catalogue) == "") is present
        assert (parse_condition(f"not {condition}").unmet(catalogue) == "") is not present
    assert split_conditions(f"{condition}; not {condition}") == (condition, f"not {condition}")
    assert (
        read_meta({"applies": (condition,)}).applies
        == read_meta({"applies": condition}).applies
        == (condition,)
    )


def test_an_optional_column_of_an_odd_table_is_judged_where_it_is(server: Server, tmp_path: Path) -> None:
    """The input of the field: ``note: Optional[str]`` of a table with a blank in its name, present and
    absent.
    """
    model = """
        from typing import Optional
        import pandera.pandas as pa


        class W(pa.DataFrameModel):
            note: Optional[str]
            odd: Optional[str] = pa.Field(alias='a.b "c"; d')

            class Config:
                name = "Weird Table"
        """
    database = server.create(
        'CREATE TABLE "Weird Table" (id int, note text); INSERT INTO "Weird Table" VALUES (1, NULL)'
    )
    found = folder_results(server, database, write_suite(tmp_path, {"a.py": model}))
    assert found["Weird Table.note.not_null"].status is Status.FAIL
    assert found['Weird Table.a.b "c"; d.not_null'].status is Status.NOT_APPLICABLE
    server.sql('ALTER TABLE "Weird Table" ADD "a.b ""c""; d" text', database)
    assert folder_results(server, database, tmp_path)['Weird Table.a.b "c"; d.not_null'].status is Status.FAIL
    server.drop(database)
