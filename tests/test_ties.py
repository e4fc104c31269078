"""Each rule that says that two problems are one: it joins what shares its fact, and nothing that shares less."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from test_causes import THREE, groups_of

from kisaan_validate.compare.causes.base import ChangeGroup, Single
from kisaan_validate.contract.objects import Altered
from kisaan_validate.contract.promise import Outcome, Promise, State
from kisaan_validate.contract.rules import Fixed, Retyped
from kisaan_validate.facts.check import Check, Form
from kisaan_validate.facts.differences import VALUES, Change, CheckMove, Origin, Transition
from kisaan_validate.facts.result import MASKED, Evidence, Result, Status
from kisaan_validate.verdict.ties import Problems, joined, nodes_of

Row = tuple[tuple[str, str | None], ...]
BY_ID: dict[str, object] = {"key": ("id",), "key_digest": "a" * 64}


def failing(id: str, claim: str = "", **more: object) -> tuple[Check, Result]:
    """A failing check of the table and column that its id says: ``table.column.kind``."""
    table, _, rest = id.partition(".")
    facts = {name: more.pop(name) for name in ("form", "kind", "table") if name in more}
    check = Check(id, table, (), Form.ROW, rest.rpartition(".")[2], claim or f"claim of {id}")
    result = Result(id, Status.FAIL, 2, 9, Evidence.SCANNED)
    return replace(check, **facts), replace(result, **more)  # type: ignore[arg-type]


def told(id: str, claim: str = "", **more: object) -> tuple[Check, Result]:
    """A failing check of the catalogue."""
    return failing(id, claim, form=Form.CATALOGUE, **more)


def missing(id: str, *rows: Row, claim: str = "refers to p") -> tuple[Check, Result]:
    """A reference that fails in these rows."""
    return failing(id, claim, kind="references", sample=rows)


def open_(promise: Promise, state: State = State.NOT_DONE, *broken_by: Change) -> tuple[Promise, Outcome]:
    """A promise that was not kept."""
    return promise, Outcome(state, contradicts=frozenset(change.key for change in broken_by))


def wide(id: str, column: str) -> Retyped:
    """A promise of a type."""
    return Retyped(id, column=column, to="bigint")


def change(column: str, kind: str = VALUES, table: str = "t") -> Change:
    """A difference of a column."""
    return Change(kind, table, column, "nulls", "1", "2")


def alone(*changes: Change) -> tuple[ChangeGroup, ...]:
    """Each difference as a group of its own."""
    return tuple(ChangeGroup(one.table, Single(one), (one,)) for one in changes)


def shifted(table: str, minutes: int) -> ChangeGroup:
    """The group of a column that was shifted."""
    moved = [replace(r, paid=r.paid and r.paid + timedelta(minutes=minutes)) for r in THREE]
    (group,) = groups_of(THREE, moved)
    return replace(group, table=table, changes=tuple(replace(c, table=table) for c in group.changes))


def moved(id: str, origin: Origin | None) -> dict[str, CheckMove]:
    """How a check moved."""
    return {id: CheckMove(id, Transition.NEWLY_FAILING, 0, 2, origin=origin)}


def problems(
    *checks: tuple[Check, Result],
    promises: Iterable[tuple[Promise, Outcome]] = (),
    groups: Iterable[ChangeGroup] = (),
    moves: dict[str, CheckMove] | None = None,
) -> Problems:
    """All that is wrong."""
    return Problems(checks, moves or {}, tuple(promises), tuple(groups))


HERE, THERE = change("a"), change("b")
LISTED: dict[str, object] = {"sample": ((("column", "t.a"),),)}
ONE = {
    "one promise for two columns": problems(
        promises=[open_(wide("wide/t.a", "t.a")), open_(wide("wide/t.b", "t.b"))]
    ),
    "a difference that breaks a promise": problems(
        promises=[open_(wide("wide", "t.z"), State.BROKEN, HERE)], groups=alone(HERE)
    ),
    "the same rows": problems(failing("t.a.x", **BY_ID), failing("t.b.y", **BY_ID)),
    "the same missing key": problems(
        missing("t.p.references", (("id", "1"), ("p", "9"))), missing("u.p.references", (("p", "9"),))
    ),
    "one pattern in two tables": problems(groups=[shifted("t", 330), shifted("u", 330)]),
    "a check of a column that changed": problems(
        failing("t.a.x"), groups=alone(HERE), moves=moved("t.a.x", Origin.SINCE)
    ),
    "a promise, and the column as it was": problems(
        told("t.a.type"), promises=[open_(wide("wide", "t.a"))]
    ),
    "a promise that names the check": problems(
        failing("t.a.x"), promises=[open_(Fixed("repaired", check="t.a.x"))]
    ),
    "a check that lists the column": problems(told("whole", table="", **LISTED), told("t.a.type")),
    "no foreign key, and what it had refused": problems(
        told("t.p.fk", "the database enforces a foreign key", kind="constraint"), missing("t.p.references")
    ),
    "no unique constraint, and what it had refused": problems(
        told("t.a.uq", "the database enforces a unique constraint", kind="constraint"),
        failing("t.a.unique"),
    ),
    "one demand on two columns": problems(
        told("t.a.type", "a is bigint"), told("u.b.type", "b is bigint")
    ),
}  # fmt: skip
TWO = {
    "another promise in the same state": problems(
        promises=[open_(wide("wide/t.a", "t.a")), open_(wide("long/t.b", "t.b"))]
    ),
    "one promise, half of it kept": problems(
        promises=[open_(wide("wide/t.a", "t.a")), open_(wide("wide/t.b", "t.b"), State.BROKEN)]
    ),
    "another difference": problems(
        promises=[open_(wide("wide", "t.z"), State.BROKEN, HERE)], groups=alone(THERE)
    ),
    "the same digest in another table": problems(failing("t.a.x", **BY_ID), failing("u.b.y", **BY_ID)),
    "the same digest of another key": problems(
        failing("t.a.x", **BY_ID), failing("t.b.y", **{**BY_ID, "key": ("a", "b")})
    ),
    "other rows": problems(failing("t.a.x", **BY_ID), failing("t.b.y", **{**BY_ID, "key_digest": "b" * 64})),
    "rows that are not known": problems(failing("t.a.x", key=("id",)), failing("t.b.y", key=("id",))),
    "the same value missing from another table": problems(
        missing("t.p.references", (("p", "9"),)),
        missing("u.p.references", (("p", "9"),), claim="refers to q"),
    ),
    "another value missing": problems(
        missing("t.p.references", (("p", "9"),)), missing("u.p.references", (("p", "8"),))
    ),
    "another column's value": problems(
        missing("t.p.references", (("id", "9"), ("p", "1"))), missing("u.p.references", (("p", "9"),))
    ),
    "a masked value": problems(
        missing("t.p.references", (("p", MASKED),)), missing("u.p.references", (("p", MASKED),))
    ),
    "a key that is NULL": problems(
        missing("t.p.references", (("p", None),)), missing("u.p.references", (("p", None),))
    ),
    "the same value of checks that are no references": problems(
        failing("t.p.x", "refers to p", sample=((("p", "9"),),)),
        failing("u.p.x", "refers to p", sample=((("p", "9"),),)),
    ),
    "another offset": problems(groups=[shifted("t", 330), shifted("u", 60)]),
    "differences without a pattern": problems(groups=alone(HERE, THERE)),
    "a check of a changed column that failed before": problems(
        failing("t.a.x"), groups=alone(HERE), moves=moved("t.a.x", Origin.BEFORE)
    ),
    "a check of a changed column that failed at an unknown time": problems(
        failing("t.a.x"), groups=alone(HERE), moves=moved("t.a.x", Origin.UNKNOWN)
    ),
    "a check of another column": problems(
        failing("t.a.x"), groups=alone(THERE), moves=moved("t.a.x", Origin.SINCE)
    ),
    "a check of the column of another table": problems(
        failing("u.a.x"), groups=alone(HERE), moves=moved("u.a.x", Origin.SINCE)
    ),
    "a check of a column whose values are as they were": problems(
        failing("t.a.x"), groups=alone(change("a", "column")), moves=moved("t.a.x", Origin.SINCE)
    ),
    "a promise, and rows of its column": problems(failing("t.a.x"), promises=[open_(wide("wide", "t.a"))]),
    "a promise, and the same column elsewhere": problems(
        told("u.a.type"), promises=[open_(wide("wide", "t.a"))]
    ),
    "a promise that is about no values of a column": problems(
        told("t.a.type"),
        promises=[open_(Altered("alter", object="index", table="t", name="a", attribute="x", to="y"))],
    ),
    "a promise that names a longer id": problems(
        failing("t.a.x"), promises=[open_(Fixed("repaired", check="t.a.x.y"))]
    ),
    "a check of rows that shows such a column": problems(
        failing("whole", table="", **LISTED), told("t.a.type")
    ),
    "a list without the column": problems(told("whole", table="", **LISTED), told("t.b.type")),
    "a list of the column of another table": problems(told("whole", table="", **LISTED), told("u.a.type")),
    "no foreign key of another column": problems(
        told("t.q.fk", "the database enforces a foreign key", kind="constraint"), missing("t.p.references")
    ),
    "no foreign key of another table": problems(
        told("u.p.fk", "the database enforces a foreign key", kind="constraint"), missing("t.p.references")
    ),
    "another constraint": problems(
        told("t.p.ck", "the database enforces a check", kind="constraint"), missing("t.p.references")
    ),
    "no constraint at all": problems(
        told("t.p.fk", "there is a foreign key", kind="comment"), missing("t.p.references")
    ),
    "another demand": problems(told("t.a.type", "a is bigint"), told("u.b.type", "b is text")),
    "the same words of another kind": problems(
        told("t.a.type", "a is bigint"), told("u.b.kind", "b is bigint")
    ),
    "the same words of rows": problems(
        failing("t.a.type", "a is bigint"), failing("u.b.type", "b is bigint")
    ),
    "two constraints in the same words": problems(
        told("t.a.constraint", "a is unique"), told("u.b.constraint", "b is unique")
    ),
    "the same words about no column": problems(told("t.type", "is bigint"), told("u.type", "is bigint")),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE)
def test_what_shares_the_fact_of_a_rule_is_one_problem(name: str) -> None:
    """Each rule alone joins its two."""
    assert len(nodes_of(ONE[name])) == 2
    assert len(joined(ONE[name])) == 1


@pytest.mark.parametrize("name", TWO)
def test_what_shares_less_stays_two(name: str) -> None:
    """One condition of a rule is not met: nothing else says that the two are one."""
    assert len(nodes_of(TWO[name])) == 2
    assert len(joined(TWO[name])) == 2


def test_a_column_is_known_by_an_id_that_begins_with_its_table_alone() -> None:
    """``a.type`` of table t names no column of t: no promise of t.a is shown by it."""
    strange = told("a.type", table="t")
    assert len(joined(problems(strange, promises=[open_(wide("wide", "t.a"))]))) == 2


def test_problems_are_one_through_others() -> None:
    """A chain is one problem, with its members in the order of all problems."""
    checks = [failing("t.a.x", **BY_ID), failing("t.b.y"), failing("t.c.z", **BY_ID)]
    promises = [open_(Fixed("repaired", check="t.c.z"))]
    assert joined(problems(*checks, promises=promises)) == (
        [("check", "t.a.x"), ("check", "t.c.z"), ("promise", "repaired")],
        [("check", "t.b.y")],
    )
