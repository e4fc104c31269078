"""What runs every night, and as whom."""

from __future__ import annotations

import os
import re
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError


@dataclass(frozen=True)
class NightlyJob:
    """A nightly run. ``program`` are the words that start kisaan-validate; all paths are absolute;
    ``user`` runs it.

    ``config`` is None where no configuration is used. ``name`` names units and their environment file.
    ``scan`` is the profile that is scanned; "" runs the suite. ``ping_variable`` is the
    environment variable of the ping URL ("": nobody is pinged).
    ``on_failure`` is the unit that systemd starts where it failed ("": none).
    """

    name: str
    program: tuple[str, ...]
    folder: Path
    suite: Path
    reports: Path
    config: Path | None
    hour: int
    minute: int
    user: str
    image: str
    version: str
    scan: str = ""
    ping_variable: str = ""
    on_failure: str = ""

    @property
    def command(self) -> tuple[str, ...]:
        """The words of the whole command."""
        # Absolute paths: cron and systemd start elsewhere.
        config = str(self.config) if self.config is not None else ""
        return (*self.program, *self.words(config, str(self.suite), str(self.reports)))

    def words(self, config: str, suite: str, reports: str) -> tuple[str, ...]:
        """What follows the program, with these paths; no ``config`` where it is ""."""
        given = ("--config", config) if config else ()
        # A scan takes its suite from the configuration, its own lock, and pings where pings are configured.
        if self.scan:
            return ("scan", self.scan, "--quiet", *given, "--reports", reports)
        ping = ("--ping",) if self.ping_variable else ()
        return ("run", "--lock", "--quiet", *ping, *given, "--suite", suite, "--reports", reports)

    @property
    def environment(self) -> Path:
        """The file that names the database."""
        return Path("/etc/kisaan-validate") / f"{self.name}.env"

    @property
    def instructions(self) -> tuple[str, ...]:
        """What the file that names the database holds."""
        ping = (f"  {self.ping_variable}='https://…'",) if self.ping_variable else ()
        return (
            f"{self.environment} names the database; what is printed here contains no secret:",
            "  KISAAN_DSN='postgresql://reader@db.internal/prod'",
            f"  PGPASSFILE=/etc/kisaan-validate/{self.name}.pgpass",
            *ping,
            f"That file of passwords (host:port:database:user:password) belongs to {self.user}, mode 0600.",
        )


def absolute(path: Path) -> Path:
    """The path from the root, without ``..``. Raises UsageError if a unit could not hold it."""
    # Without resolving links: a path through a link stays the one that people know.
    made = Path(os.path.abspath(path))
    # A line break in a path would begin a directive.
    if not str(made).isprintable():
        raise UsageError(
            f"{str(made)!r} cannot be used in a unit", "rename it: its name has hidden characters"
        )
    return made


def read_time(text: str) -> tuple[int, int]:
    """(hour, minute) of ``02:30``. Raises UsageError."""
    # ASCII: \d takes digits of other scripts, which no scheduler reads.
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", text, re.ASCII)
    if match is None:
        raise UsageError(f"{text!r} is not a time of day", "write it as 02:30, from 00:00 to 23:59")
    return int(match[1]), int(match[2])


def read_name(text: str) -> str:
    """A name that systemd, files and Kubernetes all accept. Raises UsageError."""
    # 52 leaves room for what Kubernetes appends to the names of jobs.
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?", text, re.ASCII):
        raise UsageError(
            f"{text!r} cannot name a unit", "use at most 52 of a-z, 0-9 and -, and no - at the ends"
        )
    return text
