"""The repair as one transaction: find the rows that the run saw, copy them, change them, check again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kisaan_validate.facts.repair import FixTarget, Repair, StepAction
from kisaan_validate.plan.samples import digest_sums
from kisaan_validate.repair.failing import FailingSql
from kisaan_validate.repair.ground import shape_sql
from kisaan_validate.repair.script import (
    OTHER_EFFECT,
    OTHER_ROWS,
    OWN_PATH,
    RUN_BEFORE,
    WRONG_PLACE,
    as_applications,
    block,
    counts_before,
    heading,
    image,
    locked,
    log_name,
    nothing_else,
    opening,
    path,
    refuse_if,
    right_place,
    says,
    text,
)
from kisaan_validate.repair.steps import SCHEMA, PlannedStep, same_sign
from kisaan_validate.sql.expressions import quote
from kisaan_validate.suite.repairs import FAILING


@dataclass(frozen=True)
class KitScript:
    """All that the scripts of one kit say. ``shapes`` are the columns of each table that is changed, by its
    name as SQL; ``reads`` are tables that are only read, ``writes`` those that triggers may write into, as
    SQL; ``digest`` is that of the failing keys.
    """

    kit: str
    run: str
    target: FixTarget
    repair: Repair
    schemas: tuple[str, ...]
    failing: FailingSql
    violations: int
    digest: str
    steps: tuple[PlannedStep, ...]
    shapes: tuple[tuple[str, str], ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    @property
    def changed(self) -> tuple[str, ...]:
        """The tables whose rows are changed, as SQL, each once, sorted: all lock in one order."""
        return tuple(sorted({step.name for step in self.steps}))

    def own(self, what: str) -> str:
        """A table of the kit's own as SQL."""
        return f"{SCHEMA}.{quote(f'{self.kit}_{what}')}"


def forward_sql(kit: KitScript) -> str:
    """The statements of the repair, without its header."""
    return "\n".join(_parts(kit)) + "\n"


def _parts(kit: KitScript) -> Iterator[str]:
    yield from opening()
    yield heading("1. The right database, and a transaction of its own.")
    yield right_place(kit.target)
    yield heading("2. Until the end others can read these tables, but not write to them.")
    yield from locked(kit.changed, kit.reads)
    yield from same_shapes(kit.shapes)
    yield heading("3. The schema in which copies are kept; this kit was not run before.")
    yield own_schema(kit.kit)
    yield counts_before(kit.own("counts"))
    yield heading(f"4. The failing rows are those of the run: {kit.violations:,} violations, the same keys.")
    yield from _seen(kit)
    yield heading("5. The rows to be touched, chosen before anything is changed.")
    for step in kit.steps:
        if step.rows_sql:
            yield from _chosen(kit, step)
    for step in kit.steps:
        yield heading(f"6.{step.number} {_words(step)}")
        yield from _done(kit, step)
    yield heading("7. Nothing else was written.")
    yield from nothing_else(kit.own("counts"), kit.own("writes"), kit.steps, kit.writes, back=False)
    yield heading(f"8. The check again: {kit.repair.leaves:,} violations are left.")
    yield from _checked(kit)
    yield f"INSERT INTO {log_name()} (kit, check_id, run, applied_at, applied_by, rows)"
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


