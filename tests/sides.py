"""Random sides of a migration, built in memory, and random contracts about them: what the laws of a
comparison are tried on.

Everything is drawn from a few names, so that two sides have much in common, and promises find what they
speak of.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from kisaan_validate.contract.load import Contract
from kisaan_validate.contract.needs import Arrival, Names, Removal
from kisaan_validate.contract.objects import ATTRIBUTES, OF_NO_TABLE, THEIR_OWN_TABLE
from kisaan_validate.contract.rules import (
    Added,
    Altered,
    Becomes,
    ChangedWhereNull,
    Dropped,
    Filled,
    Fixed,
    LookedUp,
    Promise,
    Recorded,
    Renamed,
    Retyped,
    Revised,
    RowsAdded,
    RowsArrived,
    RowsRemoved,
    RowsUnchanged,
    SequencesAdvance,
    SumPreserved,
)
from kisaan_validate.facts.check import Check, Form, Severity
from kisaan_validate.facts.measure_key import (
    WHICH_ROWS,
    MeasureKey,
    by_key,
    count_key,
    digests_key,
    names_key,
    of_column,
    remainder_key,
    replaced,
    settled_key,
)
from kisaan_validate.facts.place import Place
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.suite import Selection, SuiteFacts
from kisaan_validate.facts.table import (
    ColumnFacts,
    Family,
    Measured,
    Profile,
    SchemaObject,
    SequenceValue,
    TableFacts,
)

NOW = datetime(2025, 10, 18, 2, 0, tzinfo=UTC)
SUITE = SuiteFacts("laws", "0" * 64, (), 3, ("public", "shop"), ("tmp_*",), {"lendings": ("lendings", "t")})
PLACE = Place("here", "5432", "db", "role", "test", "18.0", 180000, "1", "UTC", False, "1-1", "0/0", NOW)
TABLES = (
    ("public", "t", "table"),
    ("public", "u", "partitioned table"),
    ("shop", "w", "table"),
    ("public", "tmp_x", "table"),
    ("public", "v", "view"),
)
TITLES = ("t", "u", "shop.w", "tmp_x", "v")
COLUMNS = ("id", "a", "b")
CHECKS = ("one", "two", "three")
RULES = ("first", "second", "third", "fourth")
SPEAKABLE = ("t", "u", "shop.w", "w", "lendings", "gone")
"""Names of tables as a contract may write them; the last is never there."""

few = st.integers(0, 4)
maybe = st.booleans()


def texts(family: Family) -> st.SearchStrategy[str | None]:
    """Ends of a family as the server would print them."""
    numbers = st.sampled_from(["0", "-1", "1.5", "1.50", "10", "NaN", "Infinity", "-Infinity", "9" * 40])
    times = st.sampled_from(
        [
            "2024-01-01 00:00:00+00",
            "2024-01-01 05:30:00+00",
            "2024-06-01 00:00:00+00",
            "infinity",
            "0001-01-01 00:00:00+00 BC",
        ]
    )
    words = st.sampled_from(["", "a", "b", "1", "\n", "é"])
    chosen = {
        Family.NUMBER: numbers,
        Family.FLOAT: numbers,
        Family.INSTANT: times,
        Family.LOCAL_TIME: times,
    }.get(family, words)
    return st.none() | chosen


@st.composite
def profiles(draw: Any) -> Profile:
    """The figures of a column."""
    family = draw(st.sampled_from(list(Family)))
    if draw(st.integers(0, 6)) == 0:
        return Profile(family, draw(few), personal=True)
    total = draw(texts(family)) if family in {Family.NUMBER, Family.FLOAT} else None
    return Profile(family, draw(few), draw(texts(family)), draw(texts(family)), total)


PALETTE = (
    Profile(Family.NUMBER, 0, "1", "3", "6"),
    Profile(Family.NUMBER, 0, "1.00", "3.0", "6.00"),
    Profile(Family.NUMBER, 1, "1", "2", "3"),
    Profile(Family.NUMBER, 0, "NaN", "NaN", "NaN"),
    Profile(Family.FLOAT, 0, "1", "3", "6.000001"),
    Profile(Family.TEXT, 0, "", "b"),
    Profile(Family.TEXT, 2),
    Profile(Family.INSTANT, 0, "2024-01-01 00:00:00+00", "2024-06-01 00:00:00+00"),
    Profile(Family.OTHER, 0),
    Profile(Family.TEXT, 1, personal=True),
)
"""Figures that sides have in common more often than chance would have it."""


def often(seldom: st.SearchStrategy[Any], mostly: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One in eight from the first."""
    return st.integers(0, 7).flatmap(lambda n: seldom if n == 0 else mostly)


figures = often(profiles(), st.sampled_from(PALETTE[:3]) | st.sampled_from(PALETTE))


