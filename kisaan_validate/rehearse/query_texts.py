"""The queries of an application: from pg_stat_statements of production (only read), or from a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError, UsageError
from kisaan_validate.postgres.session import Session
from kisaan_validate.sql.expressions import quote
from kisaan_validate.sql.qualify import qualified
from kisaan_validate.text.authored import read_plain, reason_of

MOST = 5_000
"""As many texts are planned; pg_stat_statements keeps no more by default."""

HIDDEN = "<insufficient privilege>"
"""What pg_stat_statements shows of the text of another role."""

_READS_ROWS = re.compile(r"(?:SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|TABLE)\b", re.IGNORECASE)
_LEADING = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/|\()*", re.DOTALL)


@dataclass(frozen=True)
class QueryText:
    """A query as it was written, and how often it was run (None: not known)."""

    text: str
    calls: int | None = None


@dataclass(frozen=True)
class QueryTexts:
    """Queries and their source. ``no_queries`` counts texts that name no rows; ``reason`` says why there are
    none, or not all.
    """

    source: str
    texts: tuple[QueryText, ...] = ()
    no_queries: int = 0
    reason: str = ""


def is_query(text: str) -> bool:
    """Whether a text is of a statement that can be planned: EXPLAIN takes no SET and no CREATE TABLE."""
    leading = _LEADING.match(text)
    return bool(_READS_ROWS.match(text, leading.end() if leading else 0))


def queries_of(source: str, found: Sequence[QueryText]) -> QueryTexts:
    """Those of the texts that can be planned, the most often run first; each once."""
    calls: dict[str, int | None] = {}
    for one in found:
        known = calls.get(one.text)
        calls[one.text] = one.calls if known is None else known + (one.calls or 0)
    planned = {text: n for text, n in calls.items() if is_query(text) or text == HIDDEN}
    ordered = sorted(planned.items(), key=lambda item: (-(item[1] or 0), item[0]))
    texts = tuple(QueryText(text, n) for text, n in ordered)
    more = len(texts) - MOST
    reason = f"the {more:,} queries that are run least were left out" if more > 0 else ""
    return QueryTexts(source, texts[:MOST], len(calls) - len(planned), reason)


_WHERE = qualified(
    "SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
    "WHERE e.extname = 'pg_stat_statements'"
)
_OF = "the pg_stat_statements of production"


def read_statements(session: Session) -> QueryTexts:
    """The queries that production runs, by its pg_stat_statements. A refusal is told as ``reason``."""
    try:
        found = session.execute(_WHERE)
        if not found:
            return QueryTexts(_OF, reason="production has no extension pg_stat_statements in this database")
        view = f"{quote(str(found[0][0]))}.{quote('pg_stat_statements')}"
        rows = session.execute(
            qualified(
                f"SELECT s.query::text, s.calls::bigint FROM {view} s "
                "WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())"
            )
        )
    except DatabaseError as error:
        return QueryTexts(_OF, reason=f"pg_stat_statements could not be read: {error.fact}")
    texts = [QueryText(str(text).strip().rstrip(";"), int(calls)) for text, calls in rows if text]
    read = queries_of(_OF, texts)
    return read if read.texts else QueryTexts(_OF, no_queries=read.no_queries, reason="it has no query")


def read_queries(path: Path) -> QueryTexts:
    """The queries of a file, one after another, each ended by ; at the end of a line. Raises UsageError."""
    try:
        text = read_plain(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {reason_of(error)}", "name a file of queries") from None
    parts = [part.strip() for part in re.split(r";[ \t]*(?:\r?\n|\Z)", text)]
    found = [QueryText(part) for part in parts if part and _LEADING.sub("", part, count=1)]
    if not found:
        raise UsageError(f"{path} has no query", "write queries, each ended by ; at the end of its line")
    return queries_of(path.name, found)
