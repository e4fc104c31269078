"""Statements that PostgreSQL runs outside a transaction only, and so never together with others."""

from __future__ import annotations

from itertools import islice

from kisaan_validate.sql.splitting import lexemes

_ALWAYS = (
    ("VACUUM",),
    ("CREATE", "DATABASE"),
    ("DROP", "DATABASE"),
    ("CREATE", "TABLESPACE"),
    ("DROP", "TABLESPACE"),
    ("ALTER", "SYSTEM"),
    ("CREATE", "SUBSCRIPTION"),
    ("COMMIT", "PREPARED"),
    ("ROLLBACK", "PREPARED"),
    ("REINDEX", "DATABASE"),
    ("REINDEX", "SYSTEM"),
    ("REINDEX", "SCHEMA"),
)

_CONCURRENTLY = (("CREATE", "INDEX"), ("DROP", "INDEX"), ("REINDEX",), ("ALTER", "DETACH"))
"""Words of a statement that must be alone with CONCURRENTLY. REFRESH MATERIALIZED VIEW need not."""

_LOOKED_AT = 60
"""Words at the beginning of a statement among which CONCURRENTLY stands, if it does."""


def refuses_company(sql: str) -> str:
    """The kind of a statement that must be alone; "" for any other. Some others refuse a transaction in some
    states of the database alone; they are not told.
    """
    words = [text.upper() for kind, text, _ in islice(lexemes(sql), _LOOKED_AT) if kind == "word"]
    for start in _ALWAYS:
        if tuple(words[: len(start)]) == start:
            return " ".join(start)
    if "CONCURRENTLY" not in words:
        return ""
    before = words[: words.index("CONCURRENTLY")]
    for must in _CONCURRENTLY:
        if before[:1] == list(must[:1]) and set(must) <= set(words):
            return f"{' '.join(must)} CONCURRENTLY"
    return ""
