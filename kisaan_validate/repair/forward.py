"""The repair as one transaction: find the rows that the run saw, copy them, change them, check again."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.repair import FIX_SCHEMA, RUN_BEFORE, StepAction
from kisaan_validate.repair.choosing import chosen_rows, listed, seen_rows
from kisaan_validate.repair.kit_script import KitScript, beginning, shown
from kisaan_validate.repair.script import (
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
from kisaan_validate.repair.steps import PlannedStep, same_sign
from kisaan_validate.sql.expressions import quote


def forward_sql(kit: KitScript) -> str:
    """The statements of the repair, without its header."""
    return "\n".join(_parts(kit)) + "\n"


def _parts(kit: KitScript) -> Iterator[str]:
    yield from beginning(kit, kit.reads)
    yield heading("3. The schema in which copies are kept; this kit was not run before.")
    yield _own_schema(kit.kit)
    yield counts_before(kit.own("counts"))
    yield heading(f"4. The failing rows are those of the run: {kit.violations:,} violations, the same keys.")
    yield from seen_rows(kit)
    yield heading("5. The rows to be touched, chosen before anything is changed.")
    for step in kit.steps:
        if step.rows_sql:
            yield from chosen_rows(kit, step)
    for step in kit.steps:
        yield heading(f"6.{step.number} {_words(step)}")
        yield from _done(kit, step)
    yield heading("7. Nothing else was written.")
    yield from nothing_else(kit.own("counts"), kit.own("writes"), kit.steps, kit.writes, back=False)
    yield heading(f"8. The check again: {kit.repair.leaves:,} violations are left.")
    yield from _checked(kit)
    yield f"INSERT INTO {LOG} (kit, check_id, run, applied_at, applied_by, rows)"
    rows = " + ".join(f"(SELECT count(*) FROM {step.copy('before')})" for step in kit.steps)
    yield f"VALUES ({text(kit.kit)}, {text(kit.repair.check)}, {text(kit.run)}, now(), session_user, {rows});"
    yield "COMMIT;"
    yield shown(kit.kit)


def _words(step: PlannedStep) -> str:
    what = {
        StepAction.UPDATE: f"update {', '.join(step.columns)} of",
        StepAction.DELETE: "delete rows of",
        StepAction.MOVE: f"move {', '.join(step.columns)} to the rows that stay, in",
    }
    return f"Copy the rows, whole; then {what[step.action]} {step.table.title}."


def _own_schema(kit: str) -> str:
    """Creates schema and list if they are missing, and refuses a second run of the kit."""
    ran = (
        "SELECT k.applied_by, k.applied_at INTO fix_kit_by, fix_kit_at\n"
        f"    FROM {LOG} AS k WHERE k.kit = {text(kit)};"
    )
    said = says("this kit was run already, by {} at {}", "fix_kit_by", "fix_kit_at")
    hint = "run the suite again; if rows fail again, write a new kit from that run"
    body = (
        f"  IF to_regnamespace('{FIX_SCHEMA}') IS NULL THEN\n    CREATE SCHEMA {FIX_SCHEMA};\n"
        f"    REVOKE ALL ON SCHEMA {FIX_SCHEMA} FROM PUBLIC;\n  END IF;\n"
        f"  IF to_regclass('{LOG}') IS NULL THEN\n"
        f"    CREATE TABLE {LOG} (kit text PRIMARY KEY, check_id text NOT NULL, run text NOT NULL,\n"
        "      applied_at timestamptz NOT NULL, applied_by text NOT NULL, rows bigint NOT NULL,\n"
        "      undone_at timestamptz, undone_by text);\n  END IF;\n"
        f"  {ran}\n" + refuse_if("FOUND", RUN_BEFORE, said, hint)
    )
    return block(body, ["fix_kit_by text", "fix_kit_at timestamptz"])


def _done(kit: KitScript, step: PlannedStep) -> Iterator[str]:
    if step.doomed is not None:
        yield _moved(step, step.doomed)
        yield f"ANALYZE {step.copy('rows')};"
    yield _copied(step, "before")
    missing = refuse_if(
        f"(SELECT count(*) FROM {step.copy('before')}) <> (SELECT count(*) FROM {step.copy('rows')})",
        OTHER_EFFECT,
        text(f"a chosen row of {step.table.title} is not there"),
        "the repair that the suite declares does not fit these rows",
    )
    change = as_applications(_change(step), kit.schemas)
    other = refuse_if(
        f"fix_kit_n <> (SELECT count(*) FROM {step.copy('before')})",
        OTHER_EFFECT,
        says(
            f"{{}} rows of {step.table.title} should be changed, but {{}} were",
            f"(SELECT count(*) FROM {step.copy('before')})",
            "fix_kit_n",
        ),
        "a trigger, a rule or a policy keeps rows back",
    )
    yield block(f"{missing}\n{change}\n{other}", ["fix_kit_n bigint"])
    if step.action is not StepAction.DELETE:
        yield _copied(step, "after")
        yield _only_these(step)


def _copied(step: PlannedStep, what: str) -> str:
    """The rows of a step, whole, as they are now."""
    return (
        f"CREATE TABLE {step.copy(what)} AS\nSELECT t.* FROM {step.name} AS t "
        f"JOIN {step.copy('rows')} AS r ON {step.matches('t', 'r')};"
    )


def _moved(step: PlannedStep, doomed: PlannedStep) -> str:
    """The rows that refer to rows to be deleted, with the keys of those that stay."""
    keys = ", ".join(f"t.{quote(k)}" for k in step.key)
    new = ", ".join(
        f"r.{quote(kept)} AS {quote(column)}" for kept, column in zip(doomed.kept, step.columns, strict=True)
    )
    pairs = zip(step.columns, doomed.key, strict=True)
    meets = " AND ".join(f"t.{quote(c)} {same_sign(doomed.table, k)} r.{quote(k)}" for c, k in pairs)
    return (
        f"CREATE TABLE {step.copy('rows')} AS\nSELECT {keys}, {new}\n"
        f"FROM {step.name} AS t JOIN {doomed.copy('rows')} AS r ON {meets};"
    )


def _change(step: PlannedStep) -> str:
    if step.action is StepAction.DELETE:
        return f"DELETE FROM {step.name} AS t USING {step.copy('rows')} AS r WHERE {step.matches('t', 'r')}"
    new = ", ".join(f"{quote(c)} = r.{quote(c)}" for c in step.columns)
    return f"UPDATE {step.name} AS t SET {new} FROM {step.copy('rows')} AS r WHERE {step.matches('t', 'r')}"


def _only_these(step: PlannedStep) -> str:
    """Refuses where other columns changed than those that the step names; generated ones follow."""
    meant = {*step.columns, *step.also}
    others = [n for n, column in step.table.columns.items() if n not in meant and not column.generated]
    said = ", ".join(
        f"CASE WHEN bool_or(record_image_ne({image('b', [c])}, {image('a', [c])})) THEN {text(c)} END"
        for c in others
    )
    found = (
        f"  SELECT count(*), concat_ws(', ', {said})\n    INTO fix_kit_n, fix_kit_words\n"
        f"    FROM {step.copy('before')} AS b JOIN {step.copy('after')} AS a ON {step.matches('a', 'b')};"
    )
    gone = refuse_if(
        f"fix_kit_n <> (SELECT count(*) FROM {step.copy('before')})",
        OTHER_EFFECT,
        text(f"rows of {step.table.title} are gone after the change"),
        "look at the triggers of this table",
    )
    words = refuse_if(
        "fix_kit_words <> ''",
        OTHER_EFFECT,
        says(f"columns of {step.table.title} would change too: {{}}", "fix_kit_words"),
        "a trigger changes them; if that is right, name them under also in the repair, and write a new kit",
    )
    return block(f"{found}\n{gone}\n{words}", ["fix_kit_n bigint", "fix_kit_words text"])


def _checked(kit: KitScript) -> Iterator[str]:
    yield from listed(kit, "left")
    found = (
        f"  SELECT coalesce(sum(f.{quote(kit.failing.weight)}), 0)::bigint INTO fix_kit_n "
        f"FROM {kit.own('left')} AS f;"
    )
    wrong = refuse_if(
        f"fix_kit_n <> {kit.repair.leaves}",
        OTHER_EFFECT,
        says(f"after the repair there would be {{}} violations, not {kit.repair.leaves}", "fix_kit_n"),
        "the repair that the suite declares does not fix these rows",
    )
    yield block(f"{found}\n{wrong}", ["fix_kit_n bigint"])
