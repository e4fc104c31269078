"""``kisaan-validate verify``: what the evidence of a run proves, offline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.signing import rehearsal_folder, the_trust, trust_options

if TYPE_CHECKING:
    from kisaan_validate.signoff.findings import Verified


@click.command("verify", short_help="Verify a bundle, a run, a rehearsal or a folder of runs, offline.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--approvals",
    type=click.IntRange(1),
    help="People who must have approved.  [default: as the run and kisaan.toml require]",
)
@click.option(
    "--chain",
    is_flag=True,
    help="Verify only the chain of a folder's runs.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print only what is wrong or not proved.")
@trust_options
def command(path: Path, approvals: int | None, chain: bool, quiet: bool, **given: Any) -> int:
    """Verify a bundle, a run's or a rehearsal's folder, or every run and the chain in a folder of reports.
    Needs no database and no network.

    Exit 0: genuine, and approved by enough people with trusted keys. 1: changed, missing or rejected.
    3: not proved, such as a run that nobody signed.
    """
    from dataclasses import replace

    from kisaan_validate.cli.exits import verify_exit_code
    from kisaan_validate.cli.options import the_config
    from kisaan_validate.signoff.verify import verify_path
    from kisaan_validate.signoff.verify_suite import compare_suite

    config = the_config(given["config"])
    trust = the_trust(config, given)
    # The command line can ask for more approvals than the configuration, not for fewer.
    trust = replace(trust, approvals=max(trust.approvals, approvals or 1))
    rehearsal = None if chain else rehearsal_folder(path)
    if rehearsal is not None:
        from kisaan_validate.rehearse.signing import verify_rehearsal

        found = [verify_rehearsal(rehearsal, trust)]
    else:
        found = verify_path(path, trust, only_chain=chain)
    # Runs of a folder may be of several suites, and of older versions of them.
    if len(found) == 1 and rehearsal is None:
        compare_suite(found[0], config.suite)
    for one in found:
        _tell(one, quiet=quiet)
    _sum_up(found, chain=chain)
    return verify_exit_code(found)


def _tell(found: Verified, *, quiet: bool) -> None:
    from kisaan_validate.report.text import plain
    from kisaan_validate.signoff.findings import Mark

    click.echo(f"of      {plain(found.source)}")
    for mark in Mark:
        if quiet and mark in (Mark.PROVED, Mark.NOTE):
            continue
        for finding in found.of(mark):
            click.echo(f"{mark.value:<10}  {plain(finding.subject)}: {plain(finding.message)}")


def _sum_up(found: Sequence[Verified], *, chain: bool) -> None:
    from kisaan_validate.signoff.findings import LIMITS, Mark

    wrong, left = (sum(len(one.of(mark)) for one in found) for mark in (Mark.WRONG, Mark.OPEN))
    if wrong:
        click.echo(
            f"WRONG: tampered or damaged, {wrong:,} problem{'' if wrong == 1 else 's'} found. "
            "Do not rely on it."
        )
    elif left:
        click.echo(
            f"NOT PROVED: nothing is wrong, but {left:,} point{' is' if left == 1 else 's are'} not proved."
        )
    # With --chain no run was judged: its word must not cover more than the chain.
    elif chain and all(one.judged is None for one in found):
        click.echo(
            "VERIFIED: the chain is complete. The runs themselves and their approvals were not verified."
        )
    else:
        click.echo("VERIFIED: genuine, and approved as required.")
    click.echo("What no verification of files can prove:")
    for limit in LIMITS:
        click.echo(f"  - {limit}")
