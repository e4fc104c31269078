"""What was asked of a run: which suite, and which part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from kisaan_validate.dataclass import dataclass


@dataclass(frozen=True)
class SuiteFacts:
    """Which suite was run. ``digest`` is a SHA-256 over the names and bytes of all its sources; ``nouns`` are
    what readers call the rows of a table, by table.
    """

    name: str
    digest: str
    sources: tuple[str, ...]
    total_checks: int
    schemas: tuple[str, ...]
    excluded_tables: tuple[str, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nouns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BackupDeclared:
    """What a suite says of backups of its database, as written: time columns that tell later rows
    (``added_since``) and the newest row (``newest``), tables that may lose rows, what may be left out of a
    restore, and the age in seconds up to which a dump is good (0: any).
    """

    added_since: tuple[str, ...] = ()
    newest: tuple[str, ...] = ()
    may_shrink: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    max_age: int = 0


@dataclass(frozen=True)
class Selection:
    """What part of the suite was asked for. A run with ``partial`` set speaks only of that part.

    ``keyword`` is an expression over check ids; ``failed_in`` the id of the run whose failing and unanswered
    checks were asked again ("" if all were).
    """

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    partial: bool = False
    keyword: str = ""
    failed_in: str = ""

    @property
    def words(self) -> str:
        """The selection as people read it: ``selected: a, b; left out: c``."""
        said = {
            "selected": ", ".join(self.select),
            "left out": ", ".join(self.exclude),
            "by keyword": self.keyword,
            "failed or without an answer in run": self.failed_in,
        }
        return "; ".join(f"{what}: {text}" for what, text in said.items() if text)
