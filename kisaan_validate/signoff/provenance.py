"""Who runs a suite, and which state of its sources: what a run records of its own origin."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from kisaan_validate.errors import RecordError
from kisaan_validate.facts.run import Provenance
from kisaan_validate.record.files import write_file
from kisaan_validate.suite.sources import sources_digest

_LIMIT = 20
_MOST = 50
"""So many changed files are named."""


def provenance_of(
    suite: Path, sources: Iterable[str], *, operator: str = "", approvals: int = 1
) -> Provenance:
    """The provenance of a run that is about to be made of ``suite``; ``operator`` is the configured name,
    if any.

    Nobody is authenticated here: the name is that of the configuration, of KISAAN_OPERATOR, or of the
    operating system's user.
    """
    name, source = _operator(operator, os.environ)
    commit, uncommitted, reason = _git(suite, list(sources))
    return Provenance(name, source, commit, uncommitted, reason, approvals=approvals)


def _operator(configured: str, environment: Mapping[str, str]) -> tuple[str, str]:
    # The environment first: one configuration serves several people.
    if given := environment.get("KISAAN_OPERATOR", "").strip():
        return _line(given), "KISAAN_OPERATOR"
    if configured:
        return _line(configured), "kisaan.toml"
    try:
        return _line(getpass.getuser()), "the operating system's user"
    # In a container the user's number need not have a name.
    except (KeyError, OSError):
        return "", "nobody"


def _line(name: str) -> str:
    return " ".join("".join(c for c in name if c.isprintable()).split())[:200]


def _git(suite: Path, sources: list[str]) -> tuple[str, tuple[str, ...] | None, str]:
    """(commit, what is not committed, why Git could not say). A source that Git ignores or does not know
    is not committed.
    """
    if shutil.which("git") is None:
        return "", None, "git is not installed"
    code, commit, said = _ask(suite, "rev-parse", "HEAD")
    if code:
        why = " ".join(said.split())
        return "", None, "not in a Git repository" if "not a git repository" in why else f"git: {why[:200]}"
    # -z and no renames: names with blanks or quotes come as they are, one path an entry.
    code, status, said = _ask(
        suite, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--", "."
    )
    known, tracked, _ = _ask(suite, "ls-files", "-z", "--", ".")
    if code or known:
        return commit.strip(), None, f"git: {' '.join(said.split())[:200]}"
    _, prefix, _ = _ask(suite, "rev-parse", "--show-prefix")
    # Paths are from the top of the repository; the suite's own folder is taken off.
    changed = {entry[3:].removeprefix(prefix.strip()) for entry in status.split("\0") if len(entry) > 3}
    # A source that Git does not track is not in the commit, ignored ones included.
    changed |= set(sources) - set(tracked.split("\0"))
    listed = sorted(name for name in changed if "__pycache__" not in name)
    kept = [_line(name) for name in listed[:_MOST]]
    return (
        commit.strip(),
        tuple(kept + ([f"… and {len(listed) - _MOST} more"] if len(listed) > _MOST else [])),
        "",
    )


def _ask(folder: Path, *words: str) -> tuple[int, str, str]:
    # Nothing is written, and no file system monitor of the repository's choice is started.
    # GIT_DIR and the like would lead to another repository.
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-C", str(folder), *words]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_LIMIT, env=env, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, "", f"{type(error).__name__}"
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def keep_sources(suite: Path, sources: Iterable[str], digest: str, place: Path) -> None:
    """Copy the sources of a suite into the run's folder ``place``, as evidence.

    Raises RecordError, having copied nothing, if they are no longer those that were run.
    """
    try:
        read = [(name, (suite / name).read_bytes()) for name in sources]
        # Read once: what is kept is what was compared with the digest.
        if sources_digest(read) != digest:
            raise RecordError(
                "the suite changed during the run, so its sources are not kept with the run", "run it again"
            )
        for name, data in read:
            write_file(place / "suite" / name, data.decode())
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"the suite's sources are not kept with the run: {error}", "run it again") from None
