"""``kisaan-validate doctor``: is everything there that a run needs, and if not, what to do."""

from __future__ import annotations

from pathlib import Path

import click

from kisaan_validate.cli.options import the_config

_SIGNS = {True: ("ok", "green"), False: ("wrong", "red"), None: ("note", "yellow")}


@click.command("doctor", short_help="Check what a run needs.")
@click.option(
    "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: ./kisaan.toml]"
)
@click.option("--suite", type=click.Path(path_type=Path), help="The suite's folder.  [default: checks]")
@click.option("--dsn", help="The database: postgresql://… or host=… dbname=…; keep the password in .pgpass.")
def command(config: Path | None, suite: Path | None, dsn: str | None) -> int:
    """Check suite, connection, version, rights and settings, and say what to fix. Reads only the
    catalogue.
    """
    from kisaan_validate.cli.exits import doctor_exit_code
    from kisaan_validate.cli.job import attended
    from kisaan_validate.errors import Interrupted
    from kisaan_validate.ops.doctor import examine
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.report.console_parts import PipeConsole
    from kisaan_validate.report.shown import Shown as Text
    from kisaan_validate.text.numbers import counted

    console, chosen, stop = (
        PipeConsole(highlight=False, soft_wrap=True),
        the_config(config, suite=suite),
        Stop(),
    )

    def look(stop: Stop) -> int:
        wrong = 0
        for finding in examine(chosen, dsn, stop):
            if stop.requested:
                break  # what fails from here on fails because of the stop
            sign, style = _SIGNS[finding.good]
            wrong += finding.good is False
            console.print(Text.assemble((f"{sign:<6}", style), f"{finding.title}: {finding.detail}"))
            if finding.hint:
                console.print(Text(f"      HINT: {finding.hint}"))
        return wrong

    wrong = attended(look, stop)
    if stop.requested:
        raise Interrupted(stop.reason)
    if wrong:
        console.print(f"{counted(wrong, 'problem')} to fix before a run can pass")
    else:
        console.print("ready: no problem found")
    return doctor_exit_code(wrong)
