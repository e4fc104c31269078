"""What a check of a figure found is said in its line: one need not open the page to learn it."""

from __future__ import annotations

from shop import Shop

from kisaan_validate.facts.result import Result, Status
from kisaan_validate.report.found import found_words

ROW = (("total", "598"), ("wanted", "at least 1"))


def test_a_line_says_what_was_found() -> None:
    """The figures of at most three segments and the number of the others; nothing of rows, of what holds,
    or of hidden signs.
    """
    segments = tuple(
        (("shop", name), ("rows_found", "1"), ("wanted", "at least 2"))
        for name in ("a\u202eb", None, "", "d")
    )
    claim = "the sum of a is at least 1 (where b is at least 1)"
    assert (
        found_words(Result("x", Status.FAIL, 1, 9, sample=(ROW,)), claim)
        == "the sum of a (where b is at least 1): found total 598, must be at least 1"
    )
    said = found_words(
        Result("x", Status.FAIL, 41, 9, sample=segments), "the number of rows is at least 2, for each shop"
    )
    listed = "found shop a[U+202E]b, rows_found 1; shop NULL, rows_found 1; shop , rows_found 1; and 38 more"
    assert said == f"the number of rows, for each shop: {listed}, must be at least 2"
    assert found_words(Result("x", Status.TOLERATED, 1, 9, sample=(ROW,)), claim)
    assert found_words(Result("x", Status.PASS, 0, 9), claim) == ""
    assert found_words(Result("x", Status.FAIL, 1, 9, sample=((("id", "7"), ("total", "1")),)), claim) == ""
    assert found_words(Result("x", Status.FAIL, 1, 9), claim) == ""


def test_the_terminal_shows_it(shop: Shop) -> None:
    """Rows are so many *of* so many, a figure is one *in* so many; what it was stands beside what was
    wanted.
    """
    declarations = (
        "from kisaan_validate import declare\n"
        'declare.total("orders", "total", low=100)\ndeclare.row_count("orders", low=2, segment_by="note")\n'
        'declare.holds("orders", "total > 10", id="row")\ndeclare.column("orders", "total", type="text", '
        'id="typed")\n'
    )
    (shop.folder / "checks" / "figures.py").write_text(declarations)
    printed = shop.cli("run").stdout.splitlines()
    lines = {line.split()[2]: (line, printed[n + 1]) for n, line in enumerate(printed) if line[:4] == "fail"}
    assert lines["orders.total.total"][0].endswith("  1 in 3")
    found = "the sum of total of orders: found total 60.00, must be at least 100"
    assert lines["orders.total.total"][1].endswith(found)
    assert lines["typed"][1].endswith("total is numeric(12,2), must be text")
    assert lines["orders.row_count"][0].endswith("  3 in 3")
    assert "found note a, rows_found 1; note b, rows_found 1;" in lines["orders.row_count"][1]
    assert lines["row"][0].endswith("  1 of 3")
    (shop.folder / "checks" / "figures.py").write_text(
        'from kisaan_validate import declare\ndeclare.holds("orders", "gone > 10")\n'
    )
    assert "1 check without an answer" in shop.cli("run").stdout
