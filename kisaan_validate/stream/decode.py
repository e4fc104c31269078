"""Rows of ``COPY … (FORMAT binary)`` become exact columns, many rows at a time.

The format is that of PostgreSQL's documentation ("COPY", "Binary Format") and of the types' send
functions. psycopg2 hands over one message a row, so where rows begin is known, and fields are found column
by column with numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Context, Decimal
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from kisaan_validate.dataclass import dataclass

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]

SIGNATURE = b"PGCOPY\n\xff\r\n\x00"
TRAILER = b"\xff\xff"
_PADDING = bytes(32)  # a gather may look a little beyond the last field


class DecodeError(Exception):
    """The bytes are not what the type should send."""


class Unfit(Exception):
    """Values that PostgreSQL has and Python has not. The message says how many and what, never a value."""


@dataclass(frozen=True)
class Values:
    """One column of a chunk. ``size`` is how many bytes it holds, those of its objects included."""

    kind: str
    values: Array
    nulls: Mask
    size: int

    def __len__(self) -> int:
        return len(self.nulls)


@dataclass(frozen=True)
class _Field:
    """Where the fields of one column stand in the buffer."""

    start: Ints
    size: Ints
    null: Mask


class Chunk:
    """Some rows, as they were sent. Raises DecodeError if a row does not consist of ``fields`` fields."""

    def __init__(self, rows: Sequence[bytes], fields: int) -> None:
        self.rows = len(rows)
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=self.rows)
        # The padding keeps reads of a fixed width at the end inside the buffer.
        self._buffer = b"".join((*rows, _PADDING))
        ends = np.cumsum(lengths)
        start = ends - lengths
        # Each message begins with the number of its fields, two bytes.
        if (self._gather(start, ">i2") != fields).any():
            raise DecodeError(f"a row does not have {fields} fields")
        start = start + 2
        self._fields: list[_Field] = []
        for _ in range(fields):
            size = self._gather(start, ">i4")
            null = size < 0
            if null.any():
                # A NULL has the length -1 and no bytes.
                size[null] = 0
            start = start + 4
            self._fields.append(_Field(start, size, null))
            start = start + size
            # Checked for each field: a wrong length would make every later field begin at the wrong place.
            if (start > ends).any():
                raise DecodeError("a field extends beyond its row")
        if (start != ends).any():
            raise DecodeError("a row is longer than its fields")

    def decode(self, number: int, kind: str) -> Values:
        """The column at a position. Raises Unfit for what Python cannot hold, DecodeError for what the
        type cannot send.
        """
        field = self._fields[number]
        try:
            return Values(kind, _DECODERS[kind](self, field), field.null, self._size(field, kind))
        # A database in SQL_ASCII may hold any bytes.
        except UnicodeDecodeError:
            raise Unfit("text that is not UTF-8 has no counterpart in Python") from None

    def texts(self, number: int, kind: str, rows: Ints) -> list[str]:
        """The server's text of a column of keys, for some rows."""
        field = self._fields[number]
        part = _Field(field.start[rows], field.size[rows], field.null[rows])
        return key_texts(kind, _DECODERS[kind](self, part))

    def _size(self, field: _Field, kind: str) -> int:
        if kind in _WIDTHS:
            return len(field.null) * (_WIDTHS[kind] + 1)
        return int(field.size.sum()) + len(field.null) * _OBJECT

    def _gather(self, start: Ints, dtype: str) -> Ints:
        return self._raw(start, dtype).astype(np.int64)

    def _raw(self, start: Ints, dtype: str) -> Array:
        """The values of ``dtype`` that begin at these bytes, aligned or not."""
        width = np.dtype(dtype).itemsize
        # Strides of one byte, because values begin anywhere and not at multiples of their width.
        view: Array = np.ndarray(
            (len(self._buffer) - width + 1,), dtype=dtype, buffer=self._buffer, strides=(1,)
        )
        return view[start]

    def fixed(self, field: _Field, dtype: str, width: int) -> Array:
        """A column of one width, in the machine's byte order; 0 where it is NULL."""
        if (field.size[~field.null] != width).any():
            raise DecodeError(f"a value is not {width} bytes long")
        raw = self._raw(field.start, dtype)
        # pandas takes only the machine's own byte order.
        values = raw.astype(raw.dtype.newbyteorder("="))
        if field.null.any():
            values[field.null] = 0
        return values

    def slices(self, field: _Field) -> list[bytes]:
        """The bytes of each value; NULL is empty."""
        buffer, ends = self._buffer, (field.start + field.size).tolist()
        return [buffer[start:end] for start, end in zip(field.start.tolist(), ends, strict=True)]

    def words(self, field: _Field) -> tuple[Array, Array]:
        """Values of up to 15 bytes as two numbers that are equal exactly where the values are."""
        # NULL gets a length that no value has, so that it differs from the empty text.
        size = np.where(field.null, _NULL_WORD, field.size)
        low = self._raw(field.start, "<u8") & _LOW[size]
        # The length stands in the top byte: texts that end in NUL bytes would else be equal.
        high = (self._raw(field.start + 8, "<u8") & _HIGH[size]) | (size.astype(np.uint64) << np.uint64(56))
        return low, high


