"""Run and Baseline to JSON and back, by their published JSON Schema.

A run leaves out each field at its default, which halves a large one; so defaults are part of the format.
Counts are exact integers, times are RFC 3339 in UTC. A file that does not fit is refused by name:
truncated, edited, of another kind, or of a newer format.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from weakref import ref

from kisaan_validate.errors import OtherFormat, RecordError
from kisaan_validate.facts.baseline import BASELINE_FORMAT, Baseline
from kisaan_validate.facts.run import OLDEST_RUN_FORMAT, RUN_FORMAT, Run
from kisaan_validate.record.consistency import baseline_contradictions, run_contradictions
from kisaan_validate.record.typed import adapter, compact, json_lines, json_text, parsed, validated


def _sealed_as(given: dict[str, Any]) -> str:
    try:
        return _seal(given)
    except UnicodeEncodeError:  # half a character, which no file of ours holds
        return ""


def schema_of(kind: type[Any]) -> dict[str, Any]:
    """The JSON Schema of Run or Baseline files, as published in ``docs/schemas``."""
    schema: dict[str, Any] = adapter(kind).json_schema(mode="serialization")
    sealed = {"seal": {"type": "string", "pattern": "^[0-9a-f]{64}$"}} if kind is Baseline else {}
    for part in (schema, *schema.get("$defs", {}).values()):
        # What later versions added is not in older files, so it cannot be required of them.
        if "required" in part:
            part["required"] = [name for name in part["required"] if name not in LATER]
    schema["properties"] = {"kind": {"const": kind.__name__.lower()}, **schema["properties"], **sealed}
    schema["required"] = ["kind", *schema["required"], *sealed]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def run_to_json(run: Run) -> str:
    """The text of ``run.json``."""
    plain = _plain(Run, without_keyed_digests(run))
    text = json_lines("run", plain) if _leaves_out(run) else json_text("run", plain)
    # surrogatepass, so that half a character in some text breaks no digest.
    _written[:] = [(ref(run), hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())]
    return text


_written: list[tuple[ref[Run], str]] = []
"""The run that was written last, and the digest of its text: of a large run the text takes seconds to make,
and its digest stands in several places.
"""


def run_digest(run: Run) -> str:
    """The SHA-256 (hex) of the text of ``run.json``."""
    # By identity: a run is never changed, and comparing two would take as long as writing one.
    if not any(written() is run for written, _ in _written):
        run_to_json(run)
    return _written[0][1]


def without_keyed_digests(run: Run) -> Run:
    """A run as it may be recorded: two digests of a personal column under one key would give a changed
    value away.
    """
    keyed = tuple(
        replace(k, digest="", stays="", message=k.message or ("" if k.outcome else _KEPT_ELSEWHERE))
        for k in run.keyed
    )
    return replace(run, secret="", keyed=keyed)


_KEPT_ELSEWHERE = "its digest is only in the baseline"


def run_from_json(text: str, source: str = "run.json") -> Run:
    """The Run that ``text`` holds. Raises RecordError, naming ``source``."""
    formats = range(OLDEST_RUN_FORMAT, RUN_FORMAT + 1)
    run: Run = _from_json(Run, text, source, "run", formats)
    # By every reader, so that no command acts on facts that cannot have been measured.
    _refuse_contradictions(run_contradictions(run), source)
    return run


def baseline_to_json(baseline: Baseline) -> str:
    """The text of a baseline file. Its last entry, the seal, shows an accidental edit (anyone can seal it
    again).
    """
    plain = {"kind": "baseline", **_plain(Baseline, baseline)}
    return json.dumps({**plain, "seal": _seal(plain)}, indent=1, ensure_ascii=False) + "\n"


def baseline_from_json(text: str, source: str = "baseline") -> Baseline:
    """The Baseline that ``text`` holds. Raises RecordError, naming ``source``."""
    baseline: Baseline = _from_json(
        Baseline, text, source, "baseline", range(BASELINE_FORMAT, BASELINE_FORMAT + 1)
    )
    _refuse_contradictions(baseline_contradictions(baseline), source)
    return baseline


def _refuse_contradictions(found: Iterator[str], source: str) -> None:
    """Raises RecordError, naming the first fact that contradicts another."""
    if first := next(found, ""):
        raise RecordError(f"{source} contradicts itself: {first}", "it was edited or damaged; take it again")


def _seal(plain: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON (sorted keys, no blanks) of all entries but the seal itself."""
    return digest_of(_canonical({key: value for key, value in plain.items() if key != "seal"}))


def _canonical(plain: dict[str, Any]) -> str:
    """One text for equal content and only for that: to Python 1 equals 1.0 and true."""
    return compact(plain, sort=True)


