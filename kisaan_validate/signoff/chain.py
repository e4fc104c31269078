"""Each run names the one recorded before it in the same folder of reports, so that taking one out or swapping
two shows.

What a chain cannot show by itself: that its newest runs were removed or made again. Only a digest that
somebody keeps elsewhere (a signature, a time stamp, a mail) can.
"""

from __future__ import annotations

import json
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import AlreadyRunning, OtherFormat, RecordError
from kisaan_validate.facts.run import Run
from kisaan_validate.record.codec import run_digest, run_from_json
from kisaan_validate.record.filelock import file_lock
from kisaan_validate.record.files import write_file
from kisaan_validate.signoff.evidence import LARGEST
from kisaan_validate.signoff.statement import sha256
from kisaan_validate.signoff.tombstones import TOMBSTONE_FILE, read_tombstone

HEAD = ".chain"
"""The file that remembers the newest run. It is a convenience: lost or stale, it is found again from the
runs.
"""

PATIENCE = 60.0
"""Seconds that a run waits for another that is being recorded."""


@dataclass(frozen=True)
class Link:
    """One recorded run of a folder: its own digest, and which it names as the one before. ``error`` where
    it cannot be read.
    """

    folder: str
    digest: str
    id: str = ""
    previous_run: str = ""
    previous_digest: str = ""
    error: str = ""
    other_format: bool = False
    """Whether it cannot be read because its format is one that this version does not read."""
    remembers: tuple[str, str] = ("", "")
    """The run that it was compared with as the last one, and its digest."""
    pruned: str = ""
    """When and by which rule its files were removed; a tombstone keeps its place."""


@contextmanager
def linked(run: Run, reports: Path) -> Iterator[Run]:
    """The run with the name of the one before it. Write it within the block: no other run is recorded
    meanwhile.

    Raises RecordError where the folder cannot be locked or read.
    """
    with chain_lock(reports):
        # Within the lock: two runs that end together must not name the same one before them.
        head = find_head(reports)
        if head is not None:
            run = replace(
                run, provenance=replace(run.provenance, previous_run=head.id, previous_digest=head.digest)
            )
        yield run
        with suppress(RecordError):  # found again from the runs
            write_file(reports / HEAD, json.dumps({"id": run.id, "sha256": _written(reports, run)}) + "\n")


def _written(reports: Path, run: Run) -> str:
    """The digest of what was written of a run: more may have been found out of it within the block."""
    try:
        return sha256((reports / run.id / "run.json").read_bytes())
    except OSError:
        return run_digest(run)


@contextmanager
def chain_lock(reports: Path) -> Iterator[None]:
    """Hold the chain of a folder: no run is recorded meanwhile. Raises RecordError."""
    try:
        with file_lock(reports / ".lock-chain", "the record of another run", wait=PATIENCE):
            yield
    # For the chain it is no run that is already running, but a record that could not be made.
    except AlreadyRunning as error:
        raise RecordError(error.fact, "run again when it is done") from None


def find_head(reports: Path) -> Link | None:
    """The newest recorded run of a folder; None where there is none.

    The remembered one, or what was recorded after it by somebody who was interrupted before remembering it.
    """
    remembered = _remembered(reports)
    if remembered is None:
        return _newest(tips(links_of(reports)))
    # Two seconds of slack, as some file systems keep times no finer.
    since = (reports / HEAD).stat().st_mtime
    later = [link for link in links_of(reports, since - 2, remembered.digest) if not link.error]
    head = remembered  # as it was written, whatever its file holds by now: a change must show
    # Whoever was killed between run.json and .chain left a run that the head does not name.
    while following := [link for link in later if link.previous_digest == head.digest]:
        head = following[0]
        later.remove(head)
    return head


def links_of(reports: Path, since: float = 0.0, known: str = "") -> list[Link]:
    """The recorded runs of a folder whose files are not older than ``since`` (seconds of the epoch), by
    name; one whose digest is ``known`` is not parsed, and only named.
    """
    paths = []
    for path in sorted((*reports.glob("*/run.json"), *_tombstones(reports))):
        # A run that is being removed just now does not count.
        with suppress(OSError):
            if path.stat().st_mtime >= since:
                paths.append(path)
    return [read_link(path, known) for path in paths]


def _tombstones(reports: Path) -> list[Path]:
    # While both are there, the run is: its removal was cut short.
    return [p for p in reports.glob(f"*/{TOMBSTONE_FILE}") if not (p.parent / "run.json").exists()]


