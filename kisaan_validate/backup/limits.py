"""What a certificate does not prove: the same sentences each time, and those that this restore adds. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.backup.excused import excused
from kisaan_validate.backup.judge import is_accepted
from kisaan_validate.facts.certificate import BackupEvidence
from kisaan_validate.text.numbers import counted

ALWAYS = (
    "Roles and their passwords, memberships and settings: a dump of one database does not hold them.",
    "Settings of the server and of the database, pg_hba.conf, and grants on the database itself.",
    "Other databases of the server.",
    "Recovery to a point in time: WAL and base backups were not looked at.",
    "What was written after the dump began: it is not in it.",
    "That the production machine restores as fast: the time is that of this machine.",
    "That this file can still be read later, or from where it is kept.",
    "That the application works on the restored data.",
)
"""On every certificate, whatever its verdict."""


def not_proved(e: BackupEvidence) -> tuple[str, ...]:
    """What the certificate of this evidence does not prove, in sentences."""
    return (*ALWAYS, *dict.fromkeys(_of_this(e)))


def _of_this(e: BackupEvidence) -> Iterator[str]:
    if e.diff is not None:
        for why in sorted(set(excused(e.diff.changes).values())):
            yield f"{why[0].upper()}{why[1:]}."
        for item in e.diff.not_compared:
            yield f"{item.words[0].upper()}{item.words[1:]}: counted, not compared."
        if e.ahead:
            number = counted(len(e.ahead), "sequence")
            yield f"{number} went on between baseline and dump: sequences take no part in a snapshot."
    if e.restored is not None:
        for one in e.restored.left_out:
            if is_accepted(e, one.kind, one.name):
                yield f"The {one.kind} {one.name}, which is accepted as left out: {one.why}."
    yield from _of_keys(e)
    if not any(one.value for one in e.newest):
        yield "How much is lost after a restore: no time column is declared whose newest value would tell."


def _of_keys(e: BackupEvidence) -> Iterator[str]:
    if e.integrity is None:
        return
    if e.integrity.indexes.problems is None:
        yield f"The structure of the indexes: pg_amcheck was not run: {e.integrity.indexes.message}."
    for key in e.integrity.keys:
        if not key.validated:
            found = "" if not key.violations else f"; {counted(key.violations, 'row')} break it"
            yield f"The {key.kind} {key.name} of {key.table} is NOT VALID: old rows need not fit{found}."
