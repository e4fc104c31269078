"""Declared repairs: ``repairs/*.toml`` of a suite's folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.repair import Repair, RepairStep, StepAction
from kisaan_validate.text import authored
from kisaan_validate.text.nearest import did_you_mean
from kisaan_validate.toml.reader import read

if TYPE_CHECKING:
    from kisaan_validate.suite.load import Suite
    from kisaan_validate.suite.repairs_model import RepairFile, RepairStepTable

FAILING = "failing"
"""The table that a step's SELECT reads the failing keys from."""


def load_repairs(suite: Suite) -> dict[str, Repair]:
    """The repairs of a suite's folder, by the id of their check. Raises SuiteError, naming the file."""
    folder = Path(suite.origin) / "repairs"
    found: dict[str, Repair] = {}
    if not suite.origin or not folder.is_dir():
        return found
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() != ".toml":
            continue
        origin = f"repairs/{path.name}"
        try:
            text = authored.read_exact(path)
        except (OSError, ValueError) as error:
            raise SuiteError(f"cannot be read: {error}", "", origin) from None
        repair = read_repair(text, origin)
        _fits(repair, suite, found)
        found[repair.check] = repair
    return found


def read_repair(text: str, origin: str) -> Repair:
    """The repair that a file declares. Raises SuiteError."""
    from kisaan_validate.suite.repairs_model import RepairFile

    given = read(text, origin, RepairFile)
    steps = tuple(_step(step, f"{origin}: step {n}") for n, step in enumerate(given.step, 1))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return _repair(given, steps, origin, digest)


def _repair(given: RepairFile, steps: tuple[RepairStep, ...], origin: str, digest: str) -> Repair:
    return Repair(
        given.check,
        given.title,
        given.text.strip(),
        given.review,
        steps,
        given.warnings,
        given.writes,
        given.leaves,
        origin,
        digest,
    )


def _step(given: RepairStepTable, origin: str) -> RepairStep:
    from kisaan_validate.sql.assertion import parse_select, without_end

    rows = without_end(given.rows, origin).strip()
    tree = parse_select(rows, origin)
    outputs = tree.named_selects
    wanted = (*given.key, *given.columns, *given.kept)
    if "*" not in outputs and (lost := [name for name in wanted if name not in outputs]):
        raise SuiteError(f"{lost[0]!r} is not an output of rows", f"outputs: {', '.join(outputs)}", origin)
    return RepairStep(
        given.table,
        StepAction(given.action),
        given.key,
        rows,
        given.columns,
        given.kept,
        given.also,
        given.references,
        given.books,
        given.count == "failing",
    )


def _fits(repair: Repair, suite: Suite, others: dict[str, Repair]) -> None:
    """Raises SuiteError for a repair of no check, of one that has another, or that lists personal columns."""
    if repair.check not in suite.rules:
        hint = did_you_mean(repair.check, suite.rules)
        raise SuiteError(f"there is no check {repair.check!r}", hint, repair.origin)
    if repair.check in others:
        said = f"{repair.check!r} has a repair already, in {others[repair.check].origin}"
        raise SuiteError(said, "a check has one repair", repair.origin)
    for step in repair.steps:
        for column in step.books:
            # The list goes to people who are not the database's.
            if suite.settings.is_personal(step.table, column):
                said = f"{step.table}.{column} is personal"
                raise SuiteError(said, "leave it out of books", repair.origin)
