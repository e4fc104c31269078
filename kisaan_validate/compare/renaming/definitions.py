"""What a definition reads like after tables and columns that it names were renamed, as the server would
print it. Pure.

A server keeps a definition as a tree over tables and columns by number, and prints it with the names of
today. So a rename changes the text of indexes, constraints, views, policies, … and nothing else of them.
Texts are read with an empty search path: a table is always printed as ``schema.name``. Where a text cannot
be followed it stays a difference, never the same.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from kisaan_validate.compare.renaming.names import Relation
from kisaan_validate.compare.renaming.tokens import Token, quoted, tokens_of
from kisaan_validate.dataclass import dataclass
from kisaan_validate.text.printed import canonical


@dataclass(frozen=True)
class NameScope:
    """What the names in a text mean: every earlier relation with its new name, and the columns that
    got another name.

    ``own`` is the relation whose columns stand without a qualifier; None in a view, whose own FROM says
    it. ``fields`` are the names that fields of composite types have, which are no columns. ``keywords``
    are names that stand in quotes besides odd ones. ``parameters`` are those of a function, with the
    relation whose rows they are, None of any other type.
    """

    relations: Mapping[Relation, Relation]
    columns: Mapping[Relation, Mapping[str, str]]
    own: Relation | None = None
    fields: Collection[str] = ()
    keywords: Collection[str] = ()
    parameters: Mapping[str, Relation | None] = field(default_factory=dict)


def follows(before: str, after: str, scope: NameScope) -> bool:
    """Whether a text is what another becomes by the renames alone."""
    wanted = _gist(after)
    # By tokens: which names stand in quotes depends on the version's keywords.
    return any(_gist(text) == wanted for text in tellings(before, scope))


def tellings(sql: str, scope: NameScope) -> Iterator[str]:
    """All that a text may read like after the renames, what is likely first.

    A view may have stored the old name of a table as its alias. A field may be that of a composite type,
    or of a table's row.
    """
    # The likely reading first; a view that stored the old name as its alias second.
    for aliased in (False, True):
        yield _Telling(sql, scope, aliased).text()
        if scope.fields:
            yield _Telling(sql, scope, aliased, scope.fields).text()


def parameters_of(arguments: str) -> dict[str, Relation | None]:
    """The parameters of a function as they are printed: by name, or by number as $1, with what
    ``NameScope.parameters`` says of them.
    """
    found: dict[str, Relation | None] = {}
    for number, listed in enumerate(_apart(tokens_of(arguments)), 1):
        # The mode of a parameter is no name.
        words = [token for token in listed if token.keyword not in {"IN", "OUT", "INOUT", "VARIADIC"}]
        # With one word it is a type; with a dot behind it, a type's schema.
        named = len(words) > 1 and words[1].text != "."
        type = words[1:] if named else words
        relation = (type[0].name, type[2].name) if len(type) > 2 and type[1].text == "." else None
        found[words[0].name if named else f"${number}"] = relation
    return found


def _apart(tokens: Iterable[Token]) -> Iterator[list[Token]]:
    """What stands between the commas."""
    depth, listed = 0, list[Token]()
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        # Commas within parentheses belong to a type, as in numeric(12,2).
        if token.text == "," and not depth:
            yield listed
            listed = []
        else:
            listed.append(token)
    if listed:
        yield listed


def retold(sql: str, scope: NameScope) -> str:
    """The text after the renames."""
    return next(tellings(sql, scope))


def _gist(sql: str) -> list[tuple[bool, str]]:
    """What a text says, whichever way it was printed: only servers know which names are keywords and stand
    in quotes.
    """
    found = (tokens_of(text)[0] for text in canonical(sql))
    return [(bool(token.name), token.name or token.text) for token in found]


_NOT_COLUMNS = frozenset(
    {
        "AS",
        "INDEX",
        "TRIGGER",
        "STATISTICS",
        "RULE",
        "CONSTRAINT",
        "COLLATE",
        "USING",
        "FUNCTION",
        "PROCEDURE",
        "OPERATOR",
        "SETOF",
    }
)
"""Keywords behind which a name is no column."""

_CLAUSES = frozenset(
    {
        "FROM",
        "WHERE",
        "GROUP",
        "ORDER",
        "HAVING",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "LIMIT",
        "OFFSET",
        "FETCH",
        "WINDOW",
        "VALUES",
        "SET",
    }
)
"""Keywords that end a list of outputs."""

_OUTPUTS = frozenset({"SELECT", "RETURNING"})
"""Keywords that begin one."""

_OPAQUE: Relation = ("", "")
"""Stands for a source whose columns have names of its own: a function, a subquery, an alias with a list of
columns.
"""

_END = Token("")


@dataclass
class _Telling:
    """One text on its way: which token is replaced by what, and what is said behind it."""

    sql: str
    scope: NameScope
    aliased: bool
    fields: Collection[str] = ()
    said: dict[int, str] = field(default_factory=dict)
    behind: dict[int, str] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    aliases: dict[str, set[Relation]] = field(default_factory=lambda: defaultdict(set))
    implicit: set[str] = field(default_factory=set)
    listed: dict[int, Relation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tokens: Sequence[Token] = tokens_of(self.sql)
        self.own = self.scope.own

    def text(self) -> str:
        """The text; what stands between its tokens stays."""
        # Nothing is renamed, so the text is what it was to the letter.
        if not any(self.scope.columns.values()) and all(
            old == new for old, new in self.scope.relations.items()
        ):
            return self.sql
        self._relations()
        self._columns()
        return self._joined() if self.said or self.behind else self.sql

    def _quoted(self, name: str) -> str:
        return f'"{name}"' if name in self.scope.keywords else quoted(name)

    def _at(self, place: int) -> Token:
        return self.tokens[place] if 0 <= place < len(self.tokens) else _END

    # --- which relations are named -------------------------------------------------------------------------

    def _relations(self) -> None:
        depth, top = 0, []
        if (
            self.scope.own is not None
        ):  # a policy's subquery reads columns of the policy's table under its name
            self.aliases[self.scope.own[1]].add(self.scope.own)
            self.implicit.add(self.scope.own[1])
        for n, token in enumerate(self.tokens):
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            relation = (token.name, self._at(n + 2).name)
            if (
                not token.name
                or self._at(n + 1).text != "."
                # Behind a dot it is a column, not a schema.
                or self._at(n - 1).text == "."
                or relation not in self.scope.relations
            ):
                continue
            before = self._at(n - 1).keyword
            # Behind a table may stand its alias, with AS or without.
            called = n + 5 if self._at(n + 3).keyword == "AS" else n + 3
            # ON CONFLICT knows the row that was to be inserted into this table as "excluded".
            if before == "INTO":
                self.aliases["excluded"].add(relation)
            if before in {"REFERENCES", "INTO"} and self._at(called).text == "(":
                self.listed[called] = relation
            elif self._at(n + 3).text == "(":
                continue  # a function of the table's name
            self._relation(n, relation)
            if not depth and before == "FROM":
                top.append(relation)
        # Bare columns of a view can be told only where one relation stands in its FROM.
        if self.scope.own is None:
            self.own = top[0] if len(top) == 1 else None

    def _relation(self, n: int, relation: Relation) -> None:
        """A relation stands at token ``n``: it is called as it is after; behind it may stand an alias."""
        new = self.scope.relations[relation]
        self.taken |= {n, n + 1, n + 2}
        if new != relation:
            self.said[n], self.said[n + 2] = self._quoted(new[0]), self._quoted(new[1])
        at = n + 4 if self._at(n + 3).keyword == "AS" else n + 3
        alias, name = self._at(at), relation[1]
        if alias.name and self._at(at + 1).text != ".":
            self.taken.add(at)
            name = alias.name
            # The server numbers an alias of its own making: orders_1.
            numbered = re.fullmatch(rf"{re.escape(relation[1])}(_\d+)", name)
            if numbered and new[1] != relation[1] and not self.aliased:
                self.implicit.add(name)
                self.said[at] = self._quoted(new[1] + numbered[1])
        else:
            self.implicit.add(name)
            # What had no alias gets the old name as one, as a stored view prints it.
            if self.aliased and new[1] != relation[1] and self._at(n - 1).keyword in {"FROM", "JOIN", "ONLY"}:
                self.behind[n + 2] = self._quoted(name)
        listed = alias.name and self._at(at + 1).text == "(" and at + 1 not in self.listed
        # An alias with a list of columns gives these names of its own.
        self.aliases[name].add(_OPAQUE if listed else relation)

    # --- which columns are named ---------------------------------------------------------------------------

    def _columns(self) -> None:
        clauses, target, inferred, n = [""], None, False, 0
        while n < len(self.tokens):
            token = self.tokens[n]
            target = (
                self._target(n)
                # FOR UPDATE and ON UPDATE write to nothing; _target finds no relation behind them.
                if token.keyword in {"UPDATE", "INTO"} and self._at(n + 1).keyword != "SET"
                else target
            )
            # The columns that ON CONFLICT infers an index from are those of the target.
            inferred = token.keyword == "CONFLICT" or (inferred and token.keyword != "DO")
            if token.text == "(":
                if target is not None and (self._at(n - 1).keyword == "INSERT" or self._sets(n, clauses[-1])):
                    self.listed[n] = target
                n = self._list(n) if n in self.listed else n
                clauses.append("")
            elif token.text == ")":
                self._field(n)
                if len(clauses) > 1:
                    clauses.pop()
            elif token.keyword in _OUTPUTS or token.keyword in _CLAUSES or token.text == ";":
                clauses[-1] = token.keyword
            elif token.name and n not in self.taken:
                own = target if inferred or self._sets(n, clauses[-1]) else self.own
                n = self._named(n, own, clauses[-1] in _OUTPUTS)
            n += 1

    def _target(self, n: int) -> Relation | None:
        """The relation that is written to, by the keyword before it."""
        at = n + 2 if self._at(n + 1).keyword == "ONLY" else n + 1
        relation = (self._at(at).name, self._at(at + 2).name)
        if at in self.taken and relation in self.scope.relations:
            return relation
        return None

    def _sets(self, n: int, clause: str) -> bool:
        """Whether a column, or a list of columns, stands at token ``n`` to be set."""
        end = n
        if self._at(n).text == "(":
            while self._at(end).text not in {")", ""}:
                end += 1
        return (
            clause == "SET"
            and (self._at(n - 1).keyword == "SET" or self._at(n - 1).text == ",")
            and self._at(end + 1).text == "="
        )

    def _list(self, n: int) -> int:
        """Columns of another relation in parentheses, as of REFERENCES: the place before its end."""
        names = self.scope.columns.get(self.listed[n], {})
        while self._at(n + 1).text not in {")", ""}:
            n += 1
            if (new := names.get(self.tokens[n].name)) is not None:
                self.said[n] = self._quoted(new)
        return n

    def _named(self, n: int, own: Relation | None, in_outputs: bool) -> int:
        """A name at token ``n``, a column of ``own`` if it stands alone: the last token of what it names."""
        last = n
        if self._at(n + 1).text == "." and (self._at(n + 2).name or self._at(n + 2).text == "*"):
            last = n + 2
            # A function of that schema.
            if self._at(n + 3).text == "(":
                return last
            relation = self._meant(self.tokens[n].name)
            self._qualifier(n, relation)
        elif (
            self._at(n + 1).text == "("
            or self._at(n - 1).text in {".", "::"}
            or self._at(n - 1).keyword in _NOT_COLUMNS
        ):
            return last
        else:
            relation = own
        names = self.scope.columns.get(relation, {}) if relation is not None else {}
        new = names.get(self.tokens[last].name)
        if new is not None:
            self.said[last] = self._quoted(new)
            if in_outputs and self._begins_an_output(n):
                self._output(last, self.tokens[last].name, new)
        return last

    def _field(self, n: int) -> None:
        """What may stand behind a parenthesis: a field of what is in it, whose type is said nowhere but of
        a whole row.
        """
        field = self._at(n + 2)
        if self._at(n + 1).text != "." or not field.name:
            return
        # Else it would be taken for a bare column.
        self.taken.add(n + 2)
        known = self._row(n)
        sources = self.scope.columns if known is None else known
        found = {
            names[field.name]
            for source in sources
            if field.name in (names := self.scope.columns.get(source, {}))
        }
        # Of an unknown row, any renamed column of this name may be meant; a field of a composite type may be,
        # too.
        if found and (known is not None or field.name not in self.fields):
            self.said[n + 2] = " or ".join(self._quoted(name) for name in sorted(found))

    def _row(self, n: int) -> list[Relation] | None:
        """The relation of whose rows one stands before the parenthesis at ``n``; [] if something else
        does, None if it is not said.
        """
        last, dot, first = self._at(n - 1), self._at(n - 2), self._at(n - 3)
        if dot.text == "." and first.name in self.aliases:
            relation = self._meant(first.name) if last.text == "*" else None
            return None if relation is None else [relation]
        parameter = last.name or (f"${last.text}" if dot.text == "$" else "")
        if parameter in self.scope.parameters and (
            dot.text in {"(", "$"} or (dot.text == "." and first.name)
        ):
            found = self.scope.parameters[parameter]
            return [] if found is None else [found]
        return None

    def _meant(self, alias: str) -> Relation | None:
        """The one relation that a qualifier stands for; None if it is none, or not one."""
        found = self.aliases.get(alias, set())
        # Triggers and rules call their rows so.
        if not found and alias in {"old", "new"}:
            return self.own
        # Which of two sources a name means is not known.
        return next(iter(found)) if len(found) == 1 and _OPAQUE not in found else None

    def _qualifier(self, n: int, relation: Relation | None) -> None:
        name = self.tokens[n].name
        if relation is None or self.aliased or name not in self.implicit:
            return
        new = self.scope.relations[relation][1]
        if new != relation[1]:
            self.said[n] = self._quoted(new + name.removeprefix(relation[1]))

    def _begins_an_output(self, n: int) -> bool:
        return self._at(n - 1).keyword in {*_OUTPUTS, "DISTINCT", "ALL"} or self._at(n - 1).text == ","

    def _output(self, last: int, old: str, new: str) -> None:
        """An output that is a column alone: it keeps its name, which is printed only where it is another
        than the column's.
        """
        if self._at(last + 1).keyword == "AS":
            # AS with the new name is printed no longer: the column has it now.
            if self._at(last + 2).name == new:
                self.said[last + 1] = self.said[last + 2] = ""
                self.taken.add(last + 2)
        elif self._at(last + 1).text in {",", ")", ";", ""} or self._at(last + 1).keyword in _CLAUSES:
            self.behind[last] = f"AS {self._quoted(old)}"

    def _joined(self) -> str:
        parts, end = [], 0
        for n, token in enumerate(self.tokens):
            # From the old text, so that what stands between the tokens is kept to the letter.
            parts += [self.sql[end : token.start], self.said.get(n, token.text)]
            parts += [f" {self.behind[n]}"] if n in self.behind else []
            end = token.end
        return "".join([*parts, self.sql[end:]])
