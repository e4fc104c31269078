"""Text that becomes the source of a suite.

Databases and other tools call things what they like: a table may be named ``\"\"\"; import os #``.
Whatever passes through here is a literal, a name or a remark afterwards, never code. Every generated file
is made of these functions alone.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from typing import Any

from kisaan_validate.sql.expressions import quote

WIDTH = 120
"""The longest line that is not broken."""

Plain = str | int | bool | None


def python_text(value: str) -> str:
    """A string as a Python literal on one line; what cannot be seen (line ends, bidirectional marks, NUL)
    is escaped.
    """
    shown = repr(value)
    # Double quotes, as in a suite that people write.
    if shown.startswith("'") and '"' not in shown:
        return '"' + shown[1:-1].replace("\\'", "'") + '"'
    return shown


def python_value(value: Plain | list[str] | dict[str, Any]) -> str:
    """A plain value, or a list or mapping of such, as a Python literal. Raises TypeError for anything
    else.
    """
    if isinstance(value, str):
        return python_text(value)
    if value is None or isinstance(value, (bool, int)):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(python_value(v) for v in value)}]"
    if isinstance(value, dict):
        entries = (f"{python_text(str(key))}: {python_value(item)}" for key, item in value.items())
        return "{" + ", ".join(entries) + "}"
    raise TypeError(f"a {type(value).__name__} is not written into a suite")


def remark(text: str, limit: int = 200) -> str:
    """Text that may stand in a comment of Python, SQL, TOML or Markdown: one line, nothing hidden, cut
    when long.
    """
    flat = " ".join(text.split())
    # By its code, so that a reviewer sees what was there.
    seen = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in flat)
    return seen if len(seen) <= limit else seen[: limit - 1].rstrip() + "…"


def code_span(text: str) -> str:
    """Text as a code span in a cell of a Markdown table: no backtick, bar or angle bracket of it means
    anything.
    """
    # Other signs of the same shape: a code span has no escapes, and a bar ends a cell even within one.
    return f"`{remark(text).replace('`', chr(0x2CB)).replace('|', chr(0xA6))}`"


def identifier(name: str, taken: Iterable[str], prefix: str) -> str:
    """A Python identifier that recalls ``name`` and is none of ``taken``; ASCII, for Python folds other
    letters together.
    """
    # ASCII, as Python folds other letters (NFKC): two names could become one.
    word = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
    if not word or word[0].isdigit() or keyword.iskeyword(word) or keyword.issoftkeyword(word):
        word = f"{prefix}_{word}".strip("_")
    used = set(taken)
    if word in used:
        word = f"{prefix}_{word}"
    number, made = 1, word
    while made in used:
        number += 1
        made = f"{word}_{number}"
    return made


def file_stem(name: str, taken: set[str]) -> str:
    """A file name (without suffix) that recalls ``name``; free of what ``taken`` holds, to which it is
    added.
    """
    # Lower case only: some file systems know no other.
    word = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:60].strip("_") or "table"
    number, made = 1, word
    while made in taken:
        number += 1
        made = f"{word}_{number}"
    taken.add(made)
    return made


def sql_name(name: str) -> str:
    """An identifier for an author's SQL: quoted wherever the engine's reader of SQL would not take it
    bare.
    """
    # quote() also knows the reserved words.
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        return quote(name)
    return '"' + name.replace('"', '""') + '"'


def dotted(schema: str, name: str) -> str:
    """A table's name as declarations write it (see ``catalogue.split_name``); ``schema`` "" leaves that
    out.
    """
    parts = [name] if not schema else [schema, name]
    # A quote at its beginning would be read as quoting.
    return ".".join('"' + p.replace('"', '""') + '"' if "." in p or p.startswith('"') else p for p in parts)


def call(function: str, arguments: Iterable[str], why: str = "") -> str:
    """A call as source, with why it is there as a comment: on one line if it fits, else the comment above,
    then the call.

    ``arguments`` are source texts made by the functions above.
    """
    listed = list(arguments)
    one = f"{function}({', '.join(listed)})"
    comment = f"# {remark(why)}" if why else ""
    # At the end of the line if it fits, else above.
    if why and len(one) + 2 + len(comment) <= WIDTH:
        return f"{one}  {comment}"
    above = f"{comment}\n" if why else ""
    return above + (one if len(one) <= WIDTH else f"{function}(\n{_filled(listed)})")


def _filled(arguments: Iterable[str]) -> str:
    """Arguments, as many on a line as fit."""
    lines: list[str] = []
    for argument in arguments:
        if lines and len(lines[-1]) + 2 + len(argument) < WIDTH:
            lines[-1] += f" {argument},"
        else:
            lines.append(f"    {argument},")
    return "".join(f"{line}\n" for line in lines)


def keyword_argument(name: str, value: Plain | list[str] | dict[str, Any]) -> str:
    """``name=value`` as source."""
    return f"{name}={python_value(value)}"


def commented_out(source: str) -> str:
    """The same source, commented out."""
    return "\n".join(f"# {line}".rstrip() for line in source.split("\n"))


def toml_text(value: str) -> str:
    """A basic string of TOML."""
    return '"' + "".join(_toml_character(c) for c in value) + '"'


def _toml_character(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    # TOML escapes by code point; eight digits hold all of them.
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def header(fields: Mapping[str, str]) -> str:
    """The header of a SQL assertion: one line a field, empty ones left out."""
    return "".join(f"-- {name}: {remark(value, 2000)}\n" for name, value in fields.items() if value)


def settings_text(
    command: str, name: str, schemas: Iterable[str], personal: Mapping[str, tuple[str, ...]]
) -> str:
    """A suite.toml; ``personal`` maps guessed patterns to the columns for which they stand."""
    how = "and by the look of few values" if command == "init" else "alone"
    lines = [
        f"# Written by kisaan-validate {command}. docs/writing-checks.md says what may stand here.",
        f"name = {toml_text(name)}",
        f"schemas = [{', '.join(toml_text(s) for s in schemas)}]",
        "",
        (
            f"# A guess, by names {how}: values of these columns are never shown. Add what is missing, "
            f"remove what is public."
        ),
    ]
    if not personal:
        return "\n".join([*lines, "personal = []", ""])
    lines.append("personal = [")
    for pattern, columns in personal.items():
        more = f" and {len(columns) - 5} more" if len(columns) > 5 else ""
        lines.append(f"    {toml_text(pattern)},  # {remark(', '.join(columns[:5]))}{more}")
    return "\n".join([*lines, "]", ""])