def same_shapes(shapes: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Refuses tables whose columns are not those for which the kit was written."""
    hint = "the table was altered since the kit was written: write a new kit"
    checks = [
        refuse_if(
            f"{shape_sql(table)} IS DISTINCT FROM {text(shape)}",
            WRONG_PLACE,
            text(f"the columns of {table} are not those for which this kit was written"),
            hint,
        )
        for table, shape in shapes
    ]
    yield block("\n".join(checks))


def own_schema(kit: str) -> str:
    """Creates schema and list if they are missing, and refuses a second run of the kit."""
    ran = (
        "SELECT k.applied_by, k.applied_at INTO fix_kit_by, fix_kit_at\n"
        f"    FROM {log_name()} AS k WHERE k.kit = {text(kit)};"
    )
    said = says("this kit was run already, by {} at {}", "fix_kit_by", "fix_kit_at")
    hint = "run the suite again; if rows fail again, write a new kit from that run"
    body = (
        f"  IF to_regnamespace('{SCHEMA}') IS NULL THEN\n    CREATE SCHEMA {SCHEMA};\n"
        f"    REVOKE ALL ON SCHEMA {SCHEMA} FROM PUBLIC;\n  END IF;\n"
        f"  IF to_regclass('{log_name()}') IS NULL THEN\n"
        f"    CREATE TABLE {log_name()} (kit text PRIMARY KEY, check_id text NOT NULL, run text NOT NULL,\n"
        "      applied_at timestamptz NOT NULL, applied_by text NOT NULL, rows bigint NOT NULL,\n"
        "      undone_at timestamptz, undone_by text);\n  END IF;\n"
        f"  {ran}\n" + refuse_if("FOUND", RUN_BEFORE, said, hint)
    )
    return block(body, ["fix_kit_by text", "fix_kit_at timestamptz"])


def shown(kit: str) -> str:
    """A query of what was done, as the last result."""
    is_it = f"k.kit OPERATOR(pg_catalog.=) {text(kit)}"
    return (
        "SELECT k.kit, k.check_id, k.run, k.rows, k.applied_at, k.applied_by, k.undone_at, k.undone_by\n"
        f"FROM {log_name()} AS k WHERE {is_it};"
    )


def _listed(kit: KitScript, what: str) -> Iterator[str]:
    """The failing rows into a table of the kit's."""
    yield path(kit.schemas)
    yield f"CREATE TABLE {kit.own(what)} AS\n{kit.failing.sql};"
    # The planner must not guess how many rows are joined with the tables.
    yield f"ANALYZE {kit.own(what)};"
    yield OWN_PATH


def _seen(kit: KitScript) -> Iterator[str]:
    yield from _listed(kit, FAILING)
    high, low = digest_sums([f"f.{quote(key)}::text" for key in kit.failing.keys])
    digest = (
        "encode(sha256(convert_to(format('%s|%s|%s', fix_kit_n, fix_kit_high, fix_kit_low), 'UTF8')), 'hex')"
    )
    found = (
        f"  SELECT coalesce(sum(f.{quote(kit.failing.weight)}), 0)::bigint, {high}, {low}\n"
        f"    INTO fix_kit_n, fix_kit_high, fix_kit_low FROM {kit.own(FAILING)} AS f;"
    )
    hint = "the data changed since the run: run the suite again, and write a new kit from that run"
    yield block(
        "\n".join(
            (
                found,
                refuse_if(
                    f"fix_kit_n <> {kit.violations}",
                    OTHER_ROWS,
                    says(f"the run saw {kit.violations} violations, but now there are {{}}", "fix_kit_n"),
                    hint,
                ),
                refuse_if(
                    f"{digest} IS DISTINCT FROM {text(kit.digest)}",
                    OTHER_ROWS,
                    text("as many rows fail as in the run, but not the same ones"),
                    hint,
                ),
            )
        ),
        ["fix_kit_n bigint", "fix_kit_high numeric", "fix_kit_low numeric"],
    )


def _chosen(kit: KitScript, step: PlannedStep) -> Iterator[str]:
    keys = ", ".join(f"f.{quote(key)}" for key in kit.failing.keys)
    wanted = (*step.key, *step.columns, *step.kept)
    listed = ", ".join(f"q.{quote(name)}" for name in wanted)
    yield path(kit.schemas)
    yield (
        f"CREATE TABLE {step.copy('rows')} AS\n"
        f"WITH {FAILING} AS (SELECT {keys} FROM {kit.own(FAILING)} AS f)\n"
        f"SELECT {listed}\nFROM (\n{step.rows_sql}\n) AS q;"
    )
    yield f"ANALYZE {step.copy('rows')};"
    yield OWN_PATH
    yield block("\n".join(_choice(kit, step)), ["fix_kit_n bigint"])


def _choice(kit: KitScript, step: PlannedStep) -> Iterator[str]:
    rows, hint = step.copy("rows"), "the repair that the suite declares does not fit these rows"
    title = step.table.title
    keys = ", ".join(f"r.{quote(k)}" for k in step.key)
    yield f"  SELECT count(*) INTO fix_kit_n FROM (SELECT DISTINCT {keys} FROM {rows} AS r) AS r;"
    yield refuse_if(
        f"fix_kit_n <> (SELECT count(*) FROM {rows})",
        OTHER_EFFECT,
        text(f"a row of {title} was chosen twice"),
        hint,
    )
    if step.as_failing:
        yield refuse_if(
            f"fix_kit_n <> {kit.violations}",
            OTHER_EFFECT,
            says(f"{{}} rows of {title} were chosen for {kit.violations} violations", "fix_kit_n"),
            hint,
        )
    if step.kept:
        # Counted: for EXISTS the planner would prepare to find the first row soon, which is not there.
        yield (
            f"  SELECT count(*) INTO fix_kit_n FROM {rows} AS r\n"
            f"    LEFT JOIN {step.name} AS t ON {_stays(step, 't', 'r')}\n"
            f"    LEFT JOIN {rows} AS d ON {_stays(step, 'd', 'r')}\n"
            f"    WHERE t.{quote(step.key[0])} IS NULL OR d.{quote(step.key[0])} IS NOT NULL;"
        )
        yield refuse_if(
            "fix_kit_n > 0",
            OTHER_EFFECT,
            text(f"a row of {title} that should stay is missing, or would be deleted"),
            hint,
        )


def _stays(step: PlannedStep, one: str, rows: str) -> str:
    """SQL for "the row is the one that takes over"."""
    pairs = zip(step.key, step.kept, strict=True)
    return " AND ".join(
        f"{one}.{quote(k)} {same_sign(step.table, k)} {rows}.{quote(kept)}" for k, kept in pairs
    )


def _done(kit: KitScript, step: PlannedStep) -> Iterator[str]:
    if step.doomed is not None:
        yield _moved(step, step.doomed)
        yield f"ANALYZE {step.copy('rows')};"
    yield (
        f"CREATE TABLE {step.copy('before')} AS\nSELECT t.* FROM {step.name} AS t "
        f"JOIN {step.copy('rows')} AS r ON {step.matches('t', 'r')};"
    )
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
        yield (
            f"CREATE TABLE {step.copy('after')} AS\nSELECT t.* FROM {step.name} AS t "
            f"JOIN {step.copy('rows')} AS r ON {step.matches('t', 'r')};"
        )
        yield _only_these(step)


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
    yield from _listed(kit, "left")
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
