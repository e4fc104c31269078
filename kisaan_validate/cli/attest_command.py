"""``kisaan-validate attest``: say that a criterion is met which no check can prove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kisaan_validate.cli.signing import sign_and_tell, trust_options


@click.command("attest", short_help="Attest a run's manual criterion, signed with an SSH key.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--criterion",
    required=True,
    metavar="ID",
    help="The id of a manual criterion.",
)
@click.option("--as", "signer", required=True, metavar="NAME", help="Your name in the allowed signers file.")
@click.option("--reason", required=True, help="What you saw or did; signed too.")
@click.option(
    "--key",
    required=True,
    type=click.Path(path_type=Path),
    help="An SSH private key, or ssh-agent's public key.",
)
@click.option("--not-met", is_flag=True, help="It is not met.")
@click.option(
    "--timestamp",
    metavar="URL",
    help=("Have this RFC 3161 authority date the signature."),
)
@trust_options
def command(run: Path, not_met: bool, **given: Any) -> None:
    """Attest that a manual success criterion of a run is met, such as "monitoring is quiet". The report shows
    it as a person's word, with name and time.
    """
    sign_and_tell(run, "deny" if not_met else "attest", given)