def key_texts(kind: str, values: Array) -> list[str]:
    """The server's text of values that rows are found again by."""
    if kind == "tid":
        return [f"({place >> 16},{place & 0xFFFF})" for place in values.tolist()]
    return [str(value) for value in values.tolist()]


_OBJECT = 64
"""About what a small object takes, with the place that points to it."""

_NULL_WORD = 16
_LOW = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(16)] + [0], dtype=np.uint64)
_HIGH = np.array([(1 << 8 * max(n - 8, 0)) - 1 for n in range(16)] + [0], dtype=np.uint64)


def _integer(width: int) -> Callable[[Chunk, _Field], Array]:
    return lambda chunk, field: chunk.fixed(field, f">i{width}", width)


def _float(width: int) -> Callable[[Chunk, _Field], Array]:
    def decode(chunk: Chunk, field: _Field) -> Array:
        values = chunk.fixed(field, f">f{width}", width)
        # The mask tells NULL from NaN; pandas' float columns know only NaN.
        values[field.null] = np.nan
        return values

    return decode


def _boolean(chunk: Chunk, field: _Field) -> Array:
    return chunk.fixed(field, "u1", 1).astype(np.bool_)


def _objects(values: Iterable[Any], null: Mask) -> Array:
    """An array of objects, with None where they are NULL."""
    made = np.fromiter(values, dtype=object, count=len(null))
    made[null] = None
    return made


def _text(chunk: Chunk, field: _Field) -> Array:
    # Looked at first: counting the different values of a long column costs more than it may save.
    if len(field.null) >= _FEW and field.size.max() <= 15 and _repeats(chunk, field):
        return _categories(chunk, field)
    return _objects((value.decode() for value in chunk.slices(field)), field.null)


_FEW = 256


def _repeats(chunk: Chunk, field: _Field) -> bool:
    """Whether the first values are few different ones."""
    head = _Field(field.start[:_FEW], field.size[:_FEW], field.null[:_FEW])
    return len(set(chunk.slices(head))) <= _FEW // 4


def _categories(chunk: Chunk, field: _Field) -> Array:
    """Short texts that repeat: each different one is decoded once."""
    import pandas as pd

    low, high = chunk.words(field)
    (codes_low, _), (codes_high, some) = pd.factorize(low), pd.factorize(high)
    codes, different = pd.factorize(codes_low * len(some) + codes_high)
    first = np.empty(len(different), dtype=np.int64)
    # In reverse, so that the first place of each text is the one that stays.
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    one = _Field(field.start[first], field.size[first], field.null[first])
    made: Array = _objects((value.decode() for value in chunk.slices(one)), one.null)[codes]
    return made


def _bytes(chunk: Chunk, field: _Field) -> Array:
    return _objects(chunk.slices(field), field.null)


