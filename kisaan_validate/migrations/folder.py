"""Reads a folder of migrations: which files a runner would take, in which order. Nothing of them is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kisaan_validate.facts.ledger import LedgerKind
from kisaan_validate.facts.migrations import MigrationFolder


def read_migration_folder(kind: LedgerKind, folders: Sequence[Path]) -> MigrationFolder:
    """The migrations of folders, in the order in which a runner of this kind applies them. What cannot be
    read is in the answer.
    """
    raise NotImplementedError
