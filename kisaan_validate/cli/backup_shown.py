"""``kisaan-validate backup show`` and ``backup sign``: a certificate is read, checked and signed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kisaan_validate.cli.options import the_config
from kisaan_validate.cli.signing import the_trust

PATH = click.Path(path_type=Path)


@click.command("show", short_help="Show a certificate; exit 0 only while it is valid.")
@click.argument("file", type=PATH)
@click.option("--config", type=PATH, help="The configuration file.  [default: ./kisaan.toml]")
@click.option(
    "--allowed-signers", type=PATH, help="The file of keys that count.  [default: as in kisaan.toml]"
)
@click.option("--verbose", "-v", is_flag=True, help="Print every table and what is not proved.")
def show(file: Path, verbose: bool, **given: Any) -> int:
    """Show the certificate of a backup, its signatures, and whether it still holds: exit 0 while it is
    valid, 1 for a backup that is not good, 3 if nothing is proved or the certificate has expired.
    """
    from datetime import UTC, datetime

    from kisaan_validate.backup.reading import read_certificate
    from kisaan_validate.cli.exits import backup_exit_code
    from kisaan_validate.report.console_certificate import print_certificate
    from kisaan_validate.report.text import flat, utc
    from kisaan_validate.signoff.beside import signature_words, signatures_on

    made = read_certificate(file)
    print_certificate(made, file, quiet=False, verbose=verbose)
    signers = the_trust(the_config(given["config"]), given).signers
    for one in signatures_on(file, signers, "certificate"):
        click.echo(f"signed  {flat(signature_words(one))}")
    until = made.valid_until
    expired = until is not None and datetime.now(UTC) > until
    if expired and until is not None:
        click.echo(f"expired on {utc(until)}: verify the backup again")
    return backup_exit_code(made.verdict, expired=expired)


@click.command("sign", short_help="Approve or reject a certificate, signed with an SSH key.")
@click.argument("file", type=PATH)
@click.option("--as", "signer", required=True, metavar="NAME", help="Your name in the allowed signers file.")
@click.option("--reason", required=True, help="Why; signed too.")
@click.option("--key", required=True, type=PATH, help="An SSH private key, or ssh-agent's public key.")
@click.option("--reject", is_flag=True, help="The backup may not be relied on.")
def sign(file: Path, signer: str, reason: str, key: Path, reject: bool) -> None:
    """Sign with ssh-keygen a statement about a certificate: who, what, why, and the SHA-256 of the
    certificate and of its dump. Only a good backup can be approved.
    """
    from kisaan_validate.backup.signing import sign_certificate
    from kisaan_validate.signoff.beside import SaidOf
    from kisaan_validate.signoff.statement import Decision

    decision = Decision.REJECT if reject else Decision.APPROVE
    click.echo(f"signed  {sign_certificate(file, key, SaidOf(signer, decision, reason))}")
