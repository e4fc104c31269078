"""A run in a notebook: what is shown is safe and compact, and the frame has exact types."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest
from conftest import ROOT
from judged_cases import everything, hostile, one
from test_formats import WORSE
from test_report_page import every_status, make_run

from kisaan_validate.facts.check import Check, Form, Severity
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.verdict.judgement import judge


class _Seen(HTMLParser):
    """Every element with its attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", WORSE, ids=range(len(WORSE)))
@pytest.mark.parametrize("status", [Status.FAIL, Status.ERROR])
def test_hostile_text_is_only_text(text: str, status: Status) -> None:
    """No element or attribute but ours, each one closed, no style but a colour and an alignment."""
    seen = _Seen(hostile(text, status)._repr_html_())
    assert seen.open == []
    assert {tag for tag, _ in seen.elements} <= {
        "div",
        "p",
        "strong",
        "br",
        "small",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
        "bdi",
        "span",
    }
    for tag, given in seen.elements:
        assert set(given) <= {"class", "style", "title"}, tag
        assert re.fullmatch(r"color:#[0-9a-f]{6}|text-align:left", given.get("style") or "text-align:left")
    assert len(hostile("x" * 10_000)._repr_html_()) < 20_000


def test_the_verdict_comes_first_and_everything_unproved_is_named() -> None:
    """Verdict, why, then each failing or unanswered check, promise and difference; what holds is only
    counted.
    """
    seen = _Seen(everything()._repr_html_())
    assert seen.text.startswith("FAIL")
    for id in (
        "orders.fails",
        "orders.errs",
        "orders.skipped",
        "orders.lost",
        "orders.waived",
        "orders.warns",
        "no_rows_go",
        "orders: rows",
    ):
        assert id in seen.text
    assert "orders.passes" not in seen.text
    assert "11 checks in all" in seen.text
    assert every_status()._repr_html_() == judge(every_status())._repr_html_()


def test_a_long_list_is_capped_and_says_so() -> None:
    """3,000 failures stay a small fragment with the exact number of those left out."""
    checks = [Check(f"c{n}", "t", (), Form.ROW, "k", "claim") for n in range(3_000)]
    made = make_run(checks, [Result(c.id, Status.FAIL, 1, 2) for c in checks])._repr_html_()
    assert "… and 2,980 more" in made
    assert len(made) < 20_000


@pytest.mark.parametrize(
    ("status", "word"),
    [(Status.PASS, "PASS"), (Status.ERROR, "INCONCLUSIVE"), (Status.NOT_APPLICABLE, "INCONCLUSIVE")],
)
def test_the_verdict_is_the_judgement_s(status: Status, word: str) -> None:
    """What is not proved is not shown as a pass."""
    text = _Seen(one(status)._repr_html_()).text
    assert text.startswith(word)
    assert (word in {"PASS"}) is (status is Status.PASS)


def test_the_frame_has_exact_types() -> None:
    """Int64 for counts, NA where there is none, text for everything else, one row a check in order; no
    float, no object.
    """
    run = everything().run
    frame = run.to_frame()
    assert list(frame["check"]) == [c.id for c in run.checks]
    assert {str(frame[c].dtype) for c in ("violations", "examined")} == {"Int64"}
    assert {str(t) for c, t in frame.dtypes.items() if c not in {"violations", "examined"}} == {"string"}
    by_id = frame.set_index("check")
    assert by_id.loc["orders.fails", "violations"] == 99_999
    assert by_id.loc["orders.errs", "violations"] is pd.NA
    assert by_id.loc["orders.lost", "status"] == "error", "a lost result is an error, not a gap"
    assert by_id.loc["orders.empty", "violations"] == 0


def test_counts_beyond_what_a_float_can_tell_apart_stay_exact() -> None:
    """2^53 + 1 beside a missing count."""
    run = one(Status.FAIL, Severity.INFO).run
    big = 2**53 + 1
    more = replace(run, results=(replace(run.results[0], violations=big, examined=None),))
    frame = more.to_frame()
    assert int(frame["violations"][0]) == big
    assert frame["examined"][0] is pd.NA


def test_a_run_of_nothing_has_a_frame_of_the_same_types() -> None:
    """No check, no row, the same columns and types."""
    assert list(make_run([], []).to_frame().dtypes.astype(str)) == list(
        every_status().to_frame().dtypes.astype(str)
    )


def test_pandas_is_imported_when_a_frame_is_asked_for() -> None:
    """Neither the nouns nor what a notebook shows need it."""
    code = (
        "import sys; sys.path[:0] = ['tests']; from kisaan_validate.facts.run import Run; import "
        "kisaan_validate.verdict.judgement;"
        "print('pandas' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert shown.stdout.strip() == "False", shown.stderr


def test_the_repr_of_a_run_is_five_lines_without_a_value() -> None:
    """Id, where, when, how many checks came to what, verdict: no key, no message, nothing of a suite; names
    cannot move a terminal's cursor.
    """
    run = every_status()
    lines = repr(run).splitlines()
    assert len(lines) == 5
    assert [line.split()[0] for line in lines] == ["Run", "database", "at", "checks", "verdict"]
    assert run.id in lines[0]
    assert run.place.database in lines[1]
    counts = {status: sum(r.status is status for r in run.results) for status in Status}
    assert all(f"{n} {s.value.replace('_', ' ')}" in lines[3] for s, n in counts.items() if n)
    assert run.verdict.value in lines[4]
    odd = replace(run.place, database="d\x1b]0;x\x07\nverdict   PASS")
    shown = repr(replace(run, place=odd))
    assert len(shown.splitlines()) == 5
    assert "\x1b" not in shown
