"""Options that several commands share, and what they mean together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kisaan_validate.contract.load import Contract
    from kisaan_validate.ops.config import Config
    from kisaan_validate.postgres.session import Limits
    from kisaan_validate.prove.options import Options
    from kisaan_validate.suite.load import Suite
    from kisaan_validate.verdict.waivers import Waivers

Decorated = Callable[..., Any]

CONFIG = click.option(
    "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: ./kisaan.toml]"
)
SUITE = click.option(
    "--suite", type=click.Path(path_type=Path), help="The suite's folder.  [default: checks]"
)
DSN = click.option(
    "--dsn", help="The database: postgresql://… or host=… dbname=…; keep the password in .pgpass."
)
STATEMENT_TIMEOUT = click.option(
    "--statement-timeout",
    type=click.IntRange(1),
    metavar="MS",
    help="Limit for a statement.  [default: 900000]",
)
LOCK_TIMEOUT = click.option(
    "--lock-timeout",
    type=click.IntRange(1),
    metavar="MS",
    help="Limit for a lock wait.  [default: 2000]",
)


def suite_options(function: Decorated) -> Decorated:
    """--config, --suite, --select, --exclude, -k."""
    # From last to first: each decorator puts its option before those that are there.
    for option in (
        click.option(
            "-k",
            "keyword",
            default="",
            metavar="EXPR",
            help="Only ids that fit: parts of ids with and, or, not, ( ).",
        ),
        click.option(
            "--exclude",
            multiple=True,
            metavar="PATTERN",
            help="Not checks of this id, table or tag. Repeatable.",
        ),
        click.option(
            "--select",
            multiple=True,
            metavar="PATTERN",
            help="Only checks of this id, table or tag (a partial run). Repeatable.",
        ),
        SUITE,
        CONFIG,
    ):
        function = option(function)
    return function


def target_options(function: Decorated) -> Decorated:
    """--dsn, --jobs, the timeouts."""
    for option in (
        STATEMENT_TIMEOUT,
        LOCK_TIMEOUT,
        click.option(
            "--jobs",
            type=click.IntRange(1, 64),
            help="Sessions that read in parallel.  [default: 2]",
        ),
        DSN,
    ):
        function = option(function)
    return function


def the_config(config: Path | None, **overrides: Any) -> Config:
    """The configuration file with what the command line says instead. Raises UsageError."""
    from dataclasses import replace

    from kisaan_validate.ops.config import load_config

    return replace(
        # None is "not given"; False and 0 are answers.
        load_config(config),
        **{key: value for key, value in overrides.items() if value is not None},
    )


def the_suite(config: Config) -> Suite:
    """The configured suite. Raises SuiteError."""
    from kisaan_validate.suite.load import load_suite

    return load_suite(config.suite)


def the_part(suite: Suite, given: Mapping[str, Any], ids: Iterable[str] = ()) -> Suite:
    """The part that ``ids``, --select, --exclude and -k ask for. Raises SuiteError and UsageError."""
    return suite.narrowed((*ids, *given["select"]), given["exclude"], given["keyword"])


def the_limits(config: Config) -> Limits:
    """The configured limits of a guest."""
    from kisaan_validate.postgres.session import Limits

    return Limits(
        config.lock_timeout_ms,
        config.statement_timeout_ms,
        temp_bytes=config.temp_limit_mb * 1024**2,
        standby_seconds=config.standby_seconds,
        snapshot_seconds=config.snapshot_seconds,
    )


def the_options(config: Config, **more: Any) -> Options:
    """How a run reads, as configured. ``more`` are fields of Options that one command sets by itself."""
    from kisaan_validate.prove.options import Options

    read: dict[str, Any] = {
        "jobs": config.jobs,
        "limits": the_limits(config),
        "expect": config.expect,
        "python_memory": config.python_memory_mb * 1024**2,
    }
    return Options(**{**read, **more})


def the_contract(path: Path | None, suite: Suite) -> Contract | None:
    """The named contract, whose checks are those of the suite. Raises SuiteError and RecordError."""
    from kisaan_validate.contract.load import bound_to, read_contract
    from kisaan_validate.record.files import read_file

    if path is None:
        return None
    contract = read_contract(read_file(path), path.name)
    # Checks that a contract names must exist before anything is measured by it.
    bound_to(contract, suite)
    return contract


def the_waivers(config: Config, suite: Suite, path: Path | None, none: bool) -> Waivers | None:
    """The named waivers, else those of the configuration, else those beside the suite. Raises SuiteError
    and RecordError.
    """
    beside = config.suite / "waivers.toml"
    # What is named wins over the configuration, and that over what lies beside the suite.
    chosen = path or config.waivers or (beside if beside.exists() else None)
    if none or chosen is None:
        return None
    from kisaan_validate.record.files import read_file
    from kisaan_validate.rehearse.waiving import rule_names
    from kisaan_validate.verdict.waivers import read_waivers

    return read_waivers(read_file(chosen), chosen.name, (*suite.rules, *rule_names()))
