"""Contracts from end to end: each folder of tests/contracts is one migration on a real server, judged by
its contract.

A case is a folder, not a file with

    before.sql            the database before contract.toml         what the migration promises after.sql
    the migration expected.toml         all that must be said of it: see Expected checks.py
    optional: the suite's checks (else one that always passes) suite.toml            optional: the suite's
    settings contract_before.toml  optional: the contract with which the baseline was taken; empty for none
    checks_before.py      optional: the checks with which the baseline was taken again.sql
    optional: a second attempt, judged by the same baseline and by ``[again]`` of expected.toml

The comparison is exact: every promise, every change with who explains it, everything that is unknown.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Server
from helpers import measuring

from kisaan_validate.contract.load import Contract, read_contract
from kisaan_validate.contract.promise import State
from kisaan_validate.contract.rules import KINDS
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.differences import FIGURES
from kisaan_validate.postgres.schema import KINDS as OBJECT_KINDS
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import baseline_from_json, baseline_to_json
from kisaan_validate.suite.load import Suite, load_suite
from kisaan_validate.verdict.judgement import Judgement, judge

CASES = sorted(p for p in (ROOT / "tests" / "contracts").iterdir() if p.is_dir())
ALWAYS = 'from kisaan_validate import declare\n\ndeclare.no_column_of_type("pg_lsn", id="always")\n'


@dataclass(frozen=True)
class Expected:
    """What is said of a migration, in the form of expected.toml.

    ``promises`` maps an id to its state and words of its message (all of it if they are empty);
    ``changes`` maps "kind|table|name|aspect" to the promises that explain it, or "unexplained", and those
    that it breaks.
    """

    verdict: str
    promises: dict[str, tuple[str, str]]
    changes: dict[str, str]
    unknown: tuple[str, ...]

    @classmethod
    def read(cls, given: dict[str, Any]) -> Expected:
        """From a TOML table. Raises KeyError for anything that is left out."""
        promises = {id: (p["state"], p["says"]) for id, p in given["promises"].items()}
        return cls(given["verdict"], promises, given["changes"], tuple(given["unknown"]))

    @classmethod
    def found(cls, judged: Judgement) -> Expected:
        """From a judgement."""
        assert judged.diff is not None
        promises = {p.id: (o.state.value, o.message) for p, o in judged.promises}
        changes = {"|".join(c.key): _fate(judged, c.key) for c in judged.diff.changes}
        return cls(judged.verdict.value, promises, changes, tuple(u.what for u in judged.diff.unknown))

    def agreeing(self, wanted: Expected) -> Expected:
        """The same with each message cut to the words that are wanted of it, where it holds them."""
        promises = {}
        for id, (state, message) in self.promises.items():
            words = wanted.promises.get(id, ("", ""))[1]
            promises[id] = (state, words if words and words in message else message)
        return Expected(self.verdict, promises, self.changes, self.unknown)


def _fate(judged: Judgement, key: tuple[str, str, str, str]) -> str:
    explained = ", ".join(judged.explained.get(key, ())) or "unexplained"
    broken = ", ".join(judged.contradicted(key))
    return f"{explained}; breaks {broken}" if broken else explained


@dataclass(frozen=True)
class Case:
    """One folder, and where its database is."""

    folder: Path
    server: Server
    database: str
    scratch: Path

    def text(self, *names: str) -> str | None:
        """The text of the first of these files that exists."""
        found = next((self.folder / name for name in names if (self.folder / name).exists()), None)
        return found.read_text(encoding="utf-8") if found is not None else None

    def sql(self, name: str) -> None:
        """Run one of its SQL files as the owner."""
        self.server.sql((self.text(name) or "") + "\n;SELECT 1", self.database)

    def suite(self, *names: str) -> Suite:
        """The suite: its checks, or one that always passes."""
        place = self.scratch / names[0]
        place.mkdir()
        (place / "checks.py").write_text(self.text(*names) or ALWAYS, encoding="utf-8")
        (place / "suite.toml").write_text(self.text("suite.toml") or 'name = "case"\n', encoding="utf-8")
        return load_suite(place)

    def contract(self, *names: str) -> Contract | None:
        """The contract that stands in the first of these files, None for an empty one."""
        text = self.text(*names)
        return read_contract(text, names[-1]) if text else None

    def baseline(self) -> Baseline:
        """The baseline, through its file."""
        suite, contract = (
            self.suite("checks_before.py", "checks.py"),
            self.contract("contract_before.toml", "contract.toml"),
        )
        options = measuring(count_all=True, sample=0, jobs=1, contract=contract)
        return baseline_from_json(
            baseline_to_json(baseline_of(run(suite, self.server.dsn(self.database), options=options)))
        )

    def judged(self, baseline: Baseline, suite: Suite) -> Judgement:
        """The database as it is, judged beside the baseline and the contract."""
        contract = self.contract("contract.toml")
        options = measuring(count_all=True, jobs=1, baseline=baseline, contract=contract)
        return judge(run(suite, self.server.dsn(self.database), options=options), baseline, contract)


@pytest.fixture
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    """A case with a database of its own. Its parameter is (server, folder)."""
    name, folder = request.param
    server: Server = request.getfixturevalue(name)
    database = server.create()
    yield Case(folder, server, database, tmp_path)
    server.drop(database)


def _places() -> list[Any]:
    """Every folder on the embedded server; where it says so, on the system's as well."""
    found = [pytest.param(("server", folder), id=folder.name) for folder in CASES]
    also = [
        f
        for f in CASES
        if (f / "expected.toml").exists()
        and "also_on_15 = true" in (f / "expected.toml").read_text(encoding="utf-8")
    ]
    return found + [pytest.param(("server15", folder), id=f"{folder.name}-15") for folder in also]


