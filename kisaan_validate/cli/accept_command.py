"""``kisaan-validate accept``: write what a contract changed into the suite, as a diff to review."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.options import the_config, the_suite

if TYPE_CHECKING:
    from kisaan_validate.author.accept.diff import EditedSuite
    from kisaan_validate.contract.load import Contract
    from kisaan_validate.ops.config import Config
    from kisaan_validate.suite.load import Suite
    from kisaan_validate.verdict.judgement import Judgement


@click.command("accept", short_help="Write what a contract changed into the suite.")
@click.option("--contract", type=click.Path(path_type=Path), required=True, help="The migration's contract.")
@click.option(
    "--run",
    "run",
    default="latest",
    show_default=True,
    metavar="RUN",
    help="The run whose kept promises count: folder, id, latest.",
)
@click.option("--write", is_flag=True, help="Change the files, not only print a diff.")
@click.option(
    "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: ./kisaan.toml]"
)
@click.option("--suite", type=click.Path(path_type=Path), help="The suite's folder.  [default: checks]")
@click.option(
    "--reports", type=click.Path(path_type=Path), help="The folder for reports.  [default: reports]"
)
def command(contract: Path, run: str, write: bool, **given: Any) -> int:
    """Change the suite's declarations as a contract changed the database: types, NULL allowed or not, names
    of tables and columns. Only promises that the run proved kept are taken.

    Prints a unified diff to review; --write changes the files. What must be done by hand is named on
    standard error, and the exit code is 0 only if nothing is.
    """
    from kisaan_validate.author.accept.changes import changes_of, is_understood
    from kisaan_validate.author.accept.diff import edited_suite
    from kisaan_validate.cli.exits import accept_exit_code
    from kisaan_validate.contract.load import read_contract
    from kisaan_validate.contract.promise import State
    from kisaan_validate.record.files import read_file
    from kisaan_validate.suite.files import suite_files

    config = the_config(given["config"], suite=given["suite"], reports=given["reports"])
    suite, promised = the_suite(config), read_contract(read_file(contract), contract.name)
    judged = _judged(config, suite, promised, run)
    mine = [(p, o) for p, o in judged.promises if is_understood(p)]
    kept = [promise for promise, outcome in mine if outcome.state is State.KEPT]
    root = config.suite
    files = {path.relative_to(root).as_posix(): read_file(path) for path in suite_files(root)}
    beside = {p.name: read_file(p) for p in (root / "waivers.toml",) if p.exists()}
    made = edited_suite(files, beside, changes_of(kept, suite.settings.schemas, promised.promises))
    print(f"run     {judged.run.id}: {len(kept):,} of {len(mine):,} promises kept and taken", file=sys.stderr)
    _deliver(made, root, write)
    for promise, outcome in mine:
        if outcome.state is not State.KEPT:
            print(f"not taken  {promise.id}: {outcome.state.value}", file=sys.stderr)
    _say_by_hand(made)
    return accept_exit_code(left=len(mine) - len(kept) + len(made.by_hand) + bool(made.refusal))


def _judged(config: Config, suite: Suite, promised: Contract, run: str) -> Judgement:
    """The run that judged this contract. Raises UsageError where none did."""
    from kisaan_validate.cli.recorded import recorded_runs
    from kisaan_validate.cli.report_command import judged_again
    from kisaan_validate.cli.signing import run_folder
    from kisaan_validate.errors import UsageError

    hint = "run it first: kisaan-validate run --baseline … --contract …"
    if run != "latest":
        judged = judged_again(run_folder(Path(run), config.reports) / "run.json")
        if judged.run.contract_digest == promised.digest:
            return judged
        raise UsageError(f"run {judged.run.id} did not judge this version of the contract", hint)
    for found in recorded_runs(config.reports, suite.settings.name):
        if found.contract_digest == promised.digest:
            return judged_again(config.reports / found.id / "run.json")
    raise UsageError(f"no run in {config.reports} judged this version of the contract", hint)


def _deliver(made: EditedSuite, root: Path, write: bool) -> None:
    """Print the diff, or write the files. Raises UsageError for a suite that would not load."""
    from kisaan_validate.errors import UsageError
    from kisaan_validate.record.files import write_file

    if not write:
        click.echo("".join(made.diff(root)), nl=False, color=True)
        return
    if made.refusal:
        raise UsageError(
            f"nothing was written: the edited suite does not load: {made.refusal}",
            "leave --write out to see the diff, and change the rest by hand",
        )
    for path, text in made.changed.items():
        mode = (root / path).stat().st_mode
        write_file(root / path, text)  # which is nobody else's to read; a source keeps its rights
        os.chmod(root / path, mode)
        click.echo(f"wrote   {root / path}")


def _say_by_hand(made: EditedSuite) -> None:
    from kisaan_validate.report.text import flat

    if made.refusal:
        print(f"by hand  the edited suite does not load: {flat(made.refusal)}", file=sys.stderr)
    for line in made.by_hand:
        print(f"by hand  {flat(line)}", file=sys.stderr)
