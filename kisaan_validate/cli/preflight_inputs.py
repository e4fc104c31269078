"""The inputs of ``preflight``: the configuration, overridden by the command line, and the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kisaan_validate.cli.options import the_config, the_contract, the_options, the_suite
from kisaan_validate.errors import UsageError

if TYPE_CHECKING:
    from kisaan_validate.facts.ledger import LedgerSource
    from kisaan_validate.ops.config import Config
    from kisaan_validate.preflight.asked import PreflightAsked
    from kisaan_validate.preflight.evidence import Given
    from kisaan_validate.preflight.rules import PreflightRules
    from kisaan_validate.suite.load import Suite

_FILES = ("certificate", "dump", "receipt", "baseline", "contract", "disk")
_AGES = ("backup_age", "rehearsal_age", "baseline_age", "run_age")


def read_preflight_inputs(given: Mapping[str, Any]) -> PreflightAsked:
    """All that was asked for. Raises UsageError for what is wrong in configuration, suite or contract;
    evidence that cannot be read is an answer.
    """
    from kisaan_validate.postgres.target import find_target
    from kisaan_validate.preflight.asked import PreflightAsked
    from kisaan_validate.preflight.evidence import read_given

    config = the_config(given["config"], suite=given["suite"])
    rules = _rules(config, given)
    suite = _suite(config, given)
    if rules.contract is not None and suite is None:
        raise UsageError("a contract was named, but no suite that has its checks", "name it with --suite")
    contract = the_contract(rules.contract, suite) if suite is not None else None
    source, expect = _ledger(suite, given), {**config.expect, **_expected(given["expect"])}
    if not rules.migrations:
        rules = replace(rules, migrations=tuple(config.suite / folder for folder in source.folders))
    files = read_given(rules.certificate, rules.receipt, rules.baseline, rules.dump)
    return PreflightAsked(
        find_target(given["dsn"]),
        expect,
        rules,
        suite,
        contract,
        files,
        _without(rules, files, given["without"]),
        datetime.now(UTC),
        # Counts alone are wanted: no keys of rows.
        the_options(config, sample=0, expect=expect),
        given["deep"],
        given["show_queries"],
        given["run_file"],
        source,
        tuple(given["accept"]),
    )


def _rules(config: Config, given: Mapping[str, Any]) -> PreflightRules:
    said: dict[str, Any] = {name: given[name] for name in _FILES if given[name] is not None}
    said |= {name: int(given[name].total_seconds()) for name in _AGES if given[name] is not None}
    if given["migrations"]:
        said["migrations"] = tuple(given["migrations"])
    return replace(config.preflight, **said)


def _ledger(suite: Suite | None, given: Mapping[str, Any]) -> LedgerSource:
    """The ledger of the suite, or what options say instead. Raises UsageError, also for an --accept that says
    nothing.
    """
    from kisaan_validate.cli.migrations_inputs import ledger_source
    from kisaan_validate.migrations.accepting import read_acceptance
    from kisaan_validate.suite.load import SuiteSettings

    for text in given["accept"]:
        read_acceptance(text)
    settings = suite.settings if suite is not None else SuiteSettings()
    return ledger_source(settings, {"ledger_name": None, "ledger_at": None, **given})


def _suite(config: Config, given: Mapping[str, Any]) -> Suite | None:
    """None where there is none and none was named."""
    if given["suite"] is None and given["config"] is None and not config.suite.is_dir():
        return None
    return the_suite(config)


def _expected(words: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if key not in {"database", "host", "role"} or not equals or not value:
            raise UsageError("--expect takes database=NAME, host=NAME or role=NAME", "write one of them")
        found[key] = value
    return found


def _without(rules: PreflightRules, files: Given, named: tuple[str, ...]) -> dict[str, str]:
    """What is left out, and who said so."""
    from kisaan_validate.preflight.rules import REQUIRABLE

    said = dict.fromkeys(named, "left out by --without")
    given: dict[str, object] = {
        "backup": files.certificate,
        "rehearsal": files.receipt,
        "baseline": files.baseline,
    }
    for name in REQUIRABLE:
        # Evidence that is there is examined, required or not.
        if name not in rules.require and given[name] is None:
            said.setdefault(name, "not required by [preflight] of kisaan.toml, and not named")
    return said
