"""Digests of values within values: equal exactly if the values are, for types built at random, by every
way that compares.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import Server
from helpers import examples
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_types import SETUP, Maker, Type, Value, draw, quoted
from test_baseline_rows import Case

from kisaan_validate.cli.main import main
from kisaan_validate.compare.changes import diff
from kisaan_validate.digest.columns import value_hash
from kisaan_validate.digest.forms import CanonicalForm, Context, own_form
from kisaan_validate.digest.parts import Part, table_digest
from kisaan_validate.digest.rows import HASH, SEEDS, SHA256, row_digest, staged
from kisaan_validate.digest.seeded import SeededDigest
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.catalogue import TypeFacts
from kisaan_validate.facts.differences import DIGEST, Diff
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import find_target
from kisaan_validate.postgres.types import read_types
from kisaan_validate.record.codec import baseline_from_json, run_from_json

LAWS = settings(
    max_examples=examples(6),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
SEED = st.integers(0, 2**32)


@pytest.fixture(scope="module")
def sessions(server: Server, server15: Server) -> Iterator[list[Session]]:
    """A session on PostgreSQL 18 and one on 15."""
    with ExitStack() as left:
        made = []
        for each in (server, server15):
            name = each.create(SETUP)
            left.callback(each.drop, name)
            made.append(Session(find_target(each.dsn(name)), Limits(), ("public",)))
            left.callback(made[-1].close)
        yield made


def types_of(seed: int, count: int, depth: int) -> tuple[list[Type], list[str], Random]:
    """So many types at random, the statements that create them, and what went on to be drawn from."""
    random = Random(seed)
    maker = Maker(random)
    return [maker.type(depth) for _ in range(count)], maker.statements, random


def facts_of(session: Session, types: Iterable[Type]) -> list[TypeFacts]:
    """What the catalogue says of these types."""
    oids = [session.execute(f"SELECT '{made.sql}'::regtype::oid::bigint")[0][0] for made in types]
    found = read_types(session, oids)
    return [found[oid] for oid in oids]


def answers(session: Session, facts: TypeFacts, of: Type, values: Sequence[Value]) -> list[tuple[Any, ...]]:
    """Of each value its text, its proof, and its digests: as a row under both encodings, as a column's, and
    under a seed.
    """
    form = own_form(facts)
    assert isinstance(form, CanonicalForm), (form, of)
    part, context = Part("v", facts, form), Context()
    hashed = value_hash(part, context, session.version)
    rows = [table_digest(encoding, (), (part,), context) for encoding in (HASH, SHA256)]
    items = {
        "n": "n",
        "shown": "v::text",
        "proof": part.proof(context) or "v::text",
        "h": hashed.inner,
        "r0": rows[0].inner,
        "r1": rows[1].inner,
    }
    seeded = SeededDigest(b"seed", (part,), context)
    items |= {f"s_{alias}": sql for alias, sql in seeded.items.items()}
    listed = ", ".join(f"({n}, {quoted(value, of)})" for n, value in enumerate(values))
    lanes = [
        lane.replace("r,", f"r{n},").replace("(r ", f"(r{n} ")
        for n, digest in enumerate(rows)
        for lane in digest.lanes
    ]
    lanes += [f"coalesce({hashed.of('h', str(seed))}, 0)" for seed in SEEDS]
    under = re.sub(r"\b(v0|h0_0|r)\b", r"s_\1", seeded.lanes[0])
    inner = staged(f"(VALUES {listed}) AS given (n, v)", items)
    return session.execute(
        f"SELECT shown, proof, ROW({lanes[0]}, {lanes[1]})::text, ROW({lanes[2]}, {lanes[3]})::text, "
        f"ROW({lanes[4]}, {lanes[5]})::text, {under} FROM {inner} ORDER BY n"
    )


def classes(marks: Iterable[Hashable]) -> list[int]:
    """By place, the first place with an equal mark: two lists of marks tell the same apart exactly if
    these are equal.
    """
    first: dict[Hashable, int] = {}
    return [first.setdefault(mark, n) for n, mark in enumerate(marks)]


@given(seed=SEED)
@LAWS
def test_digests_are_equal_exactly_if_values_are(sessions: list[Session], seed: int) -> None:
    """Law: whatever a type is built of, two values have one digest exactly if they are one value, on 15 as
    on 18, under either encoding, as a row's and as a column's; and so have the proofs by which single rows
    are told apart."""
    types, statements, random = types_of(seed, 12, 3)
    drawn = {made: [draw(made, random) for _ in range(12)] for made in types}
    found: dict[int, list[Any]] = defaultdict(list)
    for session in sessions:
        session.execute(
            "; ".join(
                ["BEGIN", *(f"SET LOCAL {name} = {value}" for name, value in session.pins()), *statements]
            )
        )
        try:
            for made, facts in zip(types, facts_of(session, types), strict=True):
                found[session.version].append(answers(session, facts, made, drawn[made]))
        finally:
            session.execute("ROLLBACK")
    on18, on15 = found.values()
    for made, one, other in zip(types, on18, on15, strict=True):
        assert [line[1:] for line in one] == [line[1:] for line in other], made
        shown, *marks = zip(*one, strict=True)
        truth = classes(value.truth for value in drawn[made])
        assert not made.exact or classes(shown) == truth, (made, shown)
        for mark in marks:
            assert classes(mark) == truth, (made, [v.text for v in drawn[made]])


ITEM = (
    "CREATE TYPE item AS (sku int, price numeric, note text); CREATE DOMAIN item_of_shop AS item; "
    "CREATE TYPE boxed AS (n int, items item[])"
)
ONE, TWO = "(7,10,a)", "(7,99,zz)"
ALIKE = [
    (
        "item[]",
        [
            f'{{"{ONE}"}}',
            f'{{"{TWO}"}}',
            f'{{"{ONE}","{TWO}"}}',
            f'{{"{TWO}","{ONE}"}}',
            "{}",
            "{NULL}",
            '{"(,,)"}',
            '{"(,,\\"\\")"}',
        ],
    ),
    (
        "item_of_shop[]",
        [f'{{"{ONE}"}}', f'{{"{TWO}"}}', "{NULL}", '{"(,,)"}', f'[0:0]={{"{ONE}"}}', f'{{{{"{ONE}"}}}}'],
    ),
    ("item", ["(,,)", ONE, TWO]),
    ("boxed[]", ['{"(1,{})"}', '{"(1,)"}', '{"(1,{NULL})"}', '{"(1,\\"{\\"\\"(,,)\\"\\"}\\")"}', "{NULL}"]),
]


@pytest.mark.parametrize(("sql", "literals"), ALIKE)
def test_arrays_of_composites_are_read_whole(sessions: list[Session], sql: str, literals: list[str]) -> None:
    """Every field, the order of the elements, NULL beside a row of NULLs, lower bounds and dimensions: no
    two have one digest.
    """
    of = Type(sql, "composite")
    values = [Value(text, text) for text in (None, *literals)]
    for session in sessions:
        session.execute(f"BEGIN; {ITEM}")
        try:
            (facts,) = facts_of(session, [of])
            for mark in list(zip(*answers(session, facts, of, values), strict=True))[1:]:
                assert len(set(mark)) == len(values), (sql, mark)
        finally:
            session.execute("ROLLBACK")


def test_a_wide_composite_is_packed_in_groups(sessions: list[Session]) -> None:
    """More fields than fit beside each other in one ROW: each of them is digested all the same."""
    fields = ", ".join(f"f{n} int" for n in range(1200))
    rows = [[0] * 1200 for _ in range(4)]
    rows[1][0], rows[2][999], rows[3][1199] = 1, 1, 1
    of = Type("wide", "composite")
    values = [Value("(" + ",".join(map(str, row)) + ")", n) for n, row in enumerate(rows)]
    for session in sessions:
        session.execute(f"BEGIN; CREATE TYPE wide AS ({fields})")
        try:
            (facts,) = facts_of(session, [of])
            for mark in list(zip(*answers(session, facts, of, values), strict=True))[1:]:
                assert len(set(mark)) == len(values)
        finally:
            session.execute("ROLLBACK")


@pytest.mark.parametrize("encoding", [HASH, SHA256])
def test_more_elements_than_a_row_may_have(sessions: list[Session], encoding: str) -> None:
    """Each of 1,700 elements counts, wherever it stands, and 15 and 18 agree."""
    found = []
    for session in sessions:
        digests = [
            row_digest(encoding, ["1" if n == place else "0" for n in range(1700)], "r")
            for place in (-1, 0, 799, 800, 1699)
        ]
        found.append(
            [
                session.execute(f"SELECT {', '.join(d.lanes)} FROM (SELECT {d.inner} AS r) AS q")
                for d in digests
            ]
        )
    assert found[0] == found[1]
    assert len({str(lanes) for lanes in found[0]}) == 5


@pytest.mark.parametrize(
    ("made", "sql", "why"),
    [
        ("", "regclass[]", "the type regclass has no canonical form"),
        (
            "CREATE TYPE a AS (x int, y regproc); CREATE TYPE b AS (z a[])",
            "b",
            "the type regproc has no canonical form (field y of a) (field z of b)",
        ),
        ("CREATE EXTENSION seg; CREATE DOMAIN d AS seg", "d[]", "the type seg has no canonical form"),
        (
            "CREATE TYPE r AS RANGE (SUBTYPE = regclass, SUBTYPE_OPCLASS = oid_ops)",
            "r_multirange",
            "the type regclass has no canonical form",
        ),
    ],
)
def test_what_has_no_form_within_is_named(sessions: list[Session], made: str, sql: str, why: str) -> None:
    """A value holds another that prints less than it holds, or a name: it is not compared, and the type at
    fault is named.
    """
    for session in sessions:
        session.execute("; ".join(["BEGIN", *([made] if made else [])]))
        try:
            assert [own_form(facts) for facts in facts_of(session, [Type(sql, "")])] == [why]
        finally:
            session.execute("ROLLBACK")


# --- the same by every way that compares ------------------------------------------------------------------


class Sides:
    """A table ``t`` of random types before and after, on servers of two versions."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.types, self.statements, random = types_of(seed, 7, 3)
        self.folder = folder
        self.before = [[draw(made, random) for made in self.types] for _ in range(6)]
        self.after = [
            [
                draw(made, random) if random.random() < 0.3 else value
                for made, value in zip(self.types, row, strict=True)
            ]
            for row in self.before
        ]

    @property
    def changed(self) -> dict[str, int]:
        """In how many rows each column's value became another, where it did."""
        pairs = [
            (f"c{n}", a, b)
            for old, new in zip(self.before, self.after, strict=True)
            for n, (a, b) in enumerate(zip(old, new, strict=True))
        ]
        return dict(Counter(name for name, a, b in pairs if a.truth != b.truth))

    @property
    def rows_changed(self) -> int:
        """The rows with a value that became another."""
        return sum(
            [v.truth for v in a] != [v.truth for v in b] for a, b in zip(self.before, self.after, strict=True)
        )

    def create(self, server: Server, rows: list[list[Value]]) -> str:
        """A database with the table and these rows."""
        columns = "".join(f", c{n} {made.sql}" for n, made in enumerate(self.types))
        return server.create(
            "; ".join(
                [SETUP, *self.statements, f"CREATE TABLE t (id int PRIMARY KEY{columns})", self.insert(rows)]
            )
        )

    def insert(self, rows: list[list[Value]]) -> str:
        """The statement that makes these the rows."""
        lists = (
            ", ".join(quoted(value, made) for value, made in zip(row, self.types, strict=True))
            for row in rows
        )
        return (
            f"TRUNCATE t; INSERT INTO t VALUES "
            f"{', '.join(f'({n}, {listed})' for n, listed in enumerate(lists))}"
        )


