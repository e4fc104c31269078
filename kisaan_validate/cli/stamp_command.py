"""``kisaan-validate stamp``: have a time stamp authority say that a signature exists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command("stamp", short_help="Have an RFC 3161 authority date a run's signatures.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--timestamp", metavar="URL", help="The authority that gets the digests.")
@click.option(
    "--timestamp-query",
    is_flag=True,
    help="Write requests beside the signatures; send nothing.",
)
@click.option(
    "--timestamp-reply",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A reply to such a request.",
)
@click.option(
    "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: ./kisaan.toml]"
)
def command(
    run: Path,
    timestamp: str | None,
    timestamp_query: bool,
    timestamp_reply: tuple[Path, ...],
    config: Path | None,
) -> None:
    """Timestamp a run's signatures: with --timestamp by asking an authority, or offline in two steps with
    --timestamp-query and --timestamp-reply.
    """
    from kisaan_validate.cli.options import the_config
    from kisaan_validate.cli.report_command import judged_again
    from kisaan_validate.cli.signing import page_again, run_folder, stamp
    from kisaan_validate.errors import UsageError

    if bool(timestamp) + timestamp_query + bool(timestamp_reply) != 1:
        raise UsageError(
            "stamp needs one of --timestamp, --timestamp-query, --timestamp-reply",
            "see kisaan-validate stamp --help",
        )
    # The folder is looked up before a request leaves this machine.
    folder = run_folder(run, the_config(config).reports)
    waiting = _waiting(folder)
    if not waiting:
        raise UsageError(
            "every signature has a timestamp, or there is none", "sign first: kisaan-validate sign"
        )
    if timestamp:
        for path in waiting:
            stamp(folder, path, timestamp)
    elif timestamp_query:
        _write_queries(folder, waiting)
    else:
        _take(folder, waiting, timestamp_reply)
    if not timestamp_query:
        page_again(folder, judged_again(folder / "run.json"))


def _waiting(folder: Path) -> list[str]:
    signed = sorted(folder.glob("signoffs/*.json.sig"))
    return [
        p.relative_to(folder).as_posix().removesuffix(".sig") for p in signed if not Path(f"{p}.tsr").exists()
    ]


def _write_queries(folder: Path, waiting: list[str]) -> None:
    from kisaan_validate.record.files import write_bytes
    from kisaan_validate.signoff.timestamp import query_of

    for path in waiting:
        write_bytes(folder / f"{path}.sig.tsq", query_of((folder / f"{path}.sig").read_bytes()))
        click.echo(f"request {folder / path}.sig.tsq")


def _take(folder: Path, waiting: list[str], replies: tuple[Path, ...]) -> None:
    from kisaan_validate.cli.signing import keep_stamp
    from kisaan_validate.errors import UsageError
    from kisaan_validate.signoff.timestamp import belongs

    for reply in replies:
        data: Any = reply.read_bytes()
        # By content: the name of a reply says nothing about the signature.
        mine = [path for path in waiting if belongs(data, (folder / f"{path}.sig").read_bytes())]
        if not mine:
            raise UsageError(
                f"{reply} is not a timestamp of a signature of this run",
                "send the authority the request made for this signature",
            )
        keep_stamp(folder, mine[0], data)
