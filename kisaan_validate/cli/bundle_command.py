"""``kisaan-validate bundle``: all evidence of a run in one archive."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("bundle", short_help="Pack a run's evidence into one archive.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The archive to write.  [default: RUN.zip beside its folder]",
)
@click.option(
    "--without-baseline",
    is_flag=True,
    help="Keep only the baseline's digest; the verdict cannot be judged again.",
)
@click.option("--force", is_flag=True, help="Overwrite the archive.")
@click.option(
    "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: ./kisaan.toml]"
)
def command(run: Path, output: Path | None, without_baseline: bool, force: bool, config: Path | None) -> None:
    """Pack run.json, page, contract, waivers, baseline, the suite's sources, sign-offs, SHA256SUMS and an
    in-toto statement into one archive. The same run gives the same bytes; what looks like a secret is
    refused.
    """
    from kisaan_validate.cli.options import the_config
    from kisaan_validate.cli.report_command import judged_again
    from kisaan_validate.cli.signing import page_again, run_folder
    from kisaan_validate.errors import UsageError
    from kisaan_validate.record.files import write_bytes
    from kisaan_validate.signoff.bundle import bundle_of
    from kisaan_validate.signoff.evidence import read_folder
    from kisaan_validate.signoff.statement import sha256

    folder = run_folder(run, the_config(config).reports)
    # Judged again beside its files, so that nothing is packed that does not belong to the run.
    judged = judged_again(folder / "run.json")
    place = output or folder.parent / f"{judged.run.id}.zip"
    if place.exists() and not force:
        raise UsageError(
            f"{place} already exists", "choose another file with --output, or pass --force to replace it"
        )
    # Before packing: the page in the archive must show the sign-offs that lie beside it.
    standing = page_again(folder, judged)
    made = bundle_of(read_folder(folder), judged, standing, baseline=not without_baseline)
    write_bytes(place, made.data)
    click.echo(f"bundle  {place}")
    click.echo(f"        {len(made.files):,} files, {len(made.data):,} bytes, SHA-256 {sha256(made.data)}")
    click.echo(f"status  {standing.sentence}")
    click.echo(f"verify  kisaan-validate verify {place} --allowed-signers FILE")
