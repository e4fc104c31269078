"""Types built at random out of scalars, domains, arrays, composites, ranges and multiranges, and values of
them as literals.

Each value comes with its truth: what it is, apart from how it is written, as ``docs/digest.md`` defines
it. Two values are equal exactly if their truths are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

SETUP = """
CREATE EXTENSION citext; CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('sad', 'ok', '', 'a,b', '(x)', '{"y"}');
"""


@dataclass(frozen=True)
class Value:
    """A literal (None for NULL) and what it is."""

    text: str | None
    truth: Any


NULL = Value(None, None)


@dataclass(frozen=True)
class Type:
    """A type. ``parts`` are a composite's fields, or the one type that an array, domain, range or
    multirange is of.

    ``ordered``: it has an order, so that a range of it can be made. ``exact``: equal texts are equal values.
    """

    sql: str
    kind: str
    parts: tuple[Type, ...] = ()
    values: tuple[Value, ...] = ()
    ordered: bool = True
    exact: bool = True
    names: tuple[str, ...] = ()


def scalar(sql: str, *values: tuple[str, Any] | str, ordered: bool = True, exact: bool = True) -> Type:
    """A scalar with the values that it may have, each with its truth where that is not its text."""
    made = tuple(Value(v, (sql, v)) if isinstance(v, str) else Value(v[0], (sql, v[1])) for v in values)
    return Type(sql, "scalar", values=made, ordered=ordered, exact=exact)


HOSTILE = (
    "",
    " ",
    "a",
    "A",
    "a ",
    "NULL",
    "a,b",
    '"',
    "\\",
    "(1,2)",
    "{1,2}",
    "[1,2)",
    "é",
    "\n\t",
    '("a",)',
    "\x1f:",
    "''",
)
SCALARS = (
    scalar("int4", "0", "-1", "1", "7", "2147483647"),
    scalar("int8", "0", "-1", "4294967295", "4294967296", "-9223372036854775808"),
    scalar("int2", "0", "1", "-1"),
    scalar(
        "numeric",
        ("1", 1),
        ("1.0", 1),
        ("1.00", 1),
        ("10", 10),
        ("-1", -1),
        ("NaN", "NaN"),
        ("1e-20", 1e-20),
        exact=False,
    ),
    scalar("numeric(8,3)", ("1", 1), ("1.5", 1.5), ("1.500", 1.5), ("10", 10)),
    scalar("float8", "0", "-0", "NaN", "Infinity", "0.1", "1e-300"),
    scalar("float4", "0", "-0", "0.1", "16777216"),
    scalar("bool", ("true", 1), ("t", 1), ("false", 0)),
    scalar("text", *HOSTILE),
    scalar("varchar(9)", *HOSTILE),
    scalar("char(4)", ("ab", "ab"), ("ab  ", "ab"), ("", ""), ("a b", "a b")),
    scalar("citext", "a", "A", "", "a,b", ordered=False),
    scalar("mood", "sad", "ok", "", "a,b", "(x)", '{"y"}'),
    scalar(
        "json",
        ("1", "1"),
        ('{"a":1, "b":2}', "ab"),
        ('{"b":2,"a":1}', "ab"),
        ("null", "null"),
        ordered=False,
        exact=False,
    ),
    scalar("jsonb", ("1", "1"), ('{"a":1, "b":2}', "ab"), ('{"b":2,"a":1}', "ab"), ("null", "null"), '"a,b"'),
    scalar("date", "2025-10-18", "infinity", "0044-03-15 BC"),
    scalar("timestamp", "2025-10-18 05:30:00", "infinity", "2025-10-18 05:30:00.000001"),
    scalar(
        "timestamptz",
        ("2025-10-18 05:30+05:30", 0),
        ("2025-10-18 00:00+00", 0),
        ("2025-10-18 05:30+00", 1),
        "infinity",
    ),
    scalar("interval", "1 mon", "30 days", "720:00:00", ("12 mon", 12), ("1 year", 12), ordered=False),
    scalar("timetz", "12:00+00", "13:00+01"),
    scalar("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000"),
    scalar("bytea", "\\x", "\\x00", "\\x2c22"),
    scalar("varbit", "", "0", "10", "100"),
    scalar("inet", ("10.0.0.1/32", 1), ("10.0.0.1", 1), "10.0.0.0/8", "::1"),
    scalar("point", "(1,2)", "(2,1)", "(-0,0)", ordered=False),
    scalar("hstore", "", '"a"=>NULL', '"a"=>"NULL"', '"a"=>"1", "b"=>"2"', ordered=False),
    scalar("tsvector", "'a' 'b'", "'a b'", "'a':1", ordered=False),
)

BUILT_IN_RANGES = {
    "int4": ("int4range", "int4multirange"),
    "int8": ("int8range", "int8multirange"),
    "numeric": ("numrange", "nummultirange"),
    "timestamptz": ("tstzrange", "tstzmultirange"),
}


@dataclass
class Maker:
    """Makes types and remembers the statements that create them."""

    random: Random
    statements: list[str] = field(default_factory=list)
    made: int = 0

    def type(self, depth: int) -> Type:
        """A type of at most this depth."""
        if depth == 0:
            return self.random.choice(SCALARS)
        kinds = [
            self.composite,
            self.composite,
            self.array,
            self.array,
            self.domain,
            self.range,
            self.multirange,
        ]
        return self.random.choice(kinds)(depth - 1)

    def _name(self) -> str:
        self.made += 1
        return f"t{self.made}"

    def domain(self, depth: int) -> Type:
        """A domain over a type."""
        of, name = self.type(depth), self._name()
        self.statements.append(f"CREATE DOMAIN {name} AS {of.sql}")
        return Type(name, "domain", (of,), ordered=of.ordered, exact=of.exact)

    def array(self, depth: int) -> Type:
        """An array; of an array only through a domain."""
        of = self.type(depth)
        if of.kind == "array":
            of = self._over(of)
        return Type(f"{of.sql}[]", "array", (of,), ordered=of.ordered, exact=of.exact)

    def _over(self, of: Type) -> Type:
        name = self._name()
        self.statements.append(f"CREATE DOMAIN {name} AS {of.sql}")
        return Type(name, "domain", (of,), ordered=of.ordered, exact=of.exact)

    def composite(self, depth: int) -> Type:
        """A composite type, perhaps without fields, perhaps with a dropped one, its fields' names to be
        quoted.
        """
        parts = tuple(
            self.type(self.random.randint(0, depth)) for _ in range(self.random.choice((0, 1, 2, 2, 3, 4)))
        )
        names = tuple(f"f{n}" if self.random.random() < 0.7 else f'F {n},/:%;()"' for n in range(len(parts)))
        name = self._name()
        listed = [
            f'"{field_.replace(chr(34), chr(34) * 2)}" {part.sql}'
            for field_, part in zip(names, parts, strict=True)
        ]
        gone = self.random.random() < 0.2
        self.statements.append(f"CREATE TYPE {name} AS ({', '.join(['gone int'] * gone + listed)})")
        if gone:
            self.statements.append(f"ALTER TYPE {name} DROP ATTRIBUTE gone")
        ordered = all(part.ordered for part in parts)
        return Type(
            name, "composite", parts, ordered=ordered, exact=all(part.exact for part in parts), names=names
        )

    def range(self, depth: int) -> Type:
        """A range, of PostgreSQL's own or of any ordered type."""
        of = self._ordered(depth)
        if of.sql in BUILT_IN_RANGES and self.random.random() < 0.7:
            return Type(BUILT_IN_RANGES[of.sql][0], "range", (of,), exact=of.exact)
        name = self._name()
        self.statements.append(f"CREATE TYPE {name} AS RANGE (SUBTYPE = {of.sql})")
        return Type(name, "range", (of,), exact=of.exact)

    def _ordered(self, depth: int) -> Type:
        """A type of which a range can be made."""
        found = self.type(depth)
        while not found.ordered or "(" in found.sql or found.sql.startswith("_"):
            found = self.type(depth)
        return found

    def multirange(self, depth: int) -> Type:
        """The multirange that came with a range."""
        of = self.range(depth)
        names = dict(BUILT_IN_RANGES.values())
        return Type(names.get(of.sql, f"{of.sql}_multirange"), "multirange", (of,), exact=of.exact)