def compared_live(sides: Sides, server: Server, server15: Server) -> dict[str, Any]:
    """What ``diff`` says of the table, before on 15 and after on 18."""
    names = sides.create(server15, sides.before), sides.create(server, sides.after)
    output = sides.folder / "diff.json"
    try:
        words = ["diff", "--before", server15.dsn(names[0]), "--after", server.dsn(names[1]), "--rows-only"]
        assert main([*words, "--format", "json", "-o", str(output)]) in (0, 1)
    finally:
        server15.drop(names[0])
        server.drop(names[1])
    (table,) = json.loads(output.read_text(encoding="utf-8"))["tables"]
    return dict(table)


def baselines(
    sides: Sides, server: Server
) -> tuple[tuple[dict[str, Any], Diff], tuple[dict[str, Any], Diff]]:
    """What a run says beside a baseline with digests, rows and values, and beside one with a contract on
    every column.
    """
    promises = "\n".join(
        f'[[promise]]\nid = "p{n}"\nkind = "becomes"\ncolumn = "t.c{n}"\nexpression = "c{n}"'
        for n in range(len(sides.types))
    )
    (sides.folder / "contract.toml").write_text(f"format = 1\n{promises}\n")
    said = []
    for kind in ("files", "contract"):
        folder = sides.folder / kind
        folder.mkdir()
        case = Case(server, sides.create(server, sides.before), folder)
        contract = ["--contract", str(sides.folder / "contract.toml")] if kind == "contract" else []
        values = (
            [word for n in range(len(sides.types)) for word in ("--values", f"t.c{n}")]
            if kind == "files"
            else []
        )
        try:
            code, text = case.command(
                "baseline", "-o", str(case.file), *(["--rows"] if values else []), *values, *contract
            )
            assert code == 0, text
            case.sql(sides.insert(sides.after))
            document = case.compared(*contract)[1]
            (record,) = folder.rglob("run.json")
            now = baseline_of(run_from_json(record.read_text(encoding="utf-8")))
            said.append((document, diff(baseline_from_json(case.file.read_text(encoding="utf-8")), now)))
        finally:
            server.drop(case.database)
    return said[0], said[1]


