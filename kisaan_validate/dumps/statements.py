"""Which statements of a dump are passed on: those that pg_dump writes and that need no superuser.

A list of what passes, never of what does not. What pg_dump writes but a restore by a role without rights
cannot or must not do is left out by its kind and name; what pg_dump does not write stops the restore. What
needs something that was left out is left out too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import field

from kisaan_validate.dataclass import dataclass
from kisaan_validate.dumps.creating import CREATING
from kisaan_validate.dumps.events import Command, Sentence
from kisaan_validate.dumps.kinds import (
    ALTERED,
    CREATED,
    LEFT_OUT,
    SETTINGS,
    SUPERUSER,
    UNSAFE_ENCODINGS,
    kind_after,
)
from kisaan_validate.dumps.names import (
    Tokens,
    constant,
    find_word,
    is_name,
    name_at,
    names_in,
    unquoted,
    upper,
)
from kisaan_validate.dumps.ruling import PASSES, DumpGround, Ruling, RulingAction, left_out, stop
from kisaan_validate.dumps.titles import constants_alone, named_in, title_of
from kisaan_validate.facts.dump import LeftOut


@dataclass
class Rulings:
    """Rules on one statement after the other, remembering what was left out."""

    ground: DumpGround = field(default_factory=DumpGround)
    strings: bool = True
    skipped: Counter[str] = field(default_factory=Counter)
    left: list[LeftOut] = field(default_factory=list)
    _missing: dict[str, str] = field(default_factory=dict)
    _created: bool = False
    _passed: Tokens = ()
    _cleaned: bool = False
    _made: bool = False

    def rule(self, sentence: Sentence) -> Ruling:
        """What is done with a statement."""
        constants = sentence.rows > 0 and sentence.plain_values
        # Millions of rows for one table are ruled on once.
        if constants and sentence.tokens == self._passed and not self._missing:
            return PASSES
        ruling = self._ruled(sentence)
        if constants and ruling.action is RulingAction.PASS:
            self._passed = sentence.tokens
        if ruling.action is RulingAction.SKIP:
            self.skipped[ruling.kind] += 1
        if ruling.left is not None:
            self.left.append(ruling.left)
        if ruling.action is RulingAction.OUT and ruling.left is not None and "." in ruling.left.name:
            self._missing.setdefault(ruling.left.name, f"{ruling.left.kind} {ruling.left.name}")
        self._created |= sentence.tokens[:1] == (b"CREATE",) and ruling.action is RulingAction.PASS
        return ruling

    def _ruled(self, sentence: Sentence) -> Ruling:
        tokens = sentence.tokens
        handler = _HANDLERS.get(upper(tokens, 0, 1)[0] if tokens else ";")
        if handler is None:
            word = " ".join(upper(tokens, 0, 2))[:40]
            return stop("statement", word, "pg_dump writes no such statement", sentence)
        ruling = handler(self, sentence)
        if ruling.action is RulingAction.PASS and self._missing:
            return self._needing(sentence) or ruling
        return ruling

    def _needing(self, sentence: Sentence) -> Ruling | None:
        """Left out if it names something that was left out."""
        needed = next((name for name in named_in(sentence.tokens) if name in self._missing), None)
        if needed is None:
            return None
        kind, name = title_of(sentence.tokens)
        why = f"it needs the {self._missing[needed]}, which is left out"
        return Ruling(RulingAction.OUT, kind, LeftOut(kind, name or needed, why, line=sentence.line))

    def command(self, command: Command) -> Ruling:
        """What is done with a command of psql: the pair of ``\\restrict`` goes, and one ``\\connect`` to the
        database that the dump creates itself.
        """
        if not command.text.startswith(b"\\connect"):
            return Ruling(RulingAction.SKIP, "restrict")
        if self._made and not self._created:
            self._made = False
            return Ruling(RulingAction.SKIP, "database")
        name = command.text.split()[-1].decode("utf-8", "replace")
        left = LeftOut("\\connect", name, "it goes to another database", stops=True, line=command.line)
        self.left.append(left)
        return Ruling(RulingAction.STOP, left.kind, left)

    # --- by the first word ------------------------------------------------------------------------------

    def set(self, sentence: Sentence) -> Ruling:
        """SET and RESET."""
        tokens = sentence.tokens
        words = upper(tokens, 0, 3)
        if words[1:3] == ("SESSION", "AUTHORIZATION") or words[1:2] == ("ROLE",):
            return Ruling(RulingAction.SKIP, "owner")
        name = words[1].lower() if len(words) > 1 else ""
        value = tokens[3] if len(tokens) > 3 else b""
        if words[0] == "RESET" or name not in SETTINGS or words[2:3] not in (("=",), ("TO",)):
            return stop("setting", name, "pg_dump does not set it", sentence)
        if self.ground.settings is not None and name not in self.ground.settings:
            return Ruling(RulingAction.SKIP, "setting")
        given = (constant(value) if value[:1] == b"'" else unquoted(value.decode("utf-8", "replace"))) or ""
        if name == "standard_conforming_strings":
            if given not in ("on", "off"):
                return stop("setting", name, "its value is neither on nor off", sentence)
            self.strings = given == "on"
        if name == "client_encoding" and given.upper().replace("-", "_") in UNSAFE_ENCODINGS:
            why = "a character of this encoding may hold a backslash; dump again with --encoding=UTF8"
            return stop("encoding", given, why, sentence)
        if name == "default_tablespace" and given:
            why = "its tables and indexes are put into the database's own tablespace"
            return left_out(sentence, why, "tablespace", given)
        known = self.ground.access_methods
        if name == "default_table_access_method" and known is not None and given not in known:
            return left_out(
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
                return Ruling(RulingAction.SKIP, "DROP")
            if constants_alone(tokens[start + 4 :]):
                return self._called(sentence, called, tokens[start + 4 :])
        if words[1:4] == ("CASE", "WHEN", "EXISTS") and not self._created:
            # With --clean --if-exists, before anything is created: large objects are unlinked.
            return Ruling(RulingAction.SKIP, "DROP")
        name, _ = name_at(tokens, start)
        return stop("SELECT", name, "pg_dump calls no such function; it would run now", sentence)

    def _called(self, sentence: Sentence, called: str, arguments: Tokens) -> Ruling:
        if called == "set_config" and [constant(arguments[0])] == ["search_path"]:
            return PASSES
        if called in ("setval", "lo_create", "lo_open", "lowrite", "lo_close"):
            return PASSES
        if called in ("pg_restore_relation_stats", "pg_restore_attribute_stats"):
            return PASSES if (self.ground.major or 18) >= 18 else Ruling(RulingAction.SKIP, "statistics")
        return stop("SELECT", f"pg_catalog.{called}", "pg_dump calls no such function", sentence)

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
            return stop("COPY … PROGRAM", name, "it runs a program on the server", sentence)
        return stop("COPY", name, "it is not COPY … FROM stdin: it may read or write a file", sentence)

    def insert(self, sentence: Sentence) -> Ruling:
        """INSERT of constants."""
        name, place = name_at(sentence.tokens, 2)
        rest = upper(sentence.tokens, place, 3)
        if rest == ("DEFAULT", "VALUES", ";") or rest[:2] == ("DEFAULT", "VALUES"):
            return PASSES
        if sentence.rows and sentence.plain_values:
            return PASSES
        return stop("INSERT", name, "its values are not constants, so something would run", sentence)

    def create(self, sentence: Sentence) -> Ruling:
        """CREATE of the kinds that pg_dump writes."""
        tokens = sentence.tokens
        kind = kind_after(tokens, 1)
        if kind in LEFT_OUT:
            return left_out(sentence, LEFT_OUT[kind])
        if kind in SUPERUSER:
            return left_out(sentence, "only a superuser may create it")
        if kind == "DATABASE":
            self._made = True
            return Ruling(RulingAction.SKIP, "database")
        if kind not in CREATED:
            return stop(
                "statement", " ".join(upper(tokens, 0, 3))[:40], "pg_dump writes no such statement", sentence
            )
        if self._cleaned and not self._created and upper(tokens, 0, 4) == ("CREATE", "OR", "REPLACE", "VIEW"):
            # What --clean writes to loosen a view from what it needs.
            return Ruling(RulingAction.SKIP, "DROP")
        special = CREATING.get(kind)
        return special(self.ground, sentence) if special else PASSES

    def alter(self, sentence: Sentence) -> Ruling:
        """ALTER of what pg_dump creates."""
        tokens = sentence.tokens
        kind = kind_after(tokens, 1)
        if kind == "SYSTEM":
            return stop("ALTER SYSTEM", "", "it changes the server itself", sentence)
        if len(tokens) > 4 and upper(tokens, len(tokens) - 4, 2) == ("OWNER", "TO"):
            return Ruling(RulingAction.SKIP, "owner")
        if kind in LEFT_OUT:
            return left_out(sentence, LEFT_OUT[kind])
        if kind in SUPERUSER:
            return left_out(sentence, "only a superuser may create it")
        if kind == "DATABASE":
            return Ruling(RulingAction.SKIP, "database")
        if kind not in ALTERED:
            return stop(
                "statement", " ".join(upper(tokens, 0, 3))[:40], "pg_dump writes no such statement", sentence
            )
        if kind == "DEFAULT PRIVILEGES":
            return self._default_privileges(sentence)
        return self._table_altered(sentence) if kind == "TABLE" else PASSES

    def _default_privileges(self, sentence: Sentence) -> Ruling:
        place = find_word(sentence.tokens, "FOR", "ROLE")
        name = unquoted(name_at(sentence.tokens, place + 2)[0]) if place > 0 else ""
        if place > 0 and self.ground.roles is not None and name not in self.ground.roles:
            return left_out(
                sentence, "the role is not one that this restore made", "default privileges", name
            )
        return PASSES

    def _table_altered(self, sentence: Sentence) -> Ruling:
        tail = upper(sentence.tokens, len(sentence.tokens) - 4, 4)
        if tail[1:] == ("TRIGGER", "ALL", ";"):
            return Ruling(RulingAction.SKIP, "triggers")
        # Before anything is created there is nothing to alter: --clean drops constraints first.
        return PASSES if self._created or not self._cleaned else Ruling(RulingAction.SKIP, "DROP")

    def drop(self, sentence: Sentence) -> Ruling:
        """DROP: there is nothing yet."""
        self._cleaned = True
        return Ruling(RulingAction.SKIP, "DROP")

    def comment(self, sentence: Sentence) -> Ruling:
        """COMMENT ON what is there."""
        kind = kind_after(sentence.tokens, 2)
        if kind == "DATABASE":
            return Ruling(RulingAction.SKIP, "database")
        if kind in LEFT_OUT or kind in SUPERUSER:
            return left_out(sentence, "what it describes is left out")
        name = unquoted(name_at(sentence.tokens, 3)[0])
        known = self.ground.extensions
        foreign = name in self.ground.present or (known is not None and name not in known)
        if kind == "EXTENSION" and foreign:
            return left_out(sentence, "the extension is not one that this restore made")
        if kind == "SCHEMA" and name == "public" and (self.ground.major or 18) < 15:
            return left_out(sentence, "before PostgreSQL 15 only a superuser may describe it")
        return PASSES if kind in CREATED | {"COLUMN", "CONSTRAINT", "LARGE OBJECT"} else _unknown(sentence)

    def grant(self, sentence: Sentence) -> Ruling:
        """GRANT and REVOKE on objects."""
        tokens = sentence.tokens
        place = find_word(tokens, "ON")
        if place < 0:
            return left_out(
                sentence, "memberships of roles are not restored", "role membership", _granted(tokens)
            )
        kind = kind_after(tokens, place + 1)
        if kind == "DATABASE":
            return Ruling(RulingAction.SKIP, "database")
        if kind in LEFT_OUT or kind in {"LANGUAGE", "PARAMETER"}:
            return left_out(sentence, "rights on it are not restored", "GRANT", kind.lower())
        names = list(names_in(tokens[place:]))
        if any(n.startswith("pg_catalog.") for n in names):
            return left_out(sentence, "only a superuser may change rights on pg_catalog", "GRANT", names[0])
        return PASSES

    def label(self, sentence: Sentence) -> Ruling:
        """SECURITY LABEL."""
        return left_out(sentence, "labels need their provider in the server", "security label", "")

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


def _unknown(sentence: Sentence) -> Ruling:
    words = " ".join(upper(sentence.tokens, 0, 3))[:40]
    return stop("statement", words, "pg_dump writes no such statement", sentence)


def _granted(tokens: Tokens) -> str:
    return name_at(tokens, 1)[0]
