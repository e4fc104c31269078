"""A line of a crontab. Cron mails what a command prints: nothing on a pass, everything and the exit code
otherwise.
"""

from __future__ import annotations

import shlex

from kisaan_validate.ops.schedule.job import NightlyJob


def line(job: NightlyJob) -> str:
    """The line, below what must be there for it."""
    told = (
        (
            f"A line by kisaan-validate {job.version} for the crontab of {job.user} (crontab -e); "
            "anything but a pass is mailed."
        ),
        *job.instructions,
        f"{job.user} must also be able to read the first of these files.",
    )
    return (
        "\n".join([*(f"# {text}" for text in told), f"{job.minute} {job.hour} * * * {_command(job)}"]) + "\n"
    )


def _command(job: NightlyJob) -> str:
    """One line of sh. A percent sign would be a line break to cron: crontab(5)."""
    words = " ".join(shlex.quote(word) for word in job.command)
    script = (
        f"set -a; . {shlex.quote(str(job.environment))} && cd {shlex.quote(str(job.folder))} && "
        f"said=$({words} 2>&1) || "
        # Printed only on failure: cron mails whatever is printed.
        """{ code=$?; printf '%s\\n' "$said" "kisaan-validate: exit $code"; exit "$code"; }"""
    )
    return script.replace("%", "\\%")