def read_link(path: Path, known: str = "") -> Link:
    """What a run.json, or a tombstone, says of itself; nothing more where its digest is ``known``. Never
    raises: what is wrong is in ``error``.
    """
    folder = path.parent.name
    if path.name == TOMBSTONE_FILE:
        return _link_of_tombstone(path)
    try:
        facts = path.lstat()
        if not stat.S_ISREG(facts.st_mode):  # a pipe would keep us waiting, a link leads elsewhere
            return Link(folder, "", error="run.json is not a regular file, and was not read")
        if facts.st_size > LARGEST:
            return Link(folder, "", error=f"run.json has more than {LARGEST:,} bytes, and was not read")
        data = path.read_bytes()
    except OSError as error:
        return Link(folder, "", error=f"run.json cannot be read: {error.strerror}")
    if known and sha256(data) == known:
        return Link(folder, known)
    try:
        run = run_from_json(data.decode(), "run.json")
    except (RecordError, UnicodeDecodeError) as error:
        other = isinstance(error, OtherFormat)
        return Link(folder, sha256(data), error=str(error).splitlines()[0], other_format=other)
    # A copy under another name would be counted twice.
    wrong = "" if run.id == folder else f"it holds the run {run.id}"
    origin, past = run.provenance, run.past
    named = (origin.previous_run, origin.previous_digest)
    remembers = (past.run, past.digest) if past is not None else ("", "")
    return Link(folder, sha256(data), run.id, *named, wrong, remembers=remembers)


def _link_of_tombstone(path: Path) -> Link:
    folder = path.parent.name
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return Link(folder, "", error=f"{TOMBSTONE_FILE} is not a regular file, and was not read")
        stone = read_tombstone(path)
    except (RecordError, OSError) as error:
        # Named within its folder: the path of the folder is the reader's own affair.
        said = error.fact if isinstance(error, RecordError) else str(error.strerror)
        return Link(folder, "", error=said.replace(f"{path.parent}/", ""))
    wrong = "" if stone.night.run == folder else f"it holds the tombstone of run {stone.night.run}"
    return Link(
        folder,
        stone.night.digest,
        stone.night.run,
        stone.previous_run,
        stone.previous_digest,
        wrong,
        pruned=stone.words,
    )


def tips(links: list[Link]) -> list[Link]:
    """The links that no other names."""
    named = {link.previous_digest for link in links}
    return [link for link in links if not link.error and link.digest not in named]


@dataclass(frozen=True)
class Walk:
    """What a walk along a chain found. ``broken`` are faults, one sentence each; ``start`` is set where
    the oldest run names one that is not here (older runs are kept elsewhere, or were removed). ``outside``
    are runs that have no part in it, ``pruned`` those of which a tombstone is left."""

    runs: int
    newest: Link | None
    broken: tuple[str, ...]
    start: str = ""
    outside: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()


def walk(links: list[Link]) -> Walk:
    """Whether these links make one chain, each run after the one that it names."""
    # A run that another one names belongs to the chain, even if it cannot be read.
    named = {link.previous_digest for link in links}
    apart = [
        link
        # Unreadable, named by nobody and naming nobody: it has no part in the chain and does not break it.
        for link in links
        if link.error
        and link.digest not in named
        and not link.previous_digest
        and (link.id or link.other_format)
    ]
    links = [link for link in links if link not in apart]
    broken = [f"{link.folder}: {link.error}" for link in links if link.error]
    good = [link for link in links if not link.error]
    here = {link.digest: link for link in good}
    by_id = {link.id: link for link in good}
    missing = [link for link in good if link.previous_digest and link.previous_digest not in here]
    firsts = [link for link in good if not link.previous_digest]
    # The run is here under its id, and its digest is another: it was changed after the next one named it.
    for link in missing:
        if link.previous_run in by_id:
            broken.append(f"{link.folder}: its predecessor, run {link.previous_run}, was changed afterwards")
    for link in good:
        id, digest = link.remembers
        # The verdict may rest on it, and it need not be the one before: another database's may lie between.
        if id in by_id and by_id[id].digest != digest and id != link.previous_run:
            broken.append(f"{link.folder}: run {id}, with which it was compared, was changed afterwards")
    # Two runs with one predecessor: one of them was put in, or the folder was copied.
    followers = Counter(link.previous_digest for link in good if link.previous_digest)
    for digest, n in followers.items():
        if n > 1:
            names = ", ".join(link.folder for link in good if link.previous_digest == digest)
            broken.append(f"{names}: all name the same run as their predecessor")
    gone = [link for link in missing if link.previous_run not in by_id]
    gone.sort(key=lambda link: link.folder)
    start = ""
    for link in gone:
        # Only the oldest may name a run that is not here: older ones may be kept elsewhere.
        if link is gone[0] and not firsts:
            start = f"{link.folder}: its predecessor, run {link.previous_run}, is missing"
        else:
            broken.append(f"{link.folder}: its predecessor, run {link.previous_run}, is missing")
    if len(firsts) > 1:
        broken.append(f"{', '.join(link.folder for link in firsts)}: each claims to be the first run")
    return Walk(
        len(links),
        _newest(tips(good)),
        tuple(broken),
        start,
        tuple(f"{link.folder}: {link.error}" for link in apart),
        tuple(f"{link.folder}: {link.pruned}" for link in good if link.pruned),
    )


# Names of folders begin with the time.
def _newest(links: list[Link]) -> Link | None:
    return max(links, key=lambda link: link.folder, default=None)


def _remembered(reports: Path) -> Link | None:
    try:
        given = json.loads((reports / HEAD).read_text(encoding="utf-8"))
        id, digest = given["id"], given["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # The name becomes a part of a path, and the file may have been edited.
    if not isinstance(id, str) or not isinstance(digest, str) or "/" in id or id in ("", ".", ".."):
        return None
    return Link(id, digest, id)
