"""Whether this is the intended database, on a server that can be migrated, and what this role may see."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.preflight import PreflightItem, PreflightTopic
from kisaan_validate.plan.plan import tables_of
from kisaan_validate.postgres.catalogue import read_catalogue, read_place
from kisaan_validate.postgres.expected import require_expected
from kisaan_validate.preflight.asked import Answers, Inquiry
from kisaan_validate.sql.qualify import qualified
from kisaan_validate.text.numbers import counted, some_of

SAY = Answers(PreflightTopic.TARGET)

OLDEST, NEWEST = 130000, 189999
"""The server versions that are supported: PostgreSQL 13 to 18."""

MOST_NAMED = 5

_MAY_SEE = qualified(
    "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), "
    "(SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user)"
)


def target_right(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """Which database this is, and whether somebody said that it is meant. Raises TargetError for another one:
    then nothing more may be asked of it.
    """
    asked = inquiry.asked
    with inquiry.looking() as session:
        place, _ = read_place(session, asked.target.source, "")
    require_expected(place, asked.expect, asked.target)
    inquiry.place = place
    where = f"{place.role}@{place.host}:{place.port}/{place.database}"
    if asked.expect:
        said = ", ".join(f"{key} {value}" for key, value in sorted(asked.expect.items()))
        yield SAY.go("target", f"{where} is the one that is expected ({said})")
    elif not inquiry.left_out("target"):
        yield SAY.unknown(
            "target",
            f"connected to {where}, but nothing says which database is meant",
            "write [target.expect] database and host into kisaan.toml, or give --expect database=NAME",
        )
    # A session of a standby can change nothing.
    if place.in_recovery:
        words = place.standby.words if place.standby is not None else "standby"
        yield SAY.no_go(
            "primary",
            f"this server is a {words}: nothing can be migrated here",
            "name the primary; who is at work there is not seen from here",
        )
    else:
        yield SAY.go("primary", "the server is a primary")


def version_known(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """Whether the server's version is supported."""
    place = inquiry.place
    if place is None:
        yield SAY.unknown("version", "the server did not say its version", "ask again")
        return
    if OLDEST <= place.server_version_num <= NEWEST:
        yield SAY.go("version", place.server)
    else:
        yield SAY.unknown("version", f"{place.server} is untested", "13 to 18 are supported")


def rights_enough(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """Whether this role may read what the suite reads, and see what others do."""
    with inquiry.looking() as session:
        ((sees, super_),) = session.execute(_MAY_SEE)
    if sees or super_:
        yield SAY.go("sees sessions", "this role sees what other sessions do")
    else:
        yield SAY.unknown(
            "sees sessions",
            "this role does not see what sessions of other roles do",
            "grant pg_monitor (or pg_read_all_stats) to it",
        )
    suite = inquiry.asked.suite
    if suite is None or inquiry.catalogue is None:
        return
    tables = tables_of(suite, inquiry.catalogue)
    refused = sorted(table.title for table in tables.values() if not table.selectable)
    if refused:
        yield SAY.no_go(
            "reads tables",
            f"this role may not read {counted(len(refused), 'table')} of {len(tables):,}: "
            f"{some_of(refused, MOST_NAMED)}",
            "grant USAGE on the schema and SELECT on these tables to it",
        )
    else:
        yield SAY.go("reads tables", f"this role may read all {len(tables):,} tables that the suite reads")


def catalogue_read(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """The catalogue, for later questions. Reports only a catalogue that cannot be read."""
    suite = inquiry.asked.suite
    schemas = suite.settings.schemas if suite is not None else ("public",)
    aliases = suite.settings.aliases if suite is not None else {}
    with inquiry.looking() as session:
        inquiry.catalogue = read_catalogue(session, schemas, aliases)
    inquiry.relations = {table.oid: table.title for table in inquiry.catalogue.tables.values()}
    # It has no item of its own when all is well.
    yield from ()
