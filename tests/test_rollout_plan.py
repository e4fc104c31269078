"""``rollout.toml`` is read strictly: what a plan cannot mean, or must not do, is refused in words."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from conftest import ROOT, slack
from rollouts import PLAN, plan_of

from kisaan_validate.cli.main import COMMANDS, cli
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.rollout import RolloutKind
from kisaan_validate.rollout.plan import MOST_STEPS, read_plan

TO_COME = {"preflight", "migrations", "wait", "probe", "fix-kit"}
"""Commands of other parts of the runbook; where one is there, its words are tried."""


def step(more: str, kind: str = "ours", id: str = "x") -> str:
    """A plan of one step."""
    words = {"ours": 'argv = ["list"]', "person": "", "shown": 'show = ["ls"]', "command": 'argv = ["ls"]'}[
        kind
    ]
    own = "" if more.startswith(("argv", "show")) else words
    return (
        'format = 1\nname = "n"\n[[phase]]\nid = "p"\ntitle = "P"\n[[phase.step]]\n'
        f'id = "{id}"\ntitle = "X"\nkind = "{kind}"\n{own}\n{more}\n'
    )


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (step('argv = "list; rm -rf /"'), "argv: must be a list, not a text"),
        (step('argv = ["sh", "-c", "rm -rf /"]', "command"), "argv lets a shell run a text"),
        (step('argv = ["/bin/bash", "-lc", "x"]', "command"), "argv lets a shell run a text"),
        (step('argv = ["env", "X=1", "zsh", "-c", "x"]', "command"), "argv lets a shell run a text"),
        (step('argv = ["cmd.exe", "/C", "x"]', "command"), "argv lets a shell run a text"),
        (step('argv = ["a\\u0000b"]', "command"), "argv has a NUL character"),
        (step('argv = [""]', "command"), "must not be empty"),
        (step("argv = []"), "a step of kind ours needs argv"),
        (step('argv = ["nope"]'), "kisaan-validate has no command 'nope'"),
        (step('argv = ["lst"]'), "kisaan-validate has no command 'lst'"),
        (step('argv = ["--help"]'), "kisaan-validate has no command '--help'"),
        (step('argv = ["rollout", "next"]'), "a rollout does not run itself"),
        (step('records = ["../x"]'), "records must be paths within the rollout's folder"),
        (step('records = ["a/../../x"]'), "records must be paths within the rollout's folder"),
        (step('records = ["/etc/passwd"]'), "records must be paths within the rollout's folder"),
        (step('records = ["a\\\\..\\\\x"]'), "records must be paths within the rollout's folder"),
        (step('records = ["C:x"]'), "records must be paths within the rollout's folder"),
        (step('records = ["./x"]'), "records must be paths within the rollout's folder"),
        (step('records = ["a//x"]'), "records must be paths within the rollout's folder"),
        (step('records = ["**/x"]'), "records must not have **"),
        (step('records = ["x"]', "person"), "only a step that is run has records"),
        (step('needs = ["x"]'), "'x' does not come before it"),
        (step('needs = ["later"]'), "'later' does not come before it"),
        (step('only_if = { step = "x", verdict = ["fail"] }'), "'x' does not come before it"),
        (step('only_if = { step = "x", verdict = [] }'), "must not be empty"),
        (step('argv = ["list", "{record:x}"]'), "'x' does not come before it"),
        (step('on_failure = "p"'), "'p' is not a phase with rollback = true"),
        (step('on_failure = "nowhere"'), "'nowhere' is not a phase with rollback = true"),
        (step("gate = []"), "must not be empty"),
        (step('gate = ["overridden"]'), "must be 'pass', 'fail' or 'unknown'"),
        (step("run = true"), "run = true is for steps of kind command"),
        (step('environment = ["A"]'), "environment and directory are for steps of kind command"),
        (step('environment = ["A=B"]', "command"), "must be the name of an environment variable"),
        (step('wait = "1 h"'), "only a step that a person attests has a wait"),
        (step('timeout = "0 s"'), "must be longer than 0 s"),
        (step('timout = "1 s"'), "unknown key 'timout'"),
        (step("", id="Preflight"), "must be a name of at most 60 small letters"),
        (step("", id="rollout.toml"), "must be a name of at most 60 small letters"),
        (step("", id="a" * 61), "must be a name of at most 60 small letters"),
        (step("", id="../x"), "must be a name of at most 60 small letters"),
        (step('show = ["a\\u001b[2Jb"]', "shown"), "must be one line of text"),
        (step('show = ["a\\nb"]', "shown"), "must be one line of text"),
        (step("").replace('title = "X"', 'title = "\\u001b]0;x\\u0007"'), "must be one line of text"),
        (step("").replace('title = "P"', 'title = "P"\nrollback = true'), "every phase is a way back"),
        (step("").replace("format = 1", "format = 2"), "format: must be 1"),
        (step("") + step("")[step("").index("[[phase.step]]") :], "two steps have the id 'x'"),
        (step("") + '[[criteria]]\nid = "c"\ntext = "C"\n', "nothing proves it"),
        (
            step("") + '[[criteria]]\nid = "c"\ntext = "C"\nsteps = ["y"]\n',
            "'y' is not a step of the way forward",
        ),
        (step("") + '[[criteria]]\nid = "c"\ntext = "C"\nproved_in = ["x"]\n', "'x' records no run"),
        ('format = 1\nname = "n"\nphase = []\n', "it has 0 steps"),
        ("", "needs 'format'"),
    ],
)
def test_what_a_plan_cannot_mean_is_refused(text: str, fact: str) -> None:
    """Law: before anything is done, in one sentence that names the place."""
    with pytest.raises(SuiteError) as refused:
        read_plan(text, "rollout.toml", COMMANDS)
    assert refused.value.fact.startswith("rollout.toml: ")
    assert fact in refused.value.fact
    assert refused.value.fact.isprintable()
    assert len(refused.value.fact) < 300


def test_a_circle_of_needs_cannot_be_written() -> None:
    """Two steps that need each other: one of them comes first, and names a later one."""
    other = '[[phase.step]]\nid = "y"\ntitle = "Y"\nkind = "person"\nneeds = ["x"]\n'
    with pytest.raises(SuiteError, match="'y' does not come before it"):
        plan_of(step('needs = ["y"]') + other)


def test_ten_thousand_steps_are_refused_soon() -> None:
    """More than a person goes through in a night; and as many as may be are read at once."""
    head = step("")
    more = [f'[[phase.step]]\nid = "s{n}"\ntitle = "S"\nkind = "person"\n' for n in range(10_000)]
    start = time.perf_counter()
    with pytest.raises(SuiteError, match="it has 10,001 steps"):
        plan_of(head + "".join(more))
    assert len(plan_of(head + "".join(more[: MOST_STEPS - 1])).every) == MOST_STEPS
    assert time.perf_counter() - start < 10 + slack()


def test_a_shell_that_runs_a_file_is_a_program() -> None:
    """Only a text for a shell is refused."""
    for argv in (
        '["bash", "migrate.sh"]',
        '["sh", "-eu", "x.sh"]',
        '["npm", "-c", "x"]',
        '["git", "-c", "a=b"]',
    ):
        assert plan_of(step(f"argv = {argv}", "command")).forward[0].argv


def test_a_step_is_another_where_anything_of_it_is_changed() -> None:
    """Each key is part of what was done."""
    base = plan_of(PLAN).every["migrate"].definition
    changed = [
        PLAN.replace('"./migrate"', '"./other"'),
        PLAN.replace('["look"]', '["told"]'),
        PLAN.replace('title = "Migrate"', 'title = "Do not migrate"'),
        PLAN.replace("out/*.txt", "out/*.log"),
        PLAN.replace("run = true", 'run = true\ngate = ["pass", "fail"]'),
        PLAN.replace("run = true", 'run = true\ntimeout = "1 min"'),
        PLAN.replace("run = true", 'run = true\nenvironment = ["A"]'),
        PLAN.replace("run = true", "run = false").replace('records = ["out/*.txt"]', ""),
    ]
    definitions = {plan_of(text).every["migrate"].definition for text in changed}
    assert len(definitions) == len(changed)
    assert base not in definitions
    # What stands elsewhere in the file is no part of it.
    assert plan_of(PLAN.replace("they must know", "because")).every["migrate"].definition == base


# --- the two runbooks that are kept ---------------------------------------------------------------------------

KEPT = [ROOT / "demo" / "rollout.toml", ROOT / "tests" / "fixtures" / "library" / "rollout.toml"]


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.parent.name)
def test_each_command_of_a_kept_runbook_takes_its_words(path: Path) -> None:
    """Law: what a step would run is a command with options that it has, tried without running it."""
    plan = read_plan(path.read_text(encoding="utf-8"), path.name, {*COMMANDS, *TO_COME})
    ours = [one for one in plan.every.values() if one.kind is RolloutKind.OURS]
    assert ours
    for one in ours:
        # Proving repairs on a copy comes with the command that writes them.
        if one.argv[0] in COMMANDS and ("--fix" not in one.argv or "fix-kit" in COMMANDS):
            _parse([_filled(word) for word in one.argv])


def _filled(word: str) -> str:
    """A word as it may be when it is run."""
    word = re.sub(r"\{when:[a-z-]+\}", "2026-11-30T22:01:00+00:00", word)
    return re.sub(r"\{(?:folder|attempt|record:[a-z-]+|beside:[a-z-]+)\}", "rollout", word)


def _parse(words: list[str]) -> None:
    """Let click read a command line, as far as it goes without running anything."""
    import click

    command: click.Command | None = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        if not words or words[0].startswith("-"):
            break
        name = words.pop(0)
        command = command.get_command(context, name)
        assert command is not None, name
    assert command is not None
    command.make_context("x", words, resilient_parsing=False)


def test_words_that_a_command_does_not_take_are_seen() -> None:
    """The test above sees what it is there for."""
    import click

    with pytest.raises(click.UsageError):
        _parse(["run", "--no-such-option"])
