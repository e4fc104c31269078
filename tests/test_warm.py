"""A process that is forked from the warm interpreter finds what a newly started one finds."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import warm

SAYING = """
import json, os, signal, sys
print(json.dumps([sys.argv, sys.path, os.getcwd(), dict(os.environ), __name__, sys.stdin.read()]))
print(signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
print(sys.stdout.encoding, sys.stdout.isatty())
print("to the other", file=sys.stderr)
"""

LATER = "import atexit, sys, threading, time; atexit.register(print, 'at the end'); "
LATER += "threading.Thread(target=lambda: (time.sleep(0.1), print('still'))).start()"

ENDS = {
    "import sys; sys.exit(7)": 7,
    "import sys; sys.exit('a word')": 1,
    "raise ValueError('x')": 1,
    "import os; os._exit(3)": 3,
    "import os; os.kill(os.getpid(), 15)": -15,
    "import atexit; atexit.register(print, 'at the end')": 0,
    "import sys; print('x', end=''); sys.exit()": 0,
    f"{LATER}; sys.exit(4)": 4,
    "": 0,
}


def _both(folder: Path, source: str, **env: str) -> list[subprocess.CompletedProcess[str]]:
    (folder / "said.py").write_text(source)
    return [
        warm.run("said", ["a", "b c"], folder, {**os.environ, **env}, fresh=fresh) for fresh in (True, False)
    ]


def test_it_sees_its_own_words_folder_and_environment(tmp_path: Path) -> None:
    """Arguments, paths, variables, signals and streams are those of the command."""
    started, forked = _both(tmp_path, SAYING, PYTHONPATH=f"{warm.ROOT}:/nowhere", NEW="one")
    assert (forked.returncode, forked.stdout, forked.stderr) == (0, started.stdout, started.stderr)
    assert forked.stderr == "to the other\n"


@pytest.mark.parametrize("source", ENDS)
def test_it_ends_as_it_would(tmp_path: Path, source: str) -> None:
    """Exit codes, signals, what is done at the end, and the last line of a traceback."""
    started, forked = _both(tmp_path, source)
    assert started.returncode == forked.returncode == ENDS[source]
    assert started.stdout == forked.stdout
    assert started.stderr.splitlines()[-1:] == forked.stderr.splitlines()[-1:]


def test_other_settings_of_the_interpreter_start_another_one(tmp_path: Path) -> None:
    """What is read only when an interpreter starts is heeded."""
    _, forked = _both(tmp_path, "import sys; print(sys.stdout.encoding)", PYTHONIOENCODING="iso8859-1")
    assert forked.stdout == "iso8859-1\n"


def test_it_is_ended_in_time_and_the_next_one_is_served(tmp_path: Path) -> None:
    """A command that takes too long raises TimeoutExpired."""
    (tmp_path / "said.py").write_text("import time; time.sleep(60)")
    with pytest.raises(subprocess.TimeoutExpired):
        warm.run("said", [], tmp_path, os.environ, timeout=0.2)
    assert _both(tmp_path, "print(1)")[1].stdout == "1\n"