# Days from 1970-01-01 to PostgreSQL's epoch, 2000-01-01.
_EPOCH = 10_957
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31, in days from 1970-01-01


def _date(chunk: Chunk, field: _Field) -> Array:
    days = chunk.fixed(field, ">i4", 4).astype(np.int64) + _EPOCH
    days[field.null] = 0
    # Refused, not cut: an infinite date as another date would be judged as that.
    _refuse((days < _FIRST_DAY) | (days > _LAST_DAY), "dates (infinite, or beyond the years 1 to 9999)")
    made = days.astype("M8[D]").astype(object)
    made[field.null] = None
    return made


_MICROS = _EPOCH * 86_400_000_000
_ENDS = np.iinfo(np.int64)


def _instant(chunk: Chunk, field: _Field) -> Array:
    micros = chunk.fixed(field, ">i8", 8)
    # Both infinities are the ends of the range, and the years from 294247 on have no place beside another
    # epoch.
    far = (micros > _ENDS.max - _MICROS) | (micros == _ENDS.min)
    _refuse(far & ~field.null, "timestamps (infinite, or beyond the year 294246)")
    values: Array = (micros + _MICROS).view("M8[us]")
    values[field.null] = np.datetime64("NaT")
    return values


def _interval(chunk: Chunk, field: _Field) -> Array:
    if (field.size[~field.null] != 16).any():
        raise DecodeError("an interval is not 16 bytes long")
    micros = chunk.fixed(_Field(field.start, np.where(field.null, 0, 8), field.null), ">i8", 8)
    days = chunk.fixed(_Field(field.start + 8, np.where(field.null, 0, 4), field.null), ">i4", 4).astype(
        np.int64
    )
    months = chunk.fixed(_Field(field.start + 12, np.where(field.null, 0, 4), field.null), ">i4", 4)
    # A month has no fixed length, and pandas' timedelta has no months.
    _refuse(months != 0, "intervals (with months or years, or infinite)")
    _refuse(np.abs(days) > 100_000_000, "intervals (too long)")
    # Floats are enough to see that a sum is far beyond the range; the sum itself stays in integers.
    total = micros.astype(np.float64) + days * 86_400_000_000.0
    _refuse(np.abs(total) > 9.2e18, "intervals (too long)")
    values: Array = (micros + days * 86_400_000_000).view("m8[us]")
    values[field.null] = np.timedelta64("NaT")
    return values


def _refuse(unfit: Mask, what: str) -> None:
    if count := int(np.count_nonzero(unfit)):
        raise Unfit(f"{what} have no counterpart in Python: {count}")


def _tid(chunk: Chunk, field: _Field) -> Array:
    # A ctid is never NULL.
    if (field.size != 6).any():
        raise DecodeError("a ctid is not 6 bytes long")
    block = chunk.fixed(_Field(field.start, np.full_like(field.size, 4), field.null), ">u4", 4).astype(
        np.int64
    )
    offset = chunk.fixed(_Field(field.start + 4, np.full_like(field.size, 2), field.null), ">u2", 2).astype(
        np.int64
    )
    # As one number that sorts as the server sorts ctids.
    return (block << 16) | offset


# Larger than 18 digits and their places, so that nothing is rounded.
_EXACT = Context(prec=40)
_UNITS = [Decimal(1).scaleb(-places) for places in range(19)]
_POWERS = np.array([10**n for n in range(19)], dtype=np.int64)
_POSITIVE, _NEGATIVE = 0x0000, 0x4000
_SPECIAL = {0xC000: Decimal("NaN"), 0xD000: Decimal("Infinity"), 0xF000: Decimal("-Infinity")}


