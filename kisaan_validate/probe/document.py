"""The JSON of an answer, bounded, exact and unambiguous, or why there is none."""

from __future__ import annotations

import json
import re
import zlib
from decimal import Decimal, InvalidOperation
from typing import Any

from kisaan_validate.probe.asking import KEPT, HttpAnswer

_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}", re.ASCII)
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([\w.:-]{1,40})\"?", re.IGNORECASE | re.ASCII)


class NoDocument(Exception):
    """There is no JSON to look at. ``known``: the application did not send any, as opposed to too much."""

    def __init__(self, words: str, *, known: bool) -> None:
        super().__init__(words)
        self.words, self.known = words, known


def document_of(answer: HttpAnswer) -> Any:
    """The JSON of a body, its numbers as int or Decimal. Raises NoDocument."""
    if answer.cut:
        raise NoDocument(
            f"its body is longer than {KEPT // 1024:,} kB, and was not read to its end", known=False
        )
    _check_type(answer.content_type)
    body = _unpacked(answer)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NoDocument("its body is not UTF-8, as JSON must be", known=True) from None
    try:
        return json.loads(
            text,
            parse_float=_decimal,
            parse_constant=_no_number,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise NoDocument("its JSON is nested too deeply", known=False) from None
    # int() refuses numbers of thousands of digits, Decimal exponents beyond its own.
    except (ValueError, InvalidOperation):
        raise NoDocument("its body is not JSON, though it says so", known=True) from None


def _check_type(content_type: str) -> None:
    found = _MEDIA_TYPE.match(content_type.strip())
    media = found[0].lower() if found is not None else ""
    if media not in {"application/json", "text/json"} and not media.endswith("+json"):
        said = f"is {media}" if media else "is missing or no such type"
        raise NoDocument(f"its content type {said}, not JSON", known=True)
    charset = _CHARSET.search(content_type)
    if charset is not None and charset[1].lower() not in {"utf-8", "utf8", "us-ascii"}:
        raise NoDocument("it names another charset than UTF-8, but JSON is UTF-8", known=True)


def _unpacked(answer: HttpAnswer) -> bytes:
    if answer.encoding in {"", "identity"}:
        return answer.body
    if answer.encoding not in {"gzip", "x-gzip", "deflate"}:
        raise NoDocument("its body is packed in a way that was not asked for", known=True)
    # Either header of zlib; never more than the limit, whatever it would unpack to.
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        made = unpacking.decompress(answer.body, KEPT + 1)
    except zlib.error:
        raise NoDocument("its body claims to be packed, but is not", known=True) from None
    if len(made) > KEPT:
        raise NoDocument(f"its body unpacks to more than {KEPT // 1024:,} kB", known=False)
    if not unpacking.eof:
        raise NoDocument("the end of its packed body is missing", known=True)
    return made


def _decimal(text: str) -> Decimal:
    made = Decimal(text)
    # Nobody means an exponent of millions, and writing the number out takes memory.
    if abs(made.adjusted()) > 10_000:
        raise ValueError("out of range")
    return made


def _no_number(_: str) -> Any:
    raise ValueError("NaN and Infinity are not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice, so it has two meanings")
    return made
