"""Two live sides, row by row: what was planted is found exactly, and nothing else; faults never look like
sameness.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from conftest import ROOT, Server, wait_until
from helpers import examples, rows_written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kisaan_validate.digest.forms import CanonicalForm, Context
from kisaan_validate.digest.parts import Part, table_digest
from kisaan_validate.digest.rows import buckets_sql
from kisaan_validate.digest.seeded import SeededDigest
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.catalogue import TypeFacts
from kisaan_validate.facts.row_differences import Kind, RowChange, RowDiff, TableDiff
from kisaan_validate.live import merge, statements
from kisaan_validate.live.options import DiffOptions
from kisaan_validate.live.run import diff_rows
from kisaan_validate.personal.lineage import How
from kisaan_validate.postgres.session import Limits
from kisaan_validate.postgres.target import find_target
from kisaan_validate.process.stopping import Stop

LAWS = settings(
    max_examples=examples(6),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
Sides = tuple[Server, str, Server, str]


class Seen:
    """Keeps every row that the comparison showed."""

    def __init__(self) -> None:
        self.rows: list[RowChange] = []

    def begin(self, table: str, columns: Any, key: Any) -> None:
        self.rows = [row for row in self.rows if row.table != table]

    def see(self, change: RowChange) -> None:
        self.rows.append(change)

    def end(self, table: str) -> tuple[()]:
        return ()


@pytest.fixture(scope="module")
def sides(server: Server, server15: Server) -> Iterator[Sides]:
    """Before on PostgreSQL 15, after on 18."""
    names = server15.create(), server.create()
    yield server15, names[0], server, names[1]
    server15.drop(names[0])
    server.drop(names[1])


def put(sides: Sides, before: str, after: str) -> None:
    """Empty both sides and run SQL on them."""
    empty = "DROP SCHEMA public CASCADE; CREATE SCHEMA public; "
    sides[0].sql(empty + before, sides[1])
    sides[2].sql(empty + after, sides[3])


def compare(sides: Sides, observer: Any = None, **options: Any) -> RowDiff:
    """The comparison of both sides."""
    options = {"limits": Limits(lock_timeout=300), **options}
    targets = find_target(sides[0].dsn(sides[1])), find_target(sides[2].dsn(sides[3]))
    return diff_rows(*targets, DiffOptions(**options), observer)


def one(diff: RowDiff) -> TableDiff:
    """The only table's differences."""
    (table,) = diff.tables
    return table


# --- random tables ----------------------------------------------------------------------------------------

TEXTS = st.sampled_from(["", "a", "b", "it's", "tab\tline\n", "\\N", "é😀", "1"])
VALUES = st.tuples(
    st.one_of(st.none(), TEXTS),
    st.one_of(st.none(), st.sampled_from(["0", "1.5", "-1.5", "1.50", "NaN", "1e20"])),
)
KEYS: dict[str, tuple[str, str, st.SearchStrategy[tuple[str, ...]]]] = {
    "int": ("k int PRIMARY KEY", "k bigint PRIMARY KEY", st.integers(-20, 20).map(lambda n: (str(n),))),
    "sparse bigint": (
        "k bigint PRIMARY KEY",
        "k bigint PRIMARY KEY",
        st.one_of(st.integers(-(2**63), 2**63 - 1), st.sampled_from([-(2**63), 2**63 - 1, 0])).map(
            lambda n: (str(n),)
        ),
    ),
    "numeric": ("k int PRIMARY KEY", "k numeric PRIMARY KEY", st.integers(-20, 20).map(lambda n: (str(n),))),
    "uuid": ("k uuid PRIMARY KEY", "k uuid NOT NULL UNIQUE", st.uuids().map(lambda u: (str(u),))),
    "text": ("k varchar(9) PRIMARY KEY", "k text PRIMARY KEY", TEXTS.map(lambda t: (t,))),
    "two columns": (
        "k int, l text, PRIMARY KEY (k, l)",
        "l text, k bigint, PRIMARY KEY (l, k)",
        st.tuples(st.integers(0, 5).map(str), TEXTS),
    ),
}


def rows_sql(rows: Mapping[tuple[str, ...], tuple[str | None, ...]], columns: str) -> str:
    """An INSERT of these rows."""
    listed = [
        ", ".join("NULL" if v is None else "'" + v.replace("'", "''") + "'" for v in (*key, *row))
        for key, row in rows.items()
    ]
    return f"INSERT INTO t ({columns}) VALUES {', '.join(f'({text})' for text in listed)};" if listed else ""


