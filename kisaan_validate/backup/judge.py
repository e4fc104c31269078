"""What the evidence about a backup means: verdict and reasons. Pure.

A backup is good only if its contents were compared: that it restored proves nothing. Each rule below reads
the evidence and gives reasons; a reason is wrong (the backup is not good) or open (that cannot be told).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from kisaan_validate.backup.contents import common_tables, contents_reasons
from kisaan_validate.facts.certificate import BackupEvidence, BackupReason
from kisaan_validate.facts.dump import DumpFacts
from kisaan_validate.facts.result import Verdict
from kisaan_validate.text.durations import duration_words
from kisaan_validate.text.numbers import counted

ZONES = (timedelta(hours=-12), timedelta(hours=14))
"""The local times of the world, from UTC: a time without a zone lies that far from the one in UTC."""

NAMED = 5
"""So many names stand in a reason; the rest is counted."""


def judge_backup(evidence: BackupEvidence) -> tuple[Verdict, tuple[BackupReason, ...]]:
    """The verdict on a backup, and why it is not PASS, what is wrong first.

    FAIL if anything is wrong; else INCONCLUSIVE if anything is open or was not reached; PASS only if the dump
    was restored whole and every difference from the baseline is known and explained.
    """
    found = tuple(reason for rule in _RULES for reason in rule(evidence))
    if not found and not _reached(evidence):
        found = (BackupReason("not-proved", False, "The contents were not compared."),)
    ordered = tuple(sorted(found, key=lambda reason: not reason.wrong))
    if any(reason.wrong for reason in ordered):
        return Verdict.FAIL, ordered
    return (Verdict.INCONCLUSIVE if ordered else Verdict.PASS), ordered


def _reached(e: BackupEvidence) -> bool:
    """Whether all was done that a pass rests on: no rule may be needed to see that it was not."""
    whole = e.dump is not None and e.restored is not None and e.restored.whole
    return whole and e.against is not None and e.diff is not None and e.integrity is not None


def named(names: Iterable[str]) -> str:
    """The first few names, and how many more."""
    every = list(names)
    more = len(every) - NAMED
    return ", ".join(every[:NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _wrong(code: str, words: str) -> BackupReason:
    return BackupReason(code, True, words)


def _open(code: str, words: str) -> BackupReason:
    return BackupReason(code, False, words)


def _of_the_file(e: BackupEvidence) -> Iterator[BackupReason]:
    """Empty, no dump, truncated, damaged, changed after it was taken."""
    if e.dump is None:
        empty = not e.unread or "empty" in e.unread
        yield _wrong("empty" if empty else "no-dump", f"The file is no dump: {e.unread or 'it is empty'}.")
        return
    if e.dump.complete is False:
        yield _wrong("damaged", f"The dump is not whole: {e.dump.damage}.")
    elif e.dump.complete is None and not _same(e) and not is_noise(e.dump):
        yield _open("unfinished", f"Whether the dump is whole cannot be told: {e.dump.damage}.")
    if e.changed:
        yield _wrong("changed", f"The file is not the one that was recorded: {e.changed}.")


def is_noise(dump: DumpFacts) -> bool:
    """Whether messages of pg_dump itself stand where a statement should."""
    return any(one.stops and one.name.upper().startswith("PG_DUMP") for one in dump.refused)


def _same(e: BackupEvidence) -> bool:
    return e.against is not None and e.against.same_snapshot and e.diff is not None


def _of_its_making(e: BackupEvidence) -> Iterator[BackupReason]:
    """What pg_dump complained of when it wrote the dump."""
    if e.dump is not None and is_noise(e.dump):
        yield _wrong("pg-dump-errors", "Messages of pg_dump stand within the dump: it was written with 2>&1.")
    if e.complaints:
        said = f"pg_dump reported {counted(len(e.complaints), 'error')}: {e.complaints[0]}"
        yield _wrong("pg-dump-errors", f"{said.rstrip('.')}.")


def _of_its_parts(e: BackupEvidence) -> Iterator[BackupReason]:
    """The schema, the data, or the data of some tables left out of the dump."""
    # Of what was read in part nobody knows what is missing.
    if e.dump is None or e.dump.complete is False or is_noise(e.dump):
        return
    contents, tables = e.dump.contents, e.dump.contents.tables
    if contents.holds == "nothing":
        yield _wrong("nothing", "The dump holds no table, and no row.")
    elif not contents.schema:
        yield _wrong(
            "data-only", "The dump holds rows, and no definition of a table: it cannot be restored alone."
        )
    elif tables and not any(table.data for table in tables):
        yield _wrong(
            "schema-only",
            f"The dump holds no rows: the data of {counted(len(tables), 'table')} was left out.",
        )
    elif left := [name for name in contents.without_data if name not in e.asked.accepted]:
        yield _wrong(
            "data-left-out", f"The data of {counted(len(left), 'table')} was left out: {named(left)}."
        )


def _of_its_age(e: BackupEvidence) -> Iterator[BackupReason]:
    limit = e.asked.max_age_seconds
    if e.dump is None or limit is None:
        return
    ages = dump_age(e)
    words = duration_words(limit)
    if ages is None:
        yield _open("age", f"How old the dump is cannot be told; it may be {words} old at most.")
    elif ages[0].total_seconds() > limit:
        yield _wrong("stale", f"The dump is {_hours(ages[0])} old; it may be {words} old at most.")
    elif ages[1].total_seconds() > limit:
        yield _open(
            "age", f"The dump is up to {_hours(ages[1])} old, as its time has no zone; the limit is {words}."
        )


def _hours(age: timedelta) -> str:
    """A length of time in whole minutes, or hours from two hours on: never more than it is."""
    minutes = int(age.total_seconds() // 60)
    return f"{minutes // 60:,} h" if minutes >= 120 else f"{minutes:,} min"


def dump_age(e: BackupEvidence) -> tuple[timedelta, timedelta] | None:
    """How old the data is at least and at most when it is verified; None where that is not known."""
    taken = e.taken.started_at if e.taken is not None and not e.changed else None
    taken = taken or (e.dump.taken_at if e.dump is not None else None)
    if taken is None:
        return None
    if taken.tzinfo is not None:
        return e.asked.at - taken, e.asked.at - taken
    # Local time of a zone that is not recorded: east of Greenwich the same reading came earlier.
    utc = taken.replace(tzinfo=e.asked.at.tzinfo)
    first, last = e.asked.at - utc + ZONES[0], e.asked.at - utc + ZONES[1]
    return max(first, timedelta(0)), last


def _of_restoring(e: BackupEvidence) -> Iterator[BackupReason]:
    if e.dump is None or e.dump.complete is False or is_noise(e.dump):
        return
    if e.restored is None and not e.dump.contents.schema:
        return  # which was told: there is nothing to restore into
    if e.restored is None:
        yield _open(
            "not-restored", f"The dump was not restored: {e.not_restored or 'the restore was not begun'}."
        )
        return
    if e.restored.errors or e.restored.exit_code:
        first = e.restored.errors[0] if e.restored.errors else f"exit code {e.restored.exit_code}"
        number = counted(max(len(e.restored.errors), 1), "error")
        yield _wrong("restore-errors", f"Restoring it gave {number}: {first.rstrip('.')}.")
    left = [f"{one.kind} {one.name}" for one in e.restored.left_out if not is_accepted(e, one.kind, one.name)]
    if left:
        yield _open(
            "left-out",
            f"{counted(len(left), 'object')} of the dump {_was(left)} not restored: {named(left)}.",
        )


def _was(names: list[str]) -> str:
    return "was" if len(names) == 1 else "were"


def is_accepted(e: BackupEvidence, kind: str, name: str) -> bool:
    """Whether it was said that this may be left out: by its kind, its name, or both."""
    return not {kind, name, f"{kind} {name}"}.isdisjoint(e.asked.accepted)


def _of_identity(e: BackupEvidence) -> Iterator[BackupReason]:
    if e.against is None or e.dump is None:
        return
    database = e.dump.database or (e.taken.database if e.taken is not None else "")
    if database and database != e.against.database:
        words = f"The dump is of database {database}, the baseline of {e.against.database}"
        yield _wrong("other-database", f"{words}.")
    elif e.diff is not None and e.counts and not common_tables(e):
        yield _wrong("other-database", "The dump has no table of the baseline: it is of another database.")


def _of_contents(e: BackupEvidence) -> Iterator[BackupReason]:
    """What differs from the baseline; nothing of another database, where all would."""
    if e.dump is None or e.restored is None or any(_of_identity(e)):
        return
    # What broke off half-way was told, and is compared with nothing.
    if e.restored.errors or e.restored.exit_code:
        return
    if e.against is None:
        words = e.not_compared or "no baseline was given, and none lies beside the dump"
        yield _open("no-baseline", f"Nothing is proved of the contents: {words}.")
    elif e.diff is None:
        yield _open("not-compared", f"The contents were not compared: {e.not_compared or 'not reached'}.")
    else:
        yield from contents_reasons(e)


def _of_keys(e: BackupEvidence) -> Iterator[BackupReason]:
    """Keys that the rows break although the schema declares them, and keys that could not be asked."""
    if e.restored is None or e.restored.errors or e.restored.exit_code:
        return
    if e.integrity is None or e.integrity.message:
        why = e.integrity.message if e.integrity is not None else "not reached"
        yield _open("keys", f"The keys were not checked against the rows: {why}.")
        return
    for key in e.integrity.keys:
        where = f"{key.kind} {key.name} of {key.table}"
        if key.violations is None:
            yield _open("keys", f"The {where} was not checked against the rows: {key.message}.")
        elif key.violations and key.validated:
            yield _wrong("keys", f"The rows break the {where}: {counted(key.violations, 'row')}.")
    if e.integrity.indexes.problems:
        number = counted(e.integrity.indexes.problems, "problem")
        yield _wrong("indexes", f"pg_amcheck found {number} in the indexes: {e.integrity.indexes.message}.")


_RULES: tuple[Callable[[BackupEvidence], Iterator[BackupReason]], ...] = (
    _of_the_file,
    _of_its_making,
    _of_its_parts,
    _of_its_age,
    _of_identity,
    _of_restoring,
    _of_contents,
    _of_keys,
)
