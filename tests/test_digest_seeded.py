"""Digests under a seed: what the fast functions of single types confuse has different digests, in one lane alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import Server
from helpers import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_digest_types import FOLDED, INT4, LAWS, NUMERIC, TEXT, TS, TSTZ, quoted, servers

from kisaan_validate.cli.main import main
from kisaan_validate.digest.forms import CanonicalForm, Context
from kisaan_validate.digest.parts import Part
from kisaan_validate.digest.rows import SEEDS, buckets_sql, staged
from kisaan_validate.digest.seeded import MOST, SeededDigest
from kisaan_validate.facts.catalogue import TypeFacts
from kisaan_validate.postgres.session import Session

__all__ = ["servers"]  # a fixture, which pytest finds by its name here

ANY_SEED = st.binary(min_size=16, max_size=16)
MANY = settings(LAWS, max_examples=examples(60), suppress_health_check=list(HealthCheck))
INT8, FLOAT8 = TypeFacts("int8"), TypeFacts("float8")


def part(column: str, facts: TypeFacts, form: str) -> Part:
    """A column under a form."""
    return Part(column, facts, CanonicalForm(form))


def lanes(
    cursor: Any, digest: SeededDigest, rows: Sequence[str], columns: str, shown: str = "n"
) -> list[tuple[Any, ...]]:
    """(shown, lane, …) of each of these rows, written as SQL."""
    listed = ", ".join(f"({n}, {row})" for n, row in enumerate(rows))
    inner = staged(f"(VALUES {listed}) AS given (n, {columns})", {"n": "n", "shown": shown, **digest.items})
    cursor.execute(f"SELECT shown, {', '.join(digest.lanes)} FROM {inner} ORDER BY n")
    return list(cursor.fetchall())


def apart(cursor: Any, digest: SeededDigest, rows: Sequence[str], columns: str = "v") -> bool:
    """Whether no two of these rows have one digest, in any lane, and none has none."""
    found = list(zip(*lanes(cursor, digest, rows, columns), strict=True))[1:]
    return all(None not in lane and len(set(lane)) == len(rows) for lane in found)


@given(seed=ANY_SEED, halves=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20))
@MANY
def test_integers_and_moments_whose_halves_fold_to_one(
    servers: list[Any], seed: bytes, halves: list[int]
) -> None:
    """Law: PostgreSQL's hash of bigint and of timestamps joins the halves, so that for any n the number
    n * 2^32 + n has one hash under every seed; here none has that of another.
    """
    numbers = sorted({*FOLDED, *(n * 2**32 + (n % 2**32) for n in halves)})
    rows = [f"'{n}'::int8" for n in numbers]
    assert apart(servers[0], SeededDigest(seed, (part("v", INT8, "integer"),), Context(), 2), rows)
    # Of these microseconds before and after 2000 only those that a timestamp can be.
    clocks = [
        f"timestamp '2000-01-01' + interval '{n} microseconds'" for n in numbers if -(2**57) < n < 2**60
    ]
    for facts, form, more in ((TS, "timestamp", ""), (TSTZ, "timestamptz", " AT TIME ZONE 'UTC'")):
        digest = SeededDigest(seed, (part("v", facts, form),), Context(), 2)
        assert apart(servers[0], digest, [f"({clock}){more}" for clock in clocks])


@given(
    seed=ANY_SEED,
    # Of every size: where floats are exact, where they begin not to be, and far beyond.
    start=st.builds(
        lambda power, sign, more: sign * (2**power + more),
        st.integers(40, 57),
        st.sampled_from([1, -1]),
        st.integers(0, 2**32),
    ),
)
@MANY
def test_neighbouring_microseconds_are_told_apart(servers: list[Any], seed: bytes, start: int) -> None:
    """Law: wherever in PostgreSQL's range, each of 40 microseconds in a row, and those around the years in
    which the way of digesting changes, is a value of its own; and so are the infinities.
    """
    moments = [f"'2000-01-01'::timestamp + interval '{start + n} microseconds'" for n in range(40)]
    moments += [
        f"'{edge}'::timestamp + interval '{n} microseconds'"
        for edge in ("1899-12-31", "1900-01-01", "2100-01-01")
        for n in (-1, 0, 1)
    ]
    rows = [*sorted(set(moments)), "'infinity'::timestamp", "'-infinity'::timestamp", "NULL::timestamp"]
    before = SeededDigest(seed, (part("v", TS, "timestamptz"),), Context("UTC"))
    after = SeededDigest(seed, (part("v", TSTZ, "timestamptz"),), Context("UTC"))
    moments = [f"({row}) AT TIME ZONE 'UTC'" for row in rows]
    old = lanes(servers[0], before, rows, "v", "v::text")
    new = lanes(servers[1], after, moments, "v")
    # Two of them may be one moment, where those that were drawn reach an edge.
    assert len({lane for _, lane in old}) == len({shown for shown, _ in old})
    assert [lane for _, lane in old] == [lane for _, lane in new]


@pytest.mark.parametrize(
    ("facts", "form", "literals"),
    [
        (
            NUMERIC,
            "numeric",
            ["500", "-500", "NaN", "Infinity", "-Infinity", "0", "5", "50000", "0.0005", "-5"],
        ),
        (FLOAT8, "float", ["0", "-0", "NaN", "Infinity", "-Infinity", "1", "-1"]),
        (TypeFacts("bool"), "boolean", ["true", "false"]),
        (TypeFacts("date"), "date", ["infinity", "-infinity", "2000-01-01", "2000-01-02", "1999-12-31"]),
        (TEXT, "text", ["", " ", "NULL", "a", "a ", "A"]),
        (
            TypeFacts("uuid"),
            "uuid",
            ["00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
        ),
        (TypeFacts("interval"), "interval", ["1 mon", "30 days", "720:00:00"]),
    ],
)
@given(seed=ANY_SEED)
@MANY
def test_what_the_hash_of_a_type_confuses(
    servers: list[Any], facts: TypeFacts, form: str, literals: list[str], seed: bytes
) -> None:
    """Law: under any seed signs, NaN, the infinities, -0 and NULL are values of their own, on 15 as on 18."""
    digest = SeededDigest(seed, (part("v", facts, form),), Context(), 2)
    rows = [f"{quoted(literal)}::{facts.name}" for literal in (*literals, None)]
    assert all(apart(cursor, digest, rows) for cursor in servers)


VALUES = {
    "i": (INT4, "integer", ["0", "-1", "7", None]),
    "j": (INT4, "integer", ["0", "-1", "7", None]),
    "a": (NUMERIC, "numeric", ["5", "50000", "-5", "0.0005", "NaN", "Infinity", None]),
    "b": (NUMERIC, "numeric", ["5", "50000", "-5", "0.0005", "NaN", "Infinity", None]),
    "t": (TEXT, "text", ["", "a", "5", None]),
    "u": (TEXT, "text", ["", "a", "5", None]),
    "w": (TypeFacts("interval"), "interval", ["1 mon", "30 days", None]),
}
ROWS = st.lists(
    st.tuples(*[st.sampled_from(literals) for _, _, literals in VALUES.values()]), min_size=2, max_size=30
)


@given(seed=ANY_SEED, rows=ROWS)
@MANY
def test_rows_differ_exactly_where_a_value_does(
    servers: list[Any], seed: bytes, rows: list[tuple[str | None, ...]]
) -> None:
    """Law: values that change places between columns, within a type or not, make another row. 5 and 50,000
    are of one hash but for a bit, so two of them would cancel if they were only joined.
    """
    parts = tuple(part(name, facts, form) for name, (facts, form, _) in VALUES.items())
    written = [
        ", ".join(f"{quoted(v)}::{facts.name}" for v, (facts, _, _) in zip(row, VALUES.values(), strict=True))
        for row in rows
    ]
    found = lanes(servers[0], SeededDigest(seed, parts, Context()), written, ", ".join(VALUES))
    assert found == lanes(servers[1], SeededDigest(seed, parts, Context()), written, ", ".join(VALUES))
    digests = [lane for _, lane in found]
    assert len(set(digests)) == len(set(rows))
    assert all((digests[0] == lane) == (rows[0] == row) for lane, row in zip(digests, rows, strict=True))


@given(seed=ANY_SEED, numbers=st.sets(st.integers(0, 2**31 - 1), min_size=128, max_size=128))
@LAWS
def test_values_that_change_places_change_every_bit_of_a_sum(
    servers: list[Any], seed: bytes, numbers: set[int]
) -> None:
    """Law: the last bit of the sum over two rows changes for about half of the pairs that swap a value. Without
    the last hash it never would, and the sums of a pair would be equal once in 10^8.
    """
    digest = SeededDigest(seed, (part("i", INT4, "integer"), part("j", INT4, "integer")), Context())
    listed = sorted(numbers)
    pairs = list(zip(listed[::2], listed[1::2], strict=True))
    rows = [f"{i}, {j}" for a, b in pairs for i, j in ((1, a), (2, b), (1, b), (2, a))]
    found = [lane for _, lane in lanes(servers[0], digest, rows, "i, j")]
    odd = sum(sum(found[n : n + 4]) % 2 for n in range(0, len(found), 4))
    assert 0 < odd < len(pairs)


@given(seeds=st.sets(ANY_SEED, min_size=2, max_size=5))
@LAWS
def test_another_seed_gives_other_digests(servers: list[Any], seeds: set[bytes]) -> None:
    """Law: no row has the digest that it has under another seed, nor in the other lane; not even one of NULLs,
    nor one without columns.
    """
    parts = tuple(part(name, facts, form) for name, (facts, form, _) in VALUES.items())
    row = ", ".join(f"NULL::{facts.name}" for facts, _, _ in VALUES.values())
    found = []
    for seed in seeds:
        for columns in (parts, parts[:1], ()):
            ((_, *both),) = lanes(
                servers[0], SeededDigest(seed, columns, Context(), 2), [row], ", ".join(VALUES)
            )
            found += both
    assert len(set(found)) == len(found) == 6 * len(seeds)


def test_the_first_lane_is_the_same_as_a_condition(servers: list[Any]) -> None:
    """Where rows are chosen by it, it is written over the columns themselves."""
    parts = tuple(part(name, facts, form) for name, (facts, form, _) in VALUES.items())
    digest = SeededDigest(b"s", parts, Context(), 2)
    row = ", ".join(f"{quoted(literals[1])}::{facts.name}" for facts, _, literals in VALUES.values())
    ((shown, first, _),) = lanes(servers[0], digest, [row], ", ".join(VALUES), digest.first_lane)
    assert shown == first


def test_a_row_that_repeats_counts_each_time(servers: list[Any]) -> None:
    """Twice, three times or not at all: each has another sum."""
    digest = SeededDigest(b"s", (part("v", INT4, "integer"),), Context())
    found = set()
    for rows in ("(1)", "(1),(2),(2)", "(1),(3),(3)", "(1),(2),(2),(2)", "(1),(1),(2)"):
        servers[0].execute(buckets_sql(f"(VALUES {rows}) AS given (v)", digest, "0"))
        ((_, count, total),) = servers[0].fetchall()
        found.add((count, total))
    assert len(found) == 5


@pytest.mark.parametrize("width", [MOST, MOST + 1, 1590])
def test_wide_tables(servers: list[Any], width: int) -> None:
    """Each of many columns counts, a NULL beside a value too; beyond some, in a row of all."""
    kinds = [(INT4, "integer"), (NUMERIC, "numeric"), (TEXT, "text")]
    chosen = [kinds[n % 3] for n in range(width)]
    digest = SeededDigest(b"s", tuple(part(f"c{n}", *kind) for n, kind in enumerate(chosen)), Context(), 2)
    names = ", ".join(f"c{n} {facts.name}" for n, (facts, _) in enumerate(chosen))
    found = []
    for cursor in servers:
        cursor.execute(f"CREATE TEMP TABLE wide ({names})")
        for place in (0, 1, width - 1):
            for value in ("1", "NULL"):
                listed = ", ".join(value if n == place else "'0'" for n in range(width))
                cursor.execute(f"INSERT INTO wide VALUES ({listed})")
        cursor.execute(f"SELECT {', '.join(digest.lanes)} FROM {staged('wide', digest.items)}")
        found.append(cursor.fetchall())
        cursor.execute("DROP TABLE wide")
    assert found[0] == found[1]
    assert all(len(set(lane)) == 6 for lane in zip(*found[0], strict=True))


def test_a_comparison_has_a_seed_of_its_own(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two comparisons of the same sides say the same, and ask under other seeds; the wide form asks under
    those that are published. Each says how many bits it had.
    """
    old = server.create(
        "CREATE TABLE t (k int PRIMARY KEY, v text); INSERT INTO t SELECT n, n FROM generate_series(1, 900) n"
    )
    new = server.create("UPDATE t SET v = NULL WHERE k % 300 = 0", template=old)
    asked: list[str] = []
    run = Session.execute

    def listened(self: Session, sql: str, *given: Any) -> Any:
        asked.append(sql)
        return run(self, sql, *given)

    monkeypatch.setattr(Session, "execute", listened)
    said, buckets = [], []
    for way in ("auto", "hash", "wide"):
        asked.clear()
        words = ["diff", "--before", server.dsn(old), "--after", server.dsn(new), "--digest", way, "-o"]
        assert main([*words, str(tmp_path / "diff.json"), "--format", "json", "--quiet"]) == 1
        said.append(json.loads((tmp_path / "diff.json").read_text(encoding="utf-8")))
        buckets.append([sql for sql in asked if sql.startswith("SELECT b, ")])
    server.drop(old)
    server.drop(new)
    assert all(len(sides) == 2 and sides[0] == sides[1] for sides in buckets)
    assert all(a != b for a, b in pairwise(sides[0] for sides in buckets))
    assert [str(SEEDS[0]) in sides[0] for sides in buckets] == [False, False, True]
    assert [each["encoding"] for each in said] == ["hash", "hash", "wide"]
    assert said[0]["tables"] == said[1]["tables"], "nothing that is said depends on the seed"
    assert said[0]["tables"][0]["how"].startswith("64-bit digests (hash)")
    assert said[2]["tables"][0]["how"].startswith("128-bit digests (wide)")
    assert said[0]["tables"][0]["changed"] == said[2]["tables"][0]["changed"] == 3
