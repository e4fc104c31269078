"""Archives that are cut, lengthened, or made as no bundle of ours is."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

from exhibits.scene import Exhibit, Scene, packed
from kisaan_validate.signoff.archive import pack


def _cut(share: float) -> Callable[[Scene, Path], Path]:
    def make(scene: Scene, folder: Path) -> Path:
        path = packed(scene, folder, scene.bundle)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share) or 0] if share < 1 else data[:-1])
        return path

    return make


def _behind(scene: Scene, folder: Path) -> Path:
    path = packed(scene, folder, scene.bundle)
    path.write_bytes(path.read_bytes() + b"x")
    return path


def _before(scene: Scene, folder: Path) -> Path:
    path = packed(scene, folder, scene.bundle)
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    return path


def _entry(name: str, *, link: bool = False, deflate: bool = False) -> Callable[[Scene, Path], Path]:
    """One more entry, as no bundle of ours has it."""

    def make(scene: Scene, folder: Path) -> Path:
        out = io.BytesIO(pack(scene.id, scene.bundle))
        with zipfile.ZipFile(out, "a") as archive:
            entry = zipfile.ZipInfo(name.format(id=scene.id), (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = ((stat.S_IFLNK if link else stat.S_IFREG) | 0o644) << 16
            data = b"/etc/passwd" if link else b"\0" * (50_000_000 if deflate else 10)
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED)
        path = folder / f"{scene.id}.zip"
        path.write_bytes(out.getvalue())
        return path

    return make


def _overlapping(scene: Scene, folder: Path) -> Path:
    """Many names in the directory for the bytes of one file."""
    data = pack(scene.id, scene.bundle)
    new = f"{scene.id}/run.json".encode()
    end = data.rindex(b"PK\x05\x06")
    start = int.from_bytes(data[end + 16 : end + 20], "little")
    entries = data[start:end].split(b"PK\x01\x02")[1:]
    (large,) = [entry for entry in entries if new in entry]
    count = 200
    more = b"".join(b"PK\x01\x02" + large.replace(new, new[:-4] + b"%04d" % n) for n in range(count))
    total = (len(entries) + count).to_bytes(2, "little")
    size = (end - start + len(more)).to_bytes(4, "little")
    path = folder / f"{scene.id}.zip"
    path.write_bytes(data[:end] + more + data[end : end + 8] + total * 2 + size + data[end + 16 :])
    return path


def _twice(scene: Scene, folder: Path) -> Path:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _entry("{id}/run.json")(scene, folder)


def of_archives() -> list[Exhibit]:
    """The exhibits, in the order of the gallery."""
    return [
        Exhibit("archive cut in half", _cut(0.5), "is not a complete bundle"),
        Exhibit("its last byte missing", _cut(1), "is not a complete bundle"),
        Exhibit("empty archive", _cut(0), "is not a complete bundle"),
        Exhibit("bytes behind the archive", _behind, "it contains more than its files"),
        Exhibit("program before the archive", _before, "it contains more than its files"),
        Exhibit("file twice", _twice, "occurs twice"),
        Exhibit(
            "file that would unpack elsewhere",
            _entry("{id}/../../x"),
            "a file name that points outside",
        ),
        Exhibit("file with an absolute name", _entry("/etc/x"), "a file name that points outside"),
        Exhibit("symbolic link in the archive", _entry("{id}/x", link=True), "is not a regular file"),
        Exhibit("fifty megabytes, compressed", _entry("{id}/x", deflate=True), "is compressed"),
        Exhibit("two hundred names for one file", _overlapping, "unpacks to more than its own size"),
    ]
