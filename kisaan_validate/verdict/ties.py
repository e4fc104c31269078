"""What says that two problems are one: rules over recorded facts, each a small function.

A rule yields pairs of nodes that have one cause. A node is ("check", id), ("promise", id) or
("change", number of the group). Nothing is tied by likeness of words, time or size: only by the same rows,
the same missing key, the same promise, the same pattern of values, or the same column seen twice.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from kisaan_validate.contract.promise import OfColumn, Outcome, Promise
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Check, Form
from kisaan_validate.facts.differences import VALUES, CheckMove, Origin
from kisaan_validate.facts.result import MASKED, Result

if TYPE_CHECKING:
    from kisaan_validate.compare.causes.base import ChangeGroup

Node = tuple[str, str]
Tie = tuple[Node, Node]


@dataclass(frozen=True)
class Problems:
    """All that is wrong in a run: failing checks, promises that were not kept, groups of differences."""

    checks: tuple[tuple[Check, Result], ...]
    moves: Mapping[str, CheckMove]
    promises: tuple[tuple[Promise, Outcome], ...]
    groups: tuple[ChangeGroup, ...]

    @cached_property
    def subjects(self) -> dict[tuple[str, str], list[Node]]:
        """The checks of the catalogue that are about one column, by (table, column)."""
        found: dict[tuple[str, str], list[Node]] = {}
        for check, _ in self.checks:
            if check.form is Form.CATALOGUE and (column := subject_of(check)):
                found.setdefault((check.table, column), []).append(("check", check.id))
        return found


def subject_of(check: Check) -> str:
    """The columns that a check is about, as its id ``table.column.what`` says; "" if that says none.

    An author's SQL and a reference declare no columns, so the id is what all kinds have in common. Several
    columns are joined by ``_``, as in ids.
    """
    named = check.id.removeprefix(f"{check.table}.") if check.table else ""
    column, dot, _ = named.partition(".")
    return column if dot and named != check.id else ""


def same_promise(problems: Problems) -> Iterator[Tie]:
    """Promises that were declared as one, for several columns, and came to the same state."""
    yield from _alike(
        (("promise", promise.id), (promise.id.partition("/")[0], outcome.state))
        for promise, outcome in problems.promises
    )


def contradicted(problems: Problems) -> Iterator[Tie]:
    """A promise, and the difference that breaks it."""
    by_change = {c.key: ("change", str(n)) for n, g in enumerate(problems.groups) for c in g.changes}
    for promise, outcome in problems.promises:
        for key in sorted(outcome.contradicts & by_change.keys()):
            yield ("promise", promise.id), by_change[key]


def same_rows(problems: Problems) -> Iterator[Tie]:
    """Checks of one table whose violating rows are the same, by the digest of all their keys."""
    yield from _alike(
        (("check", check.id), (check.table, result.key, result.key_digest))
        for check, result in problems.checks
        if result.key_digest
    )


def same_missing_key(problems: Problems) -> Iterator[Tie]:
    """References into one table that miss the same value."""
    yield from _alike(
        (("check", check.id), (check.claim, value))
        for check, result in problems.checks
        for value in missing_keys(check, result)
    )


def missing_keys(check: Check, result: Result) -> tuple[str, ...]:
    """The values that a reference misses, of those rows that were sampled; none that is masked."""
    column = subject_of(check)
    if check.kind != "references" or not column:
        return ()
    values = (value for row in result.sample for name, value in row if name == column)
    return tuple(dict.fromkeys(value for value in values if value is not None and value != MASKED))


def same_pattern(problems: Problems) -> Iterator[Tie]:
    """Values that moved by the same pattern, in whatever table: the same offset."""
    if not problems.groups:
        return
    from kisaan_validate.compare.causes.values import EndsMoved

    yield from _alike(
        (("change", str(n)), group.cause.identity)
        for n, group in enumerate(problems.groups)
        if isinstance(group.cause, EndsMoved)
    )


def changed_column(problems: Problems) -> Iterator[Tie]:
    """A check that fails only now, and the values of its column, which changed."""
    changed = {
        (c.table, c.name): ("change", str(n))
        for n, group in enumerate(problems.groups)
        for c in group.changes
        if c.kind == VALUES
    }
    for check, _ in problems.checks:
        move, place = problems.moves.get(check.id), (check.table, subject_of(check))
        if place in changed and move is not None and move.origin is Origin.SINCE:
            yield ("check", check.id), changed[place]


def promised_column(problems: Problems) -> Iterator[Tie]:
    """A promise about a column, and the checks of the catalogue that find the column as it was."""
    for promise, _ in problems.promises:
        if isinstance(promise, OfColumn):
            yield from ((("promise", promise.id), node) for node in problems.subjects.get(promise.place, ()))


def promised_check(problems: Problems) -> Iterator[Tie]:
    """A promise that names a check, and that check."""
    failing = {check.id for check, _ in problems.checks}
    for promise, _ in problems.promises:
        named = {value for name in promise.parameters if isinstance(value := getattr(promise, name), str)}
        yield from ((("promise", promise.id), ("check", id)) for id in sorted(named & failing))


def listed_column(problems: Problems) -> Iterator[Tie]:
    """A check of the whole catalogue that lists columns, and the checks of those columns."""
    for check, result in problems.checks:
        for row in result.sample if check.form is Form.CATALOGUE else ():
            table, _, column = (dict(row).get("column") or "").rpartition(".")
            for node in problems.subjects.get((table, column), ()):
                yield ("check", check.id), node


def enforced(problems: Problems) -> Iterator[Tie]:
    """A constraint that is not there, and the rows that it would have refused."""
    rows = {(c.table, subject_of(c), c.kind): ("check", c.id) for c, _ in problems.checks}
    wants = {"foreign key": "references", "unique": "unique"}
    for check, _ in problems.checks:
        for word, kind in wants.items() if check.kind == "constraint" else ():
            place = (check.table, subject_of(check), kind)
            if word in check.claim and place in rows:
                yield ("check", check.id), rows[place]


def same_kind(problems: Problems) -> Iterator[Tie]:
    """The same demand on many columns that only the catalogue was asked about: their type."""
    yield from _alike(
        (("check", check.id), (check.kind, demand_of(check)))
        for check, _ in problems.checks
        if check.form is Form.CATALOGUE and check.kind != "constraint" and subject_of(check)
    )


def demand_of(check: Check) -> str:
    """What a check demands of its column, without the column: ``is numeric(18,2)``."""
    subject = subject_of(check)
    return check.claim.removeprefix(subject).strip() if subject else check.claim


RULES: tuple[Callable[[Problems], Iterator[Tie]], ...] = (
    same_promise,
    contradicted,
    same_rows,
    same_missing_key,
    same_pattern,
    changed_column,
    promised_column,
    promised_check,
    listed_column,
    enforced,
    same_kind,
)


def nodes_of(problems: Problems) -> list[Node]:
    """Every problem: checks, promises, groups of differences, in this order."""
    return [
        *(("check", check.id) for check, _ in problems.checks),
        *(("promise", promise.id) for promise, _ in problems.promises),
        *(("change", str(number)) for number in range(len(problems.groups))),
    ]


def joined(problems: Problems) -> tuple[list[Node], ...]:
    """The problems by cause: each in exactly one list, with all that a rule ties to it, directly or through
    others. In the order of :func:`nodes_of`.
    """
    nodes = nodes_of(problems)
    root = {node: node for node in nodes}

    def find(node: Node) -> Node:
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for rule in RULES:
        for one, other in rule(problems):
            root[find(other)] = find(one)
    found: dict[Node, list[Node]] = {}
    for node in nodes:
        found.setdefault(find(node), []).append(node)
    return tuple(found.values())


def _alike(nodes: Iterable[tuple[Node, Hashable]]) -> Iterator[Tie]:
    """Neighbours among the nodes that share a mark."""
    by_mark: dict[Hashable, list[Node]] = {}
    for node, mark in nodes:
        by_mark.setdefault(mark, []).append(node)
    for members in by_mark.values():
        yield from pairwise(members)