@st.composite
def tables(draw: Any, place: tuple[str, str, str], calm: bool = False) -> TableFacts:
    """One table; unless it is calm its rows may be unknown, and so may figures."""
    names = [name for name in COLUMNS if draw(st.integers(0, 4))]
    types = st.sampled_from(["integer", "bigint", "text"])
    columns = tuple(
        ColumnFacts(name, draw(types), draw(figures if calm else often(st.none(), figures))) for name in names
    )
    rows = draw(few if calm else often(st.none(), few))
    return TableFacts(*place, rows, "" if rows is not None else "locked", columns)


@st.composite
def objects(draw: Any) -> tuple[SchemaObject, ...]:
    """Objects of every kind, over the tables that may be there."""
    found: dict[tuple[str, str, str], SchemaObject] = {}
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(list(ATTRIBUTES)))
        table = "" if kind in OF_NO_TABLE and kind != "grant" else draw(st.sampled_from([*TITLES, "s"]))
        name = (
            table
            if kind in THEIR_OWN_TABLE
            else draw(st.sampled_from([*COLUMNS, "f()", "r on function f()", "r on column a", "i"]))
        )
        facts = {
            a: draw(st.sampled_from(["yes", "1", "PRIMARY KEY (id)", "t", "t.a", "CREATE INDEX i ON t (a)"]))
            for a in ATTRIBUTES[kind]
            if draw(few) == 0
        }
        found[kind, table, name] = SchemaObject(kind, table, name, facts)
    return tuple(found.values())


@st.composite
def measures(draw: Any) -> tuple[Measured, ...]:
    """What may have been measured for the sake of any contract of :func:`contracts`."""
    ids: dict[MeasureKey, str] = {}
    for title in TITLES[:3]:
        ids |= {count_key(rule, title): title for rule in RULES} | {
            settled_key(title): title,
            digests_key(title): title,
        }
        ids |= {
            remainder_key(title, frozenset(s)): title
            for s in ([], ["first"], ["second"], ["first", "second"])
        }
    ids |= {names_key(rule): "t" for rule in RULES}
    found = []
    drawn = draw(st.lists(figures, min_size=3, max_size=3))
    digests = draw(
        st.lists(
            st.sampled_from([None, "hash/row/:1:1", "hash/row/:1:1", "hash/row/:1:2"]), min_size=3, max_size=3
        )
    )
    for place, (key, title) in enumerate(ids.items()):
        id = key.text
        if draw(st.integers(0, 9)) == 0:
            found += [Measured(id, title, message="division by zero")] * (place % 2)
            continue
        names = ("01", "02")[: draw(st.integers(0, 2))] if id.startswith("names") else ()
        named = (*map(of_column, COLUMNS), *(replaced("a", rule) for rule in RULES))
        columns = {c.text: drawn[(place + n) % 3] for n, c in enumerate(named)}
        columns |= {
            by_key(c).text: Profile(Family.OTHER, 0, digest=digests[n % 3])
            for n, c in enumerate((WHICH_ROWS, *named))
        }
        found.append(Measured(id, title, draw(few), columns if "rows of" not in id else {}, names))
    return tuple(found)


@st.composite
def runs(draw: Any) -> Run:
    """One side: a whole run, from which a baseline can be made. Half of them are calm: everything was
    read, all checks pass.
    """
    calm = draw(maybe)
    kept = [place for place in TABLES if draw(st.integers(0, 5))]
    checks = tuple(
        Check(
            id,
            "t",
            (),
            Form.ROW,
            "holds",
            id,
            draw(st.sampled_from(list(Severity))),
            digest=draw(st.sampled_from("xxy")),
        )
        for id in CHECKS
    )
    results = []
    for id in CHECKS:
        status = Status.PASS if calm else draw(st.sampled_from([*Status, Status.PASS, Status.FAIL]))
        counted = status in {Status.PASS, Status.FAIL, Status.TOLERATED}
        violations = (0 if status is Status.PASS else draw(st.integers(1, 3))) if counted else None
        sample = tuple((("id", str(n)),) for n in range(draw(st.integers(0, violations or 0))))
        results.append(
            Result(
                id, status, violations, sample=sample, key=("id",), sample_complete=len(sample) == violations
            )
        )
    unread = {
        what: "locked"
        for what in (*TITLES[:2], "index", "sequence s")
        if not calm and draw(st.integers(0, 9)) == 0
    }
    sequences = tuple(
        SequenceValue(n, draw(few), draw(maybe), draw(maybe)) for n in ("s", "shop.z") if draw(maybe)
    )
    return Run(
        "1",
        NOW,
        NOW,
        "0",
        SUITE,
        PLACE,
        Selection(),
        {},
        tuple(draw(tables(place, calm)) for place in kept),
        checks,
        tuple(results),
        objects=draw(objects()),
        unread=unread,
        sequences=sequences,
        measured=draw(measures()),
    )


