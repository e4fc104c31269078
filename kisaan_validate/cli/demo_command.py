"""``kisaan-validate demo``: the whole job on an embedded PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click


@click.command("demo", short_help="Play the whole job on an embedded PostgreSQL.")
@click.option("--scale", type=click.IntRange(2_000), default=300_000, show_default=True, help="How many payments.")
@click.option("--clean-migration", is_flag=True, help="Run the migrations as they should have been written.")
@click.option("--keep", is_flag=True, help="Leave the server running, and say how to reach and stop it.")
@click.option("--reports", type=click.Path(path_type=Path), default=Path("reports"), show_default=True, help="Where the report lands.")
def command(scale: int, clean_migration: bool, keep: bool, reports: Path) -> int:
    """Play the whole job on an embedded PostgreSQL: planted faults, a migration, its validation, the report."""
    from kisaan_validate.cli.job import progress_observer, record_after
    from kisaan_validate.demo import find_assets, play, playground
    from kisaan_validate.report.console import print_story
    from kisaan_validate.signoff.provenance import provenance_of

    assets = find_assets()
    click.echo(f"demo    a market with {scale:,} payments on an embedded PostgreSQL; this takes a moment")
    with playground(keep) as place:
        with progress_observer(False) as observer:
            story = play(place, assets, observer, scale=scale, clean=clean_migration)
        run = replace(story.after, provenance=provenance_of(assets.checks, story.after.suite.sources))
        _, folder = record_after(replace(story.judged, run=run, sources=str(assets.checks)), reports)
        print_story(story, folder, clean=clean_migration)
        if keep:
            click.echo(f"kept    psql '{place.dsn('postgres')}'")
            click.echo(f"        kisaan-validate run --suite '{assets.checks}' --dsn '{place.dsn('demo_reader')}'")
            click.echo(f"stop    kill -INT {place.pid} && rm -r '{place.folder}'")
    return 1 if story.missed or story.invented else 0
