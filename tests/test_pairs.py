"""Two values beside each other: where they differ is seen, on the console, in JSON and on the page."""

from __future__ import annotations

import html
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Server
from helpers import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markupsafe import Markup
from test_baseline_values import Values

from kisaan_validate.cli.main import main
from kisaan_validate.report.marks import marked, shown_alone, shown_apart
from kisaan_validate.report.text import flat
from kisaan_validate.text.pairs import alone, as_real, pair, window

HOSTILE = st.text(
    st.sampled_from("aA \n\t\u00a0\u200b·↵[]U+0A'é\u0301e\u0430…–NUL()\udcff\ufeff"), max_size=8
)
LONG = st.tuples(HOSTILE, st.integers(0, 900), HOSTILE).map(lambda t: t[0] + "x" * t[1] + t[2])
VALUES = st.one_of(
    st.none(), HOSTILE, LONG, st.sampled_from(["NULL", "none", "–", "", "'", "[U+000A]", "\n", "a b", "a  b"])
)


@given(
    before=VALUES,
    after=VALUES,
    quoted=st.booleans(),
    none=st.sampled_from(["NULL", "none", "–"]),
    longest=st.sampled_from([30, 60, 80]),
)
@example("y", "y\n", True, "NULL", 60)
@example("y", "y ", False, "–", 60)
@example("[U+000A]", "\n", False, "–", 60)
@example("x" * 200, "x" * 200 + "y", True, "NULL", 60)
@example("é", "e\u0301", True, "NULL", 60)
@example("pay", "p\u0430y", True, "NULL", 60)
@settings(max_examples=examples(400), deadline=None)
def test_different_values_never_look_alike(
    before: str | None, after: str | None, quoted: bool, none: str, longest: int
) -> None:
    """Law: two values have equal forms exactly if they are equal, also where blanks run together; and no
    form is long.
    """
    forms = pair(before, after, longest=longest, quoted=quoted, none=none)
    assert (forms[0] == forms[1]) == (before == after)
    assert (flat(forms[0]) == flat(forms[1])) == (before == after)
    assert max(map(len, forms)) <= 8 * longest + 100
    kept = window(before, after, longest)
    assert (kept[0] == kept[1]) == (before == after)
    for text in kept:
        assert text is None or len(text.encode("utf-8")) >= 0  # it can be written to a file
    shown = marked(*kept)
    assert (str(shown[0]) == str(shown[1])) == (before == after)


@given(before=VALUES, after=VALUES, longest=st.sampled_from([30, 60, 80]))
@example("·a", " a", 60)
@example("empty", "", 60)
@example("NULL", None, 60)
@example("'NULL'", "NULL", 60)
@example("x" * 100, "x" * 99 + "y", 60)
@example("[U+200B]", "\u200b", 60)
@example("x" * 60 + "… (40 more characters", "x" * 100, 60)
@settings(max_examples=examples(400), deadline=None)
def test_different_values_never_have_one_text(before: str | None, after: str | None, longest: int) -> None:
    """Law: on the page of a comparison two values beside each other, and two anywhere, have equal texts
    exactly if they are equal: without markup and colour. The same of the console, where they stand alone.
    """
    for forms in (
        shown_apart(before, after, longest),
        (shown_alone(before, longest), shown_alone(after, longest)),
        (Markup.escape(alone(before, longest)), Markup.escape(alone(after, longest))),
    ):
        texts = [html.unescape(re.sub("<[^>]*>", "", form)) for form in forms]
        assert (texts[0] == texts[1]) == (before == after), texts


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
@settings(max_examples=examples(200), deadline=None)
def test_a_real_is_shown_with_its_own_digits(value: float) -> None:
    """Law: the digits shown are the fewest that mean this real; two reals are never shown alike."""
    shown = as_real(repr(value))
    assert shown is not None
    assert struct.pack("f", float(shown)) == struct.pack("f", value)
    assert len(shown.lstrip("-").replace(".", "").partition("e")[0].lstrip("0")) <= 9


