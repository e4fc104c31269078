"""docs/tutorial.md does what it says: its files are written, its commands run, its outputs seen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Server, needs

PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks() -> list[tuple[str, str, str]]:
    """(language, file name, text) of each fenced block."""
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def script() -> str:
    """One shell script of the page: files are written, commands run, ``== n`` printed after the n-th block
    of commands.
    """
    lines = ["exec 2>&1"]
    for number, (language, name, text) in enumerate(blocks()):
        if name:
            lines.append(f"cat > {name} <<'END OF FILE'\n{text}END OF FILE")
        elif language == "sh":
            kept = [line for line in text.splitlines() if not line.startswith("export PGHOST")]
            lines += [*kept, f"echo '== {number}'"]
    return "\n".join(lines)


def undated(line: str) -> str:
    """The line without the moment at which it was printed."""
    return re.sub(r"at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "at …", line.rstrip())


@pytest.mark.slow
def test_the_tutorial_is_true(server: Server, tmp_path: Path) -> None:
    """Every line that the page shows was printed, in this order, by the commands before it."""
    assert needs("psql")
    program = tmp_path / "bin" / "kisaan-validate"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m kisaan_validate "$@"\n')
    program.chmod(0o755)
    here = {
        "PGHOST": server.host,
        "PGPORT": server.port,
        "PGUSER": "postgres",
        "PATH": f"{program.parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-c", script()],
        cwd=tmp_path,
        env=os.environ | here,
        capture_output=True,
        text=True,
        timeout=300,
    )
    for name in ("tutorial", "tutorial_before"):
        server.drop(name)
    server.sql("DROP ROLE IF EXISTS reader")
    printed = re.split(r"^== (\d+)$", done.stdout, flags=re.MULTILINE)
    outputs = dict(zip(map(int, printed[1::2]), printed[0::2], strict=False))
    last, shown = -1, 0
    for number, (language, name, text) in enumerate(blocks()):
        if language == "sh":
            last = number
        elif language == "text" and not name:
            # A line is sought from behind the one found before it: `in` reads the iterator on.
            rest = iter([undated(line) for line in outputs[last].splitlines()])
            missing = [line for line in text.splitlines() if undated(line) not in rest]
            assert not missing, f"{missing}\nis not what was printed:\n{outputs[last]}"
            shown += 1
    assert shown == 6
    assert (tmp_path / "tutorial" / "checks.csv").exists()
