"""The programs of an installation, where the account of a scratch server can run them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from kisaan_validate.errors import UsageError
from kisaan_validate.scratch.account import Account

_NEEDED = ("postgres", "initdb")
_PARTS = ("bin", "lib", "share")


def reachable(folder: Path, home: Path, account: Account) -> Path:
    """``folder``, or a copy of it in ``home`` where the account cannot reach it: an environment below
    root's home is closed to others, and opening it is not ours to do. Raises UsageError.
    """
    if account.uid is None or _run(folder, account):
        return folder
    root = folder.parent
    package = home / "programs" / root.parent.name
    for name in _PARTS:
        if (root / name).is_dir():
            shutil.copytree(root / name, package / root.name / name, symlinks=True)
    # A wheel has the libraries of its programs beside the package, and finds them by the relative path.
    libraries = root.parent.with_name(f"{root.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, package.with_name(libraries.name))
    account.give(home)
    copy = package / root.name / folder.name
    if not _run(copy, account):
        raise UsageError(
            f"{folder} cannot be run by the account of the scratch server",
            "install PostgreSQL where every account can read it, or run as another user than root",
        )
    return copy


def _run(folder: Path, account: Account) -> bool:
    """Whether the account can run the programs there, their libraries included."""
    return all(_runs(folder / name, account) for name in _NEEDED)


def _runs(program: Path, account: Account) -> bool:
    try:
        done = subprocess.run(
            [str(program), "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            check=False,
            timeout=30,
            **account.popen,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
