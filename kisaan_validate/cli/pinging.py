"""Telling the configured watcher that a command began, and what it ended with."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kisaan_validate.ops.config import Config
    from kisaan_validate.watch.pings import PingEnd


@contextmanager
def pinged(given: Mapping[str, Any]) -> Iterator[PingEnd]:
    """As :func:`pinging` by the configuration of the options ``config`` and ``ping``; without ``ping``
    nobody is told. Raises UsageError where ``ping`` is given and nobody is configured.
    """
    from kisaan_validate.cli.options import the_config
    from kisaan_validate.errors import UsageError

    if not given["ping"]:
        yield _Untold()  # type: ignore[misc]
        return
    config = the_config(given["config"])
    if not config.pings.url_env:
        raise UsageError(
            "--ping: kisaan.toml names no ping URL",
            'write [pings] url_env = "PING_URL", and put the URL into that environment variable',
        )
    with pinging(config) as end:
        yield end


@contextmanager
def pinging(config: Config) -> Iterator[PingEnd]:
    """Ping the start, and at the end the exit code that the block sets, or that of its error. Where no
    ping is configured, or its variable is empty, the block runs all the same; a note says the latter.
    """
    from kisaan_validate.cli.exits import exit_code_of
    from kisaan_validate.watch.pings import PingEnd, pinging

    variable = config.pings.url_env
    url = os.environ.get(variable, "").strip() if variable else ""
    if not url:
        if variable:
            _note(f"no ping was sent: {variable} is not set")
        yield PingEnd()
        return
    with pinging(url, _note, findings_are_down=config.pings.findings_are_down) as end:
        try:
            yield end
        except BaseException as error:
            end.code = exit_code_of(error)
            raise


class _Untold:
    """What is set on it reaches nobody; without importing anything."""

    code: int | None = None


def _note(text: str) -> None:
    print(f"note    {text}", file=sys.stderr)
