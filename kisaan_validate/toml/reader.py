"""The one reader of TOML files: text to model, or one SuiteError: ``file: [table].key: fact``.

It repeats no text of the file, which could be a secret; a validator that knows better may."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar

from kisaan_validate.errors import SuiteError
from kisaan_validate.text import authored

if TYPE_CHECKING:
    from kisaan_validate.toml.model import TomlTable

    T = TypeVar("T", bound=TomlTable)

# Far beyond any suite, and little enough to parse at once.
LONGEST = 4 * 1024 * 1024
"""Characters of a file that is read at all."""
DEEPEST = 32
"""Tables and lists within each other; no file that is understood has more than six."""
_MOST_BITS = 14_000
"""Of an integer: Python writes no more than 4,300 decimal digits."""

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*"""
_DOTTED = re.compile(rf"(?:^|[{{,])[ \t\[]*{_KEY}(?:\.[ \t]*{_KEY}){{200}}", re.MULTILINE)
"""A key of so many parts: the parser's time grows faster than the square of their number."""


def read(text: str, origin: str, model: type[T]) -> T:
    """What the text of a file says, as ``model``. Raises SuiteError; ``origin`` is the file's name for it."""
    try:
        given = _parsed(authored.plain(text))
    except (ValueError, RecursionError, InvalidOperation) as error:
        endless = {RecursionError: "it is nested too deeply", InvalidOperation: "a number is out of range"}
        said = endless.get(type(error), str(error))
        raise SuiteError(f"not valid TOML: {said}", "", origin) from None
    return fitted(given, origin, model)


def fitted(given: Mapping[str, Any], place: str, model: type[T]) -> T:
    """Tables that were read, as ``model``. Raises SuiteError, whose origin is ``place``."""
    # Imported here: pydantic takes a tenth of a second, and most commands read no TOML.
    from pydantic import ValidationError

    try:
        return model.model_validate(given)
    except ValidationError as error:
        # ``from None``: pydantic's message repeats the file, which may hold a secret.
        raise _refusal(error.errors(include_url=False)[0], given, place) from None


def _parsed(text: str) -> dict[str, Any]:
    """Raises ValueError, RecursionError and InvalidOperation for what is no TOML, or has no end."""
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text):,} characters, at most {LONGEST:,} are read")
    if _DOTTED.search(text):
        raise RecursionError
    # Decimal, because a float has lost the digits that were written.
    given = tomllib.loads(text, parse_float=Decimal)
    level: list[Any] = [given]
    # Breadth first, so that one deep branch is found without reading the others.
    for _ in range(DEEPEST):
        # Python refuses to print such a number, also in the message that would refuse it.
        if any(isinstance(value, int) and value.bit_length() > _MOST_BITS for value in level):
            raise ValueError("a number has too many digits")
        lists = [list(value.values()) if isinstance(value, dict) else value for value in level]
        level = [inner for value in lists if isinstance(value, list) for inner in value]
    if level:
        raise RecursionError
    return given


_MUST_BE = {
    "bool_type": "true or false",
    "date_type": "a day",
    "dict_type": "a table",
    "greater_than_equal": "a whole number of at least {ge}",
    "int_type": "a whole number",
    "less_than_equal": "a whole number of at most {le}",
    "literal_error": "{expected}",
    "string_type": "a text",
    "table": "a table",
    "tuple_type": "a list",
}


def _refusal(error: Any, given: Any, origin: str) -> SuiteError:
    """One of pydantic's errors in words."""
    kind, about, where = error["type"], error.get("ctx", {}), _place(error["loc"], given)
    if kind == "wrong":
        return SuiteError(f"{where}{about['fact']}", about["hint"], origin)
    if kind in {"string_too_short", "too_short"}:
        return SuiteError(f"{where}must not be empty", "", origin)
    # The key stands in the message as TOML writes it.
    hint = f"write [{re.sub(r'[][: ]', '', where)}]" if kind == "table" else ""
    must = _MUST_BE.get(kind, "something else").format(**about)
    return SuiteError(f"{where}must be {must}, not {_kind(error['input'])}", hint, origin)


def _kind(value: Any) -> str:
    """What stands in the file, in a word or as a number."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, Decimal)):
        return str(value) if len(str(value)) < 20 else "a number of so many digits"
    return {str: "a text", list: "a list", dict: "a table", date: "a day"}.get(type(value), "a time")


def _place(loc: Sequence[str | int], given: Any) -> str:
    """``promise 2: [facts].type: ``; an item of a list of tables goes by its id, if it has one."""
    label, keys, here = "", [""], given
    for part in loc:
        inside = isinstance(here, list) or (isinstance(here, dict) and part in here)
        here = here[part] if inside else None
        if isinstance(part, str):
            # A key of odd signs is repeated in quotes, and cut.
            keys.append(part if re.fullmatch(r"[\w-]{1,60}", part) else repr(part[:60]))
        elif isinstance(here, dict):
            # A promise or criterion is found by its id in a long file, hardly by its number.
            id = here.get("id")
            known = isinstance(id, str) and re.fullmatch(r"[\w.:/-]{1,60}", id)
            label, keys = f"{label}{keys[-1]} {id if known else part + 1}: ", [""]
        else:
            label = f"{label}item {part + 1} of "
    above, last = ".".join(keys[1:-1]), keys[-1]
    if last and isinstance(here, dict):
        return f"{label}[{above}{'.' if above else ''}{last}]: "
    if above:
        return f"{label}[{above}].{last}: "
    if last:
        return f"{label}{last}: "
    return label
