"""A systemd service that may do nothing but read, reach the database and write reports, and the timer that
starts it.

Source of the quoting: systemd.service(5), "Command lines", and systemd.syntax(7).
"""

from __future__ import annotations

from kisaan_validate.errors import UsageError
from kisaan_validate.ops.schedule.job import NightlyJob

_HARDENING = """NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
# Write no if the server's socket or the suite is in /tmp: yes would hide them.
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
CapabilityBoundingSet=
SystemCallArchitectures=native
SystemCallFilter=@system-service"""


def units(job: NightlyJob) -> str:
    """Service and timer, one below the other, each headed by the file that it belongs into. Raises
    UsageError.
    """
    told = "\n".join(
        f"# {line}".rstrip()
        for line in (
            (
                f"Two units by kisaan-validate {job.version}: save each part under the name above it, "
                "then run as root:"
            ),
            f"  systemctl daemon-reload && systemctl enable --now {job.name}.timer",
            *job.instructions,
            f"{job.reports} must exist and belong to {job.user}.",
        )
    )
    return f"{told}\n\n{_service(job)}\n{_timer(job)}"


def _service(job: NightlyJob) -> str:
    return f"""# /etc/systemd/system/{job.name}.service
[Unit]
Description=Validation of the database (kisaan-validate)
Wants=network-online.target
After=network-online.target
# A database that cannot be reached is tried again, so often in so long a time:
StartLimitIntervalSec=2h
StartLimitBurst=3
# Your own unit that notifies somebody; systemd starts it on any exit code but 0, after the last try:
{_on_failure(job)}

[Service]
Type=oneshot
Restart=on-failure
RestartSec=10min
# These exit codes are answers; another try would give the same, and hide the first.
RestartPreventExitStatus=1 3 5 6
User={job.user}
WorkingDirectory={_percent(str(job.folder))}
EnvironmentFile={_percent(str(job.environment))}
ExecStart={_command(job)}
# Stopping it cancels its statements, keeps what was measured, and exits with code 3.
TimeoutStopSec=60
Nice=10
UMask=0077
ReadWritePaths={_quoted(str(job.reports))}
{_HARDENING}
"""


def _timer(job: NightlyJob) -> str:
    return f"""# /etc/systemd/system/{job.name}.timer
[Unit]
Description=Every night: validation of the database (kisaan-validate)

[Timer]
OnCalendar=*-*-* {job.hour:02}:{job.minute:02}:00
Persistent=yes

[Install]
WantedBy=timers.target
"""


def _on_failure(job: NightlyJob) -> str:
    return f"OnFailure={job.on_failure}" if job.on_failure else "#OnFailure=notify@%n.service"


def _percent(text: str) -> str:
    # systemd reads %n and the like as specifiers.
    return text.replace("%", "%%")


def _command(job: NightlyJob) -> str:
    """The command line. In its arguments, not in the program's path, a dollar sign stands for a variable."""
    # systemd takes quotes off arguments, and not off the program's path.
    if set(job.program[0]) & set("'\"\\"):
        raise UsageError(
            f"systemd cannot start a program named {job.program[0]}",
            "install kisaan-validate in a folder whose name has no quotes",
        )
    program, *arguments = map(_quoted, job.command)
    # $NAME in an argument would be a variable of the unit's environment.
    return " ".join([program, *(word.replace("$", "$$") for word in arguments)])


def _quoted(text: str) -> str:
    return '"{}"'.format(_percent(text.replace("\\", "\\\\").replace('"', '\\"')))