def _numeric(chunk: Chunk, field: _Field) -> Array:
    """Exact decimals, with as many places as the server shows.

    numeric_send: the number of digits to the base 10000, the weight of the first, the sign, the places
    shown, the digits. Up to 18 decimal digits are put together in 64 bits for all rows at once; what is
    longer, row by row.
    """
    if (field.size[~field.null] < 8).any():
        raise DecodeError("a numeric is too short")
    head = [
        chunk._gather(field.start + at, kind) for at, kind in ((0, ">i2"), (2, ">i2"), (4, ">u2"), (6, ">i2"))
    ]
    digits, weight, sign, places = (np.where(field.null, 0, part) for part in head)
    # NaN and the infinities have signs of their own.
    plain = (sign == _POSITIVE) | (sign == _NEGATIVE)
    # 18 decimal digits fit into 64 bits; what has more goes row by row.
    short = plain & (digits <= 4) & (4 * (weight + 1) + places <= 18) & (places <= 18)
    total = np.zeros(len(field.null), dtype=np.int64)
    for n in range(int(digits[short].max(initial=0))):
        there = short & (n < digits)
        total = np.where(
            n < digits,
            # A row with fewer digits reads at 0, and keeps its total.
            total * 10_000 + chunk._gather(np.where(there, field.start + 8 + 2 * n, 0), ">u2"),
            total,
        )
    power = np.where(short, 4 * (weight - digits + 1) + places, 0)
    divisor = _POWERS[np.clip(-power, 0, 18)]
    scaled = np.where(power >= 0, total * _POWERS[np.clip(power, 0, 18)], total // divisor)
    # The server never sends digits beyond the places it says; if so, the bytes were read wrongly.
    if ((power < 0) & (scaled * divisor != total)).any():
        raise DecodeError("a numeric has more digits than places")
    signed = np.where(sign == _NEGATIVE, -scaled, scaled)
    shown = np.where(short, places, 0)
    # One scale for a column is the common case, and saves a lookup for each row.
    alike = len(shown) > 0 and bool((shown == shown[0]).all())
    units = repeat(_UNITS[int(shown[0])]) if alike else map(_UNITS.__getitem__, shown.tolist())
    made = _objects(map(_EXACT.multiply, signed.tolist(), units), field.null)
    for row in np.flatnonzero(~short & ~field.null).tolist():
        made[row] = _long_numeric(chunk, field, row)
    return made


def _long_numeric(chunk: Chunk, field: _Field, row: int) -> Decimal:
    """One numeric of any length: its digits are written out as text, which Decimal reads without rounding."""
    start, size = int(field.start[row]), int(field.size[row])
    parts = np.frombuffer(chunk._buffer[start : start + size], dtype=">u2")
    count, sign, places = int(parts[0]), int(parts[2]), int(parts[3])
    if sign in _SPECIAL:
        return _SPECIAL[sign]
    weight = int(parts[1].astype(np.int16))
    if sign not in {_POSITIVE, _NEGATIVE} or len(parts) != 4 + count:
        raise DecodeError("a numeric is damaged")
    # Zero groups between the point and the first digit are not sent, nor are those at the end.
    groups = [*repeat(0, -weight - 1), *(int(d) for d in parts[4:]), *repeat(0, weight + 1 - count)]
    text = "".join(f"{group:04d}" for group in groups)
    whole = max(weight + 1, 0) * 4
    # Exactly the places that the server shows: 1.50 stays 1.50.
    fraction = (text[whole:] + "0" * places)[:places]
    return Decimal(f"{'-' if sign == _NEGATIVE else ''}{text[:whole] or '0'}.{fraction}")


_DECODERS: dict[str, Callable[[Chunk, _Field], Array]] = {
    "int2": _integer(2),
    "int4": _integer(4),
    "int8": _integer(8),
    "float4": _float(4),
    "float8": _float(8),
    "bool": _boolean,
    "numeric": _numeric,
    "text": _text,
    "bytea": _bytes,
    "date": _date,
    "timestamp": _instant,
    "timestamptz": _instant,
    "interval": _interval,
    "tid": _tid,
}

_WIDTHS = {
    "int2": 2,
    "int4": 4,
    "int8": 8,
    "float4": 4,
    "float8": 8,
    "bool": 1,
    "timestamp": 8,
    "timestamptz": 8,
    "interval": 8,
    "tid": 8,
}
