"""What ``migrations`` and ``wait`` share: where the folder and the ledger are, by options or the suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.options import CONFIG, DSN, LOCK_TIMEOUT, STATEMENT_TIMEOUT, the_config, the_limits
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.ledger import LedgerKind

if TYPE_CHECKING:
    from kisaan_validate.facts.ledger import LedgerSource
    from kisaan_validate.facts.migrations import MigrationFolder, MigrationsRecord, MigrationsStanding
    from kisaan_validate.migrations.look import LedgerLook, LedgerQuestion
    from kisaan_validate.ops.config import Config
    from kisaan_validate.suite.load import SuiteSettings

PATH = click.Path(path_type=Path)
KINDS = tuple(kind.value for kind in LedgerKind)


def ledger_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--folder, --ledger-kind and so on, --accept, the target and its limits, --output, --quiet."""
    for option in (
        click.option("--quiet", "-q", is_flag=True, help="Print only what is wrong, and the verdict."),
        click.option("-o", "--output", type=PATH, metavar="FOLDER", help="Write migrations.json there."),
        STATEMENT_TIMEOUT,
        LOCK_TIMEOUT,
        DSN,
        click.option("--suite", type=PATH, help="The suite's folder, for its [ledger].  [default: checks]"),
        CONFIG,
        click.option(
            "--accept",
            multiple=True,
            metavar="WHAT",
            help="A known oddity to accept, such as 'only reads: 007*'. Repeatable.",
        ),
        click.option("--ledger-at", metavar="COLUMN", help="Of kind names: its column of times."),
        click.option("--ledger-name", metavar="COLUMN", help="Of kind names: its column of names."),
        click.option("--ledger-table", metavar="TABLE", help="The ledger; by default that of its kind."),
        click.option("--ledger-kind", type=click.Choice(KINDS), help="Whose ledger it is.  [default: names]"),
        click.option(
            "--folder", "folders", type=PATH, multiple=True, help="The folder of migrations. Repeatable."
        ),
    ):
        function = option(function)
    return function


class Instant(click.ParamType):  # type: ignore[type-arg]  # older click has no arguments
    """A time with its zone, such as 2026-11-30T02:00+05:30."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time. Fails for a text that is not a time, or has no zone."""
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            found = datetime.min
        if found.tzinfo is None:
            self.fail(
                f"{value!r} is not a time with its zone; write 2026-11-30T02:00+05:30, or …Z", param, ctx
            )
        return found


@dataclass(frozen=True)
class LedgerInputs:
    """The folder as it was read, the ledger that is asked, and what is accepted."""

    config: Config
    folder: MigrationFolder
    question: LedgerQuestion
    accept: tuple[str, ...]


def ledger_inputs(given: Mapping[str, Any]) -> LedgerInputs:
    """What was asked for, by options first and the suite's settings else. Raises UsageError."""
    from kisaan_validate.migrations.accepting import read_acceptance
    from kisaan_validate.migrations.folder import read_migration_folder
    from kisaan_validate.migrations.look import LedgerQuestion
    from kisaan_validate.postgres.target import find_target

    config = the_config(
        given["config"],
        suite=given["suite"],
        lock_timeout_ms=given["lock_timeout"],
        statement_timeout_ms=given["statement_timeout"],
    )
    settings = settings_of(config)
    source, accept = ledger_source(settings, given), (*_accepted(settings), *given["accept"])
    # Before anything is read: mistakes in options must show at once, not at the end.
    for text in accept:
        read_acceptance(text)
    if given["output"] is not None:
        _check_output(given["output"])
    folders = given["folders"] or _suite_folders(config, source)
    question = LedgerQuestion(
        find_target(given["dsn"]),
        source,
        the_limits(config),
        settings.schemas,
        config.expect,
        settings.is_personal,
    )
    return LedgerInputs(config, read_migration_folder(source.kind, folders), question, accept)


def settings_of(config: Config) -> SuiteSettings:
    """What the suite's ``suite.toml`` says; nothing where there is none. Its checks are not loaded."""
    from kisaan_validate.suite.settings import SuiteSettings, read_settings

    file = config.suite / "suite.toml"
    return read_settings(file) if file.exists() else SuiteSettings()


def ledger_source(settings: SuiteSettings, given: Mapping[str, Any]) -> LedgerSource:
    """The ledger: that of the suite, unless options name another one. Raises UsageError."""
    from kisaan_validate.errors import UsageError
    from kisaan_validate.facts.ledger import LEDGER_SHAPES, LedgerSource

    said, kind = settings.ledger, LedgerKind(given["ledger_kind"] or "names")
    if said is None or (given["ledger_kind"] and kind is not said.kind):
        shape = LEDGER_SHAPES[kind]
        said = LedgerSource(shape.table, shape.name, shape.at, kind)
    if said.kind is not LedgerKind.NAMES and (given["ledger_name"] or given["ledger_at"]):
        raise UsageError(
            f"a ledger of {said.kind} has its own columns", "leave --ledger-name and --ledger-at out"
        )
    named = {"table": given["ledger_table"], "name": given["ledger_name"], "at": given["ledger_at"]}
    return replace(said, **{key: value for key, value in named.items() if value is not None})


def _accepted(settings: SuiteSettings) -> tuple[str, ...]:
    return settings.ledger.accept if settings.ledger is not None else ()


def _suite_folders(config: Config, source: LedgerSource) -> tuple[Path, ...]:
    from kisaan_validate.errors import UsageError

    if not source.folders:
        hint = "name it with --folder, or in suite.toml: [ledger] folders = […]"
        raise UsageError("no folder of migrations was named", hint)
    return tuple(config.suite / folder for folder in source.folders)


def _check_output(folder: Path) -> None:
    from kisaan_validate.errors import RecordError
    from kisaan_validate.record.files import check_place
    from kisaan_validate.record.migrations import FILE

    if folder.exists() and not folder.is_dir():
        raise RecordError(f"cannot write {folder}: it is not a folder", "name a folder")
    check_place(folder / FILE)


def record_of(look: LedgerLook, standing: MigrationsStanding) -> MigrationsRecord:
    """What is written down of one look."""
    from kisaan_validate.facts.migrations import MigrationsRecord
    from kisaan_validate.version import VERSION

    now = datetime.now(UTC)
    return MigrationsRecord(now, VERSION, look.host, look.port, look.database, standing.verdict, standing)


def keep_record(record: MigrationsRecord, folder: Path | None) -> None:
    """Write the record, if a folder was named. Raises RecordError."""
    from kisaan_validate.cli.output import say
    from kisaan_validate.record.files import write_file
    from kisaan_validate.record.migrations import FILE, migrations_to_json
    from kisaan_validate.report.migrations_console import line

    if folder is not None:
        write_file(folder / FILE, migrations_to_json(record))
        say(line("record", str(folder / FILE)))
