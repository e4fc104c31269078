"""The digest of a row under a seed that was not known beforehand: 64 bits a lane, for two live sides.

Pure. It costs half of ``rows``: no row is formed, no value is printed. Each value is hashed by a function
of its own type, under numbers of its own drawn from the seed; the hashes are joined by XOR, and the result
is hashed once more: else two values that change places between rows would change only some bits of a sum.
What such a function confuses (-1 and 4294967295, 500 and -500, NULL) is hashed beside it as well. Values
without one stand in a row, as in ``rows``.

Kept digests are never made so: they must be the same numbers tomorrow. ``docs/digest.md`` says how
often it is wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from kisaan_validate.dataclass import dataclass
from kisaan_validate.digest.form_sql import clock_sql, is_packed, is_text, typed_sql
from kisaan_validate.digest.forms import RAW, Context
from kisaan_validate.digest.parts import Part, elements_of
from kisaan_validate.digest.rows import row_sql

MOST = 400
"""Columns that are hashed one by one. Each takes up to four places in a SELECT list of 1,664; the values of
more stand in a row."""

_NEAR = ("1900-01-01", "2100-01-01")
"""Moments between these differ in the float of their seconds, which is exact to less than half a
microsecond within 136 years of 2000; others need their bytes as well."""


@dataclass(frozen=True)
class SeededDigest:
    """The digest of a row of these columns. Both sides must have the same seed, and columns of the same forms
    in the same order. ``count``: its lanes, each under numbers of its own.
    """

    seed: bytes
    parts: tuple[Part, ...]
    context: Context
    count: int = 1

    @cached_property
    def items(self) -> Mapping[str, str]:
        """Alias -> expression over the row's columns, each made once per row (see ``rows.staged``)."""
        single, row = self._values
        found = {f"v{n}": value.sql for n, value in single.items()}
        for lane in range(self.count):
            found |= {
                f"h{lane}_{n}": hashed for n in single if (hashed := self._first(lane, n, single[n].sql))
            }
        # A table without usable columns has rows all the same.
        return found | ({"r": row} if row else {}) or {"r": "0"}

    @property
    def lanes(self) -> tuple[str, ...]:
        """The lanes, int8 expressions over ``items``; they are never NULL."""
        return tuple(self._lane(lane, {}) for lane in range(self.count))

    @property
    def first_lane(self) -> str:
        """The first lane as an expression over the row's columns, for a condition."""
        return self._lane(0, self.items)

    @cached_property
    def _values(self) -> tuple[dict[int, _Value], str]:
        """By its place, each value with a hash of its own; and a row of all others, "" for none."""
        made = {n: _value(part, self.context) for n, part in enumerate(self.parts)}
        single = {n: value for n, value in made.items() if value is not None}
        # Decided by the forms alone, which both sides share.
        if len(self.parts) > MOST:
            single = {}
        rest = [part for n, part in enumerate(self.parts) if n not in single]
        return single, row_sql(elements_of(rest, self.context)) if rest else ""

    def _draw(self, lane: int, place: int) -> _Draw:
        return _Draw(b"%b/%d/%d/" % (self.seed, lane, place))

    def _first(self, lane: int, place: int, value: str) -> str:
        """Of a number its digits' hash, which is used twice and must be made once; "" of others."""
        if self.parts[place].form.name != "numeric":
            return ""
        return f"hash_numeric_extended({value}, {self._draw(lane, place).long('seed')})"

    def _lane(self, lane: int, written: Mapping[str, str]) -> str:
        """A lane over the aliases, or over what is ``written`` for each of them."""
        single, row = self._values
        terms = []
        for n, value in single.items():
            draw = self._draw(lane, n)
            v, h = (written.get(alias, alias) for alias in (f"v{n}", f"h{lane}_{n}"))
            # The hash of NULL is NULL; it counts as a number that no value's hash is but by chance.
            terms.append(f"coalesce({value.hashed(v, h, draw)}, {draw.long('null')})")
        draw = self._draw(lane, len(self.parts))
        if row:
            terms.append(f"hash_record_extended({written.get('r', 'r')}, {draw.long('row')})")
        # Hashed again: of a sum of mere XORs, values that change places keep the last bit, and others often.
        return f"hashint4extended({draw.short('last')}, {_xor(terms or [draw.long('none')])})"


