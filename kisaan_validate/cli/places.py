"""How options name tables and columns: as the catalogue has them; a name with a dot, a comma or an = in it
is quoted as in SQL.

``--key '"odd.table"=a,"b,c"'``, ``--values 'app.t."a.b"'``. What stands within quotes parts nothing.
"""

from __future__ import annotations

import re

_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def parted(text: str, sign: str) -> tuple[str, str, str]:
    """As ``str.partition``, but a sign within a quoted name parts nothing. A name is quoted if a quote
    begins it.
    """
    at = 0
    while at < len(text):
        # Only at the beginning of a name: a quote within one is a character like any other.
        quoted = _QUOTED.match(text, at) if at == 0 or text[at - 1] in ".,=" else None
        if quoted is not None:
            at = quoted.end()
        elif text[at] == sign:
            return text[:at], sign, text[at + 1 :]
        else:
            at += 1
    return text, "", ""


def names_of(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    names = []
    while text:
        name, _, text = parted(text, ",")
        names.append(unquoted(name.strip()))
    return tuple(names)


def unquoted(name: str) -> str:
    """A name without the quotes around it."""
    if _QUOTED.fullmatch(name):
        return name[1:-1].replace('""', '"')
    return name


def column_of(text: str, option: str) -> tuple[str, str]:
    """A column as an option names it: its table as written, and its own name. Raises UsageError."""
    from kisaan_validate.errors import UsageError
    from kisaan_validate.facts.titles import split_column

    table, column = split_column(text)
    if not table or not column:
        raise UsageError(
            f"{option} {text} is not of the form table.column",
            f'write {option} table.column; quote a name that contains a dot: table."a.b"',
        )
    return table, column
