"""What identifies a function: a changed function is another check, a moved one is not."""

from __future__ import annotations

import ast
import functools
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandera.pandas as pa
import pytest
from helpers import write_suite

from kisaan_validate.facts.check import Form
from kisaan_validate.suite.functions import _parsed, meaning_of, source_of
from kisaan_validate.suite.load import load_suite, suite_of


def digests(folder: Path, source: str) -> dict[str, str]:
    """The digests of the Python checks of a source, by id."""
    text = "import re\nimport pandera.pandas as pa\nfrom decimal import Decimal\n" + textwrap.dedent(source)
    return {
        c.id: c.digest
        for c in load_suite(write_suite(folder, {"a.py": text})).checks
        if c.form is Form.PYTHON
    }


def schema(check: str, before: str = "") -> str:
    """A source with one check of t.x."""
    return f"{before}\nT = pa.DataFrameSchema({{'x': pa.Column(int, {check})}}, name='t')\n"


BASE = "def f(s):\n    return s > LIMIT\n"
CHANGES = {
    "its source": ("LIMIT = 5\n" + BASE.replace(">", ">="), "pa.Check(f)"),
    "a constant of the module": ("LIMIT = 6\n" + BASE, "pa.Check(f)"),
    "the type of a constant": ("LIMIT = '5'\n" + BASE, "pa.Check(f)"),
    "row_wise": ("LIMIT = 5\n" + BASE, "pa.Check(f, statistics={'row_wise': True})"),
    "element_wise": ("LIMIT = 5\n" + BASE, "pa.Check(f, element_wise=True)"),
    "ignore_na": ("LIMIT = 5\n" + BASE, "pa.Check(f, ignore_na=False)"),
    "groupby": ("LIMIT = 5\n" + BASE, "pa.Check(f, groupby='x')"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_function_is_another_check(tmp_path: Path, what: str) -> None:
    """The digest of a check covers its function, what it refers to, and what pandera makes of its answers."""
    before, check = CHANGES[what]
    assert digests(tmp_path / "a", schema("pa.Check(f)", "LIMIT = 5\n" + BASE)) != digests(
        tmp_path / "b", schema(check, before)
    )


def test_a_moved_function_is_the_same_check(tmp_path: Path) -> None:
    """Where a function stands, how its check is decorated, said or called in prose does not change its
    meaning.
    """
    one = digests(tmp_path / "a", schema("pa.Check(f)", "LIMIT = 5\n" + BASE))
    two = digests(
        tmp_path / "deep" / "b",
        schema(
            "pa.Check(f, title='as it should be', raise_warning=True, n_failure_cases=3)",
            "\n\n# more\nOTHER = 1\nLIMIT = 5\n\n" + BASE,
        ),
    )
    assert one == two
    assert list(one) == ["t.x.f"]


def test_lambdas_have_stable_ids(tmp_path: Path) -> None:
    """A lambda goes by what it says: a new one before it, or another line, does not rename it."""
    one = digests(tmp_path / "a", schema("[pa.Check(lambda s: s > 0), pa.Check(lambda s: s < 9)]"))
    two = digests(
        tmp_path / "b",
        schema("[\n  pa.Check(lambda s: s != 3), pa.Check(lambda s: s < 9),\n  pa.Check(lambda s: s > 0)]"),
    )
    assert len(one) == 2
    assert len(two) == 3
    assert one.items() <= two.items()
    assert all(re.fullmatch(r"t\.x\.lambda_[0-9a-f]{8}", id) for id in two)


@pytest.mark.slow
def test_a_suite_loads_the_same_every_time(tmp_path: Path) -> None:
    """Digests do not depend on the process, the order of sets or the folder's place."""
    source = schema(
        "pa.Check(lambda s: s.isin(KNOWN) | s.isin({'b', 'a', 'c'}) | s.map(P.match).notna())",
        "KNOWN = frozenset({'x', 'y', 'z'})\nP = re.compile('a' * 300)\n",
    )
    import subprocess
    import sys

    folder = write_suite(tmp_path, {"a.py": "import re\nimport pandera.pandas as pa\n" + source})
    script = (
        f"from kisaan_validate import load_suite\nprint([(c.id, c.digest) for c in "
        f"load_suite({str(folder)!r}).checks])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent.parent)},
            capture_output=True,
            text=True,
            check=True,
            cwd=cwd,
        ).stdout
        for seed, cwd in (("1", "/"), ("2", "/tmp"), ("3", str(tmp_path)))
    }
    assert len(said) == 1


def outer(limit: Any) -> Callable[..., Any]:
    """A function of its environment."""
    return lambda s: s > limit


def default(s: Any, limit: Any = 3) -> Any:
    """A function with a default."""
    return s > limit


def helper(value: Any) -> Any:
    """Called by another function."""
    return value > 1


def caller(s: Any) -> Any:
    """A function that calls another."""
    return s.map(helper)


def recursive(s: Any) -> Any:
    """A function that calls itself."""
    return s if s is None else recursive(s.x)


class Callable_:
    """An object that can be called."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def __call__(self, s: Any) -> Any:
        return s > self.limit


def test_a_function_is_what_it_refers_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closures, defaults, bound arguments, called functions and the state of callable objects are parts of
    the meaning.
    """
    same = [
        (outer(1), outer(1)),
        (functools.partial(default, limit=4), functools.partial(default, limit=4)),
        (Callable_(1), Callable_(1)),
        (caller, caller),
        (recursive, recursive),
        (outer(Decimal("1.0")), outer(Decimal("1.0"))),
    ]
    other = [
        (outer(1), outer(2)),
        (outer(1), outer(True)),
        (outer(1), outer("1")),
        (outer(Decimal("1.0")), outer(Decimal("1.00"))),
        (functools.partial(default, limit=4), functools.partial(default, limit=5)),
        (functools.partial(default), default),
        (Callable_(1), Callable_(2)),
        (outer(re.compile("a")), outer(re.compile("a", re.I))),
        (outer((1, 2)), outer([1, 2])),
        (str.isupper, str.islower),
        (len, abs),
        (outer({"a": 1}), outer({"a": 2})),
        (outer(helper), outer(caller)),
    ]
    for one, two in same:
        assert meaning_of(one) == meaning_of(two)
    for one, two in other:
        assert meaning_of(one) != meaning_of(two), (one, two)
    before = meaning_of(caller)
    monkeypatch.setitem(globals(), "helper", lambda value: value > 2)
    assert meaning_of(caller) != before


def test_the_right_lambda_of_a_line() -> None:
    """Of several lambdas on one line each has its own source, however they are nested and broken."""
    # How the lambdas are written is what is tested.
    # fmt: off
    some = [lambda s: s > 0, lambda s: s > 1, lambda s: (s > 2), lambda s: s.map(lambda v: v > 3),
            lambda s: (s
                       > 4)]
    # fmt: on
    said = [source_of(f) for f in some]
    assert [s and s[0].split("\n")[0] for s in said] == [
        "lambda s: s > 0",
        "lambda s: s > 1",
        "lambda s: (s > 2)",
        "lambda s: s.map(lambda v: v > 3)",
        "lambda s: (s",
    ]


def test_without_source_the_bytecode_speaks() -> None:
    """A function whose source is not at hand is known by its instructions and constants, those of inner
    functions too.
    """
    made = [
        eval(text)
        for text in (
            "lambda s: s > 0",
            "lambda s: s > 0",
            "lambda s: s > 1",
            "lambda s: s.map(lambda v: v > 1)",
            "lambda s: s.map(lambda v: v > 2)",
            "lambda s: s in {'a', 'b'}",
            "lambda s: s in {'b', 'a'}",
        )
    ]
    assert source_of(made[0]) is None
    texts = [meaning_of(f) for f in made]
    assert texts[0] == texts[1]
    assert texts[5] == texts[6]
    assert len(set(texts)) == 5
    suite = suite_of(pa.DataFrameSchema({"x": pa.Column(int, pa.Check(made[0]))}, name="t"))
    assert [c.claim for c in suite.checks if c.form is Form.PYTHON] == ["<lambda>()"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_is_parsed_once_and_its_segments_are_python_s(end: str) -> None:
    """A definition's text is what ``ast.get_source_segment`` says, whatever stands in lines and ends them."""
    texts = ["s > 0", "(s\n  > 0)", "s == '\u00fc\x0c\u2028'", "s.isin([\n'\u00e9', 1])", "s"]
    source = "".join(
        f"x\u00e9{n} = ('\U0001f600', lambda \u00fc, s: {text})\n" for n, text in enumerate(texts)
    )
    source = source.replace("\n", end)
    parsed = _parsed(source)
    found = {parsed.segment(node) for node in parsed.definitions}
    assert found == {ast.get_source_segment(source, node) for node in parsed.definitions}
    assert len(found) == len(texts)
    assert _parsed(str(source.encode(), "utf-8")) is parsed
    assert _parsed("def f(:").definitions == ()


@pytest.mark.parametrize(
    "line", ["[pa.Check(lambda s: s > 0), pa.Check(lambda s: s < 9)]", "pa.Check(lambda s: s > 0)"]
)
def test_lambdas_without_positions_are_told_apart_or_refused(line: str, tmp_path: Path) -> None:
    """Where Python was told to forget columns, two lambdas on one line are an error that says what to do; one
    alone is known by its line.
    """
    (tmp_path / "a.py").write_text(
        f'import pandera.pandas as pa\nmade = pa.DataFrameSchema({{"x": pa.Column(int, {line})}}, name="t")\n'
    )
    (tmp_path / "suite.toml").write_text('name = "s"\n')
    words = [
        sys.executable,
        "-X",
        "no_debug_ranges",
        "-m",
        "kisaan_validate",
        "list",
        "--suite",
        str(tmp_path),
    ]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"}
    )
    two = line.count("lambda") > 1
    assert done.returncode == (2 if two else 0), done.stderr
    assert ("has several lambdas" in done.stderr, "PYTHONNODEBUGRANGES" in done.stderr) == (two, two)
    assert "Traceback" not in done.stderr
