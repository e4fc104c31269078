"""``kisaan-validate demo``: the whole job on an embedded PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kisaan_validate.process import watched

if TYPE_CHECKING:
    from kisaan_validate.ops.demo.assets import Assets
    from kisaan_validate.ops.demo.place import Playground
    from kisaan_validate.ops.demo.story import DemoStory


@click.command("demo", short_help="Run the whole workflow on an embedded PostgreSQL.")
@click.option(
    "--scale",
    type=click.IntRange(2_000),
    help="Payments.  [default: 20000; 300000 with --clean-migration]",
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
    from kisaan_validate.errors import UsageError
    from kisaan_validate.ops.demo.assets import find_assets
    from kisaan_validate.ops.demo.place import playground
    from kisaan_validate.ops.demo.story import CLEAN_SCALE, NIGHT_SCALE, PUBLIC_SCALE

    if clean_migration and public_schema:
        raise UsageError(
            "--public-schema has no clean migration: the migrations stop at the first file",
            "leave out one of the two options",
        )
    usual = CLEAN_SCALE if clean_migration else NIGHT_SCALE
    size = scale or (PUBLIC_SCALE if public_schema else usual)
    where = " in the public schema" if public_schema else ""
    click.echo(f"demo    a market with {size:,} payments{where} on an embedded PostgreSQL: a minute or two")
    # It has a server of its own to put away: the watching process must have patience.
    watched.say(watched.WRITING)
    assets = find_assets()
    with playground(keep) as place:
        if clean_migration or public_schema:
            story = _played(place, assets, reports, size, clean=clean_migration, public=public_schema)
        else:
            story = _night(place, assets, reports, size)
        if keep:
            click.echo(f"kept    psql '{place.dsn('postgres')}'")
            click.echo(
                f"        kisaan-validate run --suite '{assets.checks}' --dsn '{place.dsn('demo_reader')}'"
            )
    return demo_exit_code(not story.proved)


def _played(
    place: Playground, assets: Assets, reports: Path, size: int, *, clean: bool, public: bool
) -> DemoStory:
    """Baseline, migration and validation alone."""
    from kisaan_validate.cli.job import progress_observer, record_after
    from kisaan_validate.ops.demo.story import play
    from kisaan_validate.report.console_story import print_story
    from kisaan_validate.signoff.provenance import provenance_of

    with progress_observer(False) as observer:
        story = play(place, assets, observer, scale=size, clean=clean, public=public)
    run = replace(story.after, provenance=provenance_of(assets.checks, story.after.suite.sources))
    _, folder = record_after(replace(story.judged, run=run, sources=str(assets.checks)), reports)
    print_story(story, folder / "report.html", clean=clean)
    return story


def _night(place: Playground, assets: Assets, reports: Path, size: int) -> DemoStory:
    """The whole night, step by step."""
    from kisaan_validate.cli.main import COMMANDS
    from kisaan_validate.ops.demo.night import DemoNight
    from kisaan_validate.report.console_story import print_story
    from kisaan_validate.report.shown import shown

    folder = reports / f"night-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"

    def say(step: str, came_to: str, seconds: float | None, words: str) -> None:
        took = "" if seconds is None else f"{seconds:.1f} s"
        click.echo(f"{step:<11} {came_to:<5} {took:>7}  {shown(words)}".rstrip())

    night = DemoNight(place, assets, folder, COMMANDS, say)
    story = night.play(size)
    print_story(story, night.report, clean=False)
    click.echo(f"night   {night.page}")
    return story
