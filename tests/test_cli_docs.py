"""What the command line says of itself: docs/cli.md cannot lag, nothing is without help, completion works,
help is quick.
"""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from conftest import ROOT, needs
from make_cli_docs import PAGE, every_command, page

from kisaan_validate.cli.examples import EXAMPLES
from kisaan_validate.cli.exits import MEANINGS
from kisaan_validate.cli.main import COMMANDS, cli
from kisaan_validate.report.formats import BUILT_IN

NAMES = [words for words, _ in every_command()]


def test_the_page_is_what_the_commands_say() -> None:
    """docs/cli.md is generated."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python tests/make_cli_docs.py"
    assert [f"kisaan-validate {name}" in NAMES for name in (*COMMANDS, "baseline show")] == [True] * (
        len(COMMANDS) + 1
    )


@pytest.mark.parametrize(("words", "command"), every_command(), ids=NAMES)
def test_every_command_and_option_says_what_it_is_for(words: str, command: click.Command) -> None:
    """A command has help and a short help, an option has help that is a sentence; an argument is spoken of
    in the help.
    """
    assert command.help
    assert command.get_short_help_str(200).endswith(".")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{words} {parameter.opts}"
            assert parameter.help[0].isupper() or parameter.name == "formats", parameter.help
            assert parameter.help.rstrip().endswith((".", "]")), parameter.help


@pytest.mark.parametrize(("words", "command"), every_command()[1:], ids=NAMES[1:])
def test_every_command_has_examples_that_parse(words: str, command: click.Command) -> None:
    """Two to four, all in its help, for -h as for --help; each is a line that the command understands."""
    name = words.partition(" ")[2]
    lines = EXAMPLES[name]
    assert 2 <= len(lines) <= 4
    short, long = (CliRunner().invoke(cli, [*name.split(), option]) for option in ("-h", "--help"))
    assert (short.exit_code, short.output) == (0, long.output)
    assert all(f"  {line}\n" in short.output for line in lines)
    for line in lines:
        called = shlex.split(line)[1:]
        assert called[: len(name.split())] == name.split()
        if " ".join(called[: len(name.split()) + 1]) in EXAMPLES:
            continue  # the example of a group that calls a command below it, which is parsed there
        with command.make_context(line, called[len(name.split()) :]) as context:
            assert not context.args, line


def test_the_readme_names_every_exit_code() -> None:
    """And the meaning's first words."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for code, meaning in MEANINGS.items():
        assert f"| {code} | {meaning.split(':')[0]}" in readme, code


def test_the_formats_of_the_option_are_those_there_are() -> None:
    """The help of --format names each."""
    run = next(command for words, command in every_command() if words.endswith(" run"))
    (option,) = [p for p in run.params if p.name == "formats"]
    assert isinstance(option, click.Option)
    assert str(option.help).startswith(f"{', '.join(BUILT_IN)}, or")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the command kisaan-validate of this source."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "kisaan-validate"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m kisaan_validate "$@"\n')
    script.chmod(0o755)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["kisaan-validate", ""], set(COMMANDS)),
        (["kisaan-validate", "rep"], {"report"}),
        (["kisaan-validate", "run", "--format", ""], set(BUILT_IN)),
        (["kisaan-validate", "run", "--format", "ju"], {"junit"}),
        (["kisaan-validate", "schedule", "--s"], {"--scan", "--suite", "--systemd"}),
    ],
)
def test_bash_completes(program: Path, words: list[str], offered: set[str]) -> None:
    """The documented line in a real bash: it offers the commands, options and formats, and nothing else."""
    listed = " ".join(f"'{word}'" for word in words)
    script = (
        'eval "$(_KISAAN_VALIDATE_COMPLETE=bash_source kisaan-validate)"; complete -p kisaan-validate >&2;'
        f"COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; _kisaan_validate_completion "
        f"kisaan-validate; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    env = {**os.environ, "PATH": f"{program}:{os.environ['PATH']}"}
    shown = subprocess.run(
        [needs("bash"), "--norc", "-c", script], capture_output=True, text=True, env=env, timeout=60
    )
    assert "complete -o nosort -F _kisaan_validate_completion kisaan-validate" in shown.stderr
    assert set(shown.stdout.split()) == offered, shown.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_a_source_too(program: Path, shell: str) -> None:
    """click makes it; where the shell is installed, it reads it."""
    env = {**os.environ, "_KISAAN_VALIDATE_COMPLETE": f"{shell}_source"}
    shown = subprocess.run(
        [str(program / "kisaan-validate")], capture_output=True, text=True, env=env, timeout=60
    )
    assert shown.returncode == 0
    assert f"_KISAAN_VALIDATE_COMPLETE={shell}_complete" in shown.stdout
    if found := shutil.which(shell):
        assert subprocess.run([found, "-n"], input=shown.stdout, text=True, timeout=60).returncode == 0


def test_version_and_help_answer_at_once(program: Path) -> None:
    """Below 0.3 s of processor time, the best of three, for a machine may be busy."""
    for words in (["--version"], ["--help"], ["run", "--help"]):
        took = []
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            shown = subprocess.run(
                [str(program / "kisaan-validate"), *words], capture_output=True, text=True, timeout=60
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            took.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
            assert shown.returncode == 0
        assert min(took) < 0.3, (words, took)
