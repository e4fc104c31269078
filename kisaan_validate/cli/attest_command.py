"""``kisaan-validate attest``: say that a criterion is met which no check can prove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kisaan_validate.cli.signing import sign_and_tell, trust_options


@click.command("attest", short_help="Attest a manual success criterion of a run, signed with an SSH key.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--criterion",
    required=True,
    metavar="ID",
    help="The criterion's id, from [[criteria]] with manual = true.",
)
@click.option(
    "--as", "signer", required=True, metavar="NAME", help="Your name as it is in the allowed signers file."
)
@click.option("--reason", required=True, help="What you saw or did, in a sentence. It is signed too.")
@click.option(
    "--key",
    required=True,
    type=click.Path(path_type=Path),
    help="An SSH private key, or a public key whose private half is in ssh-agent.",
)
@click.option("--not-met", is_flag=True, help="Attest that the criterion is not met.")
@click.option(
    "--timestamp",
    metavar="URL",
    help=(
        "Have this RFC 3161 authority timestamp the signature. Only its digest is sent; without this "
        "option, nothing is."
    ),
)
@trust_options
def command(run: Path, not_met: bool, **given: Any) -> None:
    """Attest that a manual success criterion of a run is met: something only a person can see, such as
    "everybody was told" or "monitoring is quiet". The report shows it as a person's word, with name and
    time.
    """
    sign_and_tell(run, "deny" if not_met else "attest", given)
