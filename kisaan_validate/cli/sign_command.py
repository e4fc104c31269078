"""``kisaan-validate sign``: answer for a run, with a key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kisaan_validate.cli.signing import sign_and_tell, trust_options

_CAUTIONS = {
    "partial": "Approve although only a part of the suite was asked.",
    "verdict": "Approve although the verdict is not PASS.",
    "uncommitted": "Approve although the suite had uncommitted changes.",
    "unattested": "Approve although a manual criterion is not attested.",
}


def _accept_options(function: Any) -> Any:
    for name, text in reversed(_CAUTIONS.items()):
        function = click.option(f"--accept-{name}", is_flag=True, help=text)(function)
    return function


@click.command("sign", short_help="Approve or reject a run, signed with an SSH key.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--as", "signer", required=True, metavar="NAME", help="Who signs, as the allowed signers name them."
)
@click.option(
    "--decision",
    required=True,
    type=click.Choice(["approve", "reject"]),
    help="Whether it may be relied upon.",
)
@click.option("--reason", required=True, help="Why, in a sentence. It is signed too.")
@click.option(
    "--key",
    required=True,
    type=click.Path(path_type=Path),
    help="An SSH key; a public one if the agent holds it.",
)
@_accept_options
@click.option(
    "--timestamp",
    metavar="URL",
    help="Send the signature's digest to this RFC 3161 authority; else nothing is sent.",
)
@trust_options
def command(run: Path, decision: str, **given: Any) -> None:
    """Sign a statement on a recorded run, named by its folder or id: who, what, why, and by SHA-256 the
    facts, the suite, contract, waivers, baseline, and the run before it. ssh-keygen signs. The page is
    rendered again with the sign-off."""
    accepted = tuple(name for name in _CAUTIONS if given[f"accept_{name}"])
    sign_and_tell(run, decision, given, accepted)
