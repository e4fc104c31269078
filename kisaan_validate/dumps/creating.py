"""Rules on CREATE of what a role without special rights makes."""

from __future__ import annotations

from kisaan_validate.dumps.events import Sentence
from kisaan_validate.dumps.names import find_word, name_at, unquoted, upper
from kisaan_validate.dumps.ruling import PASSES, DumpGround, Ruling, RulingAction, left_out, stop
from kisaan_validate.dumps.titles import languages_of, title_of


def _schema(ground: DumpGround, sentence: Sentence) -> Ruling:
    """CREATE SCHEMA, alone."""
    name, _ = name_at(sentence.tokens, 2)
    if name == "public":
        return Ruling(RulingAction.SKIP, "public")
    if find_word(sentence.tokens, "CREATE", start=1) > 0:
        return stop("schema", name, "pg_dump writes no objects into CREATE SCHEMA", sentence)
    return PASSES


def _table(ground: DumpGround, sentence: Sentence) -> Ruling:
    """CREATE TABLE, not from a query."""
    # Every AS that a table may have (GENERATED … AS) stands in its brackets.
    if find_word(sentence.tokens, "AS", start=2) > 0:
        return stop("table", title_of(sentence.tokens)[1], "it is made from a query", sentence)
    return PASSES


def _function(ground: DumpGround, sentence: Sentence) -> Ruling:
    """CREATE FUNCTION or PROCEDURE in a trusted language."""
    for language in languages_of(sentence.tokens):
        if language in ("c", "internal") or language.endswith("u"):
            return left_out(sentence, f"its language, {language}, is not trusted")
    return PASSES


def _type(ground: DumpGround, sentence: Sentence) -> Ruling:
    """CREATE TYPE, unless it is a base type."""
    tokens = sentence.tokens
    places = (p for p, t in enumerate(tokens) if t.upper() == b"INPUT")
    if any(tokens[p + 1 : p + 2] == (b"=",) for p in places):
        return left_out(sentence, "only a superuser may create a base type")
    return PASSES


def _cast(ground: DumpGround, sentence: Sentence) -> Ruling:
    """CREATE CAST, unless it reinterprets bytes."""
    if find_word(sentence.tokens, "WITHOUT", "FUNCTION") > 0:
        return left_out(sentence, "only a superuser may create a cast without a function")
    return PASSES


def _extension(ground: DumpGround, sentence: Sentence) -> Ruling:
    """CREATE EXTENSION, if the server has it and lets its owner create it."""
    place = 5 if upper(sentence.tokens, 2, 3) == ("IF", "NOT", "EXISTS") else 2
    name = unquoted(name_at(sentence.tokens, place)[0])
    if name in ground.present:
        return Ruling(RulingAction.SKIP, "present")
    if ground.extensions is not None and name not in ground.extensions:
        why = "the server does not have it, or only a superuser may create it"
        return left_out(sentence, why, "extension", name)
    return PASSES


CREATING = {
    "SCHEMA": _schema,
    "TABLE": _table,
    "FUNCTION": _function,
    "PROCEDURE": _function,
    "TYPE": _type,
    "CAST": _cast,
    "EXTENSION": _extension,
}
"""By the kind of what is created."""
