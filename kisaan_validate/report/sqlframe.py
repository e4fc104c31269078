"""What the statements of one table have in common, so that each shows only what is its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from kisaan_validate.dataclass import dataclass

FIRST, SECOND = "①", "②"
"""Where a frame leaves room for the two parts of a statement."""

_LIST = re.compile(r"(SELECT [A-Za-z0-9_]+, )([^\n]*)(\nFROM [^\n]*\nWHERE \()(.*)(\) IS TRUE)", re.DOTALL)
"""A list of the violating rows of one table, as checks of rows have it."""


@dataclass(frozen=True)
class SqlFrame:
    """The text before, between and after two parts."""

    before: str
    between: str
    after: str

    @property
    def text(self) -> str:
        """The frame with both signs in it."""
        return f"{self.before}{FIRST}{self.between}{SECOND}{self.after}"

    def parts_of(self, sql: str) -> tuple[str, str] | None:
        """The two parts of a statement; None unless the frame around them is the statement, exactly."""
        found = _LIST.fullmatch(sql)
        if found is None or (found[1], found[3], found[5]) != (self.before, self.between, self.after):
            return None
        return found[2], found[4]


def common_frame(statements: Iterable[str]) -> SqlFrame | None:
    """The frame that most of the statements share; None where it would save nothing."""
    matches = (_LIST.fullmatch(sql) for sql in statements if FIRST not in sql and SECOND not in sql)
    found = Counter((match[1], match[3], match[5]) for match in matches if match is not None)
    if not found:
        return None
    frame, times = found.most_common(1)[0]
    return SqlFrame(*frame) if times > 2 else None
