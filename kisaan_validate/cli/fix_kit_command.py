"""``kisaan-validate fix-kit``: reviewed SQL files that repair what failed in a recorded run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kisaan_validate.facts.repair import FixKit
    from kisaan_validate.facts.run import Run
    from kisaan_validate.ops.config import Config
    from kisaan_validate.repair.ground import RepairGround
    from kisaan_validate.repair.kits import Wanted
    from kisaan_validate.suite.load import Suite


@click.command("fix-kit", short_help="Write reviewed SQL that repairs a failing check, and its way back.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("checks", nargs=-1, metavar="[CHECK]...")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The folder to write.  [default: fix-kit]"
)
@click.option("--suite", type=click.Path(path_type=Path), help="The suite's folder.  [default: checks]")
@click.option(
    "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: kisaan.toml]"
)
@click.option("--dsn", help="The run's database, whose catalogue is read.")
@click.option("--quiet", "-q", is_flag=True, help="Print only what was written.")
def command(
    run: Path,
    checks: tuple[str, ...],
    output: Path | None,
    suite: Path | None,
    config: Path | None,
    dsn: str | None,
    quiet: bool,
) -> int:
    """Write, for failing checks of a recorded RUN (its folder) with a declared repair, an SQL file to review,
    the way back, and a list for the books. People run them; this command only reads the catalogue.

    Exit 0: each failing check has its kit; 3: a check has none, and is named; 5: nothing failed.
    """
    from kisaan_validate.cli.exits import fix_kit_exit_code
    from kisaan_validate.cli.folder import refuse_full
    from kisaan_validate.cli.options import the_config, the_suite
    from kisaan_validate.cli.output import say
    from kisaan_validate.repair.kits import make_fix_kit, wanted_kits
    from kisaan_validate.suite.repairs import load_repairs

    folder = output or Path("fix-kit")
    refuse_full(folder, False)
    recorded, digest = _recorded(run)
    settings = the_config(config, suite=suite)
    known = the_suite(settings)
    wanted = wanted_kits(recorded, checks, load_repairs(known))
    if not wanted.items and not wanted.repairs:
        say(f"nothing  {_nothing(recorded, checks)}")
        return fix_kit_exit_code(None)
    ground = _ground(known, settings, dsn, wanted) if wanted.repairs else None
    made, files = make_fix_kit(recorded, digest, wanted, ground)
    _write(folder, made, files)
    _print(made, folder, quiet=quiet)
    return fix_kit_exit_code(made)


def _recorded(path: Path) -> tuple[Run, str]:
    """A run, and the digest of its file. Raises RecordError."""
    from kisaan_validate.record.codec import digest_of, run_from_json
    from kisaan_validate.record.files import read_file

    source = path / "run.json" if path.is_dir() else path
    text = read_file(source)
    return run_from_json(text, str(source)), digest_of(text)


def _nothing(run: Run, checks: tuple[str, ...]) -> str:
    """Why there is no kit to write."""
    from kisaan_validate.facts.result import UNANSWERED
    from kisaan_validate.text.numbers import counted

    among = " among these" if checks else ""
    words = f"run {run.id} has no failing check{among}: nothing to fix"
    open_ = sum(result.status in UNANSWERED for result in run.results)
    return f"{words}; {counted(open_, 'check')} got no answer" if open_ else words


def _ground(suite: Suite, config: Config, dsn: str | None, wanted: Wanted) -> RepairGround:
    """What the database's catalogue says. Raises TargetError, DatabaseError, SuiteError."""
    from kisaan_validate.cli.job import attended
    from kisaan_validate.cli.options import the_options
    from kisaan_validate.postgres.target import find_target
    from kisaan_validate.repair.ground import read_ground

    target, options = find_target(dsn), the_options(config)
    return attended(lambda stop: read_ground(suite, target, options, wanted.repairs, stop))


def _write(folder: Path, made: FixKit, files: dict[str, str]) -> None:
    """Write all files or none, the record last: without it there is no kit. Raises RecordError."""
    from kisaan_validate.record.files import write_files
    from kisaan_validate.record.repair import FIX_KIT_FILE, fix_kit_to_json

    texts = {**files, FIX_KIT_FILE: fix_kit_to_json(made)}
    write_files([(folder / name, text) for name, text in texts.items()])


def _print(made: FixKit, folder: Path, *, quiet: bool) -> None:
    """One line for each check, then what to do."""
    from kisaan_validate.cli.output import say
    from kisaan_validate.facts.repair import ItemState
    from kisaan_validate.record.repair import FIX_KIT_FILE
    from kisaan_validate.report.text import plain

    words = {ItemState.WORK: "kit", ItemState.UNKNOWN: "no kit"}
    for item in made.items:
        say(plain(f"{words[item.state]:<8} {item.check}: {item.fact}"))
        if not quiet and item.hint:
            say(plain(f"{'':<8} {item.hint}"))
    for kit in made.kits if not quiet else ():
        say(f"run with psql -X -f {folder / kit.file('.repair.psql')} DATABASE")
        say(f"back     psql -X -f {folder / kit.file('.way-back.psql')} DATABASE")
    say(f"record   {folder / FIX_KIT_FILE}")
