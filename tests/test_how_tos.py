"""Every command line of README.md and of the pages is run, in a sandbox as its readers have it, and ends as
the page says.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Server, needs
from how_tos import ELSEWHERE, NOT_RUN, PAGES, PROGRAM, Sandbox, completion, lines_of, sandbox

from kisaan_validate.cli.exits import MEANINGS

TEXTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", ROOT / "demo" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
}


def typed(page: str) -> list[str]:
    """The lines of a page that are run here, without the program's name."""
    lines = [line.removeprefix(f"{PROGRAM} ") for line in lines_of(TEXTS[page])]
    return [line for line in lines if f"{page}: {line}" not in NOT_RUN]


@pytest.mark.parametrize("page", PAGES)
def test_each_line_of_a_page_does_what_the_page_says(page: str, server: Server, tmp_path: Path) -> None:
    """In the page's order, in one folder: what a line leaves behind is there for the next one."""
    needs("ssh-keygen")
    box = sandbox(server, tmp_path)
    PAGES[page].has(box)
    for line in dict.fromkeys(typed(page)):
        assert _fault(page, line, box) == "", f"{page}: {line}"
    for name in (box.database, *server.made[server.made.index(box.database) + 1 :]):
        server.drop(name)
    server.sql(f"DROP ROLE reader_{box.database}")


def _fault(page: str, line: str, box: Sandbox) -> str:
    """Do what the reader does before a line, then run it; what is wrong with its end, "" if nothing."""
    PAGES[page].before.get(line, lambda _: None)(box)
    done = box.run(f"{PROGRAM} {line}")
    said = done.stdout + done.stderr
    if done.returncode != PAGES[page].codes[line] or "Traceback" in said:
        return f"exit {done.returncode}, not {PAGES[page].codes[line]}:\n{said}"
    return "" if said.strip() else "it says nothing"


@pytest.mark.parametrize("page", TEXTS)
def test_no_line_is_forgotten_and_none_is_stale(page: str) -> None:
    """A new line on a page needs its exit code here; what is listed here stands on its page."""
    if page in ELSEWHERE:
        assert page not in PAGES
        return
    listed = PAGES[page].codes if page in PAGES else {}
    assert set(typed(page)) == set(listed)
    if page in PAGES:
        assert PAGES[page].before.keys() <= listed.keys()


def test_what_is_not_run_here_is_there_and_has_its_reason() -> None:
    """Pages and lines; what runs a page elsewhere is a test."""
    assert ELSEWHERE.keys() <= TEXTS.keys()
    lines = {
        f"{page}: {line.removeprefix(f'{PROGRAM} ')}" for page in TEXTS for line in lines_of(TEXTS[page])
    }
    assert NOT_RUN.keys() <= lines
    for reason in [*NOT_RUN.values(), *ELSEWHERE.values()]:
        assert all((ROOT / "tests" / name).exists() for name in re.findall(r"\w+\.py", reason))


def test_exit_codes_of_the_readme_are_those_of_the_program() -> None:
    """Each line of its table; the lines that are run here promise one of them."""
    table = dict(re.findall(r"^\| (\d) \| (\w+)", TEXTS["README.md"], re.MULTILINE))
    assert {int(code) for code in table} == MEANINGS.keys()
    assert {code for page in PAGES.values() for code in page.codes.values()} <= MEANINGS.keys()


def test_lines_are_seen_wherever_they_stand() -> None:
    """In blocks, continued, with a comment or a pipe, and between backticks; in the page's order."""
    text = (
        f"Run `{PROGRAM} doctor` and `{PROGRAM}`:\n```sh\n{PROGRAM} run \\\n  --lock   # why\nls\n```\n"
        f"then `{PROGRAM} list`\n```sh\n$ {PROGRAM} index; echo\n```\n```toml\n{PROGRAM} no\n```\n"
    )
    seen = [" ".join(line.split()) for line in lines_of(text)]
    assert seen == [f"{PROGRAM} doctor", f"{PROGRAM} run --lock", f"{PROGRAM} list", f"{PROGRAM} index"]


def test_the_line_for_the_shell_completes_commands(tmp_path: Path) -> None:
    """Typed into bash as docs/operations.md has it."""
    program = tmp_path / PROGRAM
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m kisaan_validate "$@"\n')
    program.chmod(0o755)
    line, variables = completion(tmp_path)
    asked = f"{line}; complete -p {PROGRAM}; COMP_WORDS=({PROGRAM} base) COMP_CWORD=1"
    asked += f"; _kisaan_validate_completion {PROGRAM}; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(
        ["bash", "-c", asked], env=os.environ | variables, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert f"complete -o nosort -F _kisaan_validate_completion {PROGRAM}" in done.stdout
    assert done.stdout.splitlines()[-1] == "baseline"
