"""The verdict on a backup: every rule, and that nothing is good without proof."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from backup_cases import (
    AT,
    TAKEN,
    against,
    contents,
    differing,
    dump,
    everything,
    good,
    integrity,
    restored,
    taken,
)

from kisaan_validate.backup.judge import dump_age, judge_backup
from kisaan_validate.backup.limits import ALWAYS, not_proved
from kisaan_validate.facts.certificate import BackupEvidence, IndexCheck, KeyCheck
from kisaan_validate.facts.differences import Change, Diff, TableRowCounts, Unknown
from kisaan_validate.facts.dump import DumpedTable, LeftOut
from kisaan_validate.facts.result import Verdict

FEWER = Change("rows", "orders", "", "count", "7", "5", -2)
MORE = Change("rows", "orders", "", "count", "7", "9", 2)
OTHER_ROWS = Change("rows", "orders", "", "digest", "aa", "bb")
VALUES = Change("values", "orders", "total", "digest", "aa", "bb")
FIGURE = Change("values", "orders", "id", "maximum", "7", "9")
BEHIND = Change("sequence value", "", "orders_id_seq", "last value", "9", "7", -2)
TABLE = Change("table", "", "shops", "removed", "table", None)
INDEX = Change("index", "orders", "orders_at", "removed", "CREATE INDEX", None)
OWNER = Change("table", "", "orders", "owner", "app", "validate_restore")
GRANT = Change("grant", "orders", "app", "removed", "ALL", None)
OTHER_GRANT = Change("grant", "orders", "reader", "removed", "SELECT", None)
VERSION = Change("extension", "", "plpgsql", "version", "1.0", "1.1")
MOVED = against(same_snapshot=False, how="the newest there is")
BEFORE_IT = against(same_snapshot=False, younger=True)


def late(**changed: Any) -> BackupEvidence:
    """Two rows came, above the highest value of a declared column."""
    return differing(MORE, FIGURE, against=MOVED, late={"orders": 2}, **changed)


def asked(**changed: Any) -> Any:
    """What was asked, with this changed."""
    return replace(good().asked, **changed)


WRONG: dict[str, tuple[BackupEvidence, set[str]]] = {
    "empty": (good(dump=None, unread="shop.dump is empty"), {"empty"}),
    "a web page": (good(dump=None, unread="shop.dump is a web page"), {"no-dump"}),
    "truncated": (
        good(dump=dump(complete=False, damage="it ends early"), restored=None, diff=None, integrity=None),
        {"damaged"},
    ),
    "another file": (good(changed="its SHA-256 is another"), {"changed"}),
    "pg_dump complained": (good(complaints=("query failed",)), {"pg-dump-errors"}),
    "nothing in it": (good(dump=dump(contents=contents(tables=(), schema=False))), {"nothing"}),
    "no schema": (good(dump=dump(contents=contents(schema=False))), {"data-only"}),
    "no data": (
        differing(
            FEWER,
            dump=dump(contents=contents(tables=(DumpedTable("public.orders", defined=True, data=False),))),
        ),
        {"schema-only"},
    ),
    "data of a table": (
        differing(
            FEWER,
            dump=dump(
                contents=contents(
                    tables=(
                        DumpedTable("public.orders", defined=True, data=False),
                        DumpedTable("public.shops", defined=True, data=True),
                    )
                )
            ),
        ),
        {"data-left-out"},
    ),
    "stale": (good(asked=asked(max_age_seconds=3_600)), {"stale"}),
    "other name": (differing(FEWER, against=against(database="bank")), {"other-database"}),
    "no table in common": (
        differing(FEWER, dump=dump(database=""), counts=(TableRowCounts("orders", 7, None),)),
        {"other-database"},
    ),
    "restore errors": (
        good(restored=restored(errors=("duplicate key",), exit_code=3), diff=None, integrity=None),
        {"restore-errors"},
    ),
    "exit code alone": (good(restored=restored(exit_code=1), diff=None), {"restore-errors"}),
    "fewer rows": (differing(FEWER), {"rows"}),
    "more rows": (differing(MORE), {"rows"}),
    "other rows": (differing(OTHER_ROWS), {"rows"}),
    "values": (differing(VALUES), {"values"}),
    "a sequence behind": (differing(BEHIND), {"sequences"}),
    "a table": (differing(TABLE), {"table-left-out"}),
    "an index": (differing(INDEX), {"schema"}),
    "a grant": (differing(OTHER_GRANT), {"schema"}),
    "fewer rows, later": (differing(FEWER, against=MOVED), {"rows"}),
    "a table, later": (differing(TABLE, against=MOVED), {"table-left-out"}),
    "a key": (good(integrity=integrity(keys=(KeyCheck("unique", "t", "k", ("a",), 2),))), {"keys"}),
    "an index is damaged": (good(integrity=integrity(indexes=IndexCheck(1, "heap tuple"))), {"indexes"}),
}
"""What is wrong, and by which codes."""

OPEN: dict[str, tuple[BackupEvidence, set[str]]] = {
    "nobody knows whether it is whole": (
        good(dump=dump(complete=None, damage="no mark"), against=MOVED),
        {"unfinished"},
    ),
    "not restored": (
        good(restored=None, not_restored="no PostgreSQL 19", diff=None, integrity=None),
        {"not-restored"},
    ),
    "left out": (good(restored=restored(left_out=(LeftOut("subscription", "s", "why"),))), {"left-out"}),
    "no baseline": (good(against=None, diff=None), {"no-baseline"}),
    "not compared": (good(diff=None), {"not-compared"}),
    "no digests": (good(against=against(digests=False)), {"no-digests"}),
    "unknown": (good(diff=Diff(unknown=(Unknown("the rows of orders", "timeout"),))), {"unknown"}),
    "not covered": (good(counts=(TableRowCounts("orders", 7, 7),)), {"not-covered"}),
    "age": (good(dump=dump(taken_at=None)), {"age"}),
    "age without a zone": (
        good(dump=dump(taken_at=TAKEN.replace(tzinfo=None)), asked=asked(max_age_seconds=36_000)),
        {"age"},
    ),
    "more rows, later": (differing(MORE, against=MOVED), {"since"}),
    "values, later": (differing(VALUES, against=MOVED), {"since"}),
    "an index, later": (differing(INDEX, against=MOVED), {"schema"}),
    "a sequence, later": (differing(BEHIND, against=MOVED), {"schema"}),
    "fewer rows than a younger baseline": (differing(FEWER, against=BEFORE_IT), {"since"}),
    "a table of a younger baseline": (differing(TABLE, against=BEFORE_IT), {"table-left-out"}),
    "late rows, and others": (
        differing(MORE, OTHER_ROWS, against=MOVED, late={"orders": 2}),
        {"since"},
    ),
    "not all are late": (differing(MORE, FIGURE, against=MOVED, late={"orders": 1}), {"since"}),
    "late rows, a column unknown": (
        replace(late(), diff=Diff((MORE,), unknown=(Unknown("the values of orders.note", "json"),))),
        {"since", "unknown"},
    ),
    "a key": (good(integrity=integrity(keys=(KeyCheck("unique", "t", "k", ("a",), None),))), {"keys"}),
    "no key was read": (good(integrity=None), {"keys"}),
}
"""What cannot be told, and by which codes."""

GOOD: dict[str, BackupEvidence] = {
    "all is equal": good(),
    "nobody knows whether it is whole, and all is there": good(dump=dump(complete=None, damage="no mark")),
    "a sequence ahead": differing(replace(BEHIND, delta=2), ahead=("orders_id_seq",)),
    "another owner": differing(OWNER, GRANT),
    "the version of an extension": differing(VERSION),
    "accepted": good(
        restored=restored(left_out=(LeftOut("subscription", "s", "why"),)),
        asked=asked(accepted=("subscription s",)),
    ),
    "accepted by kind": good(
        restored=restored(left_out=(LeftOut("publication", "p", "why"),)),
        asked=asked(accepted=("publication",)),
    ),
    "only later rows": late(),
    "may shrink": differing(FEWER, against=MOVED, asked=asked(may_shrink=("orders",))),
    "NOT VALID, and broken": good(
        integrity=integrity(keys=(KeyCheck("foreign key", "t", "k", ("a",), 2, validated=False),))
    ),
    "no pg_amcheck": good(integrity=integrity(indexes=IndexCheck(None, "not here"))),
    "recorded": good(taken=taken(), dump=dump(taken_at=None)),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_fails(name: str) -> None:
    """FAIL, by exactly the reasons of that fault."""
    evidence, codes = WRONG[name]
    verdict, reasons = judge_backup(evidence)
    assert verdict is Verdict.FAIL
    assert {reason.code for reason in reasons if reason.wrong} == codes, reasons


@pytest.mark.parametrize("name", OPEN)
def test_what_is_open_is_inconclusive(name: str) -> None:
    """INCONCLUSIVE, by exactly these reasons, and nothing is called wrong."""
    evidence, codes = OPEN[name]
    verdict, reasons = judge_backup(evidence)
    assert verdict is Verdict.INCONCLUSIVE
    assert {reason.code for reason in reasons} == codes, reasons
    assert not any(reason.wrong for reason in reasons)


@pytest.mark.parametrize("name", GOOD)
def test_what_is_proved_passes(name: str) -> None:
    """PASS without a reason."""
    assert judge_backup(GOOD[name]) == (Verdict.PASS, ())


def test_two_faults_are_never_better_than_one() -> None:
    """Any two cases put together: as bad as the worse of both, whatever the order of their fields."""
    order = [Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL]
    cases = [e for e, _ in (*WRONG.values(), *OPEN.values())] + list(GOOD.values())
    # What was not reached cannot be judged beside something that rests on it.
    cases = [e for e in cases if e.dump is not None and e.restored is not None and e.diff is not None]
    plain = good()
    # What was asked, and against what, changes what a difference means.
    cases = [e for e in cases if (e.against, e.asked) == (plain.against, plain.asked)]
    assert len(cases) > 20
    for one, other in itertools.product(cases, cases):
        changes = {f.name: getattr(other, f.name) for f in fields(BackupEvidence)}
        changed = {name: value for name, value in changes.items() if value != getattr(plain, name)}
        mine = {f.name for f in fields(BackupEvidence) if getattr(one, f.name) != getattr(plain, f.name)}
        # Two that say different things of one field cannot be put together.
        if mine & changed.keys():
            continue
        both = judge_backup(replace(one, **changed))[0]
        worse = max(order.index(judge_backup(each)[0]) for each in (one, other))
        assert order.index(both) >= worse, (one, other)


MISSING = {"dump": None, "restored": None, "against": None, "diff": None, "integrity": None}


@pytest.mark.parametrize("left_out", [c for n in range(1, 6) for c in itertools.combinations(MISSING, n)])
def test_nothing_is_good_without_proof(left_out: tuple[str, ...]) -> None:
    """Whatever part of the proof is missing, in every combination: never PASS."""
    evidence = replace(good(), **{name: MISSING[name] for name in left_out})
    verdict, reasons = judge_backup(evidence)
    assert verdict is not Verdict.PASS
    assert reasons


@pytest.mark.parametrize(
    "change", [FEWER, MORE, OTHER_ROWS, VALUES, FIGURE, BEHIND, TABLE, INDEX, OTHER_GRANT]
)
@pytest.mark.parametrize("base", [against(), MOVED, BEFORE_IT])
def test_no_difference_passes_unsaid(change: Change, base: Any) -> None:
    """Each kind of difference, against each kind of baseline: never PASS."""
    assert judge_backup(differing(change, against=base))[0] is not Verdict.PASS


def test_a_time_without_a_zone_is_one_of_26_hours() -> None:
    """The age lies between the easternmost and the westernmost reading; an age is never negative."""
    plain = dump(taken_at=TAKEN.replace(tzinfo=None))
    assert dump_age(good(dump=plain)) == (timedelta(0), timedelta(hours=18))
    assert dump_age(good()) == (timedelta(hours=4), timedelta(hours=4))
    old = dump(taken_at=datetime(2026, 11, 20, 2, 0))
    assert dump_age(good(dump=old)) == (timedelta(days=10, hours=-12), timedelta(days=10, hours=14))
    assert dump_age(good(dump=dump(taken_at=None))) is None
    # The record knows better, unless it is of another file.
    assert dump_age(good(dump=plain, taken=taken())) == (AT - TAKEN, AT - TAKEN)
    assert dump_age(good(dump=plain, taken=taken(), changed="x")) != (AT - TAKEN, AT - TAKEN)


def test_the_limits_are_said_each_time() -> None:
    """The same sentences on every certificate, and what this restore did not look at."""
    for evidence in (good(), everything(), good(dump=None, unread="empty")):
        assert not_proved(evidence)[: len(ALWAYS)] == ALWAYS
    said = " ".join(not_proved(everything()))
    assert "pg_amcheck was not run: there is no pg_amcheck" in said
    assert "orders_late of orders is NOT VALID: old rows need not fit; 2 rows break it" in said
    assert "1 sequence went on" in said
    assert "owners and privileges" in " ".join(not_proved(differing(OWNER))).lower()
