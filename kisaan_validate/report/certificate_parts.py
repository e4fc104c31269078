"""What a certificate of a backup says, in words: one wording for the page and the console. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.certificate import Certificate, EarlierBackup, KeyCheck
from kisaan_validate.facts.differences import DIGEST, ROWS, TOTALS, VALUES
from kisaan_validate.facts.result import Verdict
from kisaan_validate.report.text import duration, number, signed, utc
from kisaan_validate.text.numbers import agreeing, counted

WORDS = {
    Verdict.PASS: "Good backup",
    Verdict.FAIL: "Not a good backup",
    Verdict.INCONCLUSIVE: "Not proved",
}
"""What each verdict is called."""

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class CertifiedTable:
    """One table: its rows on both sides, and what differs; ``differs`` is shown in colour."""

    table: str
    before: int | None
    after: int | None
    delta: str
    said: str
    differs: bool


def size_words(count: int) -> str:
    """Bytes as people write them, and exactly: ``1.5 MB (1,572,864 bytes)``."""
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    exact = counted(count, "byte")
    return f"{value:,.1f} {_UNITS[unit]} ({exact})" if unit else exact


def tables_of(certificate: Certificate) -> tuple[CertifiedTable, ...]:
    """Every table that was compared, those that differ first, then by name."""
    e = certificate.evidence
    changes = e.diff.changes if e.diff is not None else ()
    found = []
    for count in e.counts:
        own = [c for c in changes if c.table == count.table and c.kind in {ROWS, VALUES, TOTALS}]
        gone = count.after is None or count.before is None
        said = (
            _missing(count.before, count.after) if gone else _said([(c.kind, c.name, c.aspect) for c in own])
        )
        late = e.late.get(count.table, 0)
        said += f"; {counted(late, 'row')} written since" if late and own else ""
        delta = "" if count.delta is None else signed(count.delta)
        found.append(CertifiedTable(count.table, count.before, count.after, delta, said, bool(own) or gone))
    return tuple(sorted(found, key=lambda one: (not one.differs, one.table)))


def _missing(before: int | None, after: int | None) -> str:
    if before is None and after is None:
        return "not counted on either side"
    return "not in the dump, or not counted" if after is None else "not in the baseline, or not counted there"


def _said(changes: list[tuple[str, str, str]]) -> str:
    """What differs: rows, which rows, the values of which columns."""
    words = []
    for kind, name, aspect in changes:
        if kind == ROWS:
            words.append("other rows" if aspect == DIGEST else "number of rows")
        else:
            words.append(name or aspect)
    return ", ".join(dict.fromkeys(words)) or "the same"


def sentences_of(certificate: Certificate) -> Iterator[str]:
    """The answer in a few sentences: what is wrong or open, or what was proved."""
    e = certificate.evidence
    if certificate.reasons:
        for reason in certificate.reasons[:4]:
            yield reason.words
        if (more := len(certificate.reasons) - 4) > 0:
            yield f"{counted(more, 'more reason')} below."
        return
    same = sum(not table.differs for table in tables_of(certificate))
    rows = sum(count.after or 0 for count in e.counts)
    held = f"{counted(same, 'table')} with {counted(rows, 'row')}"
    yield f"It restored, and {held} {agreeing(same, 'holds', 'hold')} what the baseline holds."
    if e.against is not None and not e.against.same_snapshot:
        yield "Rows written since the baseline were told by declared columns."
    keys = len(e.integrity.keys) if e.integrity is not None else 0
    number = f"{counted(keys, 'unique or foreign key')} {agreeing(keys, 'was', 'were')}"
    yield f"{number} checked against the rows."


def taken_words(certificate: Certificate) -> str:
    """When the dump was taken, as far as it is known."""
    e = certificate.evidence
    if e.taken is not None and not e.changed:
        return utc(e.taken.started_at)
    at = e.dump.taken_at if e.dump is not None else None
    return when(at)


def when(at: datetime | None) -> str:
    """A time of a dump; one without a zone says so."""
    if at is None:
        return "not known"
    return utc(at) if at.tzinfo is not None else f"{at:%Y-%m-%d %H:%M:%S}, zone not recorded"


def restored_words(certificate: Certificate) -> str:
    """How long restoring took, "not restored" where it was not."""
    done = certificate.evidence.restored
    return duration(done.seconds * 1_000) if done is not None else "not restored"


def newest_words(certificate: Certificate) -> str:
    """The newest row that the dump holds, of all declared columns."""
    known = [one for one in certificate.evidence.newest if one.value is not None]
    if not known:
        return "cannot tell: no time column has an answer"
    return "; ".join(f"{one.table}.{one.column} {one.value}" for one in known)


def keys_to_show(certificate: Certificate) -> tuple[KeyCheck, ...]:
    """The keys that the rows break, that were not checked, or that are NOT VALID."""
    integrity = certificate.evidence.integrity
    keys = integrity.keys if integrity is not None else ()
    return tuple(key for key in keys if key.violations is None or key.violations or not key.validated)


def key_words(key: KeyCheck) -> str:
    """What was found of a key."""
    found = f"not checked: {key.message}" if key.violations is None else ""
    found = found or ("holds" if not key.violations else f"{counted(key.violations, 'row')} break it")
    return found if key.validated else f"{found}; declared NOT VALID"


def trend_words(certificate: Certificate) -> str:
    """The size beside that of the dump before; "" where there is none of the same database."""
    e = certificate.evidence
    before = next(iter(same_database(certificate)), None)
    if before is None or e.dump is None:
        return ""
    share = f"{e.dump.size / before.size:.2f} times" if before.size else "more than"
    return f"{share} the {number(before.size)} bytes of {before.dump}, certified {utc(before.made_at)}"


def same_database(certificate: Certificate) -> tuple[EarlierBackup, ...]:
    """The earlier backups of the same database, the newest first."""
    e = certificate.evidence
    own = (e.dump.database if e.dump is not None else "") or (
        e.against.database if e.against is not None else ""
    )
    return tuple(one for one in e.earlier if own in {"", one.database} or not one.database)
