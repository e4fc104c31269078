"""Kits for the failing checks of a recorded run: which get one, why others get none, and their files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import KisaanError, UsageError
from kisaan_validate.facts.receipt import ReceiptFile
from kisaan_validate.facts.repair import FixItem, FixKit, FixTarget, ItemState, KitFacts, Repair
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.record.codec import digest_of
from kisaan_validate.repair.back import back_sql
from kisaan_validate.repair.books import books_sql
from kisaan_validate.repair.failing import failing_sql_of
from kisaan_validate.repair.forward import forward_sql
from kisaan_validate.repair.ground import RepairGround, qualified_name
from kisaan_validate.repair.header import back_header, books_header, forward_header
from kisaan_validate.repair.kit_script import KitScript
from kisaan_validate.repair.steps import planned_steps
from kisaan_validate.text.numbers import counted
from kisaan_validate.version import VERSION

AGAIN = "run the suite again: kisaan-validate run"


@dataclass(frozen=True)
class Wanted:
    """The failing checks that get a kit, by id, and what is said of the others."""

    repairs: Mapping[str, Repair]
    items: tuple[FixItem, ...]


def wanted_kits(run: Run, checks: Iterable[str], repairs: Mapping[str, Repair]) -> Wanted:
    """Which of the checks that were asked for (without any: all that failed) get a kit. Raises UsageError for
    one that the run does not know.
    """
    results = {result.check_id: result for result in run.results}
    asked = tuple(dict.fromkeys(checks))
    for id in asked:
        if id not in results:
            raise UsageError(
                f"run {run.id} has no check {id!r}", "name checks as the run does, or none for all"
            )
    failing = [id for id in asked or results if results[id].status is Status.FAIL]
    found = {id: why for id in failing if (why := _not_so(results[id], repairs.get(id))) is not None}
    # A check that was named and not answered is not one that passed.
    open_ = [id for id in asked if results[id].status in {Status.ERROR, Status.SKIP}]
    items = [*found.values(), *(_unanswered(results[id]) for id in open_)]
    return Wanted({id: repairs[id] for id in failing if id not in found}, tuple(items))


def _unanswered(result: Result) -> FixItem:
    fact = f"the run has no answer for it: {result.message or result.status.value}"
    return FixItem(result.check_id, ItemState.UNKNOWN, fact, AGAIN)


def _not_so(result: Result, repair: Repair | None) -> FixItem | None:
    """Why a failing check gets no kit; None if it gets one."""
    id, fact, hint = result.check_id, "", AGAIN
    if repair is None:
        fact, hint = (
            "no repair is declared for it",
            "declare one in repairs/ of the suite, or repair it by hand",
        )
    elif not result.violations:
        fact = "the run does not say how many rows fail"
    elif not result.key:
        fact = "the run kept no key of its failing rows: they have none, or it was run with --sample 0"
        hint = "give the table a primary key, and run the suite again"
    elif not result.key_digest:
        # With a count alone a kit could change other rows than those that somebody looked at.
        fact = "the run kept no digest of the failing keys, which are personal"
        hint = "without a digest it is uncertain that the same rows fail: repair it by hand"
    return FixItem(id, ItemState.UNKNOWN, fact, hint) if fact else None


@dataclass(frozen=True)
class MadeKit:
    """A kit and the texts of its files, by name."""

    facts: KitFacts
    files: Mapping[str, str]


def make_fix_kit(
    run: Run, run_digest: str, wanted: Wanted, ground: RepairGround | None, at: datetime | None = None
) -> tuple[FixKit, dict[str, str]]:
    """The record of all kits, and their files. Raises UsageError where the database is not the run's."""
    place = run.place
    target = FixTarget(place.host, place.port, place.database, place.system_identifier, place.server_version)
    made, items = [], list(wanted.items)
    if ground is not None:
        _refuse_other(run, ground)
        for id, repair in wanted.repairs.items():
            try:
                kit = _kit(run, repair, target, ground)
            # A check that cannot be repaired this way must not cost the others their kits.
            except KisaanError as error:
                items.append(
                    FixItem(id, ItemState.UNKNOWN, f"no kit could be written: {error.fact}", error.hint)
                )
                continue
            made.append(kit)
            items.append(_work(kit))
    made_at = (at or datetime.now(UTC)).replace(microsecond=0)
    suite = run.suite.digest
    kits = tuple(one.facts for one in made)
    record = FixKit(made_at, VERSION, run.id, run_digest, suite, target, tuple(items), kits)
    return record, {name: text for one in made for name, text in one.files.items()}