_SINCE = frozenset({"digest", "digests", "row_file", "rows", "value_file", "values"})
"""Entries that came after the first published form and are not in earlier files: what they stand for was
not measured.
"""


LATER = frozenset(
    {
        "address",
        "counters",
        "distribution",
        "engine",
        "failed_in",
        "finding",
        "foreign",
        "guard",
        "halted",
        "held_seconds",
        "keyed",
        "keyword",
        "ledger_before",
        "ledger_moves",
        "ledger_rows",
        "meanings",
        "nouns",
        "past",
        "pauses",
        "proved",
        "resumed",
        "secret",
        "settled",
        "settling",
        "since_last",
        "standby",
        "totals",
        "trusted",
        "unmeasured",
        "volume",
    }
)
"""Entries that baselines and runs of format 3 do not hold where there is nothing to say: earlier files,
whose bytes and digests stay as they were.
"""


def _leaves_out(value: Any) -> bool:
    """Whether it is written without fields at their default."""
    return isinstance(value, Run) and value.format_version > OLDEST_RUN_FORMAT


def _plain(kind: type[Any], value: Any) -> Any:
    """A run or baseline as the JSON values of its file."""
    if not _leaves_out(value):
        return in_full(kind, value)
    # The format is at its default too, but must be there.
    said = adapter(kind).dump_python(value, mode="json", exclude_defaults=True)
    return {"format_version": value.format_version, **said}


def in_full(kind: type[Any], value: Any) -> Any:
    """A run or baseline as JSON values, without later entries that say nothing."""
    return _without_empty(adapter(kind).dump_python(value, mode="json"))


def _without_empty(plain: Any) -> Any:
    if isinstance(plain, dict):
        # Their bytes must stay as they were: sign-offs and other files name them by digest.
        kept = {key: value for key, value in plain.items() if value or key not in LATER}
        return {key: _without_empty(value) for key, value in kept.items()}
    if isinstance(plain, list):
        return [_without_empty(value) for value in plain]
    return plain


def _keeps(read: Any, written: Any) -> bool:
    """Whether all that was written was read, and nothing else but what earlier versions did not write."""
    if isinstance(read, dict) and isinstance(written, dict):
        # Only what earlier versions did not write, and only if it says nothing.
        missing = {key for key in read.keys() - written.keys() if key in _SINCE and not read[key]}
        return read.keys() - missing == written.keys() and all(
            _keeps(read[key], value) for key, value in written.items()
        )
    if isinstance(read, list) and isinstance(written, list):
        return len(read) == len(written) and all(map(_keeps, read, written))
    return _same(read, written)


def _same(read: Any, written: Any) -> bool:
    # By text: to Python 1 == 1.0 == True, and the file would have been changed.
    return _canonical({"": read}) == _canonical({"": written})


def digest_of(text: str) -> str:
    """SHA-256 (hex) of a file's text, by which other files refer to it."""
    return hashlib.sha256(text.encode()).hexdigest()


def _from_json(kind: type[Any], text: str, source: str, wanted: str, formats: range) -> Any:
    given = parsed(text, source, "take it again")
    # The kind before the version: versions of other files have nothing to do with this one.
    if not isinstance(given, dict) or given.get("kind") != wanted:
        found = given.get("kind", "something else") if isinstance(given, dict) else "something else"
        raise RecordError(f"{source} is not a {wanted} file (it is {found})", "check the file's name")
    version = given.get("format_version")
    # A boolean is an int to isinstance.
    if type(version) is not int or version > formats[-1]:
        raise OtherFormat(
            f"{source} has format {version}; this version reads up to {formats[-1]}",
            "upgrade kisaan-validate",
        )
    # Earlier formats mean something else by the same names: they are refused, not guessed at.
    if version < formats[0]:
        raise OtherFormat(
            f"{source} has format {version} of an earlier version; this version reads {formats[-1]}",
            "take it again",
        )
    # Before the model: a broken seal says more than the field that it broke.
    if kind is Baseline and given.get("seal") != _sealed_as(given):
        raise RecordError(
            f"{source} was changed: its seal does not match",
            "it was edited or damaged; take it again",
        )
    body = {
        key: value
        for key, value in given.items()
        if key not in ({"kind", "seal"} if kind is Baseline else {"kind"})
    }
    value = validated(kind, body, source)
    # Reading must lose nothing: a key that is ignored, or a value that changes, means that the file was
    # edited. What the file does not say, because an earlier version did not know it, is not there.
    plain = _plain(kind, value)
    # The whole at once first: of a large file to compare each value takes seconds.
    if not (_same(plain, body) or _keeps(plain, body)):
        raise RecordError(
            f"{source} contains more than a {wanted} file may contain", "it may have been edited"
        )
    return value
