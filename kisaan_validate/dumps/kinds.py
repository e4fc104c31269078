"""Kinds of objects in the statements of pg_dump: which are made, which are left out and why."""

from __future__ import annotations

from kisaan_validate.dumps.names import Tokens, upper

CREATED = frozenset(
    [
        "SCHEMA",
        "TABLE",
        "SEQUENCE",
        "VIEW",
        "MATERIALIZED VIEW",
        "INDEX",
        "FUNCTION",
        "PROCEDURE",
        "AGGREGATE",
        "TYPE",
        "DOMAIN",
        "TRIGGER",
        "RULE",
        "POLICY",
        "OPERATOR",
        "COLLATION",
        "CONVERSION",
        "TEXT SEARCH CONFIGURATION",
        "TEXT SEARCH DICTIONARY",
        "STATISTICS",
        "CAST",
        "EXTENSION",
    ]
)
"""What a role without special rights creates in its own database."""

ALTERED = (CREATED - {"EXTENSION", "CAST", "RULE"}) | {"DEFAULT PRIVILEGES", "LARGE OBJECT", "ROUTINE"}

SUPERUSER = frozenset(
    [
        "OPERATOR CLASS",
        "OPERATOR FAMILY",
        "ACCESS METHOD",
        "TRANSFORM",
        "TEXT SEARCH PARSER",
        "TEXT SEARCH TEMPLATE",
    ]
)
"""What only a superuser creates."""

_FOREIGN = "it would reach another server, and its mappings hold passwords"
LEFT_OUT = {
    "EVENT TRIGGER": "it would run at each later command of this restore",
    "PUBLICATION": "a copy publishes nothing",
    "SUBSCRIPTION": "a copy must not connect to the publisher",
    "FOREIGN DATA WRAPPER": _FOREIGN,
    "FOREIGN TABLE": _FOREIGN,
    "SERVER": _FOREIGN,
    "FOREIGN SERVER": _FOREIGN,
    "USER MAPPING": _FOREIGN,
    "LANGUAGE": "languages come with their extension, if it is trusted",
    "TABLESPACE": "its tables and indexes are put into the database's own tablespace",
    "ROLE": "roles are made without rights, without a password and without login",
    "USER": "roles are made without rights, without a password and without login",
    "GROUP": "roles are made without rights, without a password and without login",
}
"""What is not restored, and why."""

SETTINGS = frozenset(
    [
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "transaction_timeout",
        "client_encoding",
        "standard_conforming_strings",
        "check_function_bodies",
        "xmloption",
        "client_min_messages",
        "row_security",
        "search_path",
        "default_tablespace",
        "default_table_access_method",
        "default_with_oids",
        "escape_string_warning",
    ]
)
"""What pg_dump sets."""

UNSAFE_ENCODINGS = frozenset(
    [
        "SJIS",
        "SHIFT_JIS",
        "SHIFTJIS",
        "WIN932",
        "WINDOWS932",
        "MSKANJI",
        "BIG5",
        "WIN950",
        "WINDOWS950",
        "GBK",
        "WIN936",
        "WINDOWS936",
        "UHC",
        "WIN949",
        "WINDOWS949",
        "GB18030",
        "JOHAB",
        "SHIFT_JIS_2004",
        "SHIFTJIS2004",
        "SJIS2004",
    ]
)
"""Encodings of clients in which the second byte of a character may be a backslash or a quote."""

_SKIPPED = {"OR", "REPLACE", "UNIQUE", "UNLOGGED", "TRUSTED", "PROCEDURAL", "RECURSIVE"}
_SECOND = {
    *(
        "MATERIALIZED VIEW",
        "EVENT TRIGGER",
        "USER MAPPING",
        "ACCESS METHOD",
        "LARGE OBJECT",
        "DEFAULT PRIVILEGES",
    ),
    *("FOREIGN TABLE", "FOREIGN SERVER", "OPERATOR CLASS", "OPERATOR FAMILY"),
}


def kind_after(tokens: Tokens, start: int) -> str:
    """The kind of object that is named from ``start`` on, in capitals: TABLE, MATERIALIZED VIEW, …"""
    words = list(upper(tokens, start, 8))
    while words and words[0] in _SKIPPED:
        words = words[1:]
    if words[:2] in (["CONSTRAINT", "TRIGGER"], ["DEFAULT", "CONVERSION"]):
        words = words[1:]
    if words[:3] == ["FOREIGN", "DATA", "WRAPPER"] or words[:2] == ["TEXT", "SEARCH"]:
        return " ".join(words[:3])
    if " ".join(words[:2]) in _SECOND:
        return " ".join(words[:2])
    return words[0] if words else ""