@pytest.mark.parametrize("case", _places(), indirect=True)
def test_what_is_said_of_a_migration_is_exactly_what_is_expected(case: Case) -> None:
    """Verdict, every promise, every difference with who explains it, and all that is unknown."""
    text = case.text("expected.toml")
    assert text is not None, "a case without expected.toml proves nothing"
    wanted = tomllib.loads(text)
    case.sql("before.sql")
    baseline = case.baseline()
    case.sql("after.sql")
    suite = case.suite("checks.py")
    _compare(case.judged(baseline, suite), wanted)
    if case.text("again.sql") is not None:
        case.sql("again.sql")
        _compare(case.judged(baseline, suite), wanted["again"])


def _compare(judged: Judgement, given: dict[str, Any]) -> None:
    wanted = Expected.read(given)
    found = Expected.found(judged).agreeing(wanted)
    assert found == wanted
    assert judged.run.verdict.value in {"PASS", "FAIL", "INCONCLUSIVE"}


# --- what the cases cover ---------------------------------------------------------------------------------

K, B, N, U, A = State.KEPT, State.BROKEN, State.NOT_DONE, State.UNKNOWN, State.NOT_APPLICABLE
STATES: dict[str, set[State]] = {
    "rows_unchanged": {K, B, U},
    "rows_removed": {K, B, N, U},
    "rows_added": {K, B, N, U},
    "rows_arrived": {K, B, U},
    "sum_preserved": {K, B, U},
    "retyped": {K, B, N, U},
    "filled": {K, B, N, U},
    "becomes": {K, B, N, U},
    "revised": {K, B},
    "changed_where_null": {K, B, U},
    "looked_up": {K, B, N, U},
    "added": {K, B, N},
    "dropped": {K, B, N},
    "altered": {K, B, N},
    "recorded": {K, B, N, U},
    "fixed": {K, B, N, U},
    "sequences_advance": {K, B},
    "renamed": {K, B, N, U},
}
"""Every state to which a kind of promise can come, beside *not applicable*, which all know; that of
objects of a locked catalogue is tried below."""


def _expected(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))


def _outcomes() -> set[tuple[str, State]]:
    """(kind, state) of every promise of every case."""
    found = set()
    for folder in CASES:
        promises = read_contract((folder / "contract.toml").read_text(encoding="utf-8"), folder.name).promises
        wanted = _expected(folder)
        for listed in (wanted, wanted.get("again", {"promises": {}})):
            found |= {
                (p.kind, State(listed["promises"][p.id]["state"]))
                for p in promises
                if p.id in listed["promises"]
            }
    return found


def test_every_kind_of_promise_comes_to_every_state() -> None:
    """A kind of promise, or a state of it, that no case shows is not proved."""
    assert STATES.keys() == KINDS.keys()
    assert {(kind, state) for kind, states in STATES.items() for state in states | {A}} <= _outcomes()


def test_every_kind_of_difference_is_shown_explained_and_unexplained() -> None:
    """Rows, each figure and sequences are seen with and without an explanation; each kind of object comes,
    turns and goes.
    """
    seen = {
        (*change.split("|")[::3], fate.startswith("unexplained"))
        for f in CASES
        for change, fate in _expected(f)["changes"].items()
    }
    wanted = {
        ("rows", "count"),
        ("sequence value", "last value"),
        *(("values", figure) for figure in FIGURES),
    }
    assert {(*change, fate) for change in wanted for fate in (True, False)} <= seen
    for kind in OBJECT_KINDS:
        aspects = {aspect for k, aspect, _ in seen if k == kind}
        assert {"added", "removed"} <= aspects, kind
        assert aspects - {"added", "removed"}, kind


def test_every_case_says_which_law_it_shows() -> None:
    """A case that nobody can say in words is no case."""
    assert len(CASES) >= 60
    for folder in CASES:
        assert _expected(folder)["law"].strip(), folder.name


@pytest.mark.slow
def test_a_locked_table_is_not_taken_for_an_absent_one(server: Server, tmp_path: Path) -> None:
    """What another session hides is unknown, and promises about it cannot be told, whatever they promise."""
    database = server.create(
        "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1); CREATE TABLE u (id int)"
    )
    promises = {
        "rows": 'kind = "rows_unchanged"\ntable = "t"',
        "sum": 'kind = "sum_preserved"\ncolumn = "t.a"',
        "filled": 'kind = "filled"\ncolumn = "t.a"',
        "revised": 'kind = "revised"\ncolumn = "t.a"',
        "index": 'kind = "added"\nobject = "index"\ntable = "t"\nname = "i"',
        "column": 'kind = "dropped"\ncolumns = ["t.a"]',
        "table": 'kind = "dropped"\nobject = "table"\nname = "t"',
        "null": 'kind = "altered"\ncolumns = ["t.a"]\nattribute = "not null"\nto = "yes"',
    }
    text = "format = 1\n" + "".join(f'[[promise]]\nid = "{id}"\n{said}\n' for id, said in promises.items())
    case = Case(tmp_path / "case", server, database, tmp_path)
    case.folder.mkdir()
    (case.folder / "contract.toml").write_text(text)
    baseline = case.baseline()
    holder = server.connect(database)
    with holder.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        judged = case.judged(baseline, case.suite("checks.py"))
    holder.close()
    assert judged.verdict.value == "INCONCLUSIVE"
    assert {o.state for _, o in judged.promises} == {State.UNKNOWN}, [(p.id, o) for p, o in judged.promises]
    assert judged.diff is not None
    assert judged.diff.changes == ()
    assert {u.what for u in judged.diff.unknown} == {"catalogue entries of t", "the rows of t"}
    server.drop(database)
