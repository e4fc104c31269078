"""Every line of the runbook has a step, a command, a proof and an exit code: docs/rollout.md maps each."""

from __future__ import annotations

import re
import tomllib
from collections import Counter

import pytest
from conftest import ROOT
from test_rollout_plan import TO_COME

from kisaan_validate.cli.exits import MEANINGS
from kisaan_validate.cli.main import COMMANDS
from kisaan_validate.facts.rollout import RolloutKind
from kisaan_validate.rollout.plan import read_plan

RUNBOOK = (ROOT / "tests" / "fixtures" / "runbook.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "rollout.md").read_text(encoding="utf-8")
PLAN = read_plan((ROOT / "demo" / "rollout.toml").read_text(encoding="utf-8"), "rollout.toml")
SUITE = tomllib.loads((ROOT / "checks" / "suite.toml").read_text(encoding="utf-8"))
ADDED = {
    "baseline": "without it nothing can be compared",
    "backup-after": "repairs are proved on the migrated rows",
    "sign-off": "the page is read by a person",
    "back-told": "who was told of downtime is told of its end",
}
"""Steps that the runbook does not ask for, and why they are there."""
EIGHT = 8
"""Success criteria of the runbook."""


def lines_of(runbook: str) -> list[str]:
    """Each item and each command line of the runbook, in its order; a command over several lines is one."""
    found, fenced, rest = [], False, ""
    for line in runbook.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced and line.strip() and not line.strip().startswith("#"):
            rest = f"{rest} {line.strip().removesuffix(chr(92)).strip()}".strip()
            if not line.endswith("\\"):
                found.append(rest)
                rest = ""
        elif not fenced and line.startswith("- "):
            text = re.sub(r"^- (\[ \] )?", "", line)
            # Of the prose about the variable, its label.
            found.append(text.split("**")[1] if text.startswith("**") else text)
    return found


def rows_of(page: str) -> list[list[str]]:
    """The rows of the mapping table, without those that name a part of the runbook."""
    table = page[page.index("| line of the runbook |") :].splitlines()[2:]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table if line]
    return [[cell.replace("\\|", "|") for cell in row] for row in rows if not row[0].startswith("**")]


ROWS = rows_of(PAGE)


def _line(row: list[str]) -> str:
    """The line of the runbook that a row is about."""
    cell = row[0]
    label = re.match(r"(Env var:|Recommended:|When to enable:|Caveat:)", cell)
    if label:
        return label[1]
    return cell[1:-1] if cell.startswith("`") and cell.endswith("`") else cell


def test_every_line_of_the_runbook_is_mapped_in_its_order() -> None:
    """Law: no item, command, criterion or variable is left out, none is invented, and none stands twice."""
    lines = lines_of(RUNBOOK)
    assert len(lines) > 45
    assert Counter(lines) == Counter(map(_line, ROWS))


def test_a_line_that_is_left_out_is_seen() -> None:
    """The test above sees what it is there for: each line of the runbook, one by one."""
    whole = Counter(map(_line, ROWS))
    for row in ROWS:
        assert whole - Counter([_line(row)]) != Counter(lines_of(RUNBOOK))
    assert lines_of("- [ ] new item\n```bash\nnew command \\\n  -x\n# why\n```\n") == [
        "new item",
        "new command -x",
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: re.sub(r"\W+", "-", row[0])[:40])
def test_what_a_line_is_mapped_to_exists(row: list[str]) -> None:
    """Its steps are those of demo/rollout.toml and do what the row says, its commands and exit codes are
    known.
    """
    assert len(row) == 5
    _, steps, command, proof, code = row
    names = re.findall(r"`([^`]+)`", steps)
    assert names
    assert set(names) <= PLAN.every.keys()
    commands = [text.split()[0] for text in re.findall(r"`([^`]+)`", command)]
    assert commands or "shown" in command
    assert set(commands) <= {*COMMANDS, *TO_COME}
    done = {PLAN.every[name].argv[0] for name in names if PLAN.every[name].kind is RolloutKind.OURS}
    # Metrics are collected by the watcher, and the rollout's own words are typed by people.
    assert set(commands) - {"rollout", "metrics"} <= done
    assert proof
    assert {int(number) for number in re.findall(r"\d+", code)} <= set(MEANINGS)
    assert re.fullmatch(r"\d( or \d)*", code)


def test_every_step_of_the_plan_is_for_a_line_or_says_why() -> None:
    """What the runbook does not ask for, the plan does for a reason."""
    mapped = {name for row in ROWS for name in re.findall(r"`([^`]+)`", row[1])}
    added = PLAN.every.keys() - mapped
    assert added <= ADDED.keys()


def test_the_criteria_of_plan_and_suite_are_those_of_the_runbook() -> None:
    """The eight of the runbook, by the ids of the suite, each proved by what the plan does."""
    text = RUNBOOK[RUNBOOK.index("## Success Criteria") : RUNBOOK.index("## Post-Deployment")]
    eight = [line.removeprefix("- [ ] ") for line in text.splitlines() if line.startswith("- ")]
    assert len(eight) == EIGHT
    assert [one.text for one in PLAN.criteria] == eight
    known = {one["id"]: one for one in SUITE["criteria"]}
    for one in PLAN.criteria:
        assert one.id in known
        # What the suite proves by checks is taken from a run; what it leaves to people is proved by a step.
        assert bool(one.proved_in) is not known[one.id].get("manual", False)
    named = {text for row in ROWS for text in re.findall(r"`([a-z-]+)`", row[3])}
    assert {one.id for one in PLAN.criteria} <= named
    assert named <= known.keys()