@pytest.mark.parametrize("kind", KEYS)
@given(data=st.data())
@LAWS
def test_what_differs_is_found_exactly(sides: Sides, kind: str, data: st.DataObject) -> None:
    """Rows added, removed and changed, and the columns that changed, for every kind of key; each seen
    once, in order.
    """
    old_key, new_key, keys = KEYS[kind]
    old = data.draw(st.dictionaries(keys, VALUES, max_size=25))
    new = (
        {key: row for key, row in old.items() if not data.draw(st.booleans())}
        if data.draw(st.booleans())
        else dict(old)
    )
    new |= data.draw(st.dictionaries(keys, VALUES, max_size=4))
    columns = "k, l, a, n" if kind == "two columns" else "k, a, n"
    put(
        sides,
        f"CREATE TABLE t ({old_key}, a varchar(20), n numeric(30, 4)); {rows_sql(old, columns)}",
        f"CREATE TABLE t ({new_key}, n numeric, a text); {rows_sql(dict(reversed(new.items())), columns)}",
    )
    seen = Seen()
    found = one(compare(sides, seen, schema=False))
    assert found.known, found.unknown

    def number(text: str | None) -> object:
        return None if text is None else text if text == "NaN" else float(text)

    both = [(key, old[key], new[key]) for key in old.keys() & new.keys()]
    texts = {key for key, x, y in both if x[0] != y[0]}
    numbers = {key for key, x, y in both if number(x[1]) != number(y[1])}
    assert (found.rows_before, found.rows_after) == (len(old), len(new))
    assert (found.added, found.removed, found.changed) == (
        len(new.keys() - old),
        len(old.keys() - new),
        len(texts | numbers),
    )
    assert found.columns == {name: len(rows) for name, rows in (("a", texts), ("n", numbers)) if rows}
    by_kind = {
        k: Counter(
            row.key if kind != "two columns" or found.keyed_by == ("k", "l") else row.key[::-1]
            for row in seen.rows
            if row.kind is k
        )
        for k in Kind
    }
    assert by_kind[Kind.ADDED] == Counter(new.keys() - old)
    assert by_kind[Kind.REMOVED] == Counter(old.keys() - new)
    assert by_kind[Kind.CHANGED] == Counter(texts | numbers)
    for row in seen.rows:
        assert set(row.columns) == (
            {
                c
                for c in "an"
                if row.before.get(c) != row.after.get(c)
                and (c == "a" or number(row.before[c]) != number(row.after[c]))
            }
            if row.kind is Kind.CHANGED
            else set()
        )


@given(old=st.lists(VALUES, max_size=12), new=st.lists(VALUES, max_size=12))
@LAWS
def test_tables_without_a_key_are_compared_as_multisets(sides: Sides, old: list[Any], new: list[Any]) -> None:
    """Surplus and missing copies are exact; nothing is said to be changed."""

    def values(rows: list[Any]) -> str:
        keyed = {(str(n),): row for n, row in enumerate(rows)}
        return rows_sql(keyed, "k, a, n") + "ALTER TABLE t DROP COLUMN k;"

    make = "CREATE TABLE t (k int, a text, n numeric);"
    put(sides, make + values(old), make + values(new))
    found = one(compare(sides, schema=False))

    def counts(rows: list[Any]) -> Counter[Any]:
        return Counter((a, n if n in (None, "NaN") else float(n)) for a, n in rows)

    assert found.keyed_by == ()
    assert (found.removed, found.added, found.changed) == (
        (counts(old) - counts(new)).total(),
        (counts(new) - counts(old)).total(),
        0,
    )
    assert found.known


