"""What a comparison was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from kisaan_validate.dataclass import dataclass
from kisaan_validate.digest.rows import HASH
from kisaan_validate.personal.lineage import Asked, Followed, How
from kisaan_validate.postgres.session import Limits

AUTO, QUICK, WIDE = "auto", "hash", "wide"
"""What may be asked for, beside ``SHA256``: 64 bits under a seed of this comparison, or the 128 bits of a
kept digest.
"""


def digest_name(encoding: str, seed: bytes) -> str:
    """What a way to digest rows is called: ``encoding`` is one of ``digest.rows``."""
    if seed:
        return QUICK
    return WIDE if encoding == HASH else encoding


def _nobody(table: str, column: str) -> How:
    return How.NOT


@dataclass(frozen=True)
class DiffOptions:
    """What a comparison was asked for; tables are named as they are after, without schema where that is
    ``public``.

    ``select`` are patterns of table names, () for all. ``keys``: the columns that identify a row of a
    table that has no unique key of its own. ``casts``: (table, column) -> the SQL type to which both sides
    are cast. ``zone``: where the clocks of ``timestamp`` columns ran that the other side holds as
    ``timestamptz``. ``since``: table -> (column, value): rows added whose column is at least the value
    came later; value None: whose key is above all keys before. ``encoding``: how rows are digested
    (``AUTO``, ``QUICK``, ``WIDE``, ``SHA256``). ``foreign``: tables that are compared although another
    server holds their rows. ``asked`` says which columns are called personal, ``followed`` what both
    databases make of that. ``renamed``: (name before, new name) of tables, and of columns as
    table.column, that have another name after.
    """

    before_schemas: tuple[str, ...] = ("public",)
    after_schemas: tuple[str, ...] = ("public",)
    select: tuple[str, ...] = ()
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    casts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    ignored: frozenset[tuple[str, str]] = frozenset()
    zone: str = ""
    since: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    samples: int = 20
    schema: bool = True
    encoding: str = AUTO
    limits: Limits = field(default_factory=Limits)
    foreign: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    asked: Asked = _nobody
    followed: Followed = field(default_factory=Followed)

    def is_personal(self, table: str, column: str) -> bool:
        """Whether values of a column must not be shown."""
        return self.followed.is_personal(table, column, self.asked)
