"""``kisaan-validate sign``: answer for a run, with a key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kisaan_validate.cli.signing import rehearsal_folder, sign_and_tell, trust_options

_CAUTIONS = {
    "partial": "Approve a partial run.",
    "verdict": "Approve a verdict other than PASS.",
    "uncommitted": "Approve a suite with uncommitted changes.",
    "unattested": "Approve without attested manual criteria.",
}


def _accept_options(function: Any) -> Any:
    # click shows options in the reverse of the order in which they are put on.
    for name, text in reversed(_CAUTIONS.items()):
        function = click.option(f"--accept-{name}", is_flag=True, help=text)(function)
    return function


@click.command("sign", short_help="Approve or reject a run or a rehearsal, signed with an SSH key.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--as", "signer", required=True, metavar="NAME", help="Your name in the allowed signers file.")
@click.option(
    "--decision",
    required=True,
    type=click.Choice(["approve", "reject"]),
    help="Whether the run may be relied on.",
)
@click.option("--reason", required=True, help="Why; signed too.")
@click.option(
    "--key",
    required=True,
    type=click.Path(path_type=Path),
    help="An SSH private key, or ssh-agent's public key.",
)
@_accept_options
@click.option(
    "--timestamp",
    metavar="URL",
    help=("Have this RFC 3161 authority date the signature."),
)
@trust_options
def command(run: Path, decision: str, **given: Any) -> None:
    """Sign with ssh-keygen a statement about a recorded run (folder or id): who, what, why, and the
    SHA-256 of facts, suite, contract, waivers, baseline and previous run. The page is then rendered
    again. RUN may be the folder of a rehearsal: then of its receipt, facts, page and dump.
    """
    accepted = tuple(name for name in _CAUTIONS if given[f"accept_{name}"])
    folder = rehearsal_folder(run)
    if folder is None:
        sign_and_tell(run, decision, given, accepted)
    else:
        _sign_rehearsal(folder, decision, given, accepted)


def _sign_rehearsal(folder: Path, decision: str, given: dict[str, Any], accepted: tuple[str, ...]) -> None:
    from kisaan_validate.errors import UsageError
    from kisaan_validate.rehearse.signing import sign_rehearsal
    from kisaan_validate.signoff.beside import SaidOf
    from kisaan_validate.signoff.statement import Caution, Decision

    meant = [f"--accept-{name}" for name in accepted if name != Caution.VERDICT.value]
    if given["timestamp"]:
        meant.append("--timestamp")
    if meant:
        raise UsageError(f"{meant[0]} is of runs, and this is a rehearsal", "leave it out")
    cautions = tuple(Caution(word) for word in accepted)
    said = SaidOf(given["signer"], Decision(decision), given["reason"], cautions)
    click.echo(f"signed  {sign_rehearsal(folder, said, given['key'])}")
