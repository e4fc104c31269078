"""The record of a rollout: a chain of entries, to JSON and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from kisaan_validate.errors import RecordError
from kisaan_validate.facts.rollout import ROLLOUT_FORMAT, RolloutEntry, RolloutRecord
from kisaan_validate.record.typed import adapter, json_of, published_schema, read_exactly

_NAME = "rollout-record"
_AGAIN = "take the newest copy of the folder that is whole"


def entry_digest(entry: RolloutEntry) -> str:
    """The SHA-256 of an entry, which the next one repeats."""
    plain = adapter(RolloutEntry).dump_python(entry, mode="json")
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def rollout_to_json(entries: Sequence[RolloutEntry]) -> str:
    """The text of `rollout.json`."""
    return json_of(_NAME, RolloutRecord(tuple(entries), entry_digest(entries[-1]) if entries else ""))


def rollout_from_json(text: str, source: str = "rollout.json") -> RolloutRecord:
    """The record that ``text`` holds, every link of its chain followed. Raises RecordError, naming the entry
    that was changed.
    """
    made: RolloutRecord = read_exactly(RolloutRecord, _NAME, ROLLOUT_FORMAT, text, source, _AGAIN)
    before = ""
    for place, entry in enumerate(made.entries, 1):
        if entry.number != place:
            raise _broken(source, f"entry {entry.number} stands where entry {place} belongs")
        if entry.before != before:
            which = f"entry {place - 1} was changed" if before else "the entries before the first are missing"
            raise _broken(source, f"{which}: it is not the one that entry {place} follows")
        before = entry_digest(entry)
    if made.head != before:
        last = f"entry {len(made.entries)} was changed, or entries after it were removed"
        raise _broken(source, last if made.entries else "its entries were removed")
    return made


def _broken(source: str, fact: str) -> RecordError:
    return RecordError(f"{source}: {fact}", _AGAIN)


def rollout_schema() -> dict[str, Any]:
    """The JSON Schema of `rollout.json`."""
    return published_schema(RolloutRecord, _NAME)
