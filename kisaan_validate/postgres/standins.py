"""What would answer in place of PostgreSQL's own functions, operators and casts.

What the engine writes has its schema (``sql.qualify``), so nothing in a schema of the user's can answer
it. Three things are left: a function or operator that somebody put into ``pg_catalog`` itself; a cast,
which has no schema; and the author's own SQL, whose names are looked up in its schemas.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Catalogue
from kisaan_validate.facts.check import Form
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.postgres.catalogue import query
from kisaan_validate.postgres.session import Session
from kisaan_validate.sql.assertion import calls_of, implied_operators
from kisaan_validate.sql.qualify import operators_in

if TYPE_CHECKING:
    from kisaan_validate.suite.load import Suite

SQLSTATE = "42725"
"""ambiguous_function: what the refusal of such a statement has."""


@dataclass(frozen=True)
class Standins:
    """Sentences about what would answer: statements over any table, or over those with these oids."""

    everywhere: tuple[str, ...] = ()
    of_tables: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def refused(self, catalogue: Catalogue) -> dict[TableKey, tuple[str, str]]:
        """Which relations cannot be judged, each with (SQLSTATE, why)."""
        found = {t.key: (*self.everywhere, *self.of_tables.get(t.oid, ())) for t in catalogue.tables.values()}
        return {key: (SQLSTATE, _said(why)) for key, why in found.items() if why}


def _said(sentences: Sequence[str]) -> str:
    more = f" (and {len(sentences) - 1} more)" if len(sentences) > 1 else ""
    return f"{sentences[0]}{more}"


def read_standins(session: Session) -> Standins:
    """What would answer statements of the engine although they name PostgreSQL's own. Raises
    DatabaseError.
    """
    everywhere = [
        f"pg_catalog contains the {kind} {title}, which is not PostgreSQL's own and would be used "
        "in its place: drop it"
        for kind, title in session.execute(query("intruders"))
    ]
    tables: dict[int, list[str]] = defaultdict(list)
    # Without an oid the cast is between types that the engine's own statements use everywhere.
    for source, target, function, oid in session.execute(query("casts")):
        how = f"by {function}" if function else "by their bytes"
        sentence = (
            f"a user-defined cast converts {source} to {target} {how} and would be used in place "
            "of PostgreSQL's: drop the cast"
        )
        if oid is None:
            everywhere.append(sentence)
        else:
            tables[oid].append(sentence)
    return Standins(tuple(everywhere), {oid: tuple(said) for oid, said in tables.items()})


@dataclass(frozen=True)
class Lookalike:
    """An operator or function of the schemas whose types fit better than those of PostgreSQL's own of that
    name.
    """

    kind: str
    name: str
    title: str

    def is_among(self, functions: frozenset[str], operators: frozenset[str]) -> bool:
        """Whether SQL with these could mean it."""
        return self.name in (operators if self.kind == "operator" else functions)


def read_lookalikes(session: Session, schemas: Sequence[str]) -> tuple[Lookalike, ...]:
    """What would be chosen in place of PostgreSQL's own where SQL names it without its schema. Raises
    DatabaseError.
    """
    # Types are printed with their schemas.
    session.execute("SET LOCAL search_path = pg_catalog, pg_temp")
    found = session.execute(query("lookalikes"), {"schemas": list(schemas)})
    # Back to the pinned path: the author's SQL is looked up in its schemas.
    session.execute(f"SET LOCAL search_path = {dict(session.pins())['search_path']}")
    return tuple(Lookalike(*row) for row in found)


_QUALIFIED = re.compile(
    r"(?i)\bOPERATOR\s*\(\s*pg_catalog\s*\.\s*[-+*/<>=~!@#%^&|`?]+\s*\)|\bpg_catalog\s*\.\s*\w+"
)
"""What names PostgreSQL's own beyond doubt."""


def shadowed(sql: str, origin: str, lookalikes: Iterable[Lookalike]) -> str:
    """Why author-written SQL says something else than it seems to, or "". Raises SuiteError where it is
    not understood.
    """
    there = list(lookalikes)
    if not sql or not there:
        return ""
    # An operator named with pg_catalog is safe, so it is replaced by a plain word before the rest is read.
    plain = _QUALIFIED.sub(" x ", sql)
    calls, operators = calls_of(plain, origin), operators_in(plain)
    named = [
        one
        for one in there
        # ``IN``, ``BETWEEN`` and ``LIKE`` use operators without writing them.
        if one.is_among(calls.called | calls.dotted, operators | implied_operators(calls.words))
    ]
    if not named:
        return ""
    more = f" and {len(named) - 1} more" if len(named) > 1 else ""
    return (
        f"the {named[0].kind} {named[0].title}{more} would be used in place of PostgreSQL's own, "
        "so no comparison can be trusted"
    )


def shadowed_checks(session: Session, suite: Suite, schemas: Sequence[str]) -> dict[str, str]:
    """The checks whose author-written SQL would be answered by lookalikes, each with the reason. Raises
    DatabaseError.
    """
    lookalikes = read_lookalikes(session, schemas)
    # Without lookalikes no text has to be parsed, which is the common case.
    asked = (check for check in suite.checks if check.form is not Form.CATALOGUE) if lookalikes else ()
    found = {check.id: shadowed(suite.authored(check), check.origin, lookalikes) for check in asked}
    return {id: why for id, why in found.items() if why}