def test_what_is_no_real_number_stays() -> None:
    """NULL, NaN and the infinities."""
    assert [as_real(text) for text in (None, "NaN", "Infinity", "-Infinity")] == [
        None,
        "NaN",
        "Infinity",
        "-Infinity",
    ]
    assert as_real("0.10000000149011612") == "0.1"


@pytest.fixture(scope="module")
def both(server: Server) -> Iterator[tuple[str, str]]:
    """Two databases whose values differ where one hardly sees it."""
    make = (
        "CREATE TABLE t (id int PRIMARY KEY, v text, r real); INSERT INTO t VALUES (1, E'y', 0.1), "
        "(2, repeat('x', 900) || 'a', 1), (3, 'a b', 2)"
    )
    names = server.create(make), server.create(make)
    server.sql(
        "UPDATE t SET v = CASE id WHEN 1 THEN E'y\\n' WHEN 2 THEN repeat('x', 900) || 'b' ELSE 'a  b' "
        "END, r = 0.2 WHERE true",
        names[1],
    )
    yield names
    for name in names:
        server.drop(name)


SEEN = ("'y' → 'y[U+000A]'", "xxxa' → '", "xxxb'", "'a[U+0020]b' → 'a[U+0020][U+0020]b'", "'0.1' → '0.2'")


def test_diff_shows_what_differs(
    server: Server, both: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A line break, the tail of a long text, a second blank; a real has the digits of a real. JSON has
    both values whole.
    """
    sides = ["--before", server.dsn(both[0]), "--after", server.dsn(both[1])]
    assert main(["diff", *sides]) == 1
    said = capsys.readouterr().out
    assert [words for words in SEEN if words not in said] == []
    assert main(["diff", *sides, "--format", "json", "-o", str(tmp_path / "diff.json")]) == 1
    samples = json.loads((tmp_path / "diff.json").read_text(encoding="utf-8"))["tables"][0]["samples"]
    assert samples[0]["columns"]["r"] == {"before": "0.1", "after": "0.2"}
    assert all(s["columns"]["v"]["before"] != s["columns"]["v"]["after"] for s in samples)


def test_a_run_beside_a_baseline_shows_what_differs(server: Server, tmp_path: Path) -> None:
    """The same of kept values and of unexplained figures: on the console, in JSON, and on the page."""
    database = server.create("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'y')")
    case = Values(server, database, tmp_path)
    (tmp_path / "contract.toml").write_text(
        'format = 1\n[[promise]]\nid = "p"\nkind = "rows_unchanged"\ntable = "t"\n'
    )
    contract = ("--contract", str(tmp_path / "contract.toml"))
    try:
        assert case.keep("t.v", words=contract)[0] == 0
        case.sql("UPDATE t SET v = E'y\\n'")
        code, said = case.command(
            "run", "--baseline", str(case.file), *contract, "--reports", str(tmp_path / "reports")
        )
        assert code == 1
        assert "'y' → 'y[U+000A]'" in said
        assert "smallest: y → y[U+000A]" in said
        found, _, _ = case.found(*contract)
        assert [(s["before"], s["after"]) for s in found["t.v"]["samples"]] == [("y", "y\n")]
        assert "line feed" in case.page()
    finally:
        server.drop(database)


def test_a_value_that_was_cut_says_how_long_it_is() -> None:
    """What was cut on the server is shown with its own size and digest, and never like another that begins
    alike.
    """
    old, new = (f"{'x' * 500} ... (cut: 262144000 bytes, SHA-256 {c * 64})" for c in "ab")
    shown = pair(old, new)
    assert shown[0] == f"'{'x' * 60}… (262,144,000 bytes, SHA-256 aaaaaaaaaaaaaaaa)'"
    assert shown[0] != shown[1]
    assert "262,144,000 bytes" in str(window(old, "x", 500)[0])
