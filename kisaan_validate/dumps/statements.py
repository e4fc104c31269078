"""Which statements of a dump are passed on: those that pg_dump writes and that need no superuser.

A list of what passes, never of what does not. What pg_dump writes but a restore by a role without rights
cannot or must not do is left out by its kind and name; what pg_dump does not write stops the restore. What
needs something that was left out is left out too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from kisaan_validate.dumps.kinds import (
    ALTERED,
    CREATED,
    LEFT_OUT,
    SETTINGS,
    SUPERUSER,
    UNSAFE_ENCODINGS,
    kind_after,
)
from kisaan_validate.dumps.lexer import Command, Sentence
from kisaan_validate.dumps.names import (
    Tokens,
    constant,
    find_word,
    identifier,
    is_name,
    name_at,
    names_in,
    unquoted,
    upper,
)
from kisaan_validate.facts.dump import LeftOut


class Action(Enum):
    """What is done with a statement."""

    PASS = auto()
    SKIP = auto()
    """Left out with all of its kind, which is said once."""
    OUT = auto()
    STOP = auto()


@dataclass(frozen=True)
class Ruling:
    """What is done with one statement; ``left`` names it if it is left out or stops the restore. ``kind`` is
    the kind of what is skipped.
    """

    action: Action
    kind: str = ""
    left: LeftOut | None = None


PASSES = Ruling(Action.PASS)


@dataclass(frozen=True)
class Ground:
    """What the server has that a dump is restored into. None: not known, so nothing is left out for it."""

    major: int | None = None
    settings: frozenset[str] | None = None
    extensions: frozenset[str] | None = None
    """Those that may be created, or are there."""
    present: frozenset[str] = frozenset()
    """Extensions that are there already, of another owner."""
    access_methods: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    """Roles of ours, for which default privileges may be set."""


def _stop(kind: str, name: str, why: str, sentence: Sentence) -> Ruling:
    return Ruling(Action.STOP, kind, LeftOut(kind, name, why, stops=True, line=sentence.line))


@dataclass
class Rulings:
    """Rules on one statement after the other, remembering what was left out."""

    ground: Ground = field(default_factory=Ground)
    strings: bool = True
    skipped: Counter[str] = field(default_factory=Counter)
    left: list[LeftOut] = field(default_factory=list)
    _missing: dict[str, str] = field(default_factory=dict)
    _created: bool = False
    _cleaned: bool = False
    _made: bool = False

    def rule(self, sentence: Sentence) -> Ruling:
        """What is done with a statement."""
        ruling = self._ruled(sentence)
        if ruling.action is Action.SKIP:
            self.skipped[ruling.kind] += 1
        if ruling.left is not None:
            self.left.append(ruling.left)
        if ruling.action is Action.OUT and ruling.left is not None and "." in ruling.left.name:
            self._missing.setdefault(ruling.left.name, f"{ruling.left.kind} {ruling.left.name}")
        self._created |= sentence.tokens[:1] == (b"CREATE",) and ruling.action is Action.PASS
        return ruling

    def _ruled(self, sentence: Sentence) -> Ruling:
        tokens = sentence.tokens
        handler = _HANDLERS.get(upper(tokens, 0, 1)[0] if tokens else ";")
        if handler is None:
            word = " ".join(upper(tokens, 0, 2))[:40]
            return _stop("statement", word, "pg_dump writes no such statement", sentence)
        ruling = handler(self, sentence)
        if ruling.action is Action.PASS and self._missing:
            return self._needing(sentence) or ruling
        return ruling

    def _needing(self, sentence: Sentence) -> Ruling | None:
        """Left out if it names something that was left out."""
        needed = next((name for name in _named(sentence.tokens) if name in self._missing), None)
        if needed is None:
            return None
        kind, name = title_of(sentence.tokens)
        why = f"it needs the {self._missing[needed]}, which is left out"
        return Ruling(Action.OUT, kind, LeftOut(kind, name or needed, why, line=sentence.line))

    def out(self, sentence: Sentence, why: str, kind: str = "", name: str = "") -> Ruling:
        """Left out by its kind and name."""
        found, called = title_of(sentence.tokens)
        left = LeftOut(kind or found, name or called, why, line=sentence.line)
        return Ruling(Action.OUT, left.kind, left)

    def command(self, command: Command) -> Ruling:
        """What is done with a command of psql: the pair of ``\\restrict`` goes, and one ``\\connect`` to the
        database that the dump creates itself.
        """
        if not command.text.startswith(b"\\connect"):
            return Ruling(Action.SKIP, "restrict")
        if self._made and not self._created:
            self._made = False
            return Ruling(Action.SKIP, "database")
        name = command.text.split()[-1].decode("utf-8", "replace")
        left = LeftOut("\\connect", name, "it goes to another database", stops=True, line=command.line)
        self.left.append(left)
        return Ruling(Action.STOP, left.kind, left)

    # --- by the first word ------------------------------------------------------------------------------

    def set(self, sentence: Sentence) -> Ruling:
        """SET and RESET."""
        tokens = sentence.tokens
        words = upper(tokens, 0, 3)
        if words[1:3] == ("SESSION", "AUTHORIZATION") or words[1:2] == ("ROLE",):
            return Ruling(Action.SKIP, "owner")
        name = words[1].lower() if len(words) > 1 else ""
        value = tokens[3] if len(tokens) > 3 else b""
        if words[0] == "RESET" or name not in SETTINGS or words[2:3] not in (("=",), ("TO",)):
            return _stop("setting", name, "pg_dump does not set it", sentence)
        if self.ground.settings is not None and name not in self.ground.settings:
            return Ruling(Action.SKIP, "setting")
        given = (constant(value) if value[:1] == b"'" else unquoted(value.decode("utf-8", "replace"))) or ""
        if name == "standard_conforming_strings":
            if given not in ("on", "off"):
                return _stop("setting", name, "its value is neither on nor off", sentence)
            self.strings = given == "on"
        if name == "client_encoding" and given.upper().replace("-", "_") in UNSAFE_ENCODINGS:
            why = "a character of this encoding may hold a backslash; dump again with --encoding=UTF8"
            return _stop("encoding", given, why, sentence)
        if name == "default_tablespace" and given:
            why = "its tables and indexes are put into the database's own tablespace"
            return self.out(sentence, why, "tablespace", given)
        known = self.ground.access_methods
        if name == "default_table_access_method" and known is not None and given not in known:
            return self.out(
                sentence, "the server has no such access method; heap is used", "access method", given
            )
        return PASSES

    def select(self, sentence: Sentence) -> Ruling:
        """Calls of the few functions that pg_dump calls, with constants."""
        tokens = sentence.tokens
        words = upper(tokens, 0, 10)
        start = 3 if words[1:3] == ("*", "FROM") else 1
        if words[start : start + 2] == ("PG_CATALOG", ".") and words[start + 3 : start + 4] == ("(",):
            called = words[start + 2].lower()
            if called == "lo_unlink" and not self._created:
                return Ruling(Action.SKIP, "DROP")
            if _constants_alone(tokens[start + 4 :]):
                return self._called(sentence, called, tokens[start + 4 :])
        if words[1:4] == ("CASE", "WHEN", "EXISTS") and not self._created:
            # With --clean --if-exists, before anything is created: large objects are unlinked.
            return Ruling(Action.SKIP, "DROP")
        name, _ = name_at(tokens, start)
        return _stop("SELECT", name, "pg_dump calls no such function; it would run now", sentence)

    def _called(self, sentence: Sentence, called: str, arguments: Tokens) -> Ruling:
        if called == "set_config" and [constant(arguments[0])] == ["search_path"]:
            return PASSES
        if called in ("setval", "lo_create", "lo_open", "lowrite", "lo_close"):
            return PASSES
        if called in ("pg_restore_relation_stats", "pg_restore_attribute_stats"):
            return PASSES if (self.ground.major or 18) >= 18 else Ruling(Action.SKIP, "statistics")
        return _stop("SELECT", f"pg_catalog.{called}", "pg_dump calls no such function", sentence)

    def copy(self, sentence: Sentence) -> Ruling:
        """COPY name (columns) FROM stdin, and nothing else."""
        name, place = name_at(sentence.tokens, 1)
        rest = sentence.tokens[place:]
        if rest[:1] == (b"(",):
            end = rest.index(b")") if b")" in rest else 0
            columns, rest = rest[1:end], rest[end + 1 :]
            if not all(is_name(t) or t == b"," for t in columns):
                rest = ()
        if name and upper(rest) == ("FROM", "STDIN", ";"):
            return PASSES
        words = {t.upper() for t in sentence.tokens}
        if b"PROGRAM" in words:
            return _stop("COPY … PROGRAM", name, "it runs a program on the server", sentence)
        return _stop("COPY", name, "it is not COPY … FROM stdin: it may read or write a file", sentence)

    def insert(self, sentence: Sentence) -> Ruling:
        """INSERT of constants."""
        name, place = name_at(sentence.tokens, 2)
        rest = upper(sentence.tokens, place, 3)
        if rest == ("DEFAULT", "VALUES", ";") or rest[:2] == ("DEFAULT", "VALUES"):
            return PASSES
        if sentence.rows and sentence.plain_values:
            return PASSES
        return _stop("INSERT", name, "its values are not constants, so something would run", sentence)

    def create(self, sentence: Sentence) -> Ruling:
        """CREATE of the kinds that pg_dump writes."""
        tokens = sentence.tokens
        kind = kind_after(tokens, 1)
        if kind in LEFT_OUT:
            return self.out(sentence, LEFT_OUT[kind])
        if kind in SUPERUSER:
            return self.out(sentence, "only a superuser may create it")
        if kind == "DATABASE":
            self._made = True
            return Ruling(Action.SKIP, "database")
        if kind not in CREATED:
            return _stop(
                "statement", " ".join(upper(tokens, 0, 3))[:40], "pg_dump writes no such statement", sentence
            )
        if self._cleaned and not self._created and upper(tokens, 0, 4) == ("CREATE", "OR", "REPLACE", "VIEW"):
            # What --clean writes to loosen a view from what it needs.
            return Ruling(Action.SKIP, "DROP")
        special = _CREATING.get(kind)
        return special(self, sentence) if special else PASSES

    def schema(self, sentence: Sentence) -> Ruling:
        """CREATE SCHEMA, alone."""
        name, _ = name_at(sentence.tokens, 2)
        if name == "public":
            return Ruling(Action.SKIP, "public")
        if find_word(sentence.tokens, "CREATE", start=1) > 0:
            return _stop("schema", name, "pg_dump writes no objects into CREATE SCHEMA", sentence)
        return PASSES

    def table(self, sentence: Sentence) -> Ruling:
        """CREATE TABLE, not from a query."""
        for place in range(2, len(sentence.tokens) - 1):
            if (
                sentence.tokens[place].upper() == b"AS"
                and find_word(sentence.tokens, "AS", start=place) == place
            ):
                if _depth(sentence.tokens, place) == 0:
                    return _stop("table", title_of(sentence.tokens)[1], "it is made from a query", sentence)
        return PASSES

    def function(self, sentence: Sentence) -> Ruling:
        """CREATE FUNCTION or PROCEDURE in a trusted language."""
        for language in languages_of(sentence.tokens):
            if language in ("c", "internal") or language.endswith("u"):
                return self.out(sentence, f"its language, {language}, is not trusted")
        return PASSES

    def type(self, sentence: Sentence) -> Ruling:
        """CREATE TYPE, unless it is a base type."""
        tokens = sentence.tokens
        places = (p for p, t in enumerate(tokens) if t.upper() == b"INPUT")
        if any(tokens[p + 1 : p + 2] == (b"=",) for p in places):
            return self.out(sentence, "only a superuser may create a base type")
        return PASSES

    def cast(self, sentence: Sentence) -> Ruling:
        """CREATE CAST, unless it reinterprets bytes."""
        if find_word(sentence.tokens, "WITHOUT", "FUNCTION") > 0:
            return self.out(sentence, "only a superuser may create a cast without a function")
        return PASSES

    def extension(self, sentence: Sentence) -> Ruling:
        """CREATE EXTENSION, if the server has it and lets its owner create it."""
        place = 5 if upper(sentence.tokens, 2, 3) == ("IF", "NOT", "EXISTS") else 2
        name = unquoted(name_at(sentence.tokens, place)[0])
        if name in self.ground.present:
            return Ruling(Action.SKIP, "present")
        if self.ground.extensions is not None and name not in self.ground.extensions:
            why = "the server does not have it, or only a superuser may create it"
            return self.out(sentence, why, "extension", name)
        return PASSES

    def alter(self, sentence: Sentence) -> Ruling:
        """ALTER of what pg_dump creates."""
        tokens = sentence.tokens
        kind = kind_after(tokens, 1)
        if kind == "SYSTEM":
            return _stop("ALTER SYSTEM", "", "it changes the server itself", sentence)
        if len(tokens) > 4 and upper(tokens, len(tokens) - 4, 2) == ("OWNER", "TO"):
            return Ruling(Action.SKIP, "owner")
        if kind in LEFT_OUT:
            return self.out(sentence, LEFT_OUT[kind])
        if kind in SUPERUSER:
            return self.out(sentence, "only a superuser may create it")
        if kind == "DATABASE":
            return Ruling(Action.SKIP, "database")
        if kind not in ALTERED:
            return _stop(
                "statement", " ".join(upper(tokens, 0, 3))[:40], "pg_dump writes no such statement", sentence
            )
        if kind == "DEFAULT PRIVILEGES":
            return self._default_privileges(sentence)
        return self._table_altered(sentence) if kind == "TABLE" else PASSES

    def _default_privileges(self, sentence: Sentence) -> Ruling:
        place = find_word(sentence.tokens, "FOR", "ROLE")
        name = unquoted(name_at(sentence.tokens, place + 2)[0]) if place > 0 else ""
        if place > 0 and self.ground.roles is not None and name not in self.ground.roles:
            return self.out(
                sentence, "the role is not one that this restore made", "default privileges", name
            )
        return PASSES

    def _table_altered(self, sentence: Sentence) -> Ruling:
        tail = upper(sentence.tokens, len(sentence.tokens) - 4, 4)
        if tail[1:] == ("TRIGGER", "ALL", ";"):
            return Ruling(Action.SKIP, "triggers")
        # Before anything is created there is nothing to alter: --clean drops constraints first.
        return PASSES if self._created or not self._cleaned else Ruling(Action.SKIP, "DROP")

    def drop(self, sentence: Sentence) -> Ruling:
        """DROP: there is nothing yet."""
        self._cleaned = True
        return Ruling(Action.SKIP, "DROP")

    def comment(self, sentence: Sentence) -> Ruling:
        """COMMENT ON what is there."""
        kind = kind_after(sentence.tokens, 2)
        if kind == "DATABASE":
            return Ruling(Action.SKIP, "database")
        if kind in LEFT_OUT or kind in SUPERUSER:
            return self.out(sentence, "what it describes is left out")
        name = unquoted(name_at(sentence.tokens, 3)[0])
        known = self.ground.extensions
        foreign = name in self.ground.present or (known is not None and name not in known)
        if kind == "EXTENSION" and foreign:
            return self.out(sentence, "the extension is not one that this restore made")
        if kind == "SCHEMA" and name == "public" and (self.ground.major or 18) < 15:
            return self.out(sentence, "before PostgreSQL 15 only a superuser may describe it")
        return PASSES if kind in CREATED | {"COLUMN", "CONSTRAINT", "LARGE OBJECT"} else _unknown(sentence)

    def grant(self, sentence: Sentence) -> Ruling:
        """GRANT and REVOKE on objects."""
        tokens = sentence.tokens
        place = find_word(tokens, "ON")
        if place < 0:
            return self.out(
                sentence, "memberships of roles are not restored", "role membership", _granted(tokens)
            )
        kind = kind_after(tokens, place + 1)
        if kind == "DATABASE":
            return Ruling(Action.SKIP, "database")
        if kind in LEFT_OUT or kind in {"LANGUAGE", "PARAMETER"}:
            return self.out(sentence, "rights on it are not restored", "GRANT", kind.lower())
        names = list(names_in(tokens[place:]))
        if any(n.startswith("pg_catalog.") for n in names):
            return self.out(sentence, "only a superuser may change rights on pg_catalog", "GRANT", names[0])
        return PASSES

    def label(self, sentence: Sentence) -> Ruling:
        """SECURITY LABEL."""
        return self.out(sentence, "labels need their provider in the server", "security label", "")

    def passed(self, sentence: Sentence) -> Ruling:
        """REFRESH MATERIALIZED VIEW, BEGIN and COMMIT."""
        words = upper(sentence.tokens, 0, 3)
        if words[:2] in (("BEGIN", ";"), ("COMMIT", ";")) or words == ("REFRESH", "MATERIALIZED", "VIEW"):
            return PASSES
        return _unknown(sentence)

    def nothing(self, sentence: Sentence) -> Ruling:
        """A semicolon alone."""
        return PASSES


_HANDLERS = {
    "SET": Rulings.set,
    "RESET": Rulings.set,
    "SELECT": Rulings.select,
    "COPY": Rulings.copy,
    "INSERT": Rulings.insert,
    "CREATE": Rulings.create,
    "ALTER": Rulings.alter,
    "DROP": Rulings.drop,
    "COMMENT": Rulings.comment,
    "GRANT": Rulings.grant,
    "REVOKE": Rulings.grant,
    "SECURITY": Rulings.label,
    "REFRESH": Rulings.passed,
    "BEGIN": Rulings.passed,
    "COMMIT": Rulings.passed,
    ";": Rulings.nothing,
}
_CREATING = {
    "SCHEMA": Rulings.schema,
    "TABLE": Rulings.table,
    "FUNCTION": Rulings.function,
    "PROCEDURE": Rulings.function,
    "TYPE": Rulings.type,
    "CAST": Rulings.cast,
    "EXTENSION": Rulings.extension,
}


def _unknown(sentence: Sentence) -> Ruling:
    words = " ".join(upper(sentence.tokens, 0, 3))[:40]
    return _stop("statement", words, "pg_dump writes no such statement", sentence)


def _named(tokens: Tokens) -> Iterator[str]:
    """The names with a schema in a statement; of planner statistics, those that stand in its constants."""
    yield from names_in(tokens)
    if upper(tokens, 1, 2) == ("*", "FROM"):
        said = {
            constant(tokens[p - 2]): constant(tokens[p])
            for p in range(2, len(tokens))
            if tokens[p - 1] == b","
        }
        schema, relation = said.get("schemaname"), said.get("relname")
        yield f"{identifier(schema or '')}.{identifier(relation or '')}"


def _granted(tokens: Tokens) -> str:
    return name_at(tokens, 1)[0]


def _depth(tokens: Tokens, place: int) -> int:
    return sum((t == b"(") - (t == b")") for t in tokens[:place])


def _constants_alone(arguments: Tokens) -> bool:
    """Whether the rest of a call is constants, casts of them and its end."""
    if upper(arguments, len(arguments) - 2, 2) != (")", ";"):
        return False
    for place, token in enumerate(arguments[:-2]):
        cast = place > 0 and (arguments[place - 1] == b"::" or is_name(arguments[place - 1]))
        plain = token[:1] in b"'0123456789.-+,[]" or token == b"::" or token[:2].lower() == b"e'"
        if not plain and not (is_name(token) and (cast or token.upper() in (b"TRUE", b"FALSE", b"NULL"))):
            return False
    return True


def languages_of(tokens: Tokens) -> list[str]:
    """The languages that a CREATE FUNCTION names."""
    found: list[str] = []
    for place in range(3, len(tokens) - 1):
        before, after = tokens[place - 1], tokens[place + 1]
        if tokens[place].upper() != b"LANGUAGE" or before == b"." or after == b"(":
            continue
        if _depth(tokens, place) == 0:
            found.append((constant(after) or unquoted(after.decode("utf-8", "replace"))).lower())
    return found


def title_of(tokens: Tokens) -> tuple[str, str]:
    """The kind and the name of what a statement is about, as far as its first words say."""
    first = upper(tokens, 0, 1)[0] if tokens else ""
    if first in ("GRANT", "REVOKE"):
        return first, next(iter(names_in(tokens)), "")
    if first in ("COPY", "INSERT"):
        return "rows", name_at(tokens, 1 if first == "COPY" else 2)[0]
    if first == "SELECT":
        start = 3 if upper(tokens, 1, 2) == ("*", "FROM") else 1
        return "call of", name_at(tokens, start)[0]
    start = 2 if first in ("COMMENT", "SECURITY") else 1
    kind = kind_after(tokens, start)
    place = start
    while place < len(tokens) and upper(tokens, place, 1)[0] in {
        "OR",
        "REPLACE",
        "UNIQUE",
        "CONSTRAINT",
        "DEFAULT",
    }:
        place += 1
    place += len(kind.split())
    while place < len(tokens) and upper(tokens, place, 1)[0] in {
        "IF",
        "NOT",
        "EXISTS",
        "ONLY",
        "FOR",
        "UNLOGGED",
    }:
        place += 1
    name = name_at(tokens, place)[0] or "".join(
        t.decode("utf-8", "replace") for t in tokens[place : place + 1]
    )
    said = kind.lower() or first.lower()
    return (f"comment on {said}" if first == "COMMENT" else said), name
