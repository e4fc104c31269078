"""What happens to values of any type: NULL and what stands for it, constants, truth turned round,
documents.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from kisaan_validate.compare.patterns.base import Pair, Parameter, Pattern, Sort, shown, time_of

_LONG = 200


def _value(text: str | None) -> tuple[str, ...]:
    """A value as part of a parameter: as it is, or where it is long by its beginning and its digest."""
    if text is None:
        return ("NULL", "")
    if len(text) <= _LONG:
        return ("", text)
    # By its digest: long values would fill the memory, and equal beginnings are not equal values.
    return (hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), text[:_LONG])


def _quoted(value: tuple[str, ...]) -> str:
    return "NULL" if value[0] == "NULL" else shown(value[1] + ("…" if value[0] else ""))


class EmptyForNull(Pattern):
    """NULL became '', or '' became NULL."""

    name = "NULL and empty"
    group = 0

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """One is NULL, the other the empty text."""
        if pair.before is None and pair.after == "":
            yield ("empty",)
        elif pair.before == "" and pair.after is None:
            yield ("NULL",)

    def says(self, parameter: Parameter) -> str:
        """Which way."""
        if parameter[0] == "empty":
            return "NULL became the empty text"
        return "the empty text became NULL"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``became``."""
        return {"became": parameter[0]}


_WORDS = frozenset(
    {"null", "none", "nil", "nan", "n/a", "undefined", "\\n", "<null>", "(null)", "nat", "#n/a"}
)


class WordForNull(Pattern):
    """NULL became the text 'null', 'None', 'NaN', or the other way."""

    name = "NULL as text"
    group = 0

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """One is NULL, the other a word for it in some language."""
        # Lower case: languages write their word for nothing differently.
        if pair.before is None and pair.after is not None and pair.after.lower() in _WORDS:
            yield "word", pair.after
        elif pair.after is None and pair.before is not None and pair.before.lower() in _WORDS:
            yield "NULL", pair.before

    def says(self, parameter: Parameter) -> str:
        """Which way, which word."""
        word = shown(parameter[1])
        if parameter[0] == "word":
            return f"NULL became the text {word}"
        return f"the text {word} became NULL"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``word``."""
        return {"word": parameter[1]}


class BecameNull(Pattern):
    """A value is gone."""

    name = "became NULL"

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """Some value before, none after."""
        if pair.after is None:
            yield ()

    def says(self, parameter: Parameter) -> str:
        """No parameter."""
        return "became NULL"


_TRUTHS = {"t": True, "true": True, "f": False, "false": False}


class Inverted(Pattern):
    """True became false, and false true."""

    name = "boolean inverted"
    group = 0
    sorts = frozenset({Sort.TRUTH})

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """Both are known and differ."""
        if pair.texts and {_TRUTHS.get(text) for text in pair.texts} == {True, False}:
            yield ()

    def says(self, parameter: Parameter) -> str:
        """No parameter."""
        return "boolean inverted"


class ConstantBackfilled(Pattern):
    """NULL became one and the same value in every row: a constant backfilled, or a migration's own now()."""

    name = "constant backfilled"

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """The new value is the parameter."""
        if pair.before is None:
            yield _value(pair.after)

    def free(self, parameter: Parameter) -> bool:
        """Any value is a constant."""
        return True

    def needs_variety(self, parameter: Parameter) -> bool:
        """NULL is NULL."""
        return False

    def says(self, parameter: Parameter) -> str:
        """With what; a time is called what it most likely is."""
        moment = ", a single time such as one transaction's now()," if time_of(parameter[1]) else ""
        return f"NULL filled with the constant {_quoted(parameter)}{moment}"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``constant``."""
        return {"constant": parameter[1]}

    def quotes(self, parameter: Parameter) -> bool:
        """The constant is a value of the table."""
        return True


class Constant(Pattern):
    """Different values became one and the same."""

    name = "constant"

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """The new value is the parameter."""
        if pair.after is not None:
            yield _value(pair.after)

    def free(self, parameter: Parameter) -> bool:
        """Any value is a constant."""
        return True

    def says(self, parameter: Parameter) -> str:
        """To what."""
        moment = ", a single time such as one transaction's now()," if time_of(parameter[1]) else ""
        return f"set to the constant {_quoted(parameter)}{moment}"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``constant``."""
        return {"constant": parameter[1]}

    def quotes(self, parameter: Parameter) -> bool:
        """The constant is a value of the table."""
        return True


