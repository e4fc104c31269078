"""The account under which a server of ours and its clients run: PostgreSQL refuses to run as root.

As root, the server gets a user number that no account has: no other program of the machine shares it, so
nobody but root reads its files. ``initdb`` alone wants a number with a name, and has it until there is
anything to read. Otherwise the server runs as who we are.
"""

from __future__ import annotations

import os
import pwd
import secrets
from pathlib import Path
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError

# Debian leaves these to the local administrator; `systemd` takes 61184 and above.
_FIRST, _LAST = 59_000, 59_999
_NAMED = ("nobody", "postgres", "daemon")
_TRIES = 200


@dataclass(frozen=True)
class Account:
    """A user and a group number; None: those that we have."""

    uid: int | None = None
    gid: int | None = None

    @property
    def popen(self) -> dict[str, Any]:
        """What subprocess needs to start a program as this account."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Make a file, or a folder with all in it, this account's. Does nothing where it is ours."""
        if self.uid is None or self.gid is None:
            return
        # lchown, and no link is followed: what a link points at belongs to others.
        os.lchown(path, self.uid, self.gid)
        for folder, folders, files in os.walk(path) if path.is_dir() and not path.is_symlink() else ():
            for name in (*folders, *files):
                os.lchown(os.path.join(folder, name), self.uid, self.gid)


def running() -> Account:
    """Who the server runs as."""
    if os.geteuid() != 0:
        return Account()
    taken = _taken()
    for _ in range(_TRIES):
        number = _FIRST + secrets.randbelow(_LAST - _FIRST + 1)
        if number not in taken and _maps(number):
            return Account(number, number)
    return initializing()


def initializing() -> Account:
    """Who runs ``initdb``, which asks for its user's name. Raises UsageError if no such account exists."""
    if os.geteuid() != 0:
        return Account()
    for name in _NAMED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid and _maps(entry.pw_uid):
            return Account(entry.pw_uid, entry.pw_gid)
    raise UsageError(
        "PostgreSQL does not run as root, and no account is here that it could use",
        f"run it as another user, or add an account named {_NAMED[0]}",
    )


def _taken() -> set[int]:
    """Numbers that an account or a process has."""
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            taken.add(process.stat().st_uid)
        except OSError:
            continue
    return taken


def _maps(number: int) -> bool:
    """Whether this number exists here: in a container only some do."""
    try:
        spans = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
        groups = Path("/proc/self/gid_map").read_text(encoding="ascii").splitlines()
    except OSError:
        return True
    return _within(number, spans) and _within(number, groups)


def _within(number: int, spans: list[str]) -> bool:
    return any(
        int(first) <= number < int(first) + int(count) for first, _, count in (span.split() for span in spans)
    )
