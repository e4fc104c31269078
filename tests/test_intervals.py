"""A bound is one that rows can break and can keep: what no value, or every value, satisfies is refused by
name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from conftest import Server
from helpers import refusal, results

from kisaan_validate import declare
from kisaan_validate.contract.load import read_contract
from kisaan_validate.errors import SuiteError, UsageError
from kisaan_validate.facts.check import Tolerance
from kisaan_validate.facts.result import Status
from kisaan_validate.ops.config import load_config
from kisaan_validate.ops.config_model import ConfigFile
from kisaan_validate.ops.scan_model import ScanTable
from kisaan_validate.rules.intervals import is_no_value
from kisaan_validate.rules.meta import read_tolerance
from kisaan_validate.suite.load import suite_of
from kisaan_validate.verdict.waivers import read_waivers

C = pa.Check
INF = float("inf")
NO_VALUES = [
    float("nan"),
    -float("nan"),
    Decimal("NaN"),
    Decimal("sNaN"),
    np.float64("nan"),
    np.float32("nan"),
    pd.NA,
    pd.NaT,
    np.datetime64("NaT"),
]

CHECKS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": lambda a, b: C.eq(a),
    "ne": lambda a, b: C.ne(a),
    "gt": lambda a, b: C.gt(a),
    "ge": lambda a, b: C.ge(a),
    "lt": lambda a, b: C.lt(a),
    "le": lambda a, b: C.le(a),
    "in_range": lambda a, b: C.in_range(a, b),
    "open": lambda a, b: C.in_range(a, b, include_min=False, include_max=False),
    "isin": lambda a, b: C.isin([a, b]),
    "notin": lambda a, b: C.notin([a, b]),
    "unique_values_eq": lambda a, b: C.unique_values_eq([a, b]),
    "length": lambda a, b: C.str_length(a, b),
    "exact_length": lambda a, b: C.str_length(a),
}


def _schema(check: Any, allow_nan: bool = False) -> Any:
    return pa.DataFrameSchema({"x": pa.Column(None, check, metadata={"allow_nan": allow_nan})}, name="t")


def test_the_file_from_the_field(tmp_path: Path) -> None:
    """``id is at most nan`` passed over every row."""
    source = """
        import pandera.pandas as pa

        S = pa.DataFrameSchema({"id": pa.Column(pa.Int32, [pa.Check.le(float("nan")), pa.Check.in_range(0, float("nan"))])}, name="t")
        """
    refused = refusal(tmp_path, {"a.py": source})
    assert refused.origin == "a.py:3"
    assert "nan, which compares with nothing" in refused.fact


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("value", NO_VALUES, ids=repr)
def test_no_check_takes_what_compares_with_nothing(name: str, value: Any) -> None:
    """Whatever a NaN is called, and whichever end it stands at: the suite is refused, by pandera or by us,
    never read.
    """
    one_value = {"eq", "ne", "gt", "ge", "lt", "le", "exact_length"}
    for ends in [(value, 1), *([] if name in one_value else [(1, value), (value, value)])]:
        with pytest.raises((SuiteError, ValueError, TypeError, ArithmeticError)):
            suite_of(_schema(CHECKS[name](*ends)))


_VALID: dict[str, dict[str, Any]] = {
    "row_count": {"table": "t", "low": 1, "high": 2},
    "row_count_against": {"table": "t", "other": "u", "factor": 1},
    "null_share": {"table": "t", "column": "x", "low": "1%", "high": "2%"},
    "total": {"table": "t", "column": "x", "low": 1, "high": 2},
    "distinct_count": {"table": "t", "columns": "x", "low": 1, "high": 2},
    "quantile": {"table": "t", "column": "x", "share": "50%", "low": 1, "high": 2},
    "fresh": {"table": "t", "column": "x", "within": timedelta(days=1)},
    "no_gaps": {"table": "t", "column": "x", "step": 1, "start": 1},
    "decimals": {"table": "t", "column": "x", "places": 2},
    "minimum_rows": {"table": "t", "minimum": 1},
    "volume": {"table": "t", "share": "5%"},
}
_NUMBERS = frozenset(
    {
        "low",
        "high",
        "factor",
        "share",
        "within",
        "step",
        "start",
        "places",
        "minimum",
        "segments",
        "tolerance",
    }
)


def test_every_number_of_a_declaration_is_tried() -> None:
    """The table above names each function that takes a number, and each of these numbers."""
    for name in set(declare.__all__) - {"Declaration", "declaration"}:
        numbers = _NUMBERS & set(inspect.signature(getattr(declare, name)).parameters)
        assert numbers == _NUMBERS & set(_VALID.get(name, {})), name


@pytest.mark.parametrize("name", _VALID)
@pytest.mark.parametrize("value", [*NO_VALUES, INF, -INF, Decimal("Infinity")], ids=repr)
def test_no_declaration_takes_it_either(name: str, value: Any) -> None:
    """Each number of each function: a SuiteError that says where; infinity only where values are compared
    with it.
    """
    arguments = _VALID[name]
    getattr(declare, name)(**arguments)
    for argument in (*(_NUMBERS & set(arguments)), "tolerance"):
        if (
            name in {"quantile", "no_gaps"}
            and argument in {"low", "high", "start"}
            and not is_no_value(value)
        ):
            continue
        with pytest.raises(SuiteError) as caught:
            getattr(declare, name)(**{**arguments, argument: value})
        assert caught.value.origin.startswith(__file__), argument


@pytest.mark.parametrize(
    ("low", "high"),
    [(2, 1), (Decimal("1.01"), 1), (date(2026, 1, 2), date(2026, 1, 1)), (timedelta(2), timedelta(1))],
    ids=str,
)
def test_an_empty_interval_is_refused(low: Any, high: Any) -> None:
    """From the greater to the smaller lies nothing."""
    with pytest.raises(SuiteError, match="nothing is at least"):
        declare.quantile("t", "x", "50%", low=low, high=high)


@pytest.mark.parametrize(
    "check",
    [C.gt(INF), C.lt(-INF), C.gt(Decimal("Infinity")), C.str_length(min_value=0), C.str_length(max_value=-1)],
)
def test_what_no_value_or_every_value_satisfies_is_refused(check: Any) -> None:
    """Nothing is greater than infinity; every text has at least no characters."""
    with pytest.raises(SuiteError):
        suite_of(_schema(check))


@pytest.mark.parametrize(
    "given",
    [
        Tolerance(-1),
        Tolerance(2, 1, 2),
        Tolerance(None, 1, 0),
        Tolerance(None, 3, 2),
        Tolerance(),
        Tolerance(float("nan")),
    ],
)  # type: ignore[arg-type]
def test_a_tolerance_made_by_hand_is_read_as_one_that_is_written(given: Tolerance) -> None:
    """Less than nothing, all rows, a division by nothing, and two at once are none."""
    with pytest.raises(SuiteError):
        read_tolerance(given)


POOL: list[Any] = [Decimal(-7), Decimal("-0.5"), Decimal(0), Decimal("0.25"), Decimal(3), Decimal(10**25)]
"""What the columns below hold; bounds are drawn from the middle of it, so that some row lies on either
side.
"""

ENDS = [Decimal("-0.5"), 0.25, 3, INF, -INF, "NaN", "Infinity", "-inf", "3", "-0.5"]
RANGES = [(name, low, high) for name in ("gt", "ge", "lt", "le") for low in ENDS for high in (None,)]
RANGES += [(name, low, high) for name in ("in_range", "open") for low in ENDS for high in ENDS]
MORE = [("double precision", True), ("numeric", False), ("integer", True), ("real", False), ("bigint", False)]


@pytest.mark.parametrize(
    ("type_", "allow_nan"),
    [
        ("double precision", False),
        ("numeric", True),
        ("integer", False),
        *(pytest.param(*more, marks=pytest.mark.slow) for more in MORE),
    ],
)
def test_a_bound_that_loads_can_be_broken_and_kept(server: Server, type_: str, allow_nan: bool) -> None:
    """Law: where rows lie below, at, between and above all bounds, at infinity and at NaN, every check of
    a range that gets an answer finds a row that violates it and a row that does not; else it is refused
    when loaded, or is an ERROR."""
    special = [] if "int" in type_ else ["'NaN'", "'Infinity'", "'-Infinity'"]
    between = [(a + b) / 2 for a, b in pairwise(POOL)] if special else []
    listed = ", ".join(f"({v if special or abs(v) < 100 else 99})" for v in [*POOL, *between, *special])
    database = server.create(f"CREATE TABLE t (x {type_}); INSERT INTO t VALUES {listed}")
    loaded = [check for one in RANGES if (check := _loaded(*one, allow_nan=allow_nan)) is not None]
    schema = pa.DataFrameSchema({"x": pa.Column(None, loaded, metadata={"allow_nan": allow_nan})}, name="t")
    answers = [
        r for id, r in results(server, database, schema).items() if not id.endswith(("present", "not_null"))
    ]
    assert len(answers) == len(loaded) > 60
    assert sum(r.status is Status.FAIL for r in answers) > 20
    for check, answer in zip(loaded, answers, strict=True):
        if answer.status is not Status.ERROR:
            assert answer.violations is not None
            assert answer.examined is not None
            # No whole number may lie in an interval of fractions: that fails, and fails in the open.
            kept = answer.violations < answer.examined or "int" in type_
            assert answer.violations > 0, (check, answer)
            assert kept, (check, answer)
    server.drop(database)


def _loaded(name: str, low: Any, high: Any, *, allow_nan: bool) -> Any:
    """The check, or None where pandera or we refuse it."""
    try:
        check = CHECKS[name](low, high)
        suite_of(_schema(check, allow_nan=allow_nan))
    except (SuiteError, ValueError, TypeError, ArithmeticError):
        return None
    return check


@pytest.mark.parametrize("type_", ["numeric", "double precision"])
def test_a_text_that_the_server_reads_as_nan_gets_no_pass(server: Server, type_: str) -> None:
    """'NaN' beside a column of numbers is a NaN: an ERROR, for there the type is known. Beside a text it
    is a text.
    """
    database = server.create(
        f"CREATE TABLE t (id int PRIMARY KEY, x {type_}, s text); INSERT INTO t VALUES (1, 'NaN', 'a')"
    )
    for text in ("NaN", " nan", "-NaN", "+nan", "nan(1)", "NAN\n"):
        column = pa.Column(None, [C.le(text), C.in_range(text, text)])
        schema = pa.DataFrameSchema({"x": column, "s": pa.Column(None, C.ge(text))}, name="t")
        found = results(
            server,
            database,
            schema,
            declare.quantile("t", "x", "50%", high=text),
            declare.no_gaps("t", "x", start=text),
        )
        unanswered = {id for id, r in found.items() if r.status is Status.ERROR}
        assert unanswered == {"t.x.less_than_or_equal_to", "t.x.in_range", "t.x.quantile", "t.x.no_gaps"}, (
            text
        )
    server.drop(database)


@pytest.mark.parametrize("value", ["nan", "-nan", "inf", "-1", "1e999"])
def test_no_number_of_a_toml_file_is_nan(tmp_path: Path, value: str) -> None:
    """TOML has a nan and an inf: no key of a configuration, a contract or a waiver takes them for a
    number.
    """
    tables: dict[str, Any] = {name: field.annotation for name, field in ConfigFile.model_fields.items()}
    # Of tables with names of the reader's choice, one.
    tables |= {"scan.nightly": ScanTable}
    del tables["scan"]
    for section, table in tables.items():
        for key in table.model_fields:
            (tmp_path / "kisaan.toml").write_text(f"[{section}]\n{key} = {value}\n")
            with pytest.raises(UsageError):
                load_config(tmp_path / "kisaan.toml")
    promise = 'format = 1\n[[promise]]\nid = "p"\nkind = "rows_added"\ntable = "t"\nwhere = "x > 1"\nrows = '
    assert read_contract(promise + "1\n", "c.toml").promises
    with pytest.raises(SuiteError):
        read_contract(promise + value, "c.toml")
    waiver = 'format = 1\n[[waiver]]\ncheck = "c"\nreason = "r"\nowner = "o"\nexpires = 2999-01-01\nrows = '
    read_waivers(waiver + "1\n", "waivers.toml", {"c": None})  # type: ignore[dict-item]
    with pytest.raises(SuiteError):
        read_waivers(waiver + value, "waivers.toml", {"c": None})  # type: ignore[dict-item]


def test_fractions_are_numbers() -> None:
    """No number that is one is refused with the others."""
    assert not any(
        is_no_value(v)
        for v in (0, -0.0, INF, Fraction(1, 3), Decimal(0), "", "NaN", None, pd.Timestamp(0), date.max)
    )
