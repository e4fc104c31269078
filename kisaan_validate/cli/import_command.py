"""``kisaan-validate import``: suites of Great Expectations, SodaCL and dbt become ours. Needs no database."""

from __future__ import annotations

from pathlib import Path

import click

from kisaan_validate.cli.folder import refuse_full, write_beside

TOOLS = ("great-expectations", "soda", "dbt")


@click.command("import", short_help="Convert a suite of Great Expectations, SodaCL or dbt.")
@click.argument("files", nargs=-1, required=True, metavar="FILE…", type=click.Path(path_type=Path))
@click.option("--from", "tool", type=click.Choice(TOOLS), required=True, help="The files' tool.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("checks"),
    show_default=True,
    help="The folder to write.",
)
@click.option(
    "--table",
    "tables",
    multiple=True,
    metavar="NAME | THEIRS=OURS",
    help="The table where the files name none, or a table's name here.",
)
@click.option(
    "--schema",
    "schemas",
    multiple=True,
    metavar="NAME",
    help="A schema. Repeatable.  [default: public]",
)
@click.option("--name", help="The suite's name.  [default: the name of the output folder]")
@click.option("--force", is_flag=True, help="Write into a folder with other files (kept).")
def command(
    files: tuple[Path, ...],
    tool: str,
    output: Path,
    tables: tuple[str, ...],
    schemas: tuple[str, ...],
    name: str | None,
    force: bool,
) -> int:
    """Convert another tool's suite into checks. import.md in the output folder lists every item with its
    checks, or why it has no counterpart. Exit 0 only if every item was imported.
    """
    from kisaan_validate.author.importers.load import import_files, read_tables
    from kisaan_validate.author.importers.writing import counted, render
    from kisaan_validate.cli.exits import import_exit_code
    from kisaan_validate.errors import UsageError
    from kisaan_validate.suite.files import load_files

    refuse_full(output, force)
    maker = import_files(tool, files, read_tables(tables))
    if not maker.outcomes:
        raise UsageError(
            f"the files contain nothing of {tool} to import",
            "name the files with checks, expectations or tests",
        )
    # Resolved, as "." has no name of its own.
    made = render(maker, tool, name or output.resolve().name, schemas or ("public",))
    # A folder without any check is refused as a suite, though its import.md says why.
    if maker.made:
        load_files(made)  # it must be a suite before it is written
    write_beside(output, made)
    for outcome in maker.outcomes:
        click.echo(_line(outcome))
    total, imported, left = counted(maker.outcomes)
    click.echo(f"{total} items: {imported} imported as {len(maker.made)} checks, {left} not imported")
    click.echo(f"wrote   {output}: {len(made)} files; import.md accounts for every item")
    if maker.made:
        click.echo(f"next    kisaan-validate list --suite {output}")
        click.echo(f"        kisaan-validate run --suite {output}   # needs the database")
    return import_exit_code(left)


def _line(outcome: object) -> str:
    from kisaan_validate.author.importers.outcome import ImportOutcome
    from kisaan_validate.author.source import remark

    # For the type checker: the import above is late, so that --help loads no importer.
    assert isinstance(outcome, ImportOutcome)
    what = remark(f"{outcome.file} {outcome.place}: {outcome.text}", 160)
    if outcome.imported:
        return f"ok      {what} -> {', '.join(outcome.ids)}"
    reason = outcome.reason.removeprefix("no counterpart: ")
    return f"none    {what}\n        no counterpart: {remark(reason, 400)}"