def test_many_equal_rows_are_counted_not_kept(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key, a row may be there any number of times."""
    monkeypatch.setattr(merge, "MOST_OF_ONE_KEY", 100)
    make = (
        "CREATE TABLE t (a int); INSERT INTO t SELECT 1 FROM generate_series(1, {}); INSERT INTO t "
        "SELECT 2 FROM generate_series(1, {})"
    )
    put(sides, make.format(500, 7), make.format(497, 8))
    found = one(compare(sides))
    assert (found.known, found.removed, found.added) == (True, 3, 1)
    assert {(r.kind, r.copies) for r in found.samples} == {(Kind.REMOVED, 3), (Kind.ADDED, 1)}
    refused = one(compare(sides, keys={"t": ("a",)}))
    assert (refused.known, refused.changed) == (False, None)
    assert "share one key" in refused.unknown[0].reason


# --- larger tables: only buckets that differ are opened ---------------------------------------------------

MANY = """
CREATE TABLE t (k {key} PRIMARY KEY, shop int, amount numeric(12,2), note text, at timestamptz, tags text[], doc jsonb);
INSERT INTO t SELECT {make}, g % 7, (g * 1.37)::numeric(12,2), CASE WHEN g % 5 > 0 THEN 'note ' || g END,
  '2025-01-01 00:00Z'::timestamptz + g * interval '7 seconds', ARRAY[g::text, NULL], jsonb_build_object('g', g)
  FROM generate_series(1, 5000) AS g ORDER BY {order};
{more}; ANALYZE t;
"""
FAULTS = """
UPDATE t SET amount = amount + 0.01 WHERE shop = 3 AND note = 'note 3';
UPDATE t AS a SET amount = b.amount FROM t AS b WHERE (a.note, b.note) IN (('note 11', 'note 12'), ('note 12', 'note 11'));
UPDATE t SET note = '' WHERE (doc ->> 'g')::int IN (5, 10);
DELETE FROM t WHERE (doc ->> 'g')::int IN (100, 101, 4999);
INSERT INTO t SELECT {make}, 1, 1, 'new', now(), '{{}}', '{{}}' FROM generate_series(9001, 9002) AS g
"""
LAYOUTS = {
    "in order": ("bigint", "g", "g"),
    "sparse, shuffled": ("bigint", "g * 999983::bigint", "md5(g::text)"),
    "uuid": ("uuid", "md5(g::text)::uuid", "g"),
    "text": ("text", "'K' || g", "g"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("encoding", ["hash", "wide", "sha256"])
def test_only_differing_buckets_are_opened(
    sides: Sides, layout: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal counts, swapped amounts, NULL to '': all found in 5,000 rows, of which the client reads a few
    per cent.
    """
    key, make, order = LAYOUTS[layout]
    put(
        sides,
        MANY.format(key=key, make=make, order=order, more=""),
        MANY.format(key=key, make=make, order="random()", more=FAULTS.format(make=make)),
    )
    read: list[Any] = []
    whole = merge.merge
    monkeypatch.setattr("kisaan_validate.live.compare.merge", lambda *a: read.append(whole(*a)) or read[-1])
    found = one(compare(sides, encoding=encoding))
    assert found.known, found.unknown
    assert (found.rows_before, found.rows_after, found.added, found.removed, found.changed) == (
        5000,
        4999,
        2,
        3,
        5,
    )
    assert found.columns == {"amount": 3, "note": 2}
    assert max(read[0].read) < 1000


def test_a_table_equals_itself_whatever_the_settings_and_the_order(sides: Sides) -> None:
    """Other settings of role and database, another physical order, parallel workers, another server
    version: no difference.
    """
    every = """
    CREATE TABLE t (k bigint PRIMARY KEY, f float8, g real, i interval, b bytea, ts timestamp, tz timestamptz, d date, n numeric,
      j jsonb, a numeric[], r numrange, x text COLLATE "C", c char(7), y timestamptz[], z interval[]);
    INSERT INTO t SELECT g, g / 3.0, (g / 7.0)::real, g * interval '1 mon 3 days 7.5 s', sha256(g::text::bytea),
      '2025-01-01'::timestamp + g * interval '1 hour', '2025-01-01Z'::timestamptz + g * interval '1 hour', '2025-01-01'::date + g,
      g * 1.10, jsonb_build_object('a', g / 3.0::float8, 'b', NULL), ARRAY[g * 1.10, NULL], numrange(g, g + 1.50), 'x' || g, 'c' || g,
      ARRAY['2025-01-01Z'::timestamptz + g * interval '1 hour'], ARRAY[g * interval '1 mon 3 days']
    FROM generate_series(1, 2000) AS g ORDER BY {order}; ANALYZE t;
    """
    put(sides, every.format(order="g"), every.format(order="md5(g::text)"))
    hostile = {
        "TimeZone": "'Asia/Kolkata'",
        "DateStyle": "'SQL, DMY'",
        "extra_float_digits": "'-15'",
        "search_path": "nowhere",
        "IntervalStyle": "sql_standard",
        "bytea_output": "escape",
        "lc_monetary": "'C'",
        "jit": "on",
        "parallel_setup_cost": "0",
        "parallel_tuple_cost": "0",
        "min_parallel_table_scan_size": "0",
        "enable_hashagg": "off",
        "work_mem": "'64kB'",
    }
    for name, value in hostile.items():
        sides[2].sql(f"ALTER DATABASE {sides[3]} SET {name} = {value}")
    try:
        diff = compare(sides, zone="UTC")
        assert one(diff).same, diff
        assert diff.known
        assert not diff.differs, diff.schema
    finally:
        sides[2].sql(f"ALTER DATABASE {sides[3]} RESET ALL")


def test_types_widened_by_a_migration_are_no_change(sides: Sides) -> None:
    """numeric precision, int to bigint, varchar to text, timestamp to timestamptz, json to jsonb, enum to
    text: no row changed.
    """
    before = """CREATE TYPE s AS ENUM ('PAID', 'DUE'); CREATE DOMAIN money2 AS numeric(12,2);
      CREATE TABLE t (k int PRIMARY KEY, n money2, v varchar(9), ts timestamp, j json, e s, c char(5), r real, a int[]);
      INSERT INTO t VALUES (1, 5, 'x', '2025-10-18 05:30', '{"b":1,"a":2}', 'PAID', 'ab', 0.1, '{1,2}'), (2, NULL, '', 'infinity', NULL, 'DUE', '', 'NaN', NULL)"""
    after = """SET TimeZone = 'Asia/Kolkata'; CREATE TABLE t (k bigint PRIMARY KEY, n numeric(18,4), v text, ts timestamptz, j jsonb, e text, c varchar(9), r float8, a bigint[]);
      INSERT INTO t VALUES (1, 5, 'x', '2025-10-18 05:30', '{"b":1,"a":2}', 'PAID', 'ab', 0.1::real, '{1,2}'), (2, NULL, '', 'infinity', NULL, 'DUE', '', 'NaN', NULL)"""
    put(sides, before, after)
    found = one(compare(sides, zone="Asia/Kolkata", schema=False))
    assert found.same, found
    moved = one(compare(sides, zone="UTC", schema=False))
    assert moved.columns == {"ts": 1}
    assert [(r.before["ts"], r.after["ts"]) for r in moved.samples] == [
        ("2025-10-18 05:30:00+00", "2025-10-18 00:00:00+00")
    ]
    untold = compare(sides, schema=False)
    assert not untold.known
    assert not untold.differs
    assert "its time zone was not declared" in untold.tables[0].unknown[0].reason


def test_a_scale_that_was_written_into_the_catalogue_is_found_out(sides: Sides) -> None:
    """Numbers stored under another scale than their column declares are the same numbers, and a changed
    one is a changed one.
    """
    rows = "INSERT INTO t SELECT n, n + 0.5, n + 0.5 FROM generate_series(1, 900) AS n;"
    hacked = (
        "UPDATE pg_attribute SET atttypmod = ((12 << 16) | 4) + 4 WHERE attrelid = 't'::regclass "
        "AND attname = 'amount'"
    )
    put(
        sides,
        f"CREATE TABLE t (id int PRIMARY KEY, amount numeric(12,1), fee numeric(12,2)); {rows} {hacked}",
        f"CREATE TABLE t (id int PRIMARY KEY, amount numeric(12,4), fee numeric(14,2)); {rows}"
        "UPDATE t SET amount = amount + 0.0001, fee = -fee WHERE id = 7",
    )
    found = one(compare(sides))
    assert not found.unknown
    assert (found.added, found.removed, found.changed, found.columns) == (0, 0, 1, {"amount": 1, "fee": 1})


@pytest.mark.slow
@pytest.mark.parametrize(
    "more", ["", ", seen timestamptz[] DEFAULT '{2025-10-18 05:30+00}'", ", day date DEFAULT '2025-10-18'"]
)
def test_clocks_that_became_moments(sides: Sides, more: str) -> None:
    """In a zone with summer time: nothing changed, one moment an hour off; also beside values that print
    in a zone.
    """
    rows = (
        "INSERT INTO t SELECT n, timestamp '2025-03-29' + n * interval '20 min' FROM "
        "generate_series(1, 20000) AS n"
    )
    put(
        sides,
        f"CREATE TABLE t (id int PRIMARY KEY, at timestamp{more}); {rows}",
        f"CREATE TABLE t (id int PRIMARY KEY, at timestamp{more}); {rows};"
        "ALTER TABLE t ALTER at TYPE timestamptz USING at AT TIME ZONE 'Europe/Berlin'",
    )
    same = one(compare(sides, zone="Europe/Berlin"))
    assert (same.added, same.removed, same.changed, same.unknown) == (0, 0, 0, ())
    sides[2].sql("UPDATE t SET at = at + interval '1 hour' WHERE id = 100", sides[3])
    found = one(compare(sides, zone="Europe/Berlin"))
    assert (found.added, found.removed, found.columns, found.unknown) == (0, 0, {"at": 1}, ())
    (row,) = found.samples
    assert row.before["at"] == "2025-03-30 07:20:00+00"
    assert one(compare(sides, zone="Asia/Kolkata")).changed == 20000


def test_a_declared_cast_says_what_equal_means(sides: Sides) -> None:
    """Boolean and integer have no form in common until a cast is declared; a cast to fewer decimals rounds
    both sides.
    """
    put(
        sides,
        "CREATE TABLE t (k int PRIMARY KEY, b bool, n numeric); INSERT INTO t VALUES (1, true, 1.005)",
        "CREATE TABLE t (k int PRIMARY KEY, b int, n numeric(9,2)); INSERT INTO t VALUES (1, 1, 1.01)",
    )
    untold = one(compare(sides, schema=False))
    assert (untold.known, untold.changed) == (False, 1)
    assert one(compare(sides, schema=False, casts={("t", "b"): "int4", ("t", "n"): "numeric(9,2)"})).same
    for wrong in ("nothing", "int4; DROP TABLE t", "int4) FROM t --"):
        with pytest.raises(UsageError, match="--cast"):
            compare(sides, casts={("t", "b"): wrong})


def test_columns_and_tables_of_one_side_are_differences_of_the_schema(sides: Sides) -> None:
    """No row is called changed because of them; --rows-only leaves them aside, but not a table's rows."""
    put(
        sides,
        "CREATE TABLE t (k int PRIMARY KEY, gone text); INSERT INTO t VALUES (1, 'x'); CREATE TABLE old "
        "(x int); INSERT INTO old VALUES (1)",
        "CREATE TABLE t (k int PRIMARY KEY, come text DEFAULT 'y'); INSERT INTO t VALUES (1)",
    )
    diff = compare(sides)
    old, t = diff.tables
    assert (t.same, old.removed, old.rows_after) == (True, 1, 0)
    assert {(c.kind, c.name, c.aspect) for c in diff.schema} >= {
        ("column", "gone", "removed"),
        ("column", "come", "added"),
        ("table", "old", "removed"),
    }
    alone = compare(sides, schema=False, select=("t",))
    assert (alone.differs, alone.known) == (False, True)


def test_two_schemas_of_one_database(sides: Sides) -> None:
    """Their objects are compared by name, whatever the schemas are called."""
    make = (
        "CREATE SCHEMA {0}; CREATE TABLE {0}.t (k int PRIMARY KEY, v text DEFAULT 'x'); CREATE INDEX "
        "i ON {0}.t (v); INSERT INTO {0}.t VALUES (1);"
    )
    put(sides, "", make.format("a") + make.format("b"))
    same = (sides[2], sides[3], sides[2], sides[3])
    diff = compare(same, before_schemas=("a",), after_schemas=("b",))
    assert not diff.differs, diff.schema
    assert diff.known
    sides[2].sql("UPDATE a.t SET v = 'y'; DROP INDEX b.i", sides[3])
    diff = compare(same, before_schemas=("a",), after_schemas=("b",), samples=1)
    assert one(diff).columns == {"v": 1}
    assert [(c.kind, c.aspect) for c in diff.schema] == [("index", "removed")]


def test_rows_that_came_later_are_told_apart(sides: Sides) -> None:
    """By key or by a declared column; a gap filled below the highest key is no late row."""
    put(
        sides,
        "CREATE TABLE t (k int PRIMARY KEY, at date); INSERT INTO t VALUES (1, '2025-01-01'), (5, "
        "'2025-01-02')",
        "CREATE TABLE t (k int PRIMARY KEY, at date); INSERT INTO t VALUES (1, '2025-01-01'), (5, "
        "'2025-01-02'), (3, '2025-02-01'), (6, '2025-01-03')",
    )
    by_key = one(compare(sides, since={"t": ("", None)}))
    assert (by_key.added, by_key.late) == (1, 1)
    by_column = one(compare(sides, since={"t": ("at", "2025-01-15")}))
    assert (by_column.added, by_column.late) == (1, 1)
    all_late = compare(sides, since={"t": ("at", "2025-01-03")})
    assert (one(all_late).added, one(all_late).late, all_late.differs) == (0, 2, False)
    assert {r.late for r in one(all_late).samples} == {True}


def test_personal_values_are_masked(sides: Sides) -> None:
    """In keys and rows, on both sides; the pair says so to whoever is shown all rows."""
    make = "CREATE TABLE t (phone text PRIMARY KEY, v int); INSERT INTO t VALUES ('98765', {}), ('{}', 1)"
    put(sides, make.format(1, "11111"), make.format(2, "22222"))
    found = one(compare(sides, asked=lambda table, column: How.NAMED if column == "phone" else How.NOT))
    assert (found.changed, found.added, found.removed) == (1, 1, 1)
    assert "98765" not in str(found.samples) + str(found.columns)
    assert [pair.personal for pair in found.compared] == [True, False]


def test_an_error_does_not_quote_personal_values(sides: Sides) -> None:
    """The server says which text is no number; that may be somebody's."""
    put(sides, *["CREATE TABLE t (k int PRIMARY KEY, phone text); INSERT INTO t VALUES (1, 'x98765')"] * 2)
    found = one(
        compare(
            sides,
            casts={("t", "phone"): "int8"},
            asked=lambda table, column: How.NAMED if column == "phone" else How.NOT,
        )
    )
    assert not found.known
    assert "98765" not in str(found.unknown)
    assert "invalid input syntax" in str(found.unknown)


def test_a_declared_key_that_is_none_is_said(sides: Sides) -> None:
    """Rows that share a key are matched where equal; what is left differs, and it is said that the key is
    none.
    """
    make = "CREATE TABLE t (k int, v text); INSERT INTO t VALUES (1, 'a'), (1, 'b'), (2, 'c'), (NULL, 'd'){};"
    put(
        sides,
        make.format(""),
        make.format("") + "UPDATE t SET v = 'z' WHERE v = 'b'; UPDATE t SET v = 'y' WHERE k IS NULL",
    )
    found = one(compare(sides, keys={"t": ("k",)}))
    assert (found.changed, found.columns) == (2, {"v": 2})
    assert "is not a key" in found.unknown[0].reason
    with pytest.raises(UsageError, match="--key"):
        compare(sides, keys={"t": ("nothing",)})
    with pytest.raises(UsageError, match="--key"):
        compare(sides, keys={"u": ("k",)})


def test_one_far_key_does_not_open_everything(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key far from all others leaves spans of the key useless: a hash of the key takes their place."""
    make = (
        "CREATE TABLE t (k bigint PRIMARY KEY, v int); INSERT INTO t SELECT g, 0 FROM "
        "generate_series(1, 3000) AS g; INSERT INTO t VALUES (1000000000000, 0); ANALYZE t; {}"
    )
    put(sides, make.format(""), make.format("UPDATE t SET v = 1 WHERE k = 700"))
    monkeypatch.setattr("kisaan_validate.live.compare._skewed", lambda old, new, differing: True)
    found = one(compare(sides))
    assert "a hash of the key" in found.how
    assert (found.changed, found.columns) == (1, {"v": 1})


def test_a_column_that_cannot_be_digested_costs_only_itself(sides: Sides) -> None:
    """A json text that jsonb refuses: the other columns are compared, and the one is said not to be."""
    put(
        sides,
        "CREATE TABLE t (k int PRIMARY KEY, j json, v int); INSERT INTO t VALUES (1, '\"\\u0000\"', 1)",
        "CREATE TABLE t (k int PRIMARY KEY, j json, v int); INSERT INTO t VALUES (1, '\"x\"', 2)",
    )
    found = one(compare(sides))
    assert found.columns == {"v": 1}
    assert [u.what for u in found.unknown] == ["the values of t.j"]


def test_types_without_a_form_are_said(sides: Sides) -> None:
    """They make the comparison inconclusive, not equal."""
    put(sides, *["CREATE TABLE t (k int PRIMARY KEY, c regclass); INSERT INTO t VALUES (1, 'pg_class')"] * 2)
    diff = compare(sides)
    assert (diff.known, diff.differs, one(diff).changed) == (False, False, 0)
    assert "no canonical form" in one(diff).unknown[0].reason


def test_names_that_sql_must_quote(sides: Sides) -> None:
    """Tables and columns named like what the statements themselves use, like keywords, or with quotes and
    percent signs.
    """
    names = [
        "r",
        "k",
        "kb",
        "b",
        "n",
        "v",
        "v0",
        "s",
        "high",
        "low",
        "item",
        "late",
        "select",
        'q"uote',
        "per%cent %s",
        "Üpper",
        "l",
        "h",
        "given",
        "span_of_keys",
    ]
    columns = ", ".join('"' + name.replace('"', '""') + '" int[]' for name in names)
    make = (
        f'CREATE TABLE "sel.ect" (id int PRIMARY KEY, {columns}); INSERT INTO "sel.ect" (id, "item", '
        f"\"v\") SELECT g, '{{1}}', '{{2}}' FROM generate_series(1, 500) AS g; "
    )
    make += "CREATE TABLE bare (); INSERT INTO bare DEFAULT VALUES; ANALYZE; "
    put(
        sides,
        make,
        make + 'UPDATE "sel.ect" SET "per%cent %s" = \'{}\', "r" = \'{NULL}\' WHERE id = 7; INSERT INTO bare '
        "DEFAULT VALUES",
    )
    bare, t = compare(sides).tables
    assert (t.known, t.changed, t.columns) == (True, 1, {"r": 1, "per%cent %s": 1})
    assert (bare.known, bare.added) == (True, 1)


def test_a_table_may_be_partitioned_on_one_side(sides: Sides) -> None:
    """Its rows are those of its partitions, and columns may lie in another order there."""
    parts = """CREATE TABLE t (k int, v text, PRIMARY KEY (k)) PARTITION BY RANGE (k); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (500);
      CREATE TABLE t2 (v text, k int NOT NULL); ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (500) TO (5000);"""
    fill = "INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 2000) AS g;"
    put(
        sides,
        f"CREATE TABLE t (k int PRIMARY KEY, v text); {fill}",
        f"{parts} {fill} DELETE FROM t WHERE k = 499; UPDATE t SET v = 'x' WHERE k = 1999",
    )
    (found,) = [t for t in compare(sides, schema=False).tables if t.table == "t"]
    assert (found.known, found.removed, found.changed, found.columns) == (True, 1, 1, {"v": 1})


@pytest.mark.parametrize("encoding", ["hash", "wide", "sha256"])
def test_databases_of_other_encodings(server: Server, encoding: str) -> None:
    """Text is compared by what it says, not by the bytes of the database's encoding; as a key, in arrays
    and in JSON too.
    """
    make = (
        "CREATE TABLE t (k text PRIMARY KEY, a text[], j json); INSERT INTO t SELECT 'é' || g, "
        "ARRAY['ü', NULL], '\"ß\"' FROM generate_series(1, 300) AS g;"
    )
    names = []
    try:
        for number, charset in enumerate(("UTF8", "LATIN1", "LATIN1")):
            name = f"encoded_{encoding}_{number}"
            server.sql(f"CREATE DATABASE {name} ENCODING {charset} TEMPLATE template0 LOCALE 'C'")
            names.append(name)
            server.sql(f"SET client_encoding = UTF8; {make}", name)
        server.sql(
            "SET client_encoding = UTF8; UPDATE t SET a = '{Ü}' WHERE k = 'é7'; DELETE FROM t WHERE k = 'é8'",
            names[2],
        )
        for before, after, changed in ((0, 1, 0), (1, 0, 0), (0, 2, 1), (1, 2, 1)):
            targets = find_target(server.dsn(names[before])), find_target(server.dsn(names[after]))
            found = one(diff_rows(*targets, DiffOptions(encoding=encoding)))
            assert (found.known, found.changed, found.removed, found.added) == (True, changed, changed, 0), (
                before,
                after,
            )
    finally:
        for name in names:
            server.drop(name)


@pytest.mark.slow
@pytest.mark.parametrize("key", ["PRIMARY KEY", "UNIQUE NOT NULL", ""])
def test_memory_does_not_grow_with_what_differs(server: Server, key: str) -> None:
    """Half a million rows that all changed, in another order of the heap: the client stays below 100 MB of
    its own.
    """
    make = """CREATE UNLOGGED TABLE t (k {type} {key}, amount numeric(12,2), note text, at timestamptz);
      INSERT INTO t SELECT {make}, g, 'note ' || g, '2025-01-01Z'::timestamptz + g * interval '1 s' FROM generate_series(1, 500000) AS g ORDER BY {order};
      ANALYZE t"""
    typed = ("bigint", "g") if key == "PRIMARY KEY" else ("uuid", "md5(g::text)::uuid")
    names = [
        server.create(make.format(type=typed[0], make=typed[1], key=key, order=order))
        for order in ("g", "md5(g::text)")
    ]
    try:
        server.sql("UPDATE t SET amount = amount * 100", names[1])
        script = (  # VmHWM, and not ru_maxrss, which begins with what the parent had
            "import re, sys; from kisaan_validate.postgres.target import find_target; "
            "from kisaan_validate.live.run import diff_rows; from kisaan_validate.live.options "
            "import DiffOptions; "
            "t = diff_rows(find_target(sys.argv[1]), find_target(sys.argv[2]), "
            "DiffOptions(schema=False)).tables[0]; "
            "print(t.changed, t.added, t.removed, t.known, re.search(r'VmHWM:\\s+(\\d+)', "
            "open('/proc/self/status').read())[1])"
        )
        words = [sys.executable, "-c", script, server.dsn(names[0]), server.dsn(names[1])]
        out = subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()
        assert out[:4] == (["500000", "0", "0", "True"] if key else ["0", "500000", "500000", "True"])
        assert int(out[4]) < 100 * 1024
    finally:
        for name in names:
            server.drop(name)


# --- faults -----------------------------------------------------------------------------------------------

SAME = (
    "CREATE TABLE t (k int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'x' FROM generate_series(1, "
    "200) AS g; CREATE TABLE u (k int PRIMARY KEY); ANALYZE"
)


def test_a_lock_that_cannot_be_had(sides: Sides) -> None:
    """The table is not compared, the others are."""
    put(sides, SAME, SAME)
    holder = sides[2].connect(sides[3])
    try:
        holder.autocommit = False
        holder.cursor().execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        diff = compare(sides)
    finally:
        holder.close()
    t, u = diff.tables
    assert (t.known, u.same, diff.known) == (False, True, False)
    assert not t.same


def test_a_right_that_was_taken_away(sides: Sides) -> None:
    """Of a whole table, or of one column."""
    put(
        sides,
        SAME,
        SAME
        + "; CREATE ROLE diff_reader LOGIN; GRANT USAGE ON SCHEMA public TO diff_reader; GRANT SELECT ON "
        "u TO diff_reader; GRANT SELECT (k) ON t TO diff_reader",
    )
    targets = find_target(sides[0].dsn(sides[1])), find_target(sides[2].dsn(sides[3], role="diff_reader"))
    try:
        diff = diff_rows(*targets, DiffOptions(schema=False))
    finally:
        sides[2].sql("DROP OWNED BY diff_reader; DROP ROLE diff_reader", sides[3])
    t, u = diff.tables
    assert (t.known, u.same, diff.known) == (False, True, False)


def test_an_interruption(sides: Sides) -> None:
    """What was not compared when somebody asked to stop has no answer."""
    put(sides, SAME, SAME)
    stop = Stop()
    targets = find_target(sides[0].dsn(sides[1])), find_target(sides[2].dsn(sides[3]))
    diff = diff_rows(
        *targets,
        DiffOptions(schema=False),
        None,
        lambda what, done, total: stop.request("enough") if done == 1 else None,
        stop,
    )
    assert [t.same for t in diff.tables] == [True, False]
    assert "enough" in diff.tables[1].unknown[0].reason


def test_a_backend_that_is_killed(sides: Sides) -> None:
    """In the middle: nothing that was not compared is called the same."""
    put(sides, SAME + "; CREATE TABLE z AS SELECT 1 AS k", SAME + "; CREATE TABLE z AS SELECT 1 AS k")

    def kill(_: str, done: int, total: int) -> None:
        if total and done == 1:
            sides[2].sql(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{sides[3]}' "
                f"AND pid <> pg_backend_pid()"
            )

    targets = find_target(sides[0].dsn(sides[1])), find_target(sides[2].dsn(sides[3]))
    diff = diff_rows(*targets, DiffOptions(schema=False), None, kill)
    # The first was compared before; but whether it stayed as it was, only a session on the same server could
    # have told.
    assert [t.same for t in diff.tables] == [False, False, False]
    assert not diff.known
    assert not diff.differs


def test_a_backend_that_is_killed_while_it_streams(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows read so far are no answer."""
    monkeypatch.setattr(merge, "BATCH", 1)

    class Killer(Seen):
        def see(self, change: RowChange) -> None:
            super().see(change)
            if len(self.rows) == 1:
                sides[2].sql(
                    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
                    f"'{sides[3]}' AND pid <> pg_backend_pid()"
                )

    put(sides, SAME.replace("200", "100000"), SAME.replace("200", "100000") + "; UPDATE t SET v = 'y'")
    t, u = compare(sides, Killer(), schema=False).tables
    assert (t.known, t.changed, u.known) == (False, None, False)


def test_a_table_that_is_truncated_meanwhile_waits_or_is_found_out(sides: Sides) -> None:
    """Locks keep it as it is until the comparison ends; a statement that is too slow is no answer."""
    put(sides, SAME, SAME)
    done: list[RowDiff] = []

    def truncate(what: str, done_: int, total: int) -> None:
        if total and done_ == 0:
            thread.start()
            wait_until(
                lambda: sides[2].sql(
                    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'TRUNCATE%'"
                )
            )

    thread = threading.Thread(target=lambda: sides[2].sql("TRUNCATE t", sides[3]))
    targets = find_target(sides[0].dsn(sides[1])), find_target(sides[2].dsn(sides[3]))
    done.append(diff_rows(*targets, DiffOptions(schema=False), None, truncate))
    thread.join()
    assert [t.same for t in done[0].tables] == [True, True]
    assert sides[2].sql("SELECT count(*) FROM t", sides[3]) == [(0,)]


def test_servers_that_digest_otherwise_are_not_compared_so(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the self-check differs under the fast encoding, SHA-256 is used, and said."""
    put(sides, SAME, SAME + "; DELETE FROM t WHERE k = 5")
    check = __import__("kisaan_validate.live.run", fromlist=["x"]).self_check_sql
    calls = itertools.count()

    def strange(encoding: str, *a: Any, **k: Any) -> str:
        text: str = check(encoding, *a, **k)
        return text.replace(" AS high", f" # {next(calls)} AS high") if encoding == "hash" else text

    monkeypatch.setattr("kisaan_validate.live.run.self_check_sql", strange)
    diff = compare(sides)
    assert diff.encoding == "sha256"
    assert "self-check differs" in diff.notes[0]
    assert diff.tables[0].removed == 1


def test_nothing_is_written(sides: Sides) -> None:
    """Neither side's database counts a row written while it is compared."""
    put(sides, SAME, SAME)
    places = [(sides[0], sides[1]), (sides[2], sides[3])]
    before = [rows_written(server, name) for server, name in places]
    compare(sides)
    assert [rows_written(server, name) for server, name in places] == before


def test_a_written_row_would_be_counted(sides: Sides) -> None:
    """The counters of the test above are not blind: one row in either database moves its own and no other."""
    put(sides, SAME, SAME)
    places = [(sides[0], sides[1]), (sides[2], sides[3])]
    before = [rows_written(server, name) for server, name in places]
    sides[2].sql("INSERT INTO t VALUES (0, 'x')", sides[3])
    after = [rows_written(server, name) for server, name in places]
    assert after[0] == before[0]
    assert after[1] == before[1] + 1


def test_little_is_kept() -> None:
    """The number of buckets is bounded whatever a table says of its size."""
    assert statements.MOST_BUCKETS <= 2**17


def test_buckets_are_hashed_in_parallel(sides: Sides) -> None:
    """The digests of a large table are made and summed by workers, below what gathers them; no sort of
    rows.
    """
    put(sides, *[SAME.replace("200", "20000")] * 2)
    plans = []
    for server, name in ((sides[0], sides[1]), (sides[2], sides[3])):
        part = Part("k", TypeFacts("int4"), CanonicalForm("integer"))
        digests = (table_digest("hash", (part,), (), Context()), SeededDigest(b"s", (part,), Context()))
        eager = (
            "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; "
        )
        for digest in digests:
            sql = buckets_sql("t", digest, "(k / 10)::int4")
            plans.append([line for (line,) in server.sql(f"{eager} EXPLAIN (COSTS off) {sql}", name)])
    for plan in plans:
        text = "\n".join(plan)
        assert "Partial HashAggregate" in text, text
        assert text.index("Gather") < text.index("Partial HashAggregate"), text
