"""What ``rehearse`` is given, read and refused before anything is restored; then the rehearsal itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kisaan_validate.cli.options import the_config, the_contract, the_suite, the_waivers
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError

if TYPE_CHECKING:
    from kisaan_validate.facts.check import Severity
    from kisaan_validate.facts.dump import DumpFacts
    from kisaan_validate.postgres.target import Target
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.rehearse.migrate import MigrationSource
    from kisaan_validate.rehearse.newapp import NewAppAsked
    from kisaan_validate.rehearse.proving import ProvedBy
    from kisaan_validate.rehearse.query_texts import QueryTexts
    from kisaan_validate.rehearse.rehearsal import RehearsalOutcome, RehearsalRequest
    from kisaan_validate.scratch.installation import Installation
    from kisaan_validate.scratch.server import Scratch

_CLONES, _PACKED = 3, 8
"""A dump and its clones need about so many times its size; what is packed grows so many times."""


def room_for(facts: DumpFacts) -> int:
    """Bytes that a dump and its clones need on a disk, about."""
    return facts.size * _CLONES * (_PACKED if facts.compression not in {"", "none"} else 1)


@dataclass(frozen=True)
class RehearseInputs:
    """All that a rehearsal needs, read from its files. ``given`` are the words of the command line."""

    dump: Path
    facts: DumpFacts
    sources: tuple[MigrationSource, ...]
    by: ProvedBy | None
    severities: Mapping[str, Severity]
    queries: QueryTexts | None
    production: Target | None
    settings: Mapping[str, str]
    environment: Mapping[str, str]
    installation: Installation | None
    new_app: NewAppAsked | None
    output: Path
    given: Mapping[str, Any]


def read_inputs(given: Mapping[str, Any]) -> RehearseInputs:
    """What the command line names. Raises UsageError for what is missing, wrong, or would be overwritten."""
    from kisaan_validate.dumps.read import read_dump
    from kisaan_validate.postgres.target import find_target
    from kisaan_validate.rehearse.exposure import NAMED_BY_US, refuse_settings_beside
    from kisaan_validate.rehearse.migrate import read_sources
    from kisaan_validate.rehearse.query_texts import read_queries
    from kisaan_validate.rehearse.severities import severities
    from kisaan_validate.scratch.installation import choose

    dump, output = _needed(given)
    sources = read_sources(given["migrations"]) if given["migrations"] else ()
    settings = dict(_setting(text, "--settings TimeZone=UTC") for text in given["settings"])
    environment = dict(_setting(text, "--env DB_HOST={host}") for text in given["env"])
    app = _new_app(given)
    if given["cmd"] or given["old_app"] or app:
        refuse_settings_beside(Path.cwd(), {**dict.fromkeys(NAMED_BY_US, ""), **environment})
    queries = read_queries(given["queries"]) if given["queries"] else None
    by, production = _proved_by(given), find_target(given["dsn"], {}) if given["dsn"] else None
    if given["old_app"]:
        from kisaan_validate.rehearse.oldapp import health_place

        health_place(given["old_app_health"], 0)
    facts = read_dump(dump)
    named = given["scratch_bin"]
    installation = None if given["scratch_dsn"] else choose(None if named else facts.server_major, named)
    weights = severities(by.suite.settings.severities if by is not None else {})
    return RehearseInputs(
        dump,
        facts,
        sources,
        by,
        weights,
        queries,
        production,
        settings,
        environment,
        installation,
        app,
        output,
        given,
    )


def _new_app(given: Mapping[str, Any]) -> NewAppAsked | None:
    """The new build with its probes, looked at before anything is restored. Raises UsageError."""
    if (given["app"] is None) != (given["probes"] is None):
        raise UsageError("--app and --probes belong together", "give both, or neither")
    if given["app"] is None:
        return None
    from kisaan_validate.probe.load import load_probes
    from kisaan_validate.rehearse.newapp import NewAppAsked, check_app

    made = NewAppAsked(given["app"], load_probes(given["probes"]))
    check_app(made)
    return made


def _needed(given: Mapping[str, Any]) -> tuple[Path, Path]:
    """The dump and the folder to write. Raises UsageError."""
    if given["dump"] is None:
        raise UsageError("no dump was named", "name one: kisaan-validate rehearse --dump backup.sql.gz …")
    if (given["migrations"] is None) == (given["cmd"] is None):
        raise UsageError("a rehearsal runs either files or a command", "give --migrations or --cmd")
    if given["scratch_dsn"] and (given["scratch_bin"] or given["scratch_dir"]):
        raise UsageError(
            "--scratch-dsn names a server that runs already", "leave --scratch-bin and --scratch-dir out"
        )
    output: Path = given["output"] or Path("rehearsal")
    if (output / "receipt.json").exists():
        raise UsageError(f"{output} holds a rehearsal already", "name another folder with --output")
    return given["dump"], output


def _setting(text: str, example: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name.strip() or not equals:
        # The name only: the value may be a secret.
        option = example.partition(" ")[0]
        raise UsageError(f"{option} {name} is not of the form NAME=VALUE", f"write {example}")
    return name.strip(), value.strip()


def _proved_by(given: Mapping[str, Any]) -> ProvedBy | None:
    """The suite with contract and waivers; None where there is no suite and none was named."""
    from kisaan_validate.rehearse.proving import ProvedBy

    config = the_config(given["config"], suite=given["suite"])
    if given["suite"] is None and given["contract"] is None and not config.suite.is_dir():
        return None
    suite = the_suite(config)
    contract = the_contract(given["contract"], suite)
    return ProvedBy(suite, contract, the_waivers(config, suite, given["waivers"], given["no_waivers"]))


def rehearsed(inputs: RehearseInputs, stop: Stop) -> RehearsalOutcome:
    """Restore the dump into a scratch server and rehearse there; nothing of it is left."""
    from kisaan_validate.rehearse.logfile import require_log
    from kisaan_validate.rehearse.rehearsal import rehearse
    from kisaan_validate.rehearse.run import REHEARSAL_SETTINGS
    from kisaan_validate.scratch.production import refuse_if_production
    from kisaan_validate.scratch.server import scratch_server

    given = inputs.given
    productions = (inputs.production,) if inputs.production is not None else ()
    with scratch_server(
        inputs.installation,
        dsn=given["scratch_dsn"],
        need_bytes=0 if given["scratch_dsn"] else room_for(inputs.facts),
        # Nothing is changed on a lent server: its own configuration would be lost at the end.
        settings=None if given["scratch_dsn"] else REHEARSAL_SETTINGS,
        parent=given["scratch_dir"],
        productions=productions,
    ) as scratch:
        if inputs.production is not None:
            refuse_if_production(scratch, inputs.production)
        # Before hours of restoring.
        require_log(lambda: scratch.connect("postgres"))
        # Drivers of other languages know no sockets.
        if given["cmd"] or given["old_app"] or inputs.new_app:
            scratch.listen()
        return rehearse(_request(inputs, scratch, stop))


def _request(inputs: RehearseInputs, scratch: Scratch, stop: Stop) -> RehearsalRequest:
    """The dump restored, and what is asked of it."""
    from kisaan_validate.cli.output import say
    from kisaan_validate.rehearse.doors import DumpDoors, rehearsed_dump
    from kisaan_validate.rehearse.migrate import MigrationLedger
    from kisaan_validate.rehearse.migrating import Migrating
    from kisaan_validate.rehearse.oldapp import TIMEOUT
    from kisaan_validate.rehearse.rehearsal import SOURCE, OldAppAsked, RehearsalRequest
    from kisaan_validate.rehearse.waiving import rule_waivers

    given, by = inputs.given, inputs.by

    def tell(words: str) -> None:
        if not given["quiet"]:
            say(f"step     {words}")

    tell("restore the dump")
    doors = DumpDoors(inputs.dump, inputs.facts, scratch, stop)
    made = doors.make(SOURCE)
    app = given["old_app"]
    return RehearsalRequest(
        scratch,
        Migrating(
            scratch,
            inputs.sources,
            given["cmd"] or "",
            ledger=MigrationLedger(given["ledger"]),
            environment=inputs.environment,
            timeout=float(given["timeout"]),
            stop=stop,
        ),
        rehearsed_dump(inputs.facts, made),
        by,
        settings=inputs.settings,
        queries=_queries(inputs, stop),
        old_app=OldAppAsked(app, given["old_app_health"], TIMEOUT) if app else None,
        new_app=inputs.new_app,
        rollback=doors.rollback(inputs.facts.database or "DATABASE"),
        production=inputs.production,
        reader_seconds=given["open_reader"],
        points=given["interruptions"],
        waivers=rule_waivers(by.waivers if by is not None else None),
        severities=inputs.severities,
        nouns=by.suite.settings.nouns if by is not None else {},
        stop=stop,
        say=tell,
    )


def _queries(inputs: RehearseInputs, stop: Stop) -> QueryTexts | None:
    """Those of the file, else those that production runs."""
    from kisaan_validate.postgres.session import Limits, Session
    from kisaan_validate.rehearse.query_texts import read_statements

    if inputs.queries is not None or inputs.production is None:
        return inputs.queries
    session = Session(inputs.production, Limits(), ("public",), stop)
    try:
        session.begin()
        return read_statements(session)
    finally:
        session.close()