def draw(of: Type, random: Random, null: float = 0.15) -> Value:
    """A value of a type; NULL now and then."""
    if random.random() < null:
        return NULL
    return _DRAWN[of.kind](of, random)


def _scalar(of: Type, random: Random) -> Value:
    return random.choice(of.values)


def _domain(of: Type, random: Random) -> Value:
    return draw(of.parts[0], random, 0)


def _composite(of: Type, random: Random) -> Value:
    values = [draw(part, random, 0.3) for part in of.parts]
    return Value(f"({','.join(_within(v.text) for v in values)})", ("row", *(v.truth for v in values)))


def _within(text: str | None) -> str:
    """A value within a row or a range: nothing for NULL."""
    return "" if text is None else '"' + text.replace("\\", "\\\\").replace('"', '""') + '"'


def _array(of: Type, random: Random) -> Value:
    lower = random.choice((1, 1, 1, 0, 2))
    sizes = random.choice(((), (1,), (2,), (2,), (3,), (1, 2), (2, 1), (2, 2)))
    count = sizes[0] * (sizes[1] if len(sizes) > 1 else 1) if sizes else 0
    values = [draw(of.parts[0], random, 0.25) for _ in range(count)]
    texts = [
        "NULL" if v.text is None else '"' + v.text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        for v in values
    ]
    if len(sizes) > 1:
        texts = ["{" + ",".join(texts[n * sizes[1] : (n + 1) * sizes[1]]) + "}" for n in range(sizes[0])]
    bounds = "".join(f"[{lower}:{lower + size - 1}]" for size in sizes) + "=" if lower != 1 and sizes else ""
    return Value(
        f"{bounds}{{{','.join(texts)}}}", ("array", lower if sizes else 1, sizes, *(v.truth for v in values))
    )