def _xor(terms: Sequence[str]) -> str:
    """All of them joined, halved again and again, so that hundreds do not nest hundreds deep."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return f"({_xor(terms[:half])} # {_xor(terms[half:])})"


@dataclass(frozen=True)
class _Draw:
    """The numbers of one column in one lane. SHA-256 makes many from one seed; none reveals another."""

    seed: bytes

    def long(self, name: str) -> str:
        """An int8 literal."""
        return self._literal(name, 8)

    def short(self, name: str) -> str:
        """An int4 literal."""
        return self._literal(name, 4)

    def _literal(self, name: str, size: int) -> str:
        number = int.from_bytes(hashlib.sha256(self.seed + name.encode()).digest()[:size], signed=True)
        # A string with its type: the least number cannot be written with a minus before it.
        return f"'{number}'::int{size}"


@dataclass(frozen=True)
class _Value:
    """A value as it is hashed: an expression over the row's columns, and what makes its hash of that one's
    alias, the alias of the hash of its digits, and the column's numbers.
    """

    sql: str
    hashed: Callable[[str, str, _Draw], str]


def _value(part: Part, context: Context) -> _Value | None:
    """How a value of this form is hashed by itself; None where it has to stand in a row."""
    form = part.form
    if form.name in {"timestamp", "timestamptz"}:
        return _moment(part, context)
    if form.name in _HASHES:
        return _Value(typed_sql(form, part.facts, part.sql, context), _HASHES[form.name])
    if is_text(form) and not is_packed(form) and context.encoding in RAW:
        elements = part.elements(context)
        return _Value(elements[0], _text) if len(elements) == 1 else None
    return None


def _integer(v: str, h: str, draw: _Draw) -> str:
    # The value is the seed, for a hash of int8 folds its halves, and of a seed it reads every bit.
    return f"hashint4extended({draw.short('of')}, {v} # {draw.long('seed')})"


def _numeric(v: str, h: str, draw: _Draw) -> str:
    seed = draw.long("seed")
    # The hash of digits knows no sign, and of NaN and the infinities it is the seed itself. Those of 5 and of
    # 50,000 differ in one bit whatever the seed is, so it is mixed before it is joined to another column's.
    endless = f"CASE WHEN {v} = 'NaN'::numeric THEN {draw.long('nan')} ELSE {h} END"
    return (
        f"hashint4extended(numeric_cmp({v}, 0::numeric), CASE WHEN {h} = {seed} THEN {endless} ELSE {h} END)"
    )


def _float(v: str, h: str, draw: _Draw) -> str:
    # The hash of -0 is that of 0: only their angles tell them apart.
    zero = f"CASE WHEN atan2({v}, '-1'::float8) < 0 THEN {draw.long('minus')} ELSE {draw.long('zero')} END"
    return f"CASE WHEN {v} = 0 THEN {zero} ELSE hashfloat8extended({v}, {draw.long('seed')}) END"


def _boolean(v: str, h: str, draw: _Draw) -> str:
    return f"CASE WHEN {v} THEN {draw.long('true')} WHEN NOT {v} THEN {draw.long('false')} END"


def _text(v: str, h: str, draw: _Draw) -> str:
    return f'hashtextextended({v} COLLATE "C", {draw.long("seed")})'


def _uuid(v: str, h: str, draw: _Draw) -> str:
    return f"uuid_hash_extended({v}, {draw.long('seed')})"


def _date(v: str, h: str, draw: _Draw) -> str:
    # A difference of dates would fail for an infinite one; that of a range of dates is a float, and exact.
    return f"hashfloat8extended(daterange_subdiff({v}, '2000-01-01'::date), {draw.long('seed')})"


_HASHES: Mapping[str, Callable[[str, str, _Draw], str]] = {
    "integer": _integer,
    "numeric": _numeric,
    "float": _float,
    "boolean": _boolean,
    "uuid": _uuid,
    "date": _date,
}


def _moment(part: Part, context: Context) -> _Value:
    """A clock, or a moment: its hash as a timestamp would fold its halves, and its seconds do not."""
    sql, kind = typed_sql(part.form, part.facts, part.sql, context), "timestamptz"
    if part.form.name == "timestamp":
        kind = "timestamp"
    elif context.zone == "UTC" and (clock := clock_sql(part.facts, part.sql)):
        # In UTC a clock and its moment are one number, and need no conversion.
        sql, kind = clock, "timestamp"
    offset = " 00:00:00+00" if kind == "timestamptz" else ""
    low, high, origin = (f"'{day}{offset}'::{kind}" for day in (*_NEAR, "2000-01-01"))
    seconds = f"{'tstzrange' if kind == 'timestamptz' else 'tsrange'}_subdiff"

    def hashed(v: str, h: str, draw: _Draw) -> str:
        near = f"hashfloat8extended({seconds}({v}, {origin}), {draw.long('seed')})"
        far = f"{near} # hash_record_extended(ROW({kind}_send({v})), {draw.long('far')})"
        return f"CASE WHEN {v} >= {low} AND {v} < {high} THEN {near} WHEN {v} IS NOT NULL THEN {far} END"

    return _Value(sql, hashed)
