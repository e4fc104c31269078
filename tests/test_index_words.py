"""The pages over all runs, by the entries that they are made of: which runs stand where, and every number in
words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from index_cases import run_number
from test_runs_index import START

from kisaan_validate.facts.result import Verdict
from kisaan_validate.record.index import Entry, RunsIndex, Unread, entry_of
from kisaan_validate.report import index as pages
from kisaan_validate.verdict.judgement import judge

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
BASE = replace(
    entry_of(judge(run_number(0, START)), "f", "m", "d" * 64, page=True), host="h", database="shop", suite="s"
)


def entries(*verdicts: Verdict, **more: object) -> list[Entry]:
    """Runs of one database, the newest first, a day apart."""
    return [
        replace(BASE, folder=f"run-{n}", verdict=verdict, at=START - timedelta(days=n), **more)  # type: ignore[arg-type]
        for n, verdict in enumerate(verdicts)
    ]


def front(found: Sequence[Entry], unread: Sequence[Unread] = ()) -> str:
    """The text of index.html."""
    *_, (name, _, text) = pages.index_pages(RunsIndex(tuple(found), tuple(unread)))
    assert name == "index.html"
    return " ".join(text.split())


def test_the_sentence_counts_runs_databases_and_how_the_newest_came_out() -> None:
    """The worst first; the newest of each database, not any."""
    one = entries(PASS, FAIL, FAIL)
    assert "3 runs of 1 database, 2025-05-30 to 2025-06-01. Newest run: 1 passed." in front(one)
    other = entries(FAIL, PASS, database="ledger")
    third = entries(OPEN, database="books")
    said = front([*one, *other, *third])
    assert "6 runs of 3 databases" in said
    assert "Newest run of each: 1 failed, 1 inconclusive, 1 passed." in said
    assert "<title>PASS: shop, and 5 earlier runs" in said
    assert "1 run of 1 database, 2025-06-01. Newest run: 1 failed." in front(entries(FAIL))
    assert "No runs in this folder yet." in front([])


def test_the_worst_of_the_drawn_comes_first_and_no_database_is_left_out() -> None:
    """Twelve are drawn, those with the newest runs; the others are listed."""
    found = [
        replace(BASE, database=f"db{n:02}", folder=f"r{n}", at=START - timedelta(hours=n)) for n in range(15)
    ]
    found[3] = replace(found[3], verdict=FAIL)
    found[1] = replace(found[1], verdict=OPEN)
    found[13] = replace(found[13], verdict=FAIL)
    drawn, others = pages._targets(found)
    assert [card.newest.database for card in drawn][:3] == ["db03", "db01", "db00"]
    assert len(drawn) == 12
    assert [entry.database for entry in others] == ["db12", "db13", "db14"]


def test_months_are_those_of_utc() -> None:
    """Wherever the run was made; a month whose runs are all on index.html has no page."""
    late = datetime(2025, 6, 30, 23, 0, tzinfo=timezone(-timedelta(hours=5)))
    (month,) = pages._months([replace(BASE, at=late)])
    assert month.name == "2025-07"
    found = [replace(BASE, folder=f"r{n}", at=START - timedelta(hours=n)) for n in range(pages.NEWEST + 1)]
    assert [m.name for m in pages.older_months(found[:-1])] == []
    last = found[-1]
    (older,) = pages.older_months(found)
    assert last in older.entries
    assert len(older.entries) == sum(pages._month(e) == older.name for e in found)
    text = front(found)
    assert text.count('class="run ') == pages.NEWEST
    assert '<h2 id="h-runs">The newest 200 of 201 runs</h2>' in text
    assert '<h2 id="h-runs">Runs</h2>' in front(found[:-1])


def test_a_page_of_a_month_is_made_again_only_if_it_is_of_other_runs() -> None:
    """One that was made of the same is left as it is; of others it is not."""
    found = [replace(BASE, folder=f"r{n}", at=START - timedelta(hours=n)) for n in range(pages.NEWEST + 1)]
    (name, made_of, text), _ = pages.index_pages(RunsIndex(tuple(found)))
    assert text
    same, _ = pages.index_pages(RunsIndex(tuple(found), pages={name: made_of}))
    assert same == (name, made_of, "")
    other = [*found[:-1], replace(found[-1], verdict=FAIL)]
    again, _ = pages.index_pages(RunsIndex(tuple(other), pages={name: made_of}))
    assert again[2]


def words(own: Sequence[Entry]) -> dict[str, str]:
    """What is said of each line of a database, the newest run first."""
    (card,), _ = pages._targets(own)
    return {line.name: line.words for line in card.lines}


def remarks(*own: Entry) -> list[str]:
    """What is said of what is not drawn."""
    (card,), _ = pages._targets(own)
    return list(card.remarks)


def test_lines_are_of_whole_runs_the_oldest_first() -> None:
    """A run of a part, or one that was stopped, would draw an improvement."""
    one, two, three = entries(PASS, FAIL, FAIL)
    own = [
        replace(one, failed=1, milliseconds=1, tables=(("t", 5), ("u", 1))),
        replace(two, failed=9, partial=True, tables=(("t", 99),)),
        replace(three, failed=4, milliseconds=9, tables=(("t", None), ("w", 7))),
    ]
    said = words(own)
    assert said["Failing checks"] == "latest 1; lowest 1, highest 4"
    assert said["Rows of t"] == "latest 5; unchanged; not known in 1 run"
    assert said["Rows of u"] == "latest 1; unchanged; not known in 1 run"
    assert "Rows of w" not in said, "those of the newest run"
    lost = [replace(own[0], tables=(("t", None),)), replace(own[2], tables=(("t", 3),))]
    assert words(lost)["Rows of t"] == "latest not counted; unchanged; not known in 1 run"
    assert words(own[:1])["Failing checks"] == "latest 1"
    assert words([replace(own[0], tables=(("t", None),))])["Rows of t"] == "not counted"


def test_what_is_not_drawn_is_counted() -> None:
    """Partial runs, and whole ones before the newest sixty."""
    one, two, three = entries(PASS, PASS, PASS)
    assert remarks(one, two) == []
    assert remarks(one, replace(two, partial=True)) == ["1 partial or interrupted run is not drawn."]
    both = (replace(two, partial=True), replace(three, interrupted=True))
    assert remarks(one, *both) == ["2 partial or interrupted runs are not drawn."]
    many = [replace(one, folder=f"r{n}") for n in range(62)]
    assert remarks(*many) == ["The lines show the newest 60 runs; 2 earlier runs are not drawn."]
    assert remarks(*many[:61], both[0]) == [
        "1 partial or interrupted run is not drawn.",
        "The lines show the newest 60 runs; 1 earlier run is not drawn.",
    ]


def test_when_it_last_passed_is_said_of_whole_runs() -> None:
    """A partial run that passed says nothing of the checks that it left out."""
    failed, partial, passed = entries(FAIL, PASS, PASS)
    partial = replace(partial, partial=True)
    assert "Last passed on 2025-05-30 00:00:00 UTC." in remarks(failed, partial, passed)
    assert "No complete run in this folder passed." in remarks(failed, partial)
    assert remarks(passed, failed) == []


def test_another_server_under_the_same_name_is_said() -> None:
    """Since the newest run that it answered first."""
    one, two, three = entries(PASS, PASS, PASS)
    assert remarks(one, replace(two, server="9"), three)[0] == (
        "A different server answers under this name since 2025-06-01 00:00:00 UTC: the system identifier changed."
    )


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, ""),
        ({"contract": "c"}, "contract c"),
        ({"unkept": 1, "contract": "c"}, "contract c: 1 promise not kept"),
        ({"unexplained": 2}, "2 differences unexplained"),
        ({"listed": 1}, "1 difference, judged by no contract"),
        ({"untold": 3}, "3 could not be compared"),
        ({"inapplicable": 4}, "4 promises not applicable"),
        ({"unkept": 2, "untold": 1}, "2 promises not kept, 1 could not be compared"),
    ],
)
def test_what_a_comparison_came_to_is_said(facts: dict[str, object], said: str) -> None:
    """Each number under its own name."""
    assert pages._compared(replace(BASE, **facts)) == said  # type: ignore[arg-type]


def test_damaged_runs_are_named_first() -> None:
    """One that cannot be read may have been a failure."""
    unread = [
        Unread("a", "m", "no run"),
        Unread("z", "m", "damaged", damaged=True),
        Unread("b", "m", "no run"),
    ]
    assert [one.folder for one in pages._named(unread)] == ["z", "a", "b"]
