"""Which tables of author-written SQL can be read apart: the server that will run it says so, before any of
it runs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.catalogue import Catalogue
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.plan import Written
from kisaan_validate.postgres.session import Session
from kisaan_validate.rules.assertion import Assertion
from kisaan_validate.sql.apart import TableMention, places_of, stand_apart
from kisaan_validate.sql.reading import resolve_names
from kisaan_validate.suite.load import Suite


@dataclass(frozen=True)
class SqlRefused:
    """Why SQL is not run, by check id: volatile functions that it could call, and what would answer in
    place of what it names.
    """

    volatile: Mapping[str, Collection[str]]
    shadowed: Mapping[str, str]

    def forbids(self, id: str, rule: Assertion) -> bool:
        """Whether a check's SQL is not run."""
        return id in self.shadowed or bool(set(self.volatile.get(id, ())) - rule.volatile_allowed())


def written_apart(
    session: Session,
    suite: Suite,
    catalogue: Catalogue,
    refused: SqlRefused,
    unavailable: Collection[TableKey],
) -> dict[str, Written]:
    """Each SQL assertion with its tables read apart, as far as the server takes it so, by check id.

    SQL that is not run is not shown to the server either: ``refused``, or over ``unavailable`` tables.
    Raises DatabaseError if the session is lost.
    """
    found = {}
    for check in suite.checks:
        rule = suite.rules[check.id]
        if not isinstance(rule, Assertion) or refused.forbids(check.id, rule):
            continue
        read = (catalogue.find(name) for name, _ in suite.needs(check))
        if not any(table is None or table.key in unavailable for table in read):
            found[check.id] = _written(session, resolve_names(rule.sql, rule.reads, catalogue), catalogue)
    return found


def _written(session: Session, sql: str, catalogue: Catalogue) -> Written:
    places = places_of(sql)
    tables = [catalogue.find(place.name) for place in places]
    fit = [
        p
        for p, table in zip(places, tables, strict=True)
        if p.fit and table is not None and not table.believed
    ]
    # What is believed may be seen by the planner, so only the other tables are set apart.
    apart = _taken(session, sql, fit)
    bare = [
        table.key for p, table in zip(places, tables, strict=True) if table is not None and p not in apart
    ]
    return Written(stand_apart(sql, apart), tuple(dict.fromkeys(bare)))


def _taken(session: Session, sql: str, places: Sequence[TableMention]) -> Sequence[TableMention]:
    """As many of these places as the server lets stand apart: all at once, or else one after the other.

    One that it refuses is a table whose key decides what the SELECT may show of a group.
    """
    if not places or _is_understood(session, stand_apart(sql, places)):
        return places
    # Setting tables apart cannot break SQL that is broken already: then no further tries.
    if not _is_understood(session, sql):
        return ()  # for another reason, which the statement itself will say
    taken: list[TableMention] = []
    for place in places:
        if _is_understood(session, stand_apart(sql, [*taken, place])):
            taken.append(place)
    return taken


def _is_understood(session: Session, sql: str) -> bool:
    """Whether the server can plan a SELECT. Raises DatabaseError if the session is lost."""
    session.execute("SAVEPOINT apart")
    try:
        # EXPLAIN plans and runs nothing; the line break ends a ``--`` comment of the author's.
        session.execute(f"EXPLAIN SELECT * FROM (\n{sql}\n) AS v")
        return True
    except DatabaseError as error:
        if error.lost:
            raise
        return False
    # Also after success: a plan takes locks, and a savepoint that stays would make the next one nested.
    finally:
        if not session.lost:
            session.execute("ROLLBACK TO SAVEPOINT apart; RELEASE SAVEPOINT apart")
