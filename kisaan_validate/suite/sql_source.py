"""``checks/sql/*.sql``: one SELECT with a small header becomes a declaration."""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from kisaan_validate.declare import Declaration
from kisaan_validate.errors import SuiteError
from kisaan_validate.rules.assertion import Assertion
from kisaan_validate.rules.meta import KEYS, as_names, read_meta
from kisaan_validate.sql.assertion import parse_select, without_end
from kisaan_validate.sql.idle import refuse_idle
from kisaan_validate.sql.reading import tables_read
from kisaan_validate.text.nearest import did_you_mean

_OWN = ("title", "table", "key", "shows", "volatile")
_HEADER = re.compile(r"--\s?(?P<key>[a-z_]+):\s?(?P<value>.*)")


def read_assertion(text: str, path: str) -> Declaration:
    """One SQL file. Raises SuiteError with file and line for a wrong header or anything but one SELECT
    that can fail.
    """
    header, body, line = _split(text, path)
    origin = f"{path}:{line}"
    # A key is demanded, because without it no violating row could be named.
    for needed in ("id", "key"):
        if not header.get(needed):
            raise SuiteError(
                f"the header has no {needed!r}", f"begin the file with '-- {needed}: …'", f"{path}:1"
            )
    # Editors end a statement with a semicolon, which stands in no subquery.
    body = without_end(body, origin)
    tree = parse_select(body, origin)
    refuse_idle(tree, origin)
    # Of a set operation the first SELECT names the outputs.
    outputs = [e.alias_or_name for e in _select_of(tree).expressions]
    keys, shows = as_names(header["key"]), as_names(header.get("shows", ""))
    starred = any(isinstance(e, exp.Star) or e.is_star for e in _select_of(tree).expressions)
    # Behind a star only the server knows the outputs.
    if not starred and (missing := [name for name in (*keys, *shows) if name not in outputs]):
        raise SuiteError(f"{missing[0]!r} is not an output column", f"outputs: {', '.join(outputs)}", origin)
    rule = Assertion(
        sql=body.strip(),
        keys=keys,
        shows=shows,
        reads=tables_read(tree),
        volatile=frozenset(as_names(header.get("volatile", ""))),
        title=header.get("title", ""),
    )
    # A filter would have to be put around the SQL, where it means something else.
    if "filter" in header:
        raise SuiteError(
            "an assertion takes no filter: its SQL defines which rows it reads",
            "write it into the WHERE",
            f"{path}:1",
        )
    meta = read_meta({k: v for k, v in header.items() if k in KEYS}, f"{path}:1")
    return Declaration("sql", header.get("table", ""), (), rule, meta, origin)


def _select_of(tree: Any) -> exp.Select:
    found = tree if isinstance(tree, exp.Select) else tree.find(exp.Select)
    assert isinstance(found, exp.Select)  # parse_select admits nothing without one
    return found


def _split(text: str, path: str) -> tuple[dict[str, str], str, int]:
    """The header's values, the SQL below it, and the line on which that begins."""
    header: dict[str, str] = {}
    current = ""
    lines = text.split("\n")
    number = 0
    for number, line in enumerate(lines, 1):
        if match := _HEADER.fullmatch(line.strip()):
            current = match["key"]
            if current not in (*KEYS, *_OWN):
                raise SuiteError(
                    f"unknown header {current!r}", did_you_mean(current, (*KEYS, *_OWN)), f"{path}:{number}"
                )
            if current in header:
                raise SuiteError(f"header {current!r} is given twice", "", f"{path}:{number}")
            header[current] = match["value"].strip()
        # Two blanks continue a value; one blank is an ordinary comment.
        elif current and re.match(r"--\s{2,}\S", line.strip()):
            header[current] += " " + line.strip()[2:].strip()
        # The first line that is neither blank nor comment begins the SQL.
        elif line.strip() and not line.strip().startswith("--"):
            return header, "\n".join(lines[number - 1 :]), number
        else:
            current = ""
    raise SuiteError("the file has no SELECT", "", f"{path}:{number or 1}")