class Replaced(Pattern):
    """One value became one other, everywhere it changed: a label renamed."""

    name = "value replaced"
    group = 2

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """Both values are the parameter."""
        # NULL and 'NULL' must be two parameters.
        yield (*_value(pair.before), *_value(pair.after))

    def free(self, parameter: Parameter) -> bool:
        """Any change is one."""
        return True

    def needs_variety(self, parameter: Parameter) -> bool:
        """One value is what it takes."""
        return False

    def says(self, parameter: Parameter) -> str:
        """What became what."""
        return f"{_quoted(parameter[:2])} became {_quoted(parameter[2:])}"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``from`` and ``to``, without what is NULL."""
        return {
            word: value
            for word, mark, value in (("from", *parameter[:2]), ("to", *parameter[2:]))
            if mark != "NULL"
        }

    def quotes(self, parameter: Parameter) -> bool:
        """Both are values of the table."""
        return True


class KeyChanged(Pattern):
    """One key of a JSON object was added, removed or changed in value; the rest of the document is the
    same.
    """

    name = "document key"
    sorts = frozenset({Sort.DOCUMENT})

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """Two objects that differ in exactly one key."""
        if not pair.texts:
            return
        before, after = (_document(text) for text in pair.texts)
        if not isinstance(before, dict) or not isinstance(after, dict):
            return
        names = {
            name
            for name in before.keys() | after.keys()
            # A key with the value null is there; .get alone would not tell it from one that is missing.
            if before.get(name, _MISSING) != after.get(name, _MISSING)
        }
        if len(names) == 1:
            name = names.pop()
            what = "added" if name not in before else "removed" if name not in after else "changed"
            # A key may be as long as a document.
            yield what, name[:_LONG]

    def says(self, parameter: Parameter) -> str:
        """What happened to which key."""
        return f"key {shown(parameter[1])} of the document {parameter[0]}"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``key`` and ``what``."""
        return {"what": parameter[0], "key": parameter[1]}

    def quotes(self, parameter: Parameter) -> bool:
        """A document's keys may be somebody's names."""
        return True


_MISSING: Any = object()


def _document(text: str) -> Any:
    """JSON with numbers as the texts' digits say, tagged so that 1 and true and "1" differ; None if it is
    none.
    """
    try:
        # Decimal: JSON of a numeric has more digits than a float.
        return _tagged(json.loads(text, parse_float=Decimal))
    # A document may be nested deeper than Python recurses.
    except (ValueError, RecursionError):
        return None


def _tagged(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _tagged(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_tagged(inner) for inner in value]
    return (
        "number"
        # bool is an int to isinstance, and True equals 1.
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool)
        else type(value).__name__,
        value,
    )


class StringOfDocument(Pattern):
    """A JSON document became a JSON string that holds it: encoded once too often. Or the other way."""

    name = "document as string"
    group = 0
    sorts = frozenset({Sort.DOCUMENT})

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """The string, read as JSON, is the document."""
        if not pair.texts:
            return
        before, after = (_document(text) for text in pair.texts)
        if _holds(after, before):
            yield ("encoded",)
        elif _holds(before, after):
            yield ("decoded",)

    def says(self, parameter: Parameter) -> str:
        """Which way."""
        if parameter[0] == "encoded":
            return "the document became a string containing it (encoded twice)"
        return "a string became the document it contained"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``way``."""
        return {"way": parameter[0]}


def _holds(string: Any, document: Any) -> bool:
    if not isinstance(string, tuple) or string[0] != "str" or document is None:
        # None is what could not be read, and two of these are not alike.
        return False
    return bool(_document(string[1]) == document)


PATTERNS: tuple[Pattern, ...] = (
    EmptyForNull(),
    WordForNull(),
    Inverted(),
    StringOfDocument(),
    BecameNull(),
    ConstantBackfilled(),
    Constant(),
    KeyChanged(),
    Replaced(),
)
