"""How the tables of another tool's suite are called here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError


@dataclass(frozen=True)
class Tables:
    """How tables are called here: ``names`` maps a tool's name to ours; ``only`` is the one table that was
    named alone.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    only: str = ""

    def of(self, name: str) -> str:
        """The table for a name of the tool's."""
        return self.names.get(name, name)


def read_tables(options: Sequence[str]) -> Tables:
    """``--table NAME`` and ``--table THEIRS=OURS``. Raises UsageError."""
    # Split at the first =, as a name of ours may hold one.
    names = dict(option.split("=", 1) for option in options if "=" in option)
    bare = [option for option in options if "=" not in option]
    # Two bare names would leave open which table is meant.
    if len(bare) > 1 or any(not part.strip() for part in (*names, *names.values(), *bare)):
        raise UsageError("give --table one name, or THEIRS=OURS for each of several")
    return Tables(names, bare[0] if bare else "")
