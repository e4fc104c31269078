"""The way back: restores exactly the copied rows, if nobody changed them since the repair."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.repair import RUN_BEFORE, TRIGGERS_SETTING, StepAction
from kisaan_validate.repair.kit_script import KitScript, beginning, shown
from kisaan_validate.repair.script import (
    CHANGED_SINCE,
    LOG,
    OTHER_EFFECT,
    as_applications,
    block,
    counts_before,
    heading,
    image,
    nothing_else,
    refuse_if,
    says,
    text,
)
from kisaan_validate.repair.steps import PlannedStep, writable
from kisaan_validate.sql.expressions import quote


def back_sql(kit: KitScript) -> str:
    """The statements of the way back, without its header."""
    return "\n".join(_parts(kit)) + "\n"


def _parts(kit: KitScript) -> Iterator[str]:
    yield from beginning(kit, ())
    yield heading("3. The repair was run, and not taken back.")
    yield _ran(kit.kit)
    yield counts_before(kit.own("back_counts"))
    for step in reversed(kit.steps):
        yield heading(f"4.{step.number} {step.table.title}: as the repair left it; then as it was.")
        yield _undone(kit, step)
    yield heading("5. Nothing else was written.")
    yield from nothing_else(kit.own("back_counts"), kit.own("back_writes"), kit.steps, kit.writes, back=True)
    yield (
        f"UPDATE {LOG} AS k SET undone_at = now(), undone_by = session_user WHERE k.kit = {text(kit.kit)};"
    )
    yield "COMMIT;"
    yield shown(kit.kit)


def _ran(kit: str) -> str:
    hint = "there is nothing to take back"
    found = (
        "    SELECT k.kit, k.undone_by, k.undone_at INTO fix_kit_name, fix_kit_by, fix_kit_at\n"
        f"      FROM {LOG} AS k WHERE k.kit = {text(kit)};"
    )
    body = "\n".join(
        (
            f"  IF to_regclass('{LOG}') IS NOT NULL THEN\n{found}\n  END IF;",
            refuse_if("fix_kit_name IS NULL", RUN_BEFORE, text("this repair was not run here"), hint),
            refuse_if(
                "fix_kit_at IS NOT NULL",
                RUN_BEFORE,
                says("this repair was taken back already, by {} at {}", "fix_kit_by", "fix_kit_at"),
                hint,
            ),
        )
    )
    return block(body, ["fix_kit_name text", "fix_kit_by text", "fix_kit_at timestamptz"])


def _undone(kit: KitScript, step: PlannedStep) -> str:
    parts = [
        *_unchanged(step),
        *_triggers(step, "off"),
        *_restored(kit, step),
        *_triggers(step, "on"),
        _as_before(step),
    ]
    return block("\n".join(parts), ["fix_kit_n bigint", "fix_kit_trigger record", "fix_kit_names text[]"])


def _unchanged(step: PlannedStep) -> Iterator[str]:
    """Refuses rows that are not as the repair left them."""
    hint = "somebody changed these rows since: take them back by hand, from the copies in schema fix_kit"
    if step.action is StepAction.DELETE:
        there = f"{step.name} AS t JOIN {step.copy('before')} AS b ON {step.matches('t', 'b')}"
        yield f"  SELECT count(*) INTO fix_kit_n FROM {there};"
        said = f"{{}} deleted rows of {step.table.title} are there again"
        yield refuse_if("fix_kit_n > 0", CHANGED_SINCE, says(said, "fix_kit_n"), hint)
        return
    left = f"{step.copy('after')} AS a LEFT JOIN {step.name} AS t ON {step.matches('t', 'a')}"
    yield f"  SELECT count(*) INTO fix_kit_n FROM {left} WHERE {_differs(step, 'a')};"
    said = f"{{}} rows of {step.table.title} were changed or deleted since the repair"
    yield refuse_if("fix_kit_n > 0", CHANGED_SINCE, says(said, "fix_kit_n"), hint)


def _differs(step: PlannedStep, copy: str) -> str:
    """A row of the table, outer joined as ``t``, is not the one in the copy, byte by byte."""
    columns = list(step.table.columns)
    return f"record_image_ne({image('t', columns)}, {image(copy, columns)})"


def _restored(kit: KitScript, step: PlannedStep) -> Iterator[str]:
    if step.action is StepAction.DELETE:
        names = writable(step.table)
        listed = ", ".join(map(quote, names))
        copied = ", ".join(f"b.{quote(n)}" for n in names)
        change = (
            f"INSERT INTO {step.name} ({listed}) OVERRIDING SYSTEM VALUE\n"
            f"    SELECT {copied} FROM {step.copy('before')} AS b"
        )
    else:
        old = ", ".join(f"{quote(c)} = b.{quote(c)}" for c in (*step.columns, *step.also))
        copied = f"{step.copy('before')} AS b WHERE {step.matches('t', 'b')}"
        change = f"UPDATE {step.name} AS t SET {old} FROM {copied}"
    yield as_applications(change, kit.schemas)
    yield refuse_if(
        f"fix_kit_n <> (SELECT count(*) FROM {step.copy('before')})",
        OTHER_EFFECT,
        says(f"only {{}} rows of {step.table.title} could be put back", "fix_kit_n"),
        "a trigger, a rule or a policy keeps rows back",
    )


def _triggers(step: PlannedStep, state: str) -> Iterator[str]:
    """SQL to disable the table's own triggers, and to enable them again, if the session asked for it."""
    asked = f"current_setting('{TRIGGERS_SETTING}', true) = 'off'"
    if state == "off":
        yield (
            f"  fix_kit_names := ARRAY[]::text[];\n  IF {asked} THEN\n"
            "    FOR fix_kit_trigger IN SELECT g.tgname, g.tgenabled FROM pg_trigger AS g\n"
            f"      WHERE g.tgrelid = to_regclass({text(step.name)}) AND NOT g.tgisinternal "
            "AND g.tgenabled IN ('O', 'A') LOOP\n"
            f"      EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', {text(step.name)},\n"
            "        fix_kit_trigger.tgname);\n"
            "      fix_kit_names := fix_kit_names || format('ALTER TABLE %s ENABLE %s TRIGGER %I', "
            f"{text(step.name)},\n        CASE fix_kit_trigger.tgenabled WHEN 'A' THEN 'ALWAYS' ELSE '' END, "
            "fix_kit_trigger.tgname);\n    END LOOP;\n  END IF;"
        )
    else:
        yield (
            "  FOR fix_kit_trigger IN SELECT n AS again FROM unnest(fix_kit_names) AS n LOOP\n"
            "    EXECUTE fix_kit_trigger.again;\n  END LOOP;"
        )


def _as_before(step: PlannedStep) -> str:
    """Refuses where the rows are not as they were, byte by byte."""
    left = f"{step.copy('before')} AS b LEFT JOIN {step.name} AS t ON {step.matches('t', 'b')}"
    return (f"  SELECT count(*) INTO fix_kit_n FROM {left} WHERE {_differs(step, 'b')};\n") + refuse_if(
        "fix_kit_n > 0",
        OTHER_EFFECT,
        says(
            f"{{}} rows of {step.table.title} would not be as they were: a trigger changes them", "fix_kit_n"
        ),
        f"SET {TRIGGERS_SETTING} = 'off' before this file, as its owner: it disables the table's triggers",
    )
