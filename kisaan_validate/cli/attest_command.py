"""``kisaan-validate attest``: say that a criterion is met which no check can prove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kisaan_validate.cli.signing import sign_and_tell, trust_options


@click.command("attest", short_help="Attest a manual success criterion of a run, signed with an SSH key.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--criterion", required=True, metavar="ID", help="Which criterion: [[criteria]] with manual = true."
)
@click.option(
    "--as", "signer", required=True, metavar="NAME", help="Who attests, as the allowed signers name them."
)
@click.option("--reason", required=True, help="What was seen or done, in a sentence. It is signed too.")
@click.option(
    "--key",
    required=True,
    type=click.Path(path_type=Path),
    help="An SSH key; a public one if the agent holds it.",
)
@click.option("--not-met", is_flag=True, help="Attest that it is not met.")
@click.option(
    "--timestamp",
    metavar="URL",
    help="Send the signature's digest to this RFC 3161 authority; else nothing is sent.",
)
@trust_options
def command(run: Path, not_met: bool, **given: Any) -> None:
    """Attest, with name and time, that a manual success criterion of a run is met: what only people can
    see, such as that everybody was told, or that monitoring is quiet. It is a person's word, and shown as
    such."""
    sign_and_tell(run, "deny" if not_met else "attest", given)
