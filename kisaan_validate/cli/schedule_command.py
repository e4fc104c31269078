"""``kisaan-validate schedule``: ready units for a nightly run, without secrets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.options import the_config

if TYPE_CHECKING:
    from kisaan_validate.ops.config import Config
    from kisaan_validate.ops.schedule.job import NightlyJob


@click.command("schedule", short_help="Print systemd, cron or Kubernetes units for a nightly run.")
@click.option("--systemd", is_flag=True, help="Print a systemd service and timer.")
@click.option("--cron", is_flag=True, help="Print a crontab line.")
@click.option("--k8s", is_flag=True, help="Print a Kubernetes CronJob.")
@click.option(
    "--at",
    default="02:30",
    show_default=True,
    metavar="HH:MM",
    help="Time of day (Kubernetes: UTC).",
)
@click.option("--name", default="kisaan-validate", show_default=True, help="Name of the units.")
@click.option(
    "--scan", metavar="NAME", help="Scan this profile of kisaan.toml instead of running the whole suite."
)
@click.option("--ping", is_flag=True, help="Ping start and end, to the URL of [pings] in kisaan.toml.")
@click.option(
    "--on-failure",
    default="",
    metavar="UNIT",
    help="Unit that systemd starts when it failed, such as notify@%n.service.",
)
@click.option("--user", help="User that runs it.  [default: you, or kisaan-validate if you are root]")
@click.option(
    "--image", help="Container image (Kubernetes).  [default: registry.example.com/kisaan-validate:VERSION]"
)
@click.option(
    "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: ./kisaan.toml]"
)
@click.option("--suite", type=click.Path(path_type=Path), help="The suite's folder.  [default: checks]")
@click.option(
    "--reports", type=click.Path(path_type=Path), help="The folder for reports.  [default: reports]"
)
def command(systemd: bool, cron: bool, k8s: bool, **given: Any) -> None:
    """Print units that run this suite (or --scan a profile) every night, alone, from this folder and its
    configuration. They contain only paths and a time, and refer to files or a Secret that name the database
    and hold the password; KISAAN_DSN is not read.
    """
    from kisaan_validate.errors import UsageError
    from kisaan_validate.ops.schedule.cron import line
    from kisaan_validate.ops.schedule.k8s import manifest
    from kisaan_validate.ops.schedule.systemd import units

    chosen = [make for make, wanted in ((units, systemd), (line, cron), (manifest, k8s)) if wanted]
    if len(chosen) != 1:
        raise UsageError(
            "schedule needs one of --systemd, --cron and --k8s",
            "choose the one that starts your nightly jobs",
        )
    click.echo(chosen[0](_job(given)), nl=False)


def _job(given: dict[str, Any]) -> NightlyJob:
    from kisaan_validate.errors import UsageError
    from kisaan_validate.ops.schedule.job import NightlyJob, absolute, read_name, read_time
    from kisaan_validate.version import VERSION

    config = the_config(given["config"], suite=given["suite"], reports=given["reports"])
    if not config.suite.is_dir():
        raise UsageError(f"no such folder: {str(config.suite)!r}", "name the suite's folder with --suite")
    file = given["config"] or (Path("kisaan.toml") if Path("kisaan.toml").exists() else None)
    hour, minute = read_time(given["at"])
    user, image = (
        given["user"] or _user(),
        given["image"] or f"registry.example.com/kisaan-validate:{VERSION}",
    )
    # A line break in a unit would begin a directive of its own; cron and systemd split words at blanks.
    more = [(f"--{name.replace('_', '-')}", given[name]) for name in ("scan", "on_failure") if given[name]]
    for option, text in (("--user", user), ("--image", image), *more):
        if not text.isprintable() or " " in text or not text or text.startswith("-"):
            raise UsageError(f"{option} {text!r} cannot be used in a unit", "write one word")
    return NightlyJob(
        name=read_name(given["name"]),
        program=_program(),
        folder=absolute(Path()),
        suite=absolute(config.suite),
        reports=absolute(config.reports),
        config=absolute(file) if file is not None else None,
        hour=hour,
        minute=minute,
        user=user,
        image=image,
        version=VERSION,
        scan=_profile(config, given),
        ping_variable=_ping_variable(config, given),
        on_failure=given["on_failure"],
    )


def _ping_variable(config: Config, given: dict[str, Any]) -> str:
    """The environment variable of the ping URL, where the job pings. Raises UsageError."""
    from kisaan_validate.errors import UsageError

    # A scan pings where pings are configured; a run where it is told to.
    if not (given["ping"] or given["scan"]):
        return ""
    if given["ping"] and not config.pings.url_env:
        raise UsageError("--ping: kisaan.toml names no ping URL", 'write [pings] url_env = "PING_URL"')
    return config.pings.url_env


def _profile(config: Config, given: dict[str, Any]) -> str:
    """The profile of a scan that is to be run; "" for none. Raises UsageError."""
    from kisaan_validate.errors import UsageError
    from kisaan_validate.ops.scans import chosen

    if given["scan"] is None:
        return ""
    if given["suite"] is not None:
        raise UsageError("--scan takes the suite from the configuration", "leave --suite out")
    return chosen(config.scans, given["scan"]).name


def _program() -> tuple[str, ...]:
    """The words that start this very installation."""
    from kisaan_validate.ops.schedule.job import absolute

    # Beside the interpreter, not argv[0], which may be relative or belong to another installation.
    script = Path(sys.executable).parent / "kisaan-validate"
    if script.exists():
        return (str(absolute(script)),)
    return (str(absolute(Path(sys.executable))), "-m", "kisaan_validate")


def _user() -> str:
    import getpass

    try:
        name = getpass.getuser()
    # In a container the user's number need not have a name.
    except (KeyError, OSError):
        name = ""
    return "kisaan-validate" if name in {"", "root"} else name
