"""``kisaan-validate diff``: two live sides, row by row."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.places import column_of, names_of, parted

if TYPE_CHECKING:
    from kisaan_validate.live.options import DiffOptions
    from kisaan_validate.ops.config import Config
    from kisaan_validate.personal.lineage import Asked
    from kisaan_validate.suite.load import SuiteSettings


@click.command("diff", short_help="Compare two live databases or schemas, row by row.")
@click.option(
    "--before",
    metavar="DSN",
    help="The old database: postgresql://… or host=… dbname=….",
)
@click.option("--after", metavar="DSN", help="The new database.  [default: as for run: KISAAN_DSN, …]")
@click.option(
    "--schema",
    "schemas",
    multiple=True,
    metavar="NAME",
    help="A schema on both sides. Repeatable.  [default: public]",
)
@click.option(
    "--before-schema",
    multiple=True,
    metavar="NAME",
    help="A schema of the old side; pairs with --after-schema.",
)
@click.option("--after-schema", multiple=True, metavar="NAME", help="Its name on the new side.")
@click.option(
    "--select",
    multiple=True,
    metavar="PATTERN",
    help="Only these tables; * matches anything. Repeatable.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="TABLE=COLUMN,…",
    help="Columns that identify rows where no unique key does.",
)
@click.option(
    "--cast",
    "casts",
    multiple=True,
    metavar="TABLE.COLUMN=TYPE",
    help="Cast a column on both sides.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="TABLE.COLUMN",
    help="Ignore a column.",
)
@click.option(
    "--renamed",
    multiple=True,
    metavar="OLD=NEW",
    help="A renamed TABLE or TABLE.COLUMN.",
)
@click.option(
    "--zone",
    default="",
    metavar="ZONE",
    help="Time zone of timestamp columns that became timestamptz.",
)
@click.option(
    "--added-since",
    multiple=True,
    metavar="TABLE[.COLUMN=VALUE]",
    help="Rows from VALUE on, or above all old keys, came later.",
)
@click.option(
    "--samples",
    type=click.IntRange(0, 10_000),
    default=20,
    show_default=True,
    help="Rows shown per table and kind of change, plus one per changed column not among them.",
)
@click.option("--rows-only", is_flag=True, help="Do not compare the schema.")
@click.option(
    "--patterns/--no-patterns",
    default=True,
    show_default=True,
    help="Look for patterns in changed values.",
)
@click.option(
    "--digest",
    type=click.Choice(["auto", "hash", "wide", "sha256"]),
    default="auto",
    show_default=True,
    help="Row digests: hash (64 bits), wide (128), sha256 (withstands forgers).",
)
@click.option(
    "--personal",
    multiple=True,
    metavar="PATTERN",
    help="Mask these columns too.",
)
@click.option(
    "--public",
    multiple=True,
    metavar="PATTERN",
    help="Show this column though its name looks personal.",
)
@click.option(
    "--suite",
    type=click.Path(path_type=Path),
    help="The suite that names personal columns.  [default: checks]",
)
@click.option(
    "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: ./kisaan.toml]"
)
@click.option(
    "--statement-timeout",
    type=click.IntRange(1),
    metavar="MS",
    help="Limit for a statement.  [default: 900000]",
)
@click.option(
    "--lock-timeout",
    type=click.IntRange(1),
    metavar="MS",
    help="Limit for a lock wait.  [default: 2000]",
)
@click.option(
    "--format",
    "format",
    type=click.Choice(["json"]),
    help="Print the whole comparison for programs.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file for --format.  [default: standard output]",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the comparison as a page.",
)
@click.option(
    "--rows-to",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write every differing row to a .csv or .jsonl file.",
)
@click.option("--force", is_flag=True, help="Replace a file not written by diff.")
@click.option("--quiet", "-q", is_flag=True, help="Print only verdict and what was not compared.")
def command(before: str | None, after: str | None, **given: Any) -> int:
    """Compare two live databases or schemas exactly: rows, columns and the schema, each side in one read-only
    snapshot.

    The servers compute digests, so only rows that differ are transferred. Exit 0: both sides are the same;
    1: they differ; 3: not known.
    """
    from kisaan_validate.cli.diff_outputs import deliver_diff, rows_file, wanted_outputs
    from kisaan_validate.cli.exits import diff_exit_code
    from kisaan_validate.cli.job import attended
    from kisaan_validate.compare.patterns.watch import Watch
    from kisaan_validate.errors import UsageError
    from kisaan_validate.live.run import diff_rows
    from kisaan_validate.postgres.target import find_target
    from kisaan_validate.process.stopping import Stop

    # click's required=True would say what is missing, but not what to write.
    if before is None:
        raise UsageError(
            "diff needs two sides",
            "name the first with --before; for two schemas of one database name it twice",
        )
    wanted = wanted_outputs(given)
    from kisaan_validate.cli.options import the_config

    config = the_config(
        given["config"],
        suite=given["suite"],
        lock_timeout_ms=given["lock_timeout"],
        statement_timeout_ms=given["statement_timeout"],
    )
    options = _options(config, given)
    sides, stop = (find_target(before, {}), find_target(after)), Stop()
    observer = Watch() if given["patterns"] else None
    with rows_file(wanted.rows) as rows:
        with _progress(given["quiet"]) as progress:
            found = attended(lambda stop: diff_rows(*sides, options, observer, progress, stop, rows), stop)
        delivered = deliver_diff(found, wanted, rows, quiet=given["quiet"])
    return diff_exit_code(found, interrupted=stop.requested, recorded=delivered)


def _options(config: Config, given: dict[str, Any]) -> DiffOptions:
    from kisaan_validate.cli.options import the_limits
    from kisaan_validate.errors import UsageError
    from kisaan_validate.live.options import DiffOptions

    schemas = given["schemas"] or ("public",)
    if given["schemas"] and (given["before_schema"] or given["after_schema"]):
        raise UsageError(
            "--schema already names the schemas of both sides",
            "give either --schema, or --before-schema with --after-schema",
        )
    return DiffOptions(
        before_schemas=given["before_schema"] or schemas,
        after_schemas=given["after_schema"] or schemas,
        renamed=tuple(_renamed(text) for text in given["renamed"]),
        select=given["select"],
        zone=given["zone"],
        samples=given["samples"],
        schema=not given["rows_only"],
        keys=dict(_key(text) for text in given["keys"]),
        casts=dict(_cast(text) for text in given["casts"]),
        ignored=frozenset(column_of(text, "--ignore") for text in given["ignore"]),
        since=dict(_since(text) for text in given["added_since"]),
        encoding=given["digest"],
        limits=the_limits(config),
        foreign=_foreign(config),
        asked=_personal(config, given["personal"], given["public"]),
    )


def _key(text: str) -> tuple[str, tuple[str, ...]]:
    from kisaan_validate.errors import UsageError

    table, _, columns = parted(text, "=")
    names = names_of(columns)
    if not table or not names or not all(names):
        raise UsageError(
            f"--key {text} is not of the form table=column",
            "write --key table=column or --key table=column,column",
        )
    return table, names


def _renamed(text: str) -> tuple[str, str]:
    """Both names, parted at the only = that stands outside of double quotes."""
    from kisaan_validate.errors import UsageError

    # Quoted parts are taken whole, so an = in a quoted name parts nothing.
    match = re.fullmatch(r'((?:[^="]|"(?:[^"]|"")*")+)=((?:[^="]|"(?:[^"]|"")*")+)', text, re.DOTALL)
    if match is None:
        raise UsageError(
            f"--renamed {text} is not of the form old=new",
            "write --renamed table.column=new_name, or table=new_name",
        )
    return match[1], match[2]


def _cast(text: str) -> tuple[tuple[str, str], str]:
    from kisaan_validate.errors import UsageError

    column, _, cast = parted(text, "=")
    if not cast:
        raise UsageError(
            f"--cast {text} is not of the form table.column=type", "write --cast table.column=numeric(18,2)"
        )
    return column_of(column, "--cast"), cast


def _since(text: str) -> tuple[str, tuple[str, str | None]]:
    name, equals, value = parted(text, "=")
    # Without a column the table's own key decides, above the highest key of the old side.
    if not equals:
        return name, ("", None)
    table, column = column_of(name, "--added-since")
    return table, (column, value)


def _personal(config: Config, more: tuple[str, ...], public: tuple[str, ...]) -> Asked:
    """Who is asked whether a column's values must not be shown: the suite's patterns, names that look so,
    and options.
    """
    from kisaan_validate.personal.lineage import How, asked_of
    from kisaan_validate.suite.personal import looks_asked

    settings = _settings(config)
    declared = asked_of((*(settings.personal if settings is not None else ()), *more))
    looks = looks_asked(public)

    def asked(table: str, column: str) -> How:
        # The stricter of the two: --public takes back only what a name looks like, not what a suite declares.
        return max(declared(table, column), looks(table, column))

    return asked


def _foreign(config: Config) -> tuple[str, ...]:
    """The tables that the suite allows to be read although another server holds their rows."""
    settings = _settings(config)
    return settings.foreign if settings is not None else ()


def _settings(config: Config) -> SuiteSettings | None:
    """What suite.toml says; None where there is none, and so no reader of suites is needed."""
    file = config.suite / "suite.toml"
    if not file.exists():
        return None
    from kisaan_validate.suite.settings import read_settings

    return read_settings(file)


def _progress(quiet: bool) -> Any:
    """A bar on standard error, if that is a terminal."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    @contextmanager
    def shown() -> Any:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        bar = Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)
        # A total of 0 is one that is not known yet: rich draws a moving bar for None.
        task = bar.add_task("connecting", total=None)
        with bar:
            yield lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total or None
            )

    return shown()