@st.composite
def moved(draw: Any, run: Run) -> Run:
    """The same side after little happened: one column has other figures, a table other rows, or a part was
    exchanged.
    """
    what = draw(st.sampled_from(["nothing", "column", "column", "sequences", "table", "parts"]))
    if what == "parts":
        other = draw(runs())
        names = [
            n
            for n in ("tables", "checks", "results", "objects", "unread", "sequences", "measured")
            if draw(maybe)
        ]
        return replace(run, **{n: getattr(other, n) for n in names})
    if what == "sequences":
        return replace(
            run, sequences=tuple(replace(s, last_value=s.last_value + draw(few)) for s in run.sequences)
        )
    if what == "nothing" or not run.tables:
        return run
    chosen = draw(st.sampled_from(run.tables))
    changed = draw(tables((chosen.schema, chosen.name, chosen.kind), calm=True))
    if what == "column":
        figures_now = {c.name: c for c in changed.columns[:1]}
        changed = replace(chosen, columns=tuple(figures_now.get(c.name, c) for c in chosen.columns))
    return replace(run, tables=tuple(changed if t is chosen else t for t in run.tables))


@st.composite
def promises(draw: Any, id: str, names: tuple[str, ...] = SPEAKABLE) -> Promise:
    """One promise of any kind, about any of these tables."""
    table = draw(st.sampled_from(names))
    column = f"{table}.{draw(st.sampled_from(('a', 'id')))}"
    common: dict[str, Any] = {
        "id": id,
        "severity": draw(st.sampled_from(list(Severity))),
        "optional": draw(maybe),
    }
    kind = draw(st.sampled_from(list(ATTRIBUTES)))
    thing = {
        "object": kind,
        "table": table,
        "name": table if kind in THEIR_OWN_TABLE else draw(st.sampled_from([*COLUMNS, "i"])),
    }
    attribute = ATTRIBUTES[kind][0]
    made: list[Promise] = [
        RowsUnchanged(**common, table=table),
        RowsRemoved(**common, table=table, where="a = 1"),
        RowsAdded(**common, table=table, where="a = 2", rows=draw(st.none() | few)),
        RowsArrived(**common, table=table),
        Recorded(**common, table=table, names=("01", "02")),
        SumPreserved(**common, column=column),
        Retyped(
            **common,
            column=column,
            to=draw(st.sampled_from(["bigint", "text"])),
            using=draw(st.sampled_from(["", "{column}"])),
        ),
        Filled(**common, column=column, with_=draw(st.sampled_from(["", "0"]))),
        Becomes(**common, column=column, expression="a * 2"),
        ChangedWhereNull(**common, column=column),
        LookedUp(**common, column=column, from_="u", by=("a",), value="a"),
        Revised(**common, column=column),
        Renamed(
            **common,
            column=column,
            to=draw(st.sampled_from(("b", "a", "c")).filter(lambda to: not column.endswith(f".{to}"))),
        ),
        Renamed(
            **common, table=table, to=draw(st.sampled_from(("u", "t", "x")).filter(lambda to: to != table))
        ),
        Added(**common, **thing, facts=draw(st.sampled_from([None, {attribute: "yes"}]))),
        Dropped(**common, **thing),
        Altered(**common, **thing, attribute=attribute, to=draw(st.sampled_from(["", "yes"]))),
        Fixed(**common, check=draw(st.sampled_from(CHECKS))),
        SequencesAdvance(**common, names=draw(st.sampled_from(["*", "s"]))),
    ]
    return draw(st.sampled_from(made))


def _says(promise: Promise) -> set[Any]:
    """What no second promise of a contract may say: the values of a column, one name for one thing."""
    if isinstance(promise, Renamed):
        table = {"w": "shop.w", "lendings": "t"}.get(promise.place[0], promise.place[0])
        return {("old", table, promise.place[1]), ("new", table if promise.column else "", promise.to)}
    return {promise.rewrites()} - {None}


@st.composite
def contracts(draw: Any, names: tuple[str, ...] = SPEAKABLE) -> Contract:
    """Up to four promises; no two say what the values of one column become."""
    listed = [draw(promises(id, names)) for id in RULES[: draw(st.integers(0, 4))]]
    spoken: set[Any] = set()
    kept = []
    for promise in listed:
        said = _says(promise)
        if not said & spoken:
            kept.append(promise)
            spoken |= said
    return Contract("random", tuple(kept), "c" * 64, "")


def touched(promise: Promise) -> set[str]:
    """The titles of the tables that a promise may speak of; "" stands for what belongs to none."""
    named = getattr(promise, "table", "") or getattr(promise, "column", "").rpartition(".")[0]
    named = getattr(promise, "name", "") if getattr(promise, "object", "") in THEIR_OWN_TABLE else named
    own = {{"w": "shop.w", "lendings": "t"}.get(named, named), ""}
    if isinstance(promise, Renamed) and promise.table:
        schema = "shop." if next(iter(own - {""}), "").startswith("shop.") else ""
        own |= {promise.to, f"{schema}{promise.to}"}
    return own


def needs_rows(contract: Contract) -> bool:
    """Whether the contract sets rows of some table aside."""
    return any(isinstance(need, (Removal, Arrival, Names)) for need in contract.needs)
