"""What stands in a dump, gathered from its statements one by one."""

from __future__ import annotations

from dataclasses import field

from kisaan_validate.dataclass import dataclass
from kisaan_validate.dumps.events import Sentence
from kisaan_validate.dumps.kinds import kind_after
from kisaan_validate.dumps.names import (
    constant,
    find_word,
    identifier,
    name_at,
    quoted,
    roles_after,
    unquoted,
    upper,
)
from kisaan_validate.dumps.titles import languages_of, title_of
from kisaan_validate.facts.dump import DumpContents, DumpedTable


@dataclass
class Gathering:
    """Takes statements and counts of rows; gives the contents. Sets and counts only: no value is kept."""

    encoding: str = ""
    database: str = ""
    _defined: dict[str, bool] = field(default_factory=dict)
    _rows: dict[str, int | None] = field(default_factory=dict)
    _sequences: set[str] = field(default_factory=set)
    _roles: set[str] = field(default_factory=set)
    _owners: set[str] = field(default_factory=set)
    _extensions: set[str] = field(default_factory=set)
    _tablespaces: set[str] = field(default_factory=set)
    _languages: set[str] = field(default_factory=set)
    _objects: int = 0
    _schema: bool = False

    def statement(self, sentence: Sentence) -> None:
        """Take note of a statement, whatever is done with it."""
        first = upper(sentence.tokens, 0, 1)[0] if sentence.tokens else ""
        handler = _TAKING.get(first)
        if handler is not None:
            handler(self, sentence)

    def rows(self, table: str, count: int | None) -> None:
        """So many more rows for a table; None: not counted."""
        before = self._rows.get(table, 0)
        self._rows[table] = None if before is None or count is None else before + count

    def section(self, schema: str, table: str) -> None:
        """There is a section of data for a table that is defined here, by bare names; it may hold no row."""
        for name in (identifier(table), quoted(table)):
            whole = f"{identifier(schema)}.{name}"
            if whole in self._defined:
                self.rows(whole, 0)

    def owner(self, role: str) -> None:
        """A role owns something."""
        self._owners.add(role)
        self._roles.add(role)

    def tablespace(self, name: str) -> None:
        """Something stands in a tablespace."""
        self._tablespaces.add(name)

    def large_objects(self, count: int) -> None:
        """So many large objects in all, whatever was counted before."""
        self._objects = count

    def contents(self) -> DumpContents:
        """What was gathered."""
        names = sorted({*self._defined, *self._rows})
        tables = tuple(
            DumpedTable(
                n, n in self._defined, n in self._rows, self._rows.get(n), self._defined.get(n, False)
            )
            for n in names
        )
        return DumpContents(
            tables,
            tuple(sorted(self._sequences)),
            self._objects,
            tuple(sorted(self._roles)),
            tuple(sorted(self._owners)),
            tuple(sorted(self._extensions)),
            tuple(sorted(self._tablespaces)),
            tuple(sorted(self._languages)),
            self._schema,
        )

    # --- by the first word ------------------------------------------------------------------------------

    def create(self, sentence: Sentence) -> None:
        """CREATE: tables, functions' languages, extensions, policies' roles."""
        tokens, kind = sentence.tokens, kind_after(sentence.tokens, 1)
        if kind == "DATABASE":
            self.database = unquoted(name_at(tokens, 2)[0])
            return
        self._schema = True
        if kind == "TABLE":
            self._defined[title_of(tokens)[1]] = find_word(tokens, "PARTITION", "BY") > 0
        elif kind in ("FUNCTION", "PROCEDURE"):
            self._languages.update(languages_of(tokens))
        elif kind == "EXTENSION":
            self._extensions.add(unquoted(title_of(tokens)[1]))
        elif kind == "POLICY" and (place := find_word(tokens, "TO")) > 0:
            self._roles.update(roles_after(tokens, place + 1))

    def alter(self, sentence: Sentence) -> None:
        """ALTER: owners, and the roles of default privileges."""
        tokens = sentence.tokens
        if len(tokens) > 4 and upper(tokens, len(tokens) - 4, 2) == ("OWNER", "TO"):
            self.owner(unquoted(name_at(tokens, len(tokens) - 2)[0]))
        elif upper(tokens, 1, 2) == ("DEFAULT", "PRIVILEGES"):
            place = find_word(tokens, "FOR", "ROLE")
            self._roles.update(roles_after(tokens, place + 2) if place > 0 else ())
            self.grant(sentence)

    def grant(self, sentence: Sentence) -> None:
        """GRANT and REVOKE: who."""
        for word in ("TO", "FROM"):
            place = find_word(sentence.tokens, word)
            self._roles.update(roles_after(sentence.tokens, place + 1) if place > 0 else ())

    def set(self, sentence: Sentence) -> None:
        """SET: the encoding, tablespaces, and who is acted for."""
        tokens = sentence.tokens
        value = tokens[3] if len(tokens) > 3 else b""
        given = (constant(value) if value[:1] == b"'" else unquoted(value.decode("utf-8", "replace"))) or ""
        name = upper(tokens, 1, 1)
        if name == ("CLIENT_ENCODING",):
            self.encoding = given
        elif name == ("DEFAULT_TABLESPACE",) and given:
            self.tablespace(given)
        elif name == ("SESSION",) and given and given != "default":
            self.owner(given)

    def copy(self, sentence: Sentence) -> None:
        """COPY: data for a table, whose rows come later."""
        self.rows(name_at(sentence.tokens, 1)[0], 0)

    def insert(self, sentence: Sentence) -> None:
        """INSERT: rows of a table."""
        name, place = name_at(sentence.tokens, 2)
        default = upper(sentence.tokens, place, 2) == ("DEFAULT", "VALUES")
        self.rows(name, 1 if default else sentence.rows)

    def select(self, sentence: Sentence) -> None:
        """SELECT: sequences that are set, large objects that are made."""
        called = upper(sentence.tokens, 3, 1)
        argument = constant(sentence.tokens[5]) if len(sentence.tokens) > 5 else None
        if called == ("SETVAL",) and argument:
            self._sequences.add(argument)
        elif called == ("LO_CREATE",):
            self._objects += 1


_TAKING = {
    "CREATE": Gathering.create,
    "ALTER": Gathering.alter,
    "GRANT": Gathering.grant,
    "REVOKE": Gathering.grant,
    "SET": Gathering.set,
    "COPY": Gathering.copy,
    "INSERT": Gathering.insert,
    "SELECT": Gathering.select,
}