def _range(of: Type, random: Random) -> Value:
    """Empty, without an end on one side or both, of a single value; of integers also from one to another."""
    kind = random.choice(("empty", "all", "from", "to", "one", "one"))
    if kind == "empty":
        return Value("empty", ("range", "empty"))
    if kind == "all":
        return Value("(,)", ("range", "(", None, None, ")"))
    value = draw(of.parts[0], random, 0)
    one, closed = _within(value.text), random.random() < 0.5
    if of.sql in {"int4range", "int8range"}:
        return _whole(int(value.text or 0) % 1000, kind, closed)
    if kind == "from":
        return Value(f"{'[' if closed else '('}{one},)", ("range", closed, value.truth, None))
    if kind == "to":
        return Value(f"(,{one}{']' if closed else ')'}", ("range", None, value.truth, closed))
    return Value(f"[{one},{one}]", ("range", value.truth))


def _whole(first: int, kind: str, closed: bool) -> Value:
    """Of integers, which PostgreSQL writes with the first included and the last not."""
    if kind == "from":
        return Value(f"{'[' if closed else '('}{first},)", ("range", first + (not closed), None))
    if kind == "to":
        return Value(f"(,{first}{']' if closed else ')'}", ("range", None, first + closed))
    return Value(f"[{first},{first + closed}]", ("range", first, first + closed + 1))


def _multirange(of: Type, random: Random) -> Value:
    one = draw(of.parts[0], random, 0)
    if one.truth == ("range", "empty") or random.random() < 0.2:
        return Value("{}", ("multirange",))
    return Value("{" + str(one.text) + "}", ("multirange", one.truth))


_DRAWN = {
    "scalar": _scalar,
    "domain": _domain,
    "composite": _composite,
    "array": _array,
    "range": _range,
    "multirange": _multirange,
}


def quoted(value: Value, of: Type) -> str:
    """A value as SQL."""
    return f"NULL::{of.sql}" if value.text is None else "'" + value.text.replace("'", "''") + f"'::{of.sql}"
