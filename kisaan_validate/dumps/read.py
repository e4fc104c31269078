"""What a dump is and holds, whether it is whole, and what a restore would leave out, without a server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import field, replace
from pathlib import Path
from typing import IO

from kisaan_validate.dataclass import dataclass
from kisaan_validate.dumps.archive import MAGIC, Archive, Unreadable
from kisaan_validate.dumps.archives import TOC, first_member, is_tar, read_custom, read_folder, read_tar
from kisaan_validate.dumps.blocks import Blocks
from kisaan_validate.dumps.gathering import Gathering
from kisaan_validate.dumps.opening import HEAD, names_in_folder, refuse_foreign, regular, sha256_of
from kisaan_validate.dumps.plain import PlainReader
from kisaan_validate.dumps.statements import Rulings
from kisaan_validate.dumps.unpacking import Bomb, Cut, method_of, pieces_of, unpacked
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.dump import DumpFacts, DumpFormat, LeftOut


def read_dump(path: Path) -> DumpFacts:
    """The facts of a dump: plain, packed, custom, in a folder or a tar, known by content, never by name.

    A dump that ends early or is damaged is no error: ``complete`` and ``damage`` say so. Reads all of it once
    (an archive twice, for its digest), in memory that does not grow with it. Raises RecordError for what is
    no dump, UsageError for what cannot be opened or for a missing program.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _of_folder(path)
        file, size = regular(path)
        with file:
            head = file.read(HEAD)
            file.seek(0)
            if head.startswith(MAGIC) or is_tar(head):
                return _of_archive(path, file, size, head)
            if method_of(head) == "none":
                refuse_foreign(path, head)
            return _of_plain(path, file, size, method_of(head))
    except Bomb:
        hint = "nobody's rows repeat so much; look at where it comes from"
        raise RecordError(f"{path} unpacks to over 500 times its size", hint) from None


# --- archives -------------------------------------------------------------------------------------------


@dataclass
class _Reading:
    """What is known while an archive is read."""

    gathering: Gathering = field(default_factory=Gathering)
    rulings: Rulings = field(default_factory=Rulings)
    archive: Archive | None = None

    def begin(self, archive: Archive) -> Blocks:
        """The blocks of the archive whose table of contents was read."""
        self.archive = archive
        return Blocks(archive, self.gathering, self.rulings)


def _of_archive(path: Path, file: IO[bytes], size: int, head: bytes) -> DumpFacts:
    if not head.startswith(MAGIC) and first_member(head) != TOC:
        raise RecordError(
            f"{path} is a tar that does not begin with {TOC}: no dump of pg_dump",
            "name a file of pg_dump; a copy of a data folder (pg_basebackup) is not read here",
        )
    reading, damage = _Reading(), ""
    custom = head.startswith(MAGIC)
    try:
        (read_custom if custom else read_tar)(file, size, reading.begin)
    except Unreadable as error:
        damage = str(error.args[0])
    form = DumpFormat.CUSTOM if custom else DumpFormat.TAR
    return _facts_of(path, form, size, reading, damage, ())


def _of_folder(path: Path) -> DumpFacts:
    names = names_in_folder(path)
    if TOC not in names:
        wrong = "is empty" if not names else f"has no {TOC}"
        cluster = "PG_VERSION" in names
        hint = (
            "a data folder is no dump"
            if cluster
            else "name the folder that pg_dump -Fd wrote; if it did, it broke off"
        )
        raise RecordError(f"the folder {path} {wrong}: it is no dump", hint)
    reading, damage = _Reading(), ""
    strange: tuple[str, ...] = ()
    bare = False
    try:
        strange, bare = read_folder(path, reading.begin)
    except Unreadable as error:
        damage = str(error.args[0])
    size = sum((path / name).lstat().st_size for name in names)
    facts = _facts_of(path, DumpFormat.DIRECTORY, size, reading, damage, strange)
    if facts.complete and bare:
        why = "its large objects are stored unpacked, and nothing says how long they should be"
        return replace(facts, complete=None, damage=why)
    return facts


def _facts_of(
    path: Path, form: DumpFormat, size: int, reading: _Reading, damage: str, strange: tuple[str, ...]
) -> DumpFacts:
    archive = reading.archive
    shown = ", ".join(strange[:3])
    notes = (
        (f"files that do not belong to it: {shown}" + (", …" if len(strange) > 3 else ""),) if strange else ()
    )
    return DumpFacts(
        path.name,
        form,
        "" if archive is None else archive.compression.replace("none", ""),
        size,
        sha256_of(path),
        "" if archive is None else archive.server,
        "" if archive is None else archive.client,
        "" if archive is None else archive.database,
        None if archive is None else archive.taken_at,
        reading.gathering.encoding,
        not damage,
        damage,
        reading.gathering.contents(),
        _each_once(reading.rulings.left),
        notes,
    )


# --- plain SQL ------------------------------------------------------------------------------------------


def _of_plain(path: Path, file: IO[bytes], size: int, method: str) -> DumpFacts:
    digest = hashlib.sha256()

    def hashed() -> Iterator[bytes]:
        for piece in pieces_of(file):
            digest.update(piece)
            yield piece

    gathering, rulings, raw = Gathering(), Rulings(), hashed()
    reader = PlainReader(gathering, rulings)
    plain = reader.read(_looked_at(path, unpacked(method, raw), packed=method != "none"))
    for _ in raw:
        pass  # the digest is that of the whole file, wherever reading ended
    form = DumpFormat.CLUSTER if plain.cluster else DumpFormat.PLAIN
    if plain.cluster:
        hint = "dump each database by itself: pg_dump DATABASE"
        rulings.left = [
            LeftOut("cluster", "", f"it holds all databases and roles of a server; {hint}", stops=True)
        ]
    return DumpFacts(
        path.name,
        form,
        method.replace("none", ""),
        size,
        digest.hexdigest(),
        plain.server,
        plain.client,
        plain.database,
        plain.taken_at,
        gathering.encoding,
        plain.complete,
        plain.damage,
        gathering.contents(),
        _each_once(rulings.left),
        tuple(plain.notes),
    )


def _looked_at(path: Path, pieces: Iterable[bytes], *, packed: bool) -> Iterator[bytes]:
    """The pieces, after a look at how they begin: what is packed may be no dump either."""
    head, first = b"", []
    iterator = iter(pieces)
    cut: Cut | None = None
    try:
        while len(head) < HEAD and (piece := next(iterator, None)) is not None:
            first.append(piece)
            head += piece[:HEAD]
    except Cut as error:
        cut = error
    if packed and (head.startswith(MAGIC) or is_tar(head) or method_of(head) != "none"):
        raise RecordError(
            f"{path} is packed, and what is in it is an archive or packed again",
            "unpack it once (gunzip, zstd -d, lz4 -d), and name what comes out",
        )
    if head or cut is None:
        refuse_foreign(path, head)
    yield from first
    if cut is not None:
        raise cut
    yield from iterator


def _each_once(left: list[LeftOut]) -> tuple[LeftOut, ...]:
    """What is left out, each thing once, in the order in which it came."""
    found: dict[tuple[str, str, bool], LeftOut] = {}
    for one in left:
        found.setdefault((one.kind, one.name, one.stops), one)
    return tuple(replace(one) for one in found.values())
