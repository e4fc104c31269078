"""SQL that an author gives to a declaration: one expression over a row, and no volatile function in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from assertion_traps import trapped
from conftest import Server
from helpers import refusal, result, results, settings

from kisaan_validate import declare
from kisaan_validate.declare import Declaration
from kisaan_validate.facts.result import Status


@pytest.fixture(scope="module")
def traps(server: Server) -> Iterator[str]:
    """A database full of ways to reach a volatile function."""
    yield from trapped(server)


ESCAPES = {
    "closing the parenthesis": "a > 0) OR (true",
    "a second statement": "a > 0); DROP TABLE t; SELECT (1",
    "a comment that swallows the rest": "a > 0) -- ",
    "another clause": "a > 0) GROUP BY a HAVING (count(*) > 0",
    "a union": "a > 0) UNION SELECT 1 WHERE (a > 0",
    "a subquery": "a IN (SELECT n FROM kid)",
    "an aggregate": "sum(a) > 0",
    "a window": "row_number() OVER () > 0",
    "nothing": "",
    "a dollar quote": "a > 0 AND $$x$$ = s",
    "an unclosed string": "s = '",
}


TEMPLATES = {
    "holds": "declare.holds('t', {text!r})",
    "unique": "declare.unique('t', 'a', where={text!r})",
    "references": "declare.references('kid', 't_id', 't', where={child!r})",
    "agrees": "declare.agrees('kid', 'n', with_='t.a', via='t_id', where={child!r})",
    "holds_with": "declare.holds_with('kid', {child!r}, parent='t', via='t_id')",
    "reconciles": "declare.reconciles('t', 'a', details='kid', detail_column='n', via='t_id', "
    "where={child!r})",
    "details": "declare.reconciles('t', 'a', details='kid', detail_column='n', via='t_id', "
    "detail_where={text!r})",
}


# No condition at all is what the default of ``where`` says: it is wrong only as an expression that must hold.
ATTEMPTS = [(t, e) for t in TEMPLATES for e in ESCAPES if ESCAPES[e] or "where" not in TEMPLATES[t]]


@pytest.mark.parametrize(("template", "escape"), ATTEMPTS)
def test_no_expression_reaches_beyond_itself(template: str, escape: str, tmp_path: Path) -> None:
    """SQL that an author gives to a declaration is one expression over a row: all else is refused at its
    line.
    """
    text = child = ESCAPES[escape]
    for bare in ("a >", "(a)", "a IN", "s ="):
        child = child.replace(bare, bare.replace("a", "child.n").replace("s", "child.n"))
    call = TEMPLATES[template].format(text=text, child=child)
    error = refusal(tmp_path, {"a.py": f"from kisaan_validate import declare\n\n{call}\n"})
    assert error.origin == "a.py:3", error


CALLS: dict[str, tuple[Any, tuple[str, ...], dict[str, str]]] = {
    "holds": (declare.holds, ("t", "a > evil(1)"), {}),
    "unique": (declare.unique, ("t", "a"), {"where": "a > evil(1)"}),
    "references": (declare.references, ("kid", "t_id", "t"), {"where": "child.n > evil(1)"}),
    "agrees": (declare.agrees, ("kid", "n"), {"with_": "t.a", "via": "t_id", "where": "child.n > evil(1)"}),
    "holds_with": (declare.holds_with, ("kid", "child.n > evil(1)"), {"parent": "t", "via": "t_id"}),
    "reconciles": (
        declare.reconciles,
        ("t", "a"),
        {"details": "kid", "detail_column": "n", "via": "t_id", "where": "parent.a > evil(1)"},
    ),
    "reconciles details": (
        declare.reconciles,
        ("t", "a"),
        {"details": "kid", "detail_column": "n", "via": "t_id", "detail_where": "n > evil(1)"},
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_volatile_functions_in_declarations(name: str, server: Server, traps: str) -> None:
    """Every SQL text of a declaration has its functions looked up, its ``where`` too."""
    function, positional, named = CALLS[name]
    made: Declaration = function(*positional, **named)
    found = result(server, traps, made)
    assert (found.status, found.message) == (Status.ERROR, "calls the volatile evil")


def test_one_refusal_does_not_touch_its_neighbours(server: Server, traps: str) -> None:
    """A refused expression leaves the checks that would have shared its statement alone."""
    found = results(
        server,
        traps,
        declare.holds("t", "a > 0", id="good"),
        declare.holds("t", "evil(a) > 0", id="bad"),
        declare.holds("t", "a > 0 -- a comment", id="comment"),
        settings=settings(),
    )
    assert {id: r.status for id, r in found.items()} == {
        "good": Status.PASS,
        "bad": Status.ERROR,
        "comment": Status.PASS,
    }
