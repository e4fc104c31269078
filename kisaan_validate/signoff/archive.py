"""The archive of a bundle: a ZIP whose bytes depend on nothing but what it holds.

Names are sorted, times, owners and modes are fixed, and nothing is compressed: what a compressor writes
differs from one version to the next. It is read into memory and never unpacked here, so no name in it can
lead anywhere.
"""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

from kisaan_validate.errors import RecordError
from kisaan_validate.signoff.evidence import LARGEST, Files
from kisaan_validate.signoff.statement import sha256

SUMS = "SHA256SUMS"
_MOST = 100_000


def pack(run: str, files: Mapping[str, bytes]) -> bytes:
    """The archive of these files, all below a folder with the name of the run."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, strict_timestamps=True) as archive:
        for name in sorted(files):
            # The earliest time that a ZIP can say.
            entry = zipfile.ZipInfo(f"{run}/{name}", (1980, 1, 1, 0, 0, 0))
            # Unix, so that the mode in external_attr means the same wherever it is made.
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, files[name], zipfile.ZIP_STORED)
    return out.getvalue()


def unpack(path: Path) -> Files:
    """The files of a bundle, by their path in its folder. Raises RecordError for whatever :func:`pack`
    does not write.

    That the same files make the same archive is checked: nothing can hide behind, between or beside them.
    """
    data = _bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            run, found = _entries(archive, path, len(data))
    # Before the rest: it says what is wrong in words of ours.
    except RecordError:
        raise
    except Exception:  # whatever a parser of hostile bytes may come to
        raise RecordError(
            f"{path} is not a complete bundle", "it is truncated or damaged; fetch it again"
        ) from None
    try:
        # Made again and compared: what lies between entries, behind them or in their extra fields would
        # change nothing else.
        same = pack(run, found) == data
    except (ValueError, zipfile.LargeZipFile):
        same = False
    if not same:
        raise RecordError(
            f"{path} was changed: it contains more than its files", "it was edited; fetch it again"
        )
    return Files(str(path), dict(sorted(found.items())), bundle=data)


def sums(files: Mapping[str, bytes]) -> bytes:
    """The text of SHA256SUMS, as ``sha256sum -c`` reads it."""
    return "".join(
        f"{sha256(data)}  {name}\n" for name, data in sorted(files.items()) if name != SUMS
    ).encode()


def _bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise RecordError(f"{path} is not a file", "name a bundle, a run's folder or a folder of reports")
        if path.stat().st_size > LARGEST:
            raise RecordError(f"{path} has more than {LARGEST:,} bytes", "name a bundle")
        return path.read_bytes()
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}", "check the path") from None


def _entries(archive: zipfile.ZipFile, path: Path, size: int) -> tuple[str, dict[str, bytes]]:
    """The files of an archive of ``size`` bytes, and the folder that they are in. Nothing is read before
    all of it is looked at.
    """
    entries = archive.infolist()
    if not entries or len(entries) > _MOST:
        raise RecordError(f"{path} holds {len(entries):,} files", "name a bundle")
    run = entries[0].filename.split("/")[0]
    names: set[str] = set()
    for entry in entries:
        if odd := _odd(entry, run, names):
            raise RecordError(f"{path}: {odd}", "it was not made by this program; do not unpack it")
        names.add(entry.filename)
    # Stored files cannot be larger than the archive; a size that lies would fill the memory.
    if sum(entry.file_size for entry in entries) > size:
        raise RecordError(
            f"{path} unpacks to more than its own size", "it was not made by this program; do not unpack it"
        )
    return run, {entry.filename.removeprefix(f"{run}/"): archive.read(entry) for entry in entries}


def _odd(entry: zipfile.ZipInfo, run: str, before: set[str]) -> str:
    """What :func:`pack` never writes, by name: comparing the whole archive afterwards would only say that
    it differs.
    """
    name = entry.filename
    # Nothing is unpacked here, but a reader may do it with another tool.
    if "\\" in name or name.startswith("/") or any(part in ("", ".", "..") for part in name.split("/")):
        return f"it contains a file name that points outside: {name!r}"
    if not stat.S_ISREG(entry.external_attr >> 16):
        return f"{name!r} is not a regular file"
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        return f"{name!r} is compressed"
    if name in before or not name.startswith(f"{run}/"):
        return f"{name!r} occurs twice, or is outside the run's folder"
    return ""