def _work(kit: MadeKit) -> FixItem:
    facts = kit.facts
    fact = f"{counted(facts.count, 'violation')}: {facts.title}"
    hint = (
        f"have {facts.review} review {facts.file('.repair.sql')}, prove it on a copy, then run it with psql"
    )
    return FixItem(facts.check, ItemState.WORK, fact, hint, facts.name)


def _refuse_other(run: Run, ground: RepairGround) -> None:
    """Raises UsageError for another database than the run's."""
    identifiers = {run.place.system_identifier, ground.place.system_identifier} - {""}
    if run.place.database != ground.place.database or len(identifiers) > 1:
        fact = f"the run is of database {run.place.database}, but this is {ground.place.database}"
        raise UsageError(
            f"{fact}{' on another server' if len(identifiers) > 1 else ''}",
            "name the run's database with --dsn",
        )


def _kit(run: Run, repair: Repair, target: FixTarget, ground: RepairGround) -> MadeKit:
    result = next(r for r in run.results if r.check_id == repair.check)
    _same_check(run, repair, ground)
    name = _name(run, repair, result)
    script = _script(run, repair, target, ground, name, result)
    files = _files(script, _slug(repair.check, name))
    listed = tuple(ReceiptFile(path, digest_of(text)) for path, text in files.items())
    facts = KitFacts(
        name,
        repair.check,
        repair.title,
        repair.text,
        repair.review,
        result.violations or 0,
        result.key_digest,
        repair.leaves,
        tuple(step.facts(result.violations or 0) for step in script.steps),
        repair.warnings,
        ReceiptFile(repair.origin, repair.digest),
        listed,
    )
    return MadeKit(facts, files)


def _same_check(run: Run, repair: Repair, ground: RepairGround) -> None:
    """Raises UsageError where the check's meaning has changed since the run."""
    then = run.by_id[repair.check].digest
    now = next(check.digest for check in ground.suite.checks if check.id == repair.check)
    if then != now:
        raise UsageError(f"{repair.check} means something else than in the run", AGAIN)


def _name(run: Run, repair: Repair, result: Result) -> str:
    """What a kit is called in the database: the same run, rows and repair give the same name."""
    text = "\n".join((run.id, repair.check, repair.digest, result.key_digest))
    return f"k{digest_of(text)[:12]}"


def _slug(check: str, name: str) -> str:
    return f"{re.sub(r'[^a-z0-9]+', '-', check.lower()).strip('-')[:80]}-{name[1:7]}"


def _script(
    run: Run, repair: Repair, target: FixTarget, ground: RepairGround, name: str, result: Result
) -> KitScript:
    failing = failing_sql_of(ground.plan, repair.check)
    if failing.keys != result.key:
        raise UsageError(f"the key of {repair.check} is not the one of the run", AGAIN)
    steps = planned_steps(ground, repair, name)
    changed = {step.table.key for step in steps}
    writes = [ground.table(table, repair.origin) for table in repair.writes]
    return KitScript(
        name,
        run.id,
        target,
        repair,
        ground.suite.settings.schemas,
        failing,
        result.violations or 0,
        result.key_digest,
        steps,
        tuple((qualified_name(key), ground.shapes[key]) for key in sorted(changed)),
        _read(ground, {*failing.tables, *(key for step in steps for key in step.reads)} - changed),
        tuple(qualified_name(table.key) for table in writes),
    )


def _read(ground: RepairGround, keys: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The relations that are only read, as SQL. Raises UsageError for one that cannot be locked."""
    for key in keys:
        table = ground.catalogue.tables.get(key)
        if table is not None and (not table.lockable or table.foreign):
            fact = f"{table.title} cannot be locked, so its rows may change meanwhile"
            raise UsageError(fact, "repair it by hand")
    return tuple(sorted(qualified_name(key) for key in keys if key in ground.catalogue.tables))


def _files(kit: KitScript, name: str) -> dict[str, str]:
    return {
        f"{name}.repair.sql": forward_header(kit, name) + forward_sql(kit),
        f"{name}.repair.psql": _with_psql(f"{name}.repair.sql"),
        f"{name}.way-back.sql": back_header(kit, name) + back_sql(kit),
        f"{name}.way-back.psql": _with_psql(f"{name}.way-back.sql"),
        f"{name}.books.sql": books_header(kit) + books_sql(kit),
    }


def _with_psql(name: str) -> str:
    """What psql reads: a refusal must end it with an exit code, which plain SQL cannot do."""
    return f"\\set ON_ERROR_STOP on\n\\set VERBOSITY default\n\\ir {name}\n"
