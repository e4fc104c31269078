"""``kisaan-validate demo``: the whole job on an embedded PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from kisaan_validate.process import watched


@click.command("demo", short_help="Run the whole workflow on an embedded PostgreSQL.")
@click.option(
    "--scale",
    type=click.IntRange(2_000),
    help="Payments.  [default: 300000; 20000 with --public-schema]",
)
@click.option("--clean-migration", is_flag=True, help="Run corrected migrations.")
@click.option(
    "--public-schema",
    is_flag=True,
    help="Use the public schema.",
)
@click.option("--keep", is_flag=True, help="Leave the server running.")
@click.option(
    "--reports",
    type=click.Path(path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="The folder for the report.",
)
def command(scale: int | None, clean_migration: bool, public_schema: bool, keep: bool, reports: Path) -> int:
    """Run the whole workflow on an embedded PostgreSQL: planted faults, a migration, its validation,
    the report.
    """
    from kisaan_validate.cli.exits import demo_exit_code
    from kisaan_validate.cli.job import progress_observer, record_after
    from kisaan_validate.cli.rehearsal_files import write_rehearsal
    from kisaan_validate.errors import UsageError
    from kisaan_validate.ops.demo.assets import find_assets
    from kisaan_validate.ops.demo.place import playground
    from kisaan_validate.ops.demo.rehearsal import rehearse_story
    from kisaan_validate.ops.demo.story import DEFAULT_SCALE, PUBLIC_SCALE, play
    from kisaan_validate.report.console_story import print_rehearsed, print_story
    from kisaan_validate.signoff.provenance import provenance_of

    if clean_migration and public_schema:
        raise UsageError(
            "--public-schema has no clean migration: the migrations stop at the first file",
            "leave out one of the two options",
        )
    assets, size = find_assets(), scale or (PUBLIC_SCALE if public_schema else DEFAULT_SCALE)
    where = " in the public schema" if public_schema else ""
    click.echo(
        f"demo    a market with {size:,} payments{where} on an embedded PostgreSQL; this takes a while"
    )
    watched.say(
        watched.WRITING
    )  # it has a server of its own to put away: the watching process must have patience
    with playground(keep) as place:
        with progress_observer(False) as observer:
            story = play(
                place,
                assets,
                observer,
                scale=size,
                clean=clean_migration,
                public=public_schema,
                rehearsed=lambda migrations, suite: rehearse_story(place, assets, migrations, suite),
            )
        run = replace(story.after, provenance=provenance_of(assets.checks, story.after.suite.sources))
        _, folder = record_after(replace(story.judged, run=run, sources=str(assets.checks)), reports)
        if story.rehearsal is not None:
            place_of = folder / "rehearsal"
            judged = write_rehearsal(story.rehearsal, place_of)
            print_rehearsed(story.rehearsal.found, judged, place_of / "rehearsal.html")
        print_story(story, folder, clean=clean_migration)
        if keep:
            click.echo(f"kept    psql '{place.dsn('postgres')}'")
            click.echo(
                f"        kisaan-validate run --suite '{assets.checks}' --dsn '{place.dsn('demo_reader')}'"
            )
    return demo_exit_code(bool(story.missed or story.invented))
