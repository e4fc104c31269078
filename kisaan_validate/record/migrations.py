"""migrations.json: folder and ledger as they stood at one time, by its published JSON Schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kisaan_validate.facts.migrations import MIGRATIONS_FORMAT, MigrationsRecord
from kisaan_validate.record.files import read_file
from kisaan_validate.record.typed import json_of, published_schema, read_exactly

FILE = "migrations.json"
_KIND = "migrations"


def migrations_to_json(record: MigrationsRecord) -> str:
    """The text of migrations.json."""
    return json_of(_KIND, record)


def read_migrations(path: Path) -> MigrationsRecord:
    """The record in a file, or in a folder that has one. Raises RecordError where it is damaged, edited or of
    another kind.
    """
    file = path / FILE if path.is_dir() else path
    return migrations_from_json(read_file(file), str(file))


def migrations_from_json(text: str, source: str = FILE) -> MigrationsRecord:
    """The record that ``text`` holds. Raises RecordError, naming ``source``."""
    made: MigrationsRecord = read_exactly(
        MigrationsRecord, _KIND, MIGRATIONS_FORMAT, text, source, "look at the migrations again"
    )
    return made


def migrations_schema() -> dict[str, Any]:
    """The JSON Schema of migrations.json."""
    return published_schema(MigrationsRecord, _KIND)