def assert_agree(sides: Sides, server: Server, server15: Server) -> None:
    """All five ways tell exactly the values that changed."""
    live = compared_live(sides, server, server15)
    assert (live["known"], live["columns"], live["changed"]) == (True, sides.changed, sides.rows_changed), (
        live
    )
    (files, differences), (contract, _) = baselines(sides, server)
    assert {c["column"]: c["changed"] for c in files["run"]["values"] if c["changed"]} == sides.changed
    assert [c["message"] for c in files["run"]["values"]] == [""] * len(sides.types)
    (rows,) = files["run"]["rows"]
    assert (rows["added"], rows["removed"], rows["changed"]) == (0, 0, sides.rows_changed)
    assert not differences.unknown
    assert {c.name for c in differences.changes if c.aspect == DIGEST} == set(sides.changed)
    kept = {f"c{n}": "kept" for n in range(len(sides.types))} | dict.fromkeys(sides.changed, "broken")
    assert {f"c{p['id'][1:]}": p["state"] for p in contract["judgement"]["promises"]} == kept


@pytest.mark.slow
@given(seed=SEED)
@settings(LAWS, max_examples=1)
def test_every_way_of_comparing_tells_what_changed(
    server: Server, server15: Server, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Law: ``diff``, ``--digests``, ``--rows``, ``--values`` and a contract's promises each tell exactly
    the changed values.
    """
    assert_agree(Sides(seed, tmp_path_factory.mktemp("sides")), server, server15)


@pytest.mark.slow
@given(seed=SEED)
@settings(LAWS, max_examples=examples(4))
def test_every_way_of_comparing_tells_what_changed_often(
    server: Server, server15: Server, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """The same with many more types."""
    assert_agree(Sides(seed, tmp_path_factory.mktemp("sides")), server, server15)
