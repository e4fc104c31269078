"""What a scratch server stands on: a cluster of ours, or a server that was lent to us."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from kisaan_validate.scratch.account import Account
from kisaan_validate.scratch.installation import Installation


class ScratchPlace(Protocol):
    """What a scratch server stands on: a cluster of ours, or an adopted server."""

    folder: Path
    account: Account
    settings: dict[str, str]
    superuser: str
    password: str

    @property
    def installation(self) -> Installation | None:
        """Whose programs run, if they are ours."""

    def program(self, path: Path) -> Path:
        """The same program where the account can run it."""

    def parameters(self, database: str, role: str, password: str) -> dict[str, str]:
        """libpq's parameters for a role."""

    def restart(self) -> None:
        """Restart the server."""

    def listen(self) -> None:
        """Also listen on the loopback address."""

    def ended(self) -> str:
        """How it ended by itself; "" while it runs."""

    def log_tail(self, since: int = 0) -> str:
        """The end of its log."""

    def made(self, database: str) -> None:
        """This database is about to be made."""

    def release(self, *, keep: bool, notice: Callable[[str], None]) -> None:
        """The end: nothing of it stays, unless it is kept."""
