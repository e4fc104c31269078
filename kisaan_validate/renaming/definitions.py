"""What a definition reads like after tables and columns that it names were renamed, as the server would print it. Pure.

A server keeps a definition as a tree over tables and columns by number, and prints it with the names of today. So a rename
changes the text of indexes, constraints, views, policies, … and nothing else of them. Texts are read with an empty search
path: a table is always printed as ``schema.name``. Where a text cannot be followed it stays a difference, never the same.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kisaan_validate.printed import canonical
from kisaan_validate.renaming.names import Relation
from kisaan_validate.renaming.tokens import Token, quoted, tokens_of


@dataclass(frozen=True)
class Scope:
    """What the names in a text mean: every relation of before with its name after, and the columns that got another name.

    ``own`` is the relation whose columns stand without a qualifier; None in a view, whose own FROM says it.
    """

    relations: Mapping[Relation, Relation]
    columns: Mapping[Relation, Mapping[str, str]]
    own: Relation | None = None


def follows(before: str, after: str, scope: Scope) -> bool:
    """Whether a text is what another becomes by the renames alone."""
    wanted = _gist(after)
    return any(_gist(retold(before, scope, aliased=aliased)) == wanted for aliased in (False, True))


def retold(sql: str, scope: Scope, *, aliased: bool = False) -> str:
    """The text after the renames. A view may have stored the old name of a table as its alias: then it is ``aliased``."""
    return _Telling(sql, scope, aliased).text()


def _gist(sql: str) -> list[tuple[bool, str]]:
    """What a text says, whichever way it was printed: only servers know which names are keywords and stand in quotes."""
    found = (tokens_of(text)[0] for text in canonical(sql))
    return [(bool(token.name), token.name or token.text) for token in found]


_NOT_COLUMNS = frozenset({
    "AS", "INDEX", "TRIGGER", "STATISTICS", "RULE", "CONSTRAINT", "COLLATE", "USING", "FUNCTION", "PROCEDURE", "OPERATOR", "SETOF",
})  # fmt: skip
"""Keywords behind which a name is no column."""

_CLAUSES = frozenset({
    "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "UNION", "INTERSECT", "EXCEPT", "LIMIT", "OFFSET", "FETCH", "WINDOW", "VALUES", "SET",
})  # fmt: skip
"""Keywords that end a list of outputs."""

_OPAQUE: Relation = ("", "")
"""Stands for a source whose columns have names of its own: a function, a subquery, an alias with a list of columns."""

_END = Token("")


@dataclass
class _Telling:
    """One text on its way: which token is replaced by what, and what is said behind it."""

    sql: str
    scope: Scope
    aliased: bool
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
        if not any(self.scope.columns.values()) and all(old == new for old, new in self.scope.relations.items()):
            return self.sql
        self._relations()
        self._columns()
        return self._joined() if self.said or self.behind else self.sql

    def _at(self, place: int) -> Token:
        return self.tokens[place] if 0 <= place < len(self.tokens) else _END

    # --- which relations are named ----------------------------------------------------------------------------------

    def _relations(self) -> None:
        depth, top = 0, []
        if self.scope.own is not None:  # a policy's subquery reads columns of the policy's table under its name
            self.aliases[self.scope.own[1]].add(self.scope.own)
            self.implicit.add(self.scope.own[1])
        for n, token in enumerate(self.tokens):
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            relation = (token.name, self._at(n + 2).name)
            if not token.name or self._at(n + 1).text != "." or self._at(n - 1).text == "." or relation not in self.scope.relations:
                continue
            before = self._at(n - 1).keyword
            called = n + 5 if self._at(n + 3).keyword == "AS" else n + 3
            if before in {"REFERENCES", "INTO"} and self._at(called).text == "(":
                self.listed[called] = relation
            elif self._at(n + 3).text == "(":
                continue  # a function of the table's name
            self._relation(n, relation)
            if not depth and before == "FROM":
                top.append(relation)
        if self.scope.own is None:
            self.own = top[0] if len(top) == 1 else None

    def _relation(self, n: int, relation: Relation) -> None:
        """A relation stands at token ``n``: it is called as it is after; behind it may stand an alias."""
        new = self.scope.relations[relation]
        self.taken |= {n, n + 1, n + 2}
        if new != relation:
            self.said[n], self.said[n + 2] = quoted(new[0]), quoted(new[1])
        at = n + 4 if self._at(n + 3).keyword == "AS" else n + 3
        alias, name = self._at(at), relation[1]
        if alias.name and self._at(at + 1).text != ".":
            self.taken.add(at)
            name = alias.name
            numbered = re.fullmatch(rf"{re.escape(relation[1])}(_\d+)", name)
            if numbered and new[1] != relation[1] and not self.aliased:
                self.implicit.add(name)
                self.said[at] = quoted(new[1] + numbered[1])
        else:
            self.implicit.add(name)
            if self.aliased and new[1] != relation[1] and self._at(n - 1).keyword in {"FROM", "JOIN", "ONLY"}:
                self.behind[n + 2] = quoted(name)
        listed = alias.name and self._at(at + 1).text == "(" and at + 1 not in self.listed
        self.aliases[name].add(_OPAQUE if listed else relation)

    # --- which columns are named ------------------------------------------------------------------------------------

    def _columns(self) -> None:
        clauses, n = [""], 0
        while n < len(self.tokens):
            token = self.tokens[n]
            if token.text == "(":
                n = self._list(n) if n in self.listed else n
                clauses.append("")
            elif token.text == ")" and len(clauses) > 1:
                clauses.pop()
            elif token.keyword == "SELECT" or token.keyword in _CLAUSES:
                clauses[-1] = token.keyword
            elif token.name and n not in self.taken:
                n = self._named(n, clauses[-1] == "SELECT")
            n += 1

    def _list(self, n: int) -> int:
        """Columns of another relation in parentheses, as of REFERENCES: the place before its end."""
        names = self.scope.columns.get(self.listed[n], {})
        while self._at(n + 1).text not in {")", ""}:
            n += 1
            if (new := names.get(self.tokens[n].name)) is not None:
                self.said[n] = quoted(new)
        return n

    def _named(self, n: int, in_select: bool) -> int:
        """A name at token ``n``: the last token of what it names."""
        last = n
        if self._at(n + 1).text == "." and (self._at(n + 2).name or self._at(n + 2).text == "*"):
            last = n + 2
            if self._at(n + 3).text == "(":
                return last
            relation = self._meant(self.tokens[n].name)
            self._qualifier(n, relation)
        elif self._at(n + 1).text == "(" or self._at(n - 1).text in {".", "::"} or self._at(n - 1).keyword in _NOT_COLUMNS:
            return last
        else:
            relation = self.own
        names = self.scope.columns.get(relation, {}) if relation is not None else {}
        new = names.get(self.tokens[last].name)
        if new is not None:
            self.said[last] = quoted(new)
            if in_select and self._begins_an_output(n):
                self._output(last, self.tokens[last].name, new)
        return last

    def _meant(self, alias: str) -> Relation | None:
        """The one relation that a qualifier stands for; None if it is none, or not one."""
        found = self.aliases.get(alias, set())
        if not found and alias in {"old", "new"}:
            return self.own
        return next(iter(found)) if len(found) == 1 and _OPAQUE not in found else None

    def _qualifier(self, n: int, relation: Relation | None) -> None:
        name = self.tokens[n].name
        if relation is None or self.aliased or name not in self.implicit:
            return
        new = self.scope.relations[relation][1]
        if new != relation[1]:
            self.said[n] = quoted(new + name.removeprefix(relation[1]))

    def _begins_an_output(self, n: int) -> bool:
        return self._at(n - 1).keyword in {"SELECT", "DISTINCT", "ALL"} or self._at(n - 1).text == ","

    def _output(self, last: int, old: str, new: str) -> None:
        """An output that is a column alone: it keeps its name, which is printed only where it is another than the column's."""
        if self._at(last + 1).keyword == "AS":
            if self._at(last + 2).name == new:
                self.said[last + 1] = self.said[last + 2] = ""
                self.taken.add(last + 2)
        elif self._at(last + 1).text in {",", ")", ""} or self._at(last + 1).keyword in _CLAUSES:
            self.behind[last] = f"AS {quoted(old)}"

    def _joined(self) -> str:
        parts, end = [], 0
        for n, token in enumerate(self.tokens):
            parts += [self.sql[end : token.start], self.said.get(n, token.text)]
            parts += [f" {self.behind[n]}"] if n in self.behind else []
            end = token.end
        return "".join([*parts, self.sql[end:]])
