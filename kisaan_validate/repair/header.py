"""The header of a kit's files, for the person who reviews it."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.repair import FIX_SCHEMA, TRIGGERS_SETTING, StepAction
from kisaan_validate.repair.kit_script import KitScript
from kisaan_validate.repair.script import LOCK_TIMEOUT, STATEMENT_TIMEOUT, remark
from kisaan_validate.text.numbers import counted


def forward_header(kit: KitScript, name: str) -> str:
    """The header of the repair; ``name`` is what its files begin with."""
    lines = [*_what(kit), "", *_rows(kit), "", *_how(kit, f"{name}.repair"), *_asked_of_people(kit, name)]
    return "\n".join(map(remark, lines)) + "\n\n"


def back_header(kit: KitScript, name: str) -> str:
    """The header of the way back."""
    lines = [
        f"THE WAY BACK of: {kit.repair.title}",
        f"check    {kit.repair.check}",
        f"kit      {kit.kit}",
        "It puts the rows back as the repair found them, from its copies, in one transaction.",
        "It refuses if a row was changed since the repair.",
        f"If triggers of the tables keep it from that: SET {TRIGGERS_SETTING} = 'off' first, as their owner.",
        *(f"What triggers wrote into {table} stays." for table in kit.writes),
        *_command(f"{name}.way-back"),
    ]
    return "\n".join(map(remark, lines)) + "\n\n"


def books_header(kit: KitScript) -> str:
    """The header of the list for the books."""
    lines = [
        f"FOR THE BOOKS, after: {kit.repair.title}",
        f"kit      {kit.kit}",
        "It only reads the copies: the keys of the rows that were changed, and columns that a person lists.",
    ]
    return "\n".join(map(remark, lines)) + "\n"


def _what(kit: KitScript) -> Iterator[str]:
    place = kit.target
    yield f"REPAIR: {kit.repair.title}"
    yield f"check    {kit.repair.check}"
    yield f"run      {kit.run}"
    yield f"rows     {counted(kit.violations, 'violation')}; digest of their keys {kit.digest}"
    known = f", system identifier {place.system_identifier}" if place.system_identifier else ""
    yield f"database {place.database}{known}"
    yield f"kit      {kit.kit} (from {kit.repair.origin})"
    yield f"REVIEW   {kit.repair.review} must read this before anybody runs it"
    yield ""
    yield from kit.repair.text.splitlines()
    for words in kit.repair.warnings:
        yield f"WARNING  {words}"
    if not place.system_identifier:
        yield "WARNING  the server's identifier is not known: only the database's name is compared"


def _rows(kit: KitScript) -> Iterator[str]:
    words = {
        StepAction.UPDATE: "updates",
        StepAction.DELETE: "deletes rows of",
        StepAction.MOVE: "moves references in",
    }
    for step in kit.steps:
        rows = counted(kit.violations, "row") if step.as_failing else "as many rows as there are"
        columns = f" ({', '.join(step.columns)})" if step.columns else ""
        yield f"step {step.number}   {words[step.action]} {step.table.title}{columns}: {rows}"
        if step.action is StepAction.MOVE and not step.indexed:
            # Of each deleted row a foreign key looks for references.
            why = f"no index of {step.table.title} begins with {step.columns[0]}: deleting may take long"
            yield f"WARNING  {why}"
        if step.firing:
            yield f"         triggers of the table that fire: {', '.join(step.firing)}"
    for table in kit.writes:
        yield f"         triggers may write into {table}; the way back leaves that"


def _how(kit: KitScript, name: str) -> Iterator[str]:
    yield f"One transaction, in which others may read {', '.join(kit.changed)}, but not write."
    yield f"It gives up after {LOCK_TIMEOUT} of waiting for a lock, or {STATEMENT_TIMEOUT} of one statement."
    yield "If anything differs from what it says, it refuses and changes nothing."
    yield f"Copies of the rows, whole, stay in {FIX_SCHEMA}.{kit.kit}_…; they may hold personal values."
    yield "Drop them when nobody needs the way back any more."
    yield "The role needs to write to these tables, and CREATE on the database for the first kit."
    yield from _command(name)


def _command(name: str) -> Iterator[str]:
    yield f"With psql:      psql -X -f {name}.psql DATABASE"
    yield f"Anywhere else:  run all of {name}.sql in one session, and stop at the first error."


def _asked_of_people(kit: KitScript, name: str) -> Iterator[str]:
    yield f"Afterwards {name}.books.sql lists what changed, and {name}.way-back.psql takes it back."
