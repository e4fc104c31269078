"""What a suite says of all its checks: the settings of ``suite.toml``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Criterion
from kisaan_validate.facts.ledger import LEDGER_SHAPES, LedgerKind, LedgerSource
from kisaan_validate.facts.suite import BackupDeclared
from kisaan_validate.personal.lineage import Asked, Followed, asked_of
from kisaan_validate.suite.criteria import distinct
from kisaan_validate.suite.sources import text_of
from kisaan_validate.toml.reader import read

if TYPE_CHECKING:
    from kisaan_validate.suite.settings_model import LedgerTable


@dataclass(frozen=True)
class SuiteSettings:
    """What ``suite.toml`` says.

    ``personal`` and ``exclude_tables`` are shell patterns over ``table.column`` and ``table``; ``aliases``
    maps a logical table name to the names under which it may exist, in the order in which they are tried.
    ``filters`` maps tables to the SQL condition on their rows that are judged; ``lines`` says where each
    of these is written. ``criteria`` are those of a runbook, their checks as the patterns that were
    written. ``foreign`` are the tables whose rows another server holds and which are judged all the same.
    ``settling`` is after how many seconds failures of checks over several tables are asked again.
    ``ledger`` is where migrations are written down, None where nobody said.
    ``backup`` is what backups of the database are held to. ``severities`` are those of rules of migrations.
    ``followed`` is what the database's own catalogue makes of ``personal``, once it was read.
    """

    name: str = ""
    schemas: tuple[str, ...] = ("public",)
    personal: tuple[str, ...] = ()
    exclude_tables: tuple[str, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nouns: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict, compare=False)
    criteria: tuple[Criterion, ...] = ()
    foreign: tuple[str, ...] = ()
    settling: int = 0
    ledger: LedgerSource | None = None
    backup: BackupDeclared = field(default_factory=BackupDeclared)
    severities: Mapping[str, str] = field(default_factory=dict)
    followed: Followed = field(default_factory=Followed, compare=False)

    def is_personal(self, table: str, column: str) -> bool:
        """Whether values of this column must never be shown. Patterns ignore case: better to mask too
        much.
        """
        return self.followed.is_personal(table, column, self.asked)

    @cached_property
    def asked(self) -> Asked:
        """Who is asked of the patterns alone, whatever the database makes of them."""
        return asked_of(self.personal)

    def may_be_quoted(self, tables: Collection[str], sql: str = "") -> bool:
        """Whether the server could quote a personal value when it fails at a statement over these tables."""
        if any(_touches(pattern, tables) for pattern in self.personal):
            return True
        return bool(self.followed.relations & set(tables)) or self.followed.quoted_by(sql)

    def is_excluded(self, table: str) -> bool:
        """Whether the table is left out of row counts."""
        return any(fnmatchcase(table, pattern) for pattern in self.exclude_tables)


def _touches(pattern: str, tables: Collection[str]) -> bool:
    """Whether a pattern of table.column may mean a column of one of these: either name may have dots of
    its own.
    """
    parts = pattern.lower().split(".")
    # Any dot may part table and column, because either name may hold one.
    possible = [".".join(parts[:n]) for n in range(1, len(parts))] or ["*"]
    spelled = {name.lower() for name in tables}
    return bool(spelled & set(possible)) or any(
        fnmatchcase(name, table) for name in spelled for table in possible
    )


def _ledger(given: LedgerTable) -> LedgerSource:
    """Where migrations are written down, with what the kind says by itself."""
    kind = LedgerKind(given.kind)
    shape, known = LEDGER_SHAPES[kind], kind is not LedgerKind.NAMES
    return LedgerSource(
        given.table if given.table.strip() else shape.table,
        shape.name if known else given.name,
        shape.at if known else given.at,
        kind,
        given.folders,
        given.accept,
        given.effects,
    )


def read_settings(path: Path) -> SuiteSettings:
    """Read ``suite.toml``. Raises SuiteError for unknown keys and wrong types."""
    from kisaan_validate.suite.settings_model import SettingsFile

    text = text_of(path, path.name)
    given = read(text, path.name, SettingsFile)
    return SuiteSettings(
        name=given.name,
        schemas=given.schemas,
        personal=given.personal,
        exclude_tables=given.exclude_tables,
        foreign=given.foreign,
        settling=given.settling or 0,
        ledger=_ledger(given.ledger) if given.ledger is not None else None,
        backup=BackupDeclared(
            given.backup.added_since,
            given.backup.newest,
            given.backup.may_shrink,
            given.backup.accept,
            given.backup.max_age or 0,
        ),
        severities=given.rehearsal.severity,
        aliases=given.aliases,
        nouns=given.nouns,
        filters=given.filters,
        lines={table: _line_of(table, text, path.name) for table in given.filters},
        criteria=distinct(
            (Criterion(c.id, " ".join(c.text.split()), c.checks, c.manual) for c in given.criteria), path.name
        ),
    )


def _line_of(key: str, text: str, origin: str) -> str:
    """Where a key of [filters] is written: ``file:line``, or the file where the line is unknown."""
    # Searched in the text, because the TOML reader does not tell lines.
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().startswith("["):
            inside = line.strip().startswith("[filters]")
        elif inside and line.partition("=")[0].strip().strip("\"'") == key:
            return f"{origin}:{number}"
    return origin
