"""The certificate of a backup as one self-contained page: no script, no request, printable."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.certificate import Certificate
from kisaan_validate.report import text
from kisaan_validate.report.certificate_parts import (
    WORDS,
    key_words,
    keys_to_show,
    newest_words,
    restored_words,
    same_database,
    sentences_of,
    size_words,
    tables_of,
    taken_words,
    trend_words,
    when,
)
from kisaan_validate.report.page import PageFigure, PageKind, printed_foot
from kisaan_validate.report.shell import VERDICT_ICONS
from kisaan_validate.text.numbers import counted

PAGE = PageKind("certificate.html.j2", ("diff.css", "certificate.css"), {"when": when})

EARLIER = 30
"""So many earlier backups are listed."""


@dataclass(frozen=True)
class CertificateSide:
    """The dump, or what it was restored with and compared with: facts in words."""

    title: str
    facts: tuple[tuple[str, str], ...]


def render_certificate(certificate: Certificate, name: str, digest: str) -> str:
    """The page of a certificate. ``name`` is its file's, ``digest`` the SHA-256 of that file. The same input
    gives the same bytes.
    """
    e = certificate.evidence
    dump = e.dump
    return PAGE.render(
        VERDICT_ICONS[certificate.verdict],
        _foot(certificate),
        word=WORDS[certificate.verdict],
        words_of=WORDS,
        name=name_of(certificate, name),
        sentences=list(sentences_of(certificate)),
        figures=_figures(certificate),
        sides=(_dump(certificate), _against(certificate)),
        reasons=certificate.reasons,
        tables=tables_of(certificate),
        keys=[(key, key_words(key)) for key in keys_to_show(certificate)],
        keys_sentence=_keys(certificate),
        earlier=same_database(certificate)[:EARLIER],
        done=list(_done(certificate)),
        limits=certificate.not_proved,
        sha256=dump.sha256 if dump is not None else "not known",
        folder=dump is not None and dump.format.value == "directory",
        certificate_name=name,
        digest=digest,
        made_at=certificate.made_at,
        made_by=certificate.made_by,
        version=certificate.tool_version,
    )


def name_of(certificate: Certificate, name: str) -> str:
    """The name of the dump; that of the certificate's file tells it where nothing could be read."""
    dump = certificate.evidence.dump
    return dump.name if dump is not None else name.removesuffix(".certificate.json")


def _figures(certificate: Certificate) -> tuple[PageFigure, ...]:
    e, tables = certificate.evidence, tables_of(certificate)
    same = sum(not table.differs for table in tables)
    until = certificate.valid_until
    return (
        PageFigure(
            "Tables the same",
            f"{same:,} of {len(tables):,}" if tables else "none compared",
            f"against {e.against.name}" if e.against is not None else "no baseline",
            bool(tables),
        ),
        PageFigure(
            "Restored in (RTO)", restored_words(certificate), "on this machine", e.restored is not None
        ),
        PageFigure("Data as of (RPO)", taken_words(certificate), f"newest row: {newest_words(certificate)}"),
        PageFigure(
            "Valid until",
            text.utc(until) if until is not None else "not valid",
            f"{counted(e.asked.valid_days, 'day')} after it was made" if until is not None else "",
            until is not None,
        ),
    )


def _dump(certificate: Certificate) -> CertificateSide:
    e = certificate.evidence
    if e.dump is None:
        return CertificateSide("Dump", (("Read", f"no: {e.unread}"),))
    dump = e.dump
    packed = dump.compression if dump.compression not in {"", "none"} else ""
    facts = [
        ("Format", f"{dump.format.value}{f', {packed}' if packed else ''}, {dump.contents.holds}"),
        ("Size", size_words(dump.size)),
        ("Beside the last", trend_words(certificate) or "there is no earlier one"),
        ("Database", dump.database or (e.taken.database if e.taken is not None else "") or "not named in it"),
        ("Taken", taken_words(certificate)),
        ("Server", f"PostgreSQL {dump.server_version}" if dump.server_version else "not named in it"),
        ("Client", f"pg_dump {dump.client_version}" if dump.client_version else "not named in it"),
        ("Encoding", dump.encoding or "not named in it"),
        (
            "Whole",
            {True: "yes", False: f"no: {dump.damage}", None: f"cannot tell: {dump.damage}"}[dump.complete],
        ),
    ]
    if e.taken is not None:
        facts.append(("Recorded", f"by {e.taken.taken_by or 'nobody named'}, snapshot {e.taken.snapshot}"))
    return CertificateSide("Dump", tuple(facts))


def _against(certificate: Certificate) -> CertificateSide:
    e, facts = certificate.evidence, list[tuple[str, str]]()
    if e.restored is not None:
        facts += [("Restored by", e.restored.client), ("Into", f"PostgreSQL {e.restored.server}")]
    else:
        facts.append(("Restored", f"no: {e.not_restored or 'the dump could not be read'}"))
    if e.against is not None:
        a = e.against
        facts += [
            ("Baseline", f"{a.name} of {a.database} on {a.host or 'a local socket'}, {text.utc(a.taken_at)}"),
            ("Snapshot", f"the same as the dump's, {a.how}" if a.same_snapshot else f"another one; {a.how}"),
            ("Digests", "of all rows and columns" if a.digests else "none: values compared by figures alone"),
            ("SHA-256", a.digest),
        ]
    else:
        facts.append(("Baseline", f"none{f': {e.not_compared}' if e.not_compared else ''}"))
    facts.append(("Took", text.duration(certificate.seconds * 1_000)))
    if certificate.log:
        facts.append(("Log kept", certificate.log))
    return CertificateSide("Restored and compared", tuple(facts))


def _keys(certificate: Certificate) -> str:
    integrity = certificate.evidence.integrity
    if integrity is None or integrity.message:
        return f"No key was checked{f': {integrity.message}' if integrity is not None else ''}."
    held = sum(key.violations == 0 for key in integrity.keys)
    found = f"{held:,} of {counted(len(integrity.keys), 'unique or foreign key')} hold."
    indexes = integrity.indexes
    if indexes.problems is None:
        return f"{found} pg_amcheck was not run: {indexes.message}."
    return f"{found} pg_amcheck found {counted(indexes.problems, 'problem')} in the indexes."


def _done(certificate: Certificate) -> Iterator[str]:
    done = certificate.evidence.restored
    if done is None:
        return
    for error in done.errors:
        yield f"Error: {error}"
    for one in done.left_out:
        yield f"Left out: {one.kind} {one.name}: {one.why}"
    yield from done.notes


def _foot(certificate: Certificate) -> str:
    name = name_of(certificate, "")
    words = f"{WORDS[certificate.verdict]}; {name}; certified {text.utc(certificate.made_at)}"
    return printed_foot(words)
