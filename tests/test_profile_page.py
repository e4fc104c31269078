"""Profiles on the page, in a real Chromium: exact, complete without eyes, colour and script, safe against values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import axe
import pytest
from browser import Browser, chromium
from judged_cases import signed_page
from test_page_access import _media
from test_report_page import earlier, every_status

from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.distribution import Distribution, Frequent, Histogram, QuantileValue
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.table import ColumnFacts, Family, Profile
from kisaan_validate.report.html import render_html
from kisaan_validate.report.profiles import ColumnView, profile_views
from kisaan_validate.verdict.judgement import judge

HOSTILE = "<img src=x onerror=alert(1)>\u202e end "


def total(shift: int) -> Distribution:
    """A column of amounts, whose rows moved by ``shift``."""
    quantiles = tuple(
        QuantileValue(share, f"{n + shift}.50") for n, share in enumerate(("0.25", "0.5", "0.75"), 10)
    )
    frequent = (Frequent("10.50", 70_000 + shift, 5), Frequent(f"{11 + shift}.00", 9, 5))
    drawn = Histogram(("0", "10", "20"), (99_990, 3 + shift), 0, 4 - shift, 0)
    return Distribution(
        3, 900 + shift, quantiles, (*frequent, *(Frequent(f"{n}", 1, 1) for n in range(3))), drawn
    )


def note(count: int) -> Distribution:
    """A column of texts, hostile and longer than what is kept."""
    frequent = (Frequent(HOSTILE, count, len(HOSTILE)), Frequent("x" * 200, 4, 1_234), Frequent("", 1, 0))
    return Distribution(0, 3, (), frequent)


def profiled(shift: int) -> Run:
    """A run with a table of each kind of column."""
    run = every_status()
    orders, locked = run.tables
    secret = Profile(Family.TEXT, 7, personal=True)
    columns = (
        ColumnFacts(
            "id", "json", Profile(Family.OTHER, 0), distribution=Distribution(0, message="statement timeout")
        ),
        replace(orders.columns[1], distribution=total(shift)),
        ColumnFacts("note", "text", Profile(Family.TEXT, 0, "", "x"), distribution=note(500 + shift)),
        ColumnFacts("email", "text", secret, distribution=Distribution(7, 99_000 + shift)),
        ColumnFacts(
            "gone",
            "date",
            Profile(Family.OTHER, 0),
            distribution=Distribution(0, 5, unmeasured={"histogram": "x"}),
        ),
    )
    return replace(run, tables=(replace(orders, columns=columns), locked))


def sides() -> tuple[Run, Baseline]:
    """A run, and the baseline before it."""
    return profiled(1), baseline_of(profiled(0))


def views(run: Run, before: Baseline | None) -> dict[str, ColumnView]:
    """The columns of the one table that was profiled."""
    (view,) = profile_views(judge(run, before))
    return {column.name: column for column in view.columns}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with profiles before and after."""
    run, before = sides()
    path = tmp_path_factory.mktemp("profile") / "report.html"
    path.write_text(render_html(judge(run, before), signed_page()[1]), encoding="utf-8")
    return path


UNFOLD = "for (const d of document.querySelectorAll('#profiles details')) d.open = true"


@pytest.mark.parametrize(
    ("width", "features"),
    [
        (1440, {}),
        (1440, {"prefers_color_scheme": "dark"}),
        (360, {}),
        (1280, {"forced_colors": "active"}),
        (794, {"media": "print"}),
    ],
)
def test_axe_finds_nothing_on_profiles(
    browser: Browser, page: Path, width: int, features: dict[str, str]
) -> None:
    """WCAG 2.2 AA with all of it unfolded: light, dark, narrow, forced colours, printed; nothing is wider than
    the page.
    """
    browser.open(page, width=width)
    _media(browser, **features)
    browser.ask(UNFOLD)
    assert axe.findings(browser) == []
    assert browser.ask("document.documentElement.scrollWidth") <= width
    assert browser.requests() == []
    assert browser.complaints() == []


def test_every_fact_of_a_profile_is_in_the_text(browser: Browser, page: Path) -> None:
    """Figures and differences, the counts of every bucket and value, and what is missing, without script."""
    browser.open(page, script=False)
    text = re.sub(r"\s+", " ", str(browser.ask("document.querySelector('#profiles').textContent")))
    for fact in (
        "before 900 →, after 901 (+1)",
        "median",
        "11.50",
        "(+1.00)",
        "0 to below 10",
        "99,990",
        "20 and more",
        "70,000",
        "70,001 (+1)",
        "of 1,234 characters",
        "U+202E",
        "not measured now: statement timeout",
        "personal: only counted",
        "1 column not profiled: statement timeout (orders.id)",
        "no histogram now: x",
    ):
        assert fact in text, fact
    assert browser.ask("document.querySelectorAll('#profiles img').length") == 0
    assert browser.ask("document.querySelectorAll('#profiles svg.hist title').length") == 1


def test_a_count_that_is_not_known_is_no_zero() -> None:
    """A value that is not among the listed ones of one side has no count there, unless these are all."""
    run, before = sides()
    found = views(run, before)
    lines = {line.value: (line.before, line.after, line.difference) for line in found["total"].frequent}
    assert lines["<bdi>11.00</bdi>"][:2] == ("9", "not listed")
    assert lines["<bdi>12.00</bdi>"][:2] == ("not listed", "9")
    # All three texts are listed, but one that was cut may be another one with the same beginning.
    cut = [line for line in found["note"].frequent if "1,234" in line.value]
    assert [(line.before, line.after) for line in cut] == [("not listed", "4"), ("4", "not listed")]


def test_alone_and_beside_a_baseline_without_profiles() -> None:
    """Each side is shown as far as it is known; nothing is made up for the other."""
    run, before = sides()
    bare = replace(
        before,
        tables=tuple(
            replace(t, columns=tuple(replace(c, distribution=None) for c in t.columns)) for t in before.tables
        ),
    )
    for other in (None, bare):
        column = views(run, other)["total"]
        figures = {line.name: line for line in column.figures}
        assert not column.compared
        assert figures["median"].before is None
        assert figures["distinct"].difference == ""
        assert len(column.histograms) == 1
    plain = every_status()
    assert profile_views(judge(plain, earlier(plain))) == ()
    assert "profiles" not in plain.to_html()


def test_equal_numbers_of_two_types_do_not_differ() -> None:
    """1.50 became 1.5000 with its type: no figure moved, and frequent values are matched with nothing."""
    run, before = sides()
    orders = run.tables[0]
    median = (QuantileValue("0.5", "11.5000"),)
    told = replace(total(0), quantiles=median)
    wider = replace(orders.columns[1], type="numeric(18,4)", distribution=told)
    run = replace(run, tables=(replace(orders, columns=(orders.columns[0], wider)), run.tables[1]))
    found = views(run, before)["total"]
    (line,) = (line for line in found.figures if line.name == "median")
    assert (line.differs, line.difference) == (False, "")
    assert all("not listed" in (line.before, line.after) for line in found.frequent)
