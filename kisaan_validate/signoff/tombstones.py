"""Tombstones as files: ``tombstone.json`` in the folder of the run that was removed.

A file of its own for each, instead of the evidence: written whole before anything is removed, so that
a run that is half removed is there, or is a tombstone, and never nothing.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from kisaan_validate.errors import OtherFormat, RecordError
from kisaan_validate.history.night import CheckNight
from kisaan_validate.history.tombstone import Tombstone
from kisaan_validate.record.codec import digest_of
from kisaan_validate.record.files import read_file, write_file
from kisaan_validate.record.typed import adapter

TOMBSTONE_FILE = "tombstone.json"

TOMBSTONE_FORMAT = 1

_COLUMNS = tuple(field.name for field in fields(CheckNight))


def write_tombstone(folder: Path, stone: Tombstone) -> None:
    """Write it into the run's folder, whole or not at all. Raises RecordError."""
    write_file(folder / TOMBSTONE_FILE, tombstone_text(stone))


def tombstone_text(stone: Tombstone) -> str:
    """The text of ``tombstone.json``: one line a check, as names would make most of it."""
    plain = adapter(Tombstone).dump_python(stone, mode="json")
    rows = [[outcome[name] for name in _COLUMNS] for outcome in plain["night"].pop("outcomes")]
    head = {"kind": "tombstone", "format_version": TOMBSTONE_FORMAT, **plain, "columns": _COLUMNS}
    checks = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    body = f'{json.dumps(head, ensure_ascii=False)[:-1]}, "checks": [\n{checks}\n]'
    return f'{body}, "seal": "{digest_of(body)}"}}\n'


def read_tombstone(path: Path) -> Tombstone:
    """The tombstone in a file. Its seal shows damage, no forgery: anybody can seal it again. Raises
    RecordError.
    """
    text = read_file(path)
    # Before anything is parsed: the seal is of the text.
    body, mark, seal = text.rpartition(', "seal": "')
    if not mark or seal != f'{digest_of(body)}"}}\n':
        raise RecordError(
            f"{path} is no whole tombstone: its seal does not match", "restore it from a backup"
        )
    try:
        given = json.loads(text)
        if given.pop("kind", "") != "tombstone" or given.pop("format_version", 0) != TOMBSTONE_FORMAT:
            raise OtherFormat(f"{path} is not a tombstone of this version", "upgrade kisaan-validate")
        return _stone(given)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise RecordError(
            f"{path} is not a tombstone as it was written", "restore it from a backup"
        ) from None


def _stone(given: dict[str, Any]) -> Tombstone:
    columns, rows = given.pop("columns"), given.pop("checks")
    given.pop("seal")
    outcomes = [dict(zip(columns, row, strict=True)) for row in rows]
    stone: Tombstone = adapter(Tombstone).validate_python(
        {**given, "night": {**given["night"], "outcomes": outcomes}}
    )
    # What is told of a run whose files are gone always says so.
    return replace(stone, night=replace(stone.night, pruned=stone.words))
