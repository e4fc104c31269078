"""What the commands around sign-offs share: whose keys count, which folder is meant, the page with its
sign-offs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kisaan_validate.ops.config import Config
    from kisaan_validate.signoff.check import SignoffTrust
    from kisaan_validate.signoff.standing import SignoffStanding
    from kisaan_validate.verdict.judgement import Judgement

Decorated = Callable[..., Any]
RECEIPT = "receipt.json"
"""By which a rehearsal's folder is known."""


def trust_options(function: Decorated) -> Decorated:
    """--config, --allowed-signers, --revoked-signers, --tsa-ca."""
    for option in (
        click.option(
            "--tsa-ca",
            type=click.Path(path_type=Path),
            help="Certificates of timestamp authorities.  [default: as in kisaan.toml]",
        ),
        click.option(
            "--revoked-signers",
            type=click.Path(path_type=Path),
            help="The file of revoked keys.  [default: as in kisaan.toml]",
        ),
        click.option(
            "--allowed-signers",
            type=click.Path(path_type=Path),
            help="The file of keys that count.  [default: as in kisaan.toml]",
        ),
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            help="The configuration file.  [default: ./kisaan.toml]",
        ),
    ):
        function = option(function)
    return function


def the_trust(config: Config, given: dict[str, Any]) -> SignoffTrust:
    """Whose keys and time stamps count, by the command line, else by the configuration. Raises
    RecordError.
    """
    from kisaan_validate.signoff.check import SignoffTrust
    from kisaan_validate.signoff.keys import read_signers

    s = config.signoff
    allowed = given.get("allowed_signers") or s.allowed_signers
    signers = read_signers(allowed, given.get("revoked_signers") or s.revoked_signers)
    return SignoffTrust(signers, str(allowed or ""), s.approvals, given.get("tsa_ca") or s.tsa_ca)


def run_folder(path: Path, reports: Path) -> Path:
    """The folder of a run that is named by it, by its run.json, or by its id alone. Raises UsageError."""
    from kisaan_validate.errors import UsageError

    # The id alone comes last: a folder of that name here is what was meant.
    for folder in (path, path.parent if path.name == "run.json" else path, reports / path):
        if (folder / "run.json").is_file():
            return folder
    raise UsageError(f"no such run: {path}", "give the folder that `run` printed, or the run's id")


def rehearsal_folder(path: Path) -> Path | None:
    """The folder of a rehearsal that a path names, itself or by its receipt; None: it is something else."""
    if path.name == RECEIPT and path.is_file():
        return path.parent
    # A run that was compared with a receipt keeps a copy of it.
    return path if (path / RECEIPT).is_file() and not (path / "run.json").exists() else None


def page_again(folder: Path, judged: Judgement) -> SignoffStanding:
    """Render the page of a run's folder with the sign-offs that lie there; returns where it stands. Raises
    RecordError.

    Where the folder of reports has an index, that is brought up too."""
    from kisaan_validate.cli.runs_index import INDEX_FILE, add_to_index
    from kisaan_validate.record.files import write_file
    from kisaan_validate.report.html import render_html
    from kisaan_validate.signoff.evidence import read_folder
    from kisaan_validate.signoff.page import signatures_of
    from kisaan_validate.signoff.verify_signoffs import own_standing

    standing = own_standing(read_folder(folder), judged)
    write_file(folder / "report.html", render_html(judged, signatures_of(standing)))
    # An index is brought up, never begun: a folder without one may be no folder of reports.
    if (folder.parent / INDEX_FILE).exists():
        add_to_index(folder.parent)
    return standing


def sign_and_tell(folder: Path, decision: str, given: dict[str, Any], accepted: tuple[str, ...] = ()) -> None:
    """Sign as ``sign`` and ``attest`` are asked to, render the page again, and say where the run stands."""
    from kisaan_validate.cli.options import the_config
    from kisaan_validate.cli.report_command import judged_again
    from kisaan_validate.signoff.make import Wish, sign_off
    from kisaan_validate.signoff.statement import Caution, Decision

    config = the_config(given["config"])
    # Folder and keys are read before anything is signed.
    folder, trust = run_folder(folder, config.reports), the_trust(config, given)
    judged = judged_again(folder / "run.json")
    wish = Wish(
        given["signer"],
        Decision(decision),
        given["reason"],
        given["key"],
        given.get("criterion", ""),
        tuple(Caution(word) for word in accepted),
    )
    path, remarks = sign_off(folder, judged, wish, trust)
    # Said at once: what follows may fail, and the statement is signed all the same.
    click.echo(f"signed  {folder / path}")
    try:
        if given.get("timestamp"):
            stamp(folder, path, given["timestamp"])
    finally:  # it is signed, whether an authority answers or not
        standing = page_again(folder, judged)
    for remark in remarks:
        click.echo(f"note    {remark}")
    click.echo(f"status  {standing.sentence}")
    if (
        trust.approvals > standing.needed
    ):  # the page says what the run was recorded under, or it could not be made again
        click.echo(
            f"note    kisaan.toml now requires {trust.approvals} approvals; the run was made when it "
            f"required {standing.needed}. verify requires {trust.approvals}."
        )
    click.echo(f"report  {folder / 'report.html'}")


def stamp(folder: Path, path: str, url: str) -> None:
    """Have an authority stamp the signature of a statement: its digest is sent there. Raises UsageError."""
    from kisaan_validate.signoff.timestamp import ask, query_of

    keep_stamp(folder, path, ask(url, query_of((folder / f"{path}.sig").read_bytes())))


def keep_stamp(folder: Path, path: str, reply: bytes) -> None:
    """Keep a reply beside the signature that it is for. Raises UsageError if it is not."""
    from kisaan_validate.errors import UsageError
    from kisaan_validate.record.files import write_bytes
    from kisaan_validate.signoff.timestamp import belongs, time_of

    # A reply to another request would be kept as this signature's time, and verify would call it wrong.
    if not belongs(reply, (folder / f"{path}.sig").read_bytes()):
        raise UsageError(
            f"this timestamp is not for {path}.sig", "send the authority the request made for this signature"
        )
    write_bytes(folder / f"{path}.sig.tsr", reply)
    click.echo(f"stamped {folder / path}.sig.tsr, {time_of(reply)}")
