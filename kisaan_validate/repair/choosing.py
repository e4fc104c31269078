"""The failing rows are those of the run, and the rows to be touched are chosen before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.plan.samples import digest_sums
from kisaan_validate.repair.kit_script import KitScript
from kisaan_validate.repair.script import (
    OTHER_EFFECT,
    OTHER_ROWS,
    OWN_PATH,
    block,
    path,
    refuse_if,
    says,
    text,
)
from kisaan_validate.repair.steps import PlannedStep, same_sign
from kisaan_validate.sql.expressions import quote
from kisaan_validate.suite.repairs import FAILING


def listed(kit: KitScript, what: str) -> Iterator[str]:
    """Puts the failing rows into a table of the kit's own."""
    yield path(kit.schemas)
    yield f"CREATE TABLE {kit.own(what)} AS\n{kit.failing.sql};"
    # The planner must not guess how many rows are joined with the tables.
    yield f"ANALYZE {kit.own(what)};"
    yield OWN_PATH


def seen_rows(kit: KitScript) -> Iterator[str]:
    """Refuses other failing rows than those of the run."""
    yield from listed(kit, FAILING)
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


def chosen_rows(kit: KitScript, step: PlannedStep) -> Iterator[str]:
    """The rows of a step into a table of its own; refuses what the step cannot mean."""
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
