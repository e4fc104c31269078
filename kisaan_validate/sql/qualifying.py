"""Reads SQL expression by expression and writes each function and operator with its schema."""

from __future__ import annotations

from collections.abc import Callable

from kisaan_validate.dataclass import dataclass
from kisaan_validate.sql.grammar import (
    AT,
    CLAUSES,
    COLLATE,
    COMPARE,
    COMPARISONS,
    FORMS,
    IS,
    NO_FUNCTIONS,
    OTHER,
    RANGE,
    REFUSED,
    SYMBOLS,
    UNARY,
)
from kisaan_validate.sql.tokens import NotUnderstood, SqlToken, unmarked


@dataclass(frozen=True)
class SqlExpression:
    """A piece of text that is one expression; ``whole`` tells that it stands as an operand without
    parentheses.

    ``bare`` tells that it is a string whose type is not written: its type comes from what it is compared
    with.
    """

    text: str
    whole: bool = True
    bare: bool = False

    @property
    def operand(self) -> str:
        """The text as an operand, without what stands before it."""
        text = self.text.strip()
        return text if self.whole else f"({text})"

    @property
    def space(self) -> str:
        """What stands before it."""
        return self.text[: len(self.text) - len(self.text.lstrip())]


class ExpressionReader:
    """Reads tokens from left to right and gives their text back, qualified."""

    def __init__(self, tokens: list[SqlToken]) -> None:
        self.tokens, self.last, self.at = tokens, len(tokens) - 1, 0
        self.token, self.kind, self.text = tokens[0], tokens[0].kind, tokens[0].text

    def go(self, number: int = 1) -> None:
        """Reads so many tokens; ``token`` is the next one then, of kind "" at the end."""
        self.at += number
        self.token = token = self.tokens[self.at]
        self.kind, self.text = token.kind, token.text

    # What is read next.

    def ahead(self, number: int = 1) -> SqlToken:
        """A token further on."""
        return self.tokens[min(self.at + number, self.last)]

    def words(self, *wanted: str) -> bool:
        """Whether the next tokens are these bare words."""
        return all(self.ahead(n).word == word for n, word in enumerate(wanted))

    def take(self) -> str:
        """The next token's text with what stands before it; it is read then."""
        # What stands before a token belongs to it, so that the text comes back as it was.
        token = self.token
        self.go()
        return token.space + token.text

    def taken(self, number: int) -> str:
        """The text of so many tokens."""
        return "".join(self.take() for _ in range(number))

    # Sequences.

    def sequence(self, stop: Callable[[], bool] = lambda: False) -> str:
        """All up to the bracket that closes, the end, or where ``stop`` says so."""
        parts: list[str] = []
        while self.kind and self.text not in {")", "]"} and not stop():
            parts.append(self._piece())
        return "".join(parts)

    def _piece(self) -> str:
        """An expression, or a token that is not one."""
        # USING and NATURAL look operators up by themselves, in a way that cannot be named.
        if self.token.word in REFUSED and self.token.word not in FORMS and self.ahead().text != ".":
            raise NotUnderstood(f"{self.token.word.upper()} cannot be written with its schema: rewrite it")
        # Behind AS stands a name, even if it is called like a function.
        if self.token.word == "as":
            return self._alias()
        if self._begins_expression():
            return self.expression().text
        return self.take()

    def _alias(self) -> str:
        """AS and the name behind it, which calls nothing even where a list of columns follows."""
        text = self.take()
        if self.kind in {"word", "name"} and self.token.word not in {"materialized", "not"}:
            text += self.take()
        return text

    def _begins_expression(self) -> bool:
        if self.token.word in {"case", "array", "row", "any", "some", "all"}:
            return self.token.word == "case" or self.ahead().text in {"(", "["}
        if self.kind == "word":
            return self.token.word not in CLAUSES or self._is_call()
        return (
            self.kind in {"string", "name", "number", "parameter", "author", "operator"} or self.text == "("
        )

    def _is_call(self) -> bool:
        """Whether a word calls a function though it begins a clause elsewhere: left(…) and right(…)."""
        # ``left`` begins a LEFT JOIN unless a parenthesis follows.
        return self.token.word in {"left", "right"} and self.ahead().text == "("

    # Expressions.

    def expression(self, least: int = IS) -> SqlExpression:
        """An expression of operators that bind at least so tightly."""
        left = self._prefixed()
        while (made := self._continued(left, least)) is not None:
            left = made
        return left

    def _prefixed(self) -> SqlExpression:
        if self.kind != "operator" or self.text == "*":
            return self._primary()
        token = self.token
        # A signed number is one literal; but -1::int casts 1 first, so there the sign is an operator.
        if token.text == "-" and self.ahead().kind == "number" and self.ahead(2).kind != "cast":
            return SqlExpression(self.taken(2), whole=False)
        self.go()
        right = self.expression(UNARY if token.text in {"-", "+"} else OTHER + 1)
        return SqlExpression(f"{token.space}OPERATOR(pg_catalog.{token.text}) {right.operand}", whole=False)

    def _continued(self, left: SqlExpression, least: int) -> SqlExpression | None:
        """``left`` with the operator behind it, if one is there and binds tightly enough."""
        token = self.token
        if token.kind == "operator" or (token.word == "operator" and self.ahead().text == "("):
            return self._infix(left, least)
        if token.kind == "cast":
            return SqlExpression(left.text + self.take() + self._type())
        if token.text == "[":
            return SqlExpression(left.text + self.take() + self.sequence() + self._closing("]"))
        if token.text == "." and left.text.rstrip().endswith(")"):
            # A field of a composite or of a function's result: no function is called.
            return SqlExpression(left.text + self.taken(2))
        if token.word == "collate" and least <= COLLATE:
            return SqlExpression(left.space + left.operand + self.take() + self._name(), whole=False)
        if token.word == "at" and self.words("at", "time", "zone") and least <= AT:
            # ``AT TIME ZONE`` calls timezone(), which the grammar itself names in pg_catalog.
            zone = self.taken(3) + " " + self.expression(AT + 1).operand
            return SqlExpression(left.space + left.operand + zone, whole=False)
        if token.word == "is" and least <= IS:
            return self._is(left)
        negated = token.word == "not" and self.ahead().word in {"in", "between", "like", "ilike"}
        if least <= RANGE and (negated or token.word in {"in", "between", "like", "ilike"}):
            self.go(negated)
            return {"in": self._in, "between": self._between}.get(self.token.word, self._like)(left, negated)
        return None

    def _infix(self, left: SqlExpression, least: int) -> SqlExpression | None:
        # A word here is OPERATOR(schema.sign), which the engine writes for an extension's type.
        named = self.kind == "word"
        power = OTHER if named else COMPARE if self.text in COMPARISONS else SYMBOLS.get(self.text, OTHER)
        if power < least:
            return None
        if named:
            space, sign = self.token.space, self.taken(2).strip() + self.sequence() + self._closing(")")
        else:
            space, symbol = self.token.space, self.take().strip()
            sign = f"OPERATOR(pg_catalog.{'<>' if symbol == '!=' else symbol})"
        # Left-associative: what follows must bind tighter.
        right = self.expression(power + 1)
        return SqlExpression(f"{left.space}{left.operand}{space or ' '}{sign} {right.operand}", whole=False)

    def _is(self, left: SqlExpression) -> SqlExpression:
        negated = self.ahead().word == "not"
        if self.ahead(1 + negated).word != "distinct":
            # IS NULL, IS TRUE and so on look no operator up.
            return SqlExpression(left.space + left.operand + self.taken(2 + negated), whole=False)
        if self.ahead(3 + negated).word == "null":  # a test of its own, which compares nothing
            return SqlExpression(left.space + left.operand + self.taken(4 + negated), whole=False)
        self.go(3 + negated)
        a, b = left.operand, self.expression(IS + 1).operand
        sign, nulls = ("=", 2) if negated else ("<>", 1)
        # Both NULL is "not distinct", one NULL is "distinct": counted, because = gives NULL for either.
        alike = f"pg_catalog.num_nulls({a}, {b}) OPERATOR(pg_catalog.=) {nulls}"
        return SqlExpression(f"{left.space}coalesce({a} OPERATOR(pg_catalog.{sign}) {b}, {alike})")

    def _between(self, left: SqlExpression, negated: bool) -> SqlExpression:
        self.go()
        low = self.expression(OTHER).operand
        if self.token.word != "and":
            raise NotUnderstood("BETWEEN without AND")
        self.go()
        value, high = left.operand, self.expression(OTHER).operand
        first, word, second = ("<", "OR", ">") if negated else (">=", "AND", "<=")
        # Twice the value, as PostgreSQL itself reads BETWEEN.
        text = (
            f"{value} OPERATOR(pg_catalog.{first}) {low} {word} {value} OPERATOR(pg_catalog.{second}) {high}"
        )
        return SqlExpression(f"{left.space}({text})")

    def _like(self, left: SqlExpression, negated: bool) -> SqlExpression:
        sign = f"{'!' if negated else ''}~~{'*' if self.token.word == 'ilike' else ''}"
        self.go()
        right = self.expression(OTHER).operand
        if self.token.word == "escape":
            raise NotUnderstood("LIKE … ESCAPE cannot be written with its schema: rewrite it")
        return SqlExpression(f"{left.space}{left.operand} OPERATOR(pg_catalog.{sign}) {right}", whole=False)

    def _in(self, left: SqlExpression, negated: bool) -> SqlExpression:
        self.go()
        if self.text != "(":
            raise NotUnderstood("IN without a list")
        value, space, sign = left.operand, left.space, "<>" if negated else "="
        if self._is_query():
            # ``= ANY (SELECT …)`` is what IN means.
            found = f"{value} OPERATOR(pg_catalog.=) ANY {self._bracketed().strip()}"
            return SqlExpression(f"{space}NOT ({found})" if negated else space + found, whole=False)
        self.go()
        items = self._listed()
        # One array, because a list of a thousand comparisons is slow to plan.
        if all(not item.bare for item in items) and len(items) > 1:
            many, listed = "ALL" if negated else "ANY", ", ".join(item.text.strip() for item in items)
            return SqlExpression(
                f"{space}{value} OPERATOR(pg_catalog.{sign}) {many} (ARRAY[{listed}])", whole=False
            )
        # A string takes its type from what it is compared with: so each is compared by itself.
        text = f" {'AND' if negated else 'OR'} ".join(
            f"{value} OPERATOR(pg_catalog.{sign}) {item.operand}" for item in items
        )
        return SqlExpression(f"{space}({text})")

    def _is_query(self) -> bool:
        """Whether a query stands in the brackets that open here."""
        inside = next(token for token in self.tokens[self.at :] if token.text != "(")
        return inside.word in {"select", "with", "values"}

    def _listed(self) -> list[SqlExpression]:
        """The items of a list up to its closing bracket."""
        items = []
        while True:
            first = self.at
            text = self.sequence(lambda: self.text == ",")
            bare = self.at == first + 1 and self.tokens[first].kind == "string"
            items.append(SqlExpression(text, whole=bare, bare=bare))
            if self.text != ",":
                self._closing(")")
                return items
            self.go()

    # Operands.

    def _primary(self) -> SqlExpression:
        token = self.token
        if token.text == "(":
            return SqlExpression(self._bracketed())
        if token.word == "case":
            return self._case()
        if token.word == "nullif" and self.ahead().text == "(":
            return self._nullif()
        if token.kind in {"word", "name"}:
            return SqlExpression(self._named())
        if token.kind not in {"string", "number", "parameter", "author", "operator"}:
            raise NotUnderstood(f"an expression cannot begin with {token.text!r}")
        text = self.take()
        return SqlExpression(unmarked(text), bare=token.kind == "string")

    def _named(self) -> str:
        """A name of any length, what it is called with, and what belongs to a call."""
        if self.ahead().kind == "string" and self.kind == "word":
            return self.taken(2)  # DATE '2025-10-18'
        first, word, header = self.token, self.token.word, self._is_header()
        if word in FORMS and self.ahead().text == "(" and self._has_form():
            raise NotUnderstood(
                f"{word.upper()} cannot be written with its schema in this form: separate its "
                "arguments by commas"
            )
        text = self.take()
        parts = 1
        while self.text == "." and self.ahead().kind in {"word", "name", "operator"}:
            text, parts = text + self.taken(2), parts + 1
        if self.text not in {"(", "["} or header:
            # ``f(x)`` with a schema keeps it; ``name (columns) AS (…)`` calls nothing.
            return text
        if self.text == "[":
            if word == "array":
                return text + self.take() + self.sequence() + self._closing("]")
            return text
        if parts == 1 and word == "unnest":
            return first.space + self._unnest()
        if (parts == 1 and word not in NO_FUNCTIONS) or (
            self.tokens[self.at - 1] is first and first.word in {"left", "right"}
        ):
            text = f"{first.space}pg_catalog.{first.text}"
        return text + self._bracketed() + self._called()

    def _unnest(self) -> str:
        """unnest(…): of several arrays it is a form of FROM, which PostgreSQL only knows by the bare name."""
        self.go()
        arrays = [f"pg_catalog.unnest({item.text.strip()})" for item in self._listed()]
        return arrays[0] if len(arrays) == 1 else f"ROWS FROM ({', '.join(arrays)})"

    def _is_header(self) -> bool:
        """Whether a WITH query begins here that names its columns: name (columns) AS (…)."""
        if self.ahead().text != "(":
            return False
        depth, n = 0, self.at + 1
        while self.tokens[n].kind:
            depth += {"(": 1, ")": -1}.get(self.tokens[n].text, 0)
            n += 1
            if depth == 0:
                break
        rest = self.tokens[n : n + 3]
        return (
            len(rest) == 3
            and rest[0].word == "as"
            and (rest[1].text == "(" or rest[1].word in {"materialized", "not"})
        )

    def _has_form(self) -> bool:
        """Whether words stand between the arguments of the call that begins here."""
        depth = 0
        for token in self.tokens[self.at + 1 :]:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if depth == 1 and token.word in {"from", "for", "in", "placing", "similar", "as"}:
                return True
            if depth == 0:
                return False
        return False

    def _called(self) -> str:
        """WITHIN GROUP (…), FILTER (…) and OVER (…) or OVER name, behind a call."""
        text = ""
        while True:
            if self.token.word == "within" and self.ahead().word == "group":
                text += self.taken(2) + self._bracketed()
            elif self.token.word in {"filter", "over"} and self.ahead().text == "(":
                text += self.take() + self._bracketed()
            elif self.token.word == "over":
                text += self.taken(2)
            else:
                return text

    def _bracketed(self) -> str:
        return self.take() + self.sequence() + self._closing(")")

    def _closing(self, bracket: str) -> str:
        if self.text != bracket:
            raise NotUnderstood(f"a {bracket} is missing before {self.text!r}")
        return self.take()

    def _name(self) -> str:
        """A name, with its schema if it has one."""
        text = self.take()
        while self.text == ".":
            text += self.taken(2)
        return text

    def _type(self) -> str:
        """The name of a type as PostgreSQL writes it: double precision, timestamp(3) with time zone,
        public."Mood"[].
        """
        text = self._name()
        while True:
            if self.token.word in {"precision", "varying"} or self._in_interval(text):
                text += self.take()
            elif self.token.word in {"with", "without"} and self.ahead().word == "time":
                text += self.taken(3)
            elif self.text == "(" and self.ahead().kind == "number":
                text += self._bracketed()
            elif self.text == "[" and (self.ahead().text == "]" or self.ahead(2).text == "]"):
                text += self.take() + self.sequence() + self._closing("]")
            else:
                return text

    def _in_interval(self, text: str) -> bool:
        return text.strip().lower().startswith("interval") and self.token.word in {
            "year",
            "month",
            "day",
            "hour",
            "minute",
            "second",
            "to",
        }

    def _nullif(self) -> SqlExpression:
        space = self.token.space
        self.go(2)
        first, second = self._listed()
        # NULLIF looks = up by itself.
        same = f"{first.operand} OPERATOR(pg_catalog.=) {second.operand}"
        return SqlExpression(f"{space}CASE WHEN {same} THEN NULL ELSE {first.operand} END")

    def _case(self) -> SqlExpression:
        """CASE; where it compares one value with others, each comparison is written out."""
        text, value = self.take(), ""
        if self.token.word != "when":
            value = self._until("when").strip()
        while self.token.word == "when":
            text += self.take()
            condition = self._until("then")
            # CASE x WHEN y looks = up by itself, so it is written as x = y.
            text += f" ({value}) OPERATOR(pg_catalog.=) ({condition.strip()})" if value else condition
            text += self.take() + self._until("when", "else", "end")
        if self.token.word == "else":
            text += self.take() + self._until("end")
        if self.token.word != "end":
            raise NotUnderstood(f"CASE without END before {self.text!r}")
        return SqlExpression(text + self.take())

    def _until(self, *words: str) -> str:
        return self.sequence(lambda: self.token.word in words)
