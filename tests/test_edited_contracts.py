"""Beside a baseline that was taken with another version of the contract each promise is judged exactly as
beside a fresh one, or it is unknown and says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Server
from helpers import measuring
from test_contracts import CASES, Case
from test_report_page import make_run

from kisaan_validate import declare
from kisaan_validate.compare.renaming.names import Renames
from kisaan_validate.contract.both import Both, CannotTell, side_of
from kisaan_validate.contract.load import Contract, read_contract
from kisaan_validate.contract.meaning import meanings_of, stale_measures
from kisaan_validate.contract.naming import Fates
from kisaan_validate.contract.promise import Outcome, State
from kisaan_validate.contract.stale import StaleMeasures
from kisaan_validate.contract.story import Story, story_of
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.measure_key import WHICH_ROWS, by_key, of_column, refused_key, remainder_key
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.table import Family, Measured, Profile
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import baseline_from_json, baseline_to_json, run_from_json, run_to_json
from kisaan_validate.suite.load import Suite, SuiteSettings, suite_of
from kisaan_validate.verdict.judgement import Judgement, judge


def _as_kept(made: Run) -> Baseline:
    return baseline_from_json(baseline_to_json(baseline_of(made)))


def _same_or_unknown(edited: Judgement, fresh: Judgement) -> int:
    """Holds the law; returns how many promises are judged."""
    told = 0
    for (promise, found), (_, wanted) in zip(edited.promises, fresh.promises, strict=True):
        if found.state is State.UNKNOWN:
            assert found.explains <= wanted.explains, promise
        else:
            assert (found.state, found.explains, found.contradicts) == (
                wanted.state,
                wanted.explains,
                wanted.contradicts,
            ), promise
            told += 1
    if edited.verdict is Verdict.PASS:
        assert fresh.verdict is Verdict.PASS
    return told


# --- two tables -------------------------------------------------------------------------------------------

BEFORE = """
CREATE TABLE orders (id int PRIMARY KEY, total numeric(12,2), note text);
CREATE TABLE items (id int PRIMARY KEY, price int, kind text);
INSERT INTO orders SELECT n, n, NULLIF(n % 3, 0)::text FROM generate_series(1, 20) n;
INSERT INTO items SELECT n, n, 'k' FROM generate_series(1, 20) n;
"""
AFTER = """
DELETE FROM orders WHERE id > 18;
ALTER TABLE orders ALTER total TYPE numeric(18,2);
UPDATE items SET price = price * 2;
"""
ORDERS = """
[[promise]]
id = "gone"
kind = "rows_removed"
table = "orders"
where = "id > 18"
[[promise]]
id = "wide"
kind = "retyped"
column = "orders.total"
to = "numeric(18,2)"
using = "{column}"
"""
ITEMS = """
[[promise]]
id = "double"
kind = "becomes"
column = "items.price"
expression = "price * 2"
"""
HEAD = 'format = 1\nname = "both"\n'
SUITE = suite_of(declare.no_column_of_type("pg_lsn", id="always"))


@pytest.fixture(scope="module")
def shops(server: Server) -> Iterator[tuple[str, str]]:
    """The two tables before, and after the migration: a baseline can be taken at any time."""
    names = server.create(BEFORE), server.create(BEFORE + AFTER)
    yield names
    for name in names:
        server.drop(name)


def _run(server: Server, database: str, suite: Suite, text: str, before: Baseline | None = None) -> Run:
    contract = read_contract(text, "contract.toml")
    options = measuring(count_all=True, jobs=1, contract=contract)
    if before is not None:
        options = measuring(count_all=True, jobs=1, contract=contract, baseline=before, other_database=True)
    return run(suite, server.dsn(database), options=options)


def _judged(server: Server, shops: tuple[str, str], old: str, new: str, suite: Suite = SUITE) -> Judgement:
    """The migration judged by the contract ``new``, beside a baseline that was taken with ``old``."""
    before = _as_kept(_run(server, shops[0], suite, old))
    after = run_from_json(run_to_json(_run(server, shops[1], suite, new, before)))
    return judge(after, before, read_contract(new, "contract.toml"))


@pytest.mark.parametrize(
    ("old", "unknown"),
    [
        (HEAD + ORDERS + ITEMS, set()),
        (HEAD + "# a remark\n" + ORDERS + ITEMS, set()),
        (HEAD + ORDERS.replace('id = "wide"', 'id = "wide"\nwhy = "money"') + ITEMS, set()),
        (HEAD + ORDERS, {"double"}),
        (HEAD + ITEMS, {"gone", "wide"}),
        (HEAD + ORDERS + ITEMS.replace("price * 2", "price * 3"), {"double"}),
        (HEAD + ORDERS.replace("id > 18", "id > 17") + ITEMS, {"gone", "wide"}),
        (HEAD + ORDERS.replace('"gone"', '"went"') + ITEMS, {"gone", "wide"}),
        (HEAD + ORDERS.replace("using = ", "#") + ITEMS, {"gone", "wide"}),
    ],
)
def test_what_was_measured_in_the_same_meaning_is_judged(
    server: Server, shops: tuple[str, str], old: str, unknown: set[str]
) -> None:
    """An edit costs the promises about its own table, no other: these are judged. It passes nothing by
    itself, for it is not known when it was made.
    """
    new = HEAD + ORDERS + ITEMS
    fresh, edited = _judged(server, shops, new, new), _judged(server, shops, old, new)
    assert fresh.verdict is Verdict.PASS
    _same_or_unknown(edited, fresh)
    found = {promise.id for promise, outcome in edited.promises if outcome.state is State.UNKNOWN}
    assert found == unknown
    # A promise that is made when the outcome is known is no promise: judged, it still passes nothing.
    assert (edited.verdict is Verdict.PASS) == (old == new)
    if unknown:
        (said,) = [u.reason for u in edited.untold if u.what == "the contract"]
        assert "the baseline was taken with another version of the contract" in said
        table = "items" if "double" in unknown else "orders"
        assert f"asked something else of {table}; what it asks of other tables is judged" in said
        why = {o.message for p, o in edited.promises if p.id in unknown}
        assert all("another version of the contract" in message for message in why)


SALES = """
[[promise]]
id = "sold"
kind = "renamed"
table = "orders"
to = "sales"
[[promise]]
id = "total"
kind = "becomes"
column = "sales.total"
expression = "total * 2"
"""


@pytest.mark.parametrize(
    "migration", ["", "ALTER TABLE orders RENAME TO sales; UPDATE sales SET total = total * 2"]
)
def test_a_table_goes_by_both_names_of_a_rename(server: Server, migration: str) -> None:
    """A promise under the new name costs what is measured under the old one, be the rename done or not."""
    database = server.create(BEFORE + migration), server.create(BEFORE)
    shops = database[1], database[0]
    for old in (SALES.replace("total * 2", "total * 3"), SALES + ORDERS.split('[[promise]]\nid = "wide')[0]):
        fresh, edited = (
            _judged(server, shops, HEAD + text + ITEMS, HEAD + SALES + ITEMS) for text in (SALES, old)
        )
        _same_or_unknown(edited, fresh)
        states = {promise.id: outcome.state for promise, outcome in edited.promises}
        assert states["total"] is State.UNKNOWN
        assert states["double"] is State.NOT_DONE
    for name in database:
        server.drop(name)


def test_a_baseline_that_does_not_say_what_was_asked_tells_nothing(
    server: Server, shops: tuple[str, str]
) -> None:
    """One of an earlier version: every promise that needs its figures is unknown."""
    old, new = HEAD + ORDERS + ITEMS + "# x\n", HEAD + ORDERS + ITEMS
    before = replace(_as_kept(_run(server, shops[0], SUITE, old)), meanings={})
    after = _run(server, shops[1], SUITE, new, before)
    made = judge(after, before, read_contract(new, "contract.toml"))
    assert {outcome.state for _, outcome in made.promises} == {State.UNKNOWN}
    assert made.verdict is not Verdict.PASS
    assert stale_measures(read_contract(new, "contract.toml"), before, after).tables is None, "of any table"
    alien = replace(after, contract_digest="0" * 64)
    kept = _as_kept(_run(server, shops[0], SUITE, old))
    other = judge(alien, kept, read_contract(new, "contract.toml"))
    assert {outcome.state for _, outcome in other.promises} == {State.UNKNOWN}


def test_meanings_follow_what_decides_about_measures() -> None:
    """Checks of the suite that a promise names, personal columns, aliases; not severity or prose."""
    text = HEAD + ORDERS.replace('where = "id > 18"', 'surplus_of = "u"')
    contract = read_contract(text, "c")

    def meanings(where: str = "", contract: Contract = contract, **settings: object) -> dict[str, str]:
        unique = declare.unique("orders", "note", where=where, id="u")
        return meanings_of(contract, suite_of(unique, settings=SuiteSettings(name="s", **settings)))  # type: ignore[arg-type]

    plain = meanings()
    assert set(plain) == {"", "orders"}
    warned = text.replace('kind = "retyped"', 'kind = "retyped"\nseverity = "warning"\nwhy = "x"')
    assert meanings(contract=read_contract(warned, "c")) == plain
    assert meanings(where="note > 'a'") != plain
    assert meanings(personal=("orders.note",)) != plain
    assert set(meanings(aliases={"orders": ("sales", "app.old")})) == {"", "orders", "sales", "old"}
    renamed = text + '[[promise]]\nid = "r"\nkind = "renamed"\ncolumn = "items.kind"\nto = "sort"\n'
    assert meanings(contract=read_contract(renamed, "c"))["orders"] == plain["orders"]
    hidden = {"personal": ("*.sort",)}
    assert meanings(contract=read_contract(renamed, "c"), **hidden)["orders"] != meanings(**hidden)["orders"]


STALE = StaleMeasures(
    "edited", frozenset({"items"}), {"gone": frozenset({"orders"}), "double": frozenset({"items"})}
)


@pytest.mark.parametrize(
    ("titles", "rules", "used"),
    [
        (["orders"], [], True),
        (["items"], [], False),
        (["shop.items"], [], False),
        (["items.shop"], [], True),
        (["orders"], ["gone"], True),
        (["orders"], ["double"], False),
        ([], ["double"], False),
        ([], ["gone"], True),
        (["orders"], ["nobody"], False),
        (["orders", "items"], [], False),
    ],
)
def test_figures_of_a_table_are_used_unless_it_or_a_promise_of_it_was_asked_otherwise(
    titles: list[str], rules: list[str], used: bool
) -> None:
    """By any title that the table has had; figures for an unknown promise are not used."""
    assert STALE.of(titles, rules) == ("" if used else "edited")
    every = replace(STALE, tables=None)
    assert (every.of(titles, rules), bool(every)) == ("edited", True)
    for none in (replace(STALE, tables=frozenset()), replace(STALE, reason="")):
        assert (none.of(titles, rules), bool(none)) == ("", False)


def test_a_measure_is_asked_for_by_its_table_and_its_promises() -> None:
    """One of no table by its promises alone."""
    assert STALE.of_key(remainder_key("t", ["gone"]), ["orders"]) == ""
    assert STALE.of_key(remainder_key("t", ["gone"]), ["items"]) == "edited"
    assert STALE.of_key(remainder_key("t", ["double"]), ["orders"]) == "edited"
    assert STALE.of_key(refused_key("double"), ["items"]) == "edited"
    assert STALE.of_key(refused_key("gone"), ["items"]) == ""


@pytest.mark.parametrize(
    ("before", "now", "tables"),
    [
        ({"": "0", "orders": "a", "items": "b"}, {"": "0", "orders": "a", "items": "b"}, set()),
        ({"": "0", "orders": "a", "items": "b"}, {"": "0", "orders": "x", "items": "b"}, {"orders"}),
        ({"": "0", "orders": "a", "items": "b"}, {"": "0", "orders": "a"}, {"items"}),
        ({"": "0", "orders": "a"}, {"": "0", "orders": "a", "items": "b"}, {"items"}),
        ({"": "0", "orders": "a"}, {"": "1", "orders": "a"}, set()),
        ({}, {"": "0", "orders": "a"}, None),
        ({"": "0", "orders": "a"}, {}, None),
    ],
)
def test_a_table_is_stale_where_the_two_versions_asked_otherwise(
    before: dict[str, str], now: dict[str, str], tables: set[str] | None
) -> None:
    """Also where one of them asked nothing of it; of every table where a side does not say what it asked, or
    the run was made with another version.
    """
    contract = read_contract(HEAD + ORDERS + ITEMS, "c.toml")
    made = make_run([], [], meanings=now, contract_digest=contract.digest)
    baseline = replace(baseline_of(made), meanings=before, contract_digest="0" * 64)
    found = stale_measures(contract, baseline, made)
    assert found.tables == tables
    assert "with another version of the contract" in found.reason
    if tables is not None:
        assert found.rules == {"gone": {"orders"}, "wide": {"orders"}, "double": {"items"}}
    assert stale_measures(contract, baseline, replace(made, contract_digest="1" * 64)).tables is None
    assert (
        "without the contract" in stale_measures(contract, replace(baseline, contract_digest=""), made).reason
    )
    same = replace(baseline, contract_digest=contract.digest)
    assert not stale_measures(contract, same, made)
    judged = judge(made, baseline, contract)
    assert [u.what for u in judged.untold if u.what == "the contract"] == ["the contract"], (
        "it passes nothing"
    )


def test_figures_of_a_renamed_table_are_stale_by_its_old_title() -> None:
    """The old side knows it by that alone."""
    done = Renames(tables={"orders": "sales"})
    side = side_of(baseline_of(make_run([], [])), "before")
    stale = StaleMeasures("edited", frozenset({"orders"}))
    both = Both(side, side, {}, fates=Fates(done=done), stale=stale)
    with pytest.raises(CannotTell, match="edited"):
        both.old_measure(remainder_key("sales"))
    with pytest.raises(CannotTell, match="edited"):
        both.old_count("gone", "sales")


def test_nothing_of_the_old_side_is_used_where_it_was_asked_otherwise() -> None:
    """Neither how many rows stay, nor their figures, nor their digests; of another table all of it is."""
    keys = Profile(Family.OTHER, 0, digest="f:1:2")
    key = remainder_key("items", ["gone"])
    figures = {
        by_key(WHICH_ROWS).text: keys,
        of_column("price").text: Profile(Family.NUMBER, 0, "1", "2", "3"),
    }
    before = replace(baseline_of(make_run([], [])), measured=(Measured(key.text, "items", 5, figures),))
    side = side_of(before, "before")

    def story(stale: StaleMeasures) -> Story:
        return replace(story_of(Both(side, side, {}, stale=stale), "items"), done=frozenset({"gone"}))

    used = story(StaleMeasures())
    assert (used.staying, used.expected("price").total) == (5, "3")
    assert used.digest(used.both.before, WHICH_ROWS) == "f:1:2"
    stale = story(StaleMeasures("edited", frozenset({"items"}), {"gone": frozenset({"items"})}))
    for ask in (
        lambda: stale.staying,
        lambda: stale.expected("price"),
        lambda: stale.digest(stale.both.before, WHICH_ROWS),
    ):
        with pytest.raises(CannotTell, match="edited"):
            ask()


# --- the cases of tests/contracts -------------------------------------------------------------------------

_PROMISE = re.compile(r"^\[\[promise\]\]\n(?:(?!\[\[).*\n?)*", re.MULTILINE)


def _edits(text: str) -> list[str]:
    """The contract as it may have been when the baseline was taken: without one promise, or with another
    id.
    """
    blocks = [match[0] for match in _PROMISE.finditer(text)]
    without = [text.replace(block, "", 1) for block in (blocks[0], blocks[-1])]
    return [*without, text + "\n# a remark\n"] if len(blocks) > 1 else [text + "\n# a remark\n"]


def _plain_cases() -> list[Path]:
    """Every ninth folder that has nothing but a contract, SQL and perhaps a suite."""
    able = [
        f
        for f in CASES
        if (f / "contract.toml").exists()
        and not (f / "contract_before.toml").exists()
        and not (f / "checks_before.py").exists()
        and len(_PROMISE.findall((f / "contract.toml").read_text())) > 1
    ]
    return able[::9]


@pytest.mark.parametrize("folder", _plain_cases(), ids=lambda folder: folder.name)
def test_the_law_holds_for_migrations_of_every_kind(server: Server, tmp_path: Path, folder: Path) -> None:
    """With a remark more, everything is as fresh; with a promise less, each is as fresh or unknown."""
    database = server.create()
    case = Case(folder, server, database, tmp_path)
    case.sql("before.sql")
    text = case.text("contract.toml") or ""
    suite, new = case.suite("checks.py"), read_contract(text, "contract.toml")
    kept = {}
    for old in (text, *_edits(text)):
        try:
            kept[old] = _as_kept(_run(server, database, suite, old))
        except Exception:  # without a promise another may mean nothing
            continue
    case.sql("after.sql")
    judged = {}
    for old, before in kept.items():
        judged[old] = judge(_run(server, database, suite, text, before), before, new)
    server.drop(database)
    fresh = judged.pop(text)
    for old, edited in judged.items():
        told = _same_or_unknown(edited, fresh)
        if old.endswith("# a remark\n"):
            assert told == sum(o.state is not State.UNKNOWN for _, o in fresh.promises)
            assert [_plain(o) for _, o in edited.promises] == [_plain(o) for _, o in fresh.promises]
            passed = fresh.verdict is Verdict.PASS
            assert edited.verdict is (Verdict.INCONCLUSIVE if passed else fresh.verdict)


def _plain(outcome: Outcome) -> tuple[object, ...]:
    return (outcome.state, outcome.message, outcome.explains, outcome.contradicts)
