"""What a scan does once its run is recorded: people are told, metrics are written. Neither changes a verdict
or an exit code; what failed is a note, and what did not arrive stands in the next run.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kisaan_validate.ops.config import Config
    from kisaan_validate.ops.scans import ScanProfile
    from kisaan_validate.verdict.judgement import Judgement


def after_scan(config: Config, profile: ScanProfile, judged: Judgement) -> None:
    """Tell people what is news in a recorded run, and write its metrics, as far as either is configured."""
    if config.notify is not None:
        _told(config, judged)
    if profile.metrics is not None:
        _measured(config, profile.metrics)


def _told(config: Config, judged: Judgement) -> None:
    from kisaan_validate.cli.telling import tell
    from kisaan_validate.errors import KisaanError

    try:
        done = tell(config, judged)
    except (KisaanError, OSError) as error:
        _note(f"nobody was told: {_fact(error)}")
        return
    for sent in done.sent:
        if not sent.delivered:
            _note(f"{sent.channel}: {sent.said}")
    for notice in done.undelivered:
        _note(f"{notice.message}; {notice.hint}")


def _measured(config: Config, file: Path) -> None:
    from kisaan_validate.cli.metrics_command import write_metrics
    from kisaan_validate.errors import KisaanError

    try:
        write_metrics(config, file)
    except (KisaanError, OSError) as error:
        _note(f"no metrics were written: {_fact(error)}")


def _fact(error: BaseException) -> str:
    return getattr(error, "fact", None) or getattr(error, "strerror", None) or type(error).__name__


def _note(text: str) -> None:
    from kisaan_validate.report.text import flat

    print(f"note    {flat(text)}", file=sys.stderr)
