"""Asks Great Expectations, Soda Core or dbt and the imported suite the same questions about the same rows,
and compares the answers.

Each tool lives in an environment of its own (see ``validate_with_tools.py``); from the project's environment:

    python tests/imports/compare_with_tools.py gx_1 /tmp/gx/bin/python python
    tests/imports/compare_with_tools.py gx_nulls /tmp/gx/bin/python python
    tests/imports/compare_with_tools.py gx_names /tmp/gx/bin/python          # NaN, names, patterns,
    conditions python tests/imports/compare_with_tools.py soda /tmp/soda/bin/python python
    tests/imports/compare_with_tools.py soda_names /tmp/soda/bin/python python
    tests/imports/compare_with_tools.py dbt /tmp/dbt/bin/python      # dbt's own tests, and singular ones

It asks on the rows of ``import_shop.py`` as they are, and again after each kind of damage of
``import_states.py``, so that failing answers are compared as well. ``--record`` keeps what the tool
answers in ``answers/``, with its version: ``test_import_answers.py`` holds imports to that without the
tool. Exit code 1 if an item that has a counterpart is answered differently by its tool, but for the
differences that docs/adoption.md names. Nothing is sent anywhere: the tools' telemetry is switched off.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

from conftest import Server, embedded_server  # noqa: E402
from import_answers import Imported, digest_of, recorded_at  # noqa: E402
from import_shop import SHOP  # noqa: E402
from import_states import SUITES, states_of  # noqa: E402


def main(name: str, python: str, *options: str) -> int:
    """Compare and print; the exit code."""
    tool, file, kind = SUITES[name]
    imported, told = Imported(name), Counter[str]()
    unasked: Counter[str] = Counter()
    kept: dict[str, Any] = {}
    with embedded_server() as server:
        for state, sql in states_of(name).items():
            theirs = _ask(python, kind, HERE / file, server, sql)
            kept[state] = {
                "digest": digest_of(name, sql),
                "answers": {key: answer[:4] for key, answer in sorted(theirs.items())},
            }
            ours = imported.answers(server, sql)
            for verdict, outcome, key in imported.verdicts(state, ours, theirs):
                told[verdict] += 1
                told["failing"] += verdict == "agree" and ours[key] != "pass"
                told["unanswered"] += verdict == "agree" and ours[key] == "none"
                unasked[f"{outcome.place} {outcome.text}"] += verdict == "not asked"
                if verdict in {"stated", "DIFFER"}:
                    print(
                        f"{verdict}  after {state}: {outcome.place} {outcome.text}: {tool} says "
                        f"{theirs[key][:200]!r}, here {ours[key]!r}"
                    )
    for text, times in sorted((text, times) for text, times in unasked.items() if times):
        print(f"no answer of the tool's own, {times} times: {text}")
    print(
        f"{name}: {sum(o.imported for o in imported.maker.outcomes)} items on {len(kept)} states of the "
        f"rows: {told['agree']} answers agree "
        f"({told['failing']} of them are no pass, {told['unanswered']} no answer), {told['stated']} "
        f"differ as stated, "
        f"{told['a NaN fails here']} pass (or break on) a NaN there and fail here, {told['DIFFER']} "
        f"differ; {told['not asked']} times the tool gave no answer "
        "of its own to an item"
    )
    if "--record" in options:
        made = {"made by": "compare_with_tools.py --record", "tool": _version(python, kind), "states": kept}
        recorded_at(name).parent.mkdir(exist_ok=True)
        recorded_at(name).write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if told["DIFFER"] or not told["agree"] else 0


def _ask(python: str, kind: str, file: Path, server: Server, sql: str) -> dict[str, str]:
    """What the tool says of a state, by place; what it prints on its way is shown only if it says nothing."""
    database = server.create(SHOP)
    server.sql(sql, database)
    given = dict(pair.split("=", 1) for pair in server.dsn(database).split())
    words = [
        python,
        str(HERE / "answers_of_tools.py"),
        kind,
        str(file),
        given["host"],
        given["port"],
        database,
        given["user"],
    ]
    done = subprocess.run(words, capture_output=True, text=True, cwd="/")
    said = [line for line in done.stdout.splitlines() if line.startswith("ANSWERS ")]
    if not said:
        raise SystemExit(done.stdout + done.stderr)
    server.drop(database)
    answers: dict[str, str] = json.loads(said[-1].removeprefix("ANSWERS "))
    return answers


def _version(python: str, kind: str) -> str:
    """What answered, as its package calls itself."""
    package = {"gx": "great_expectations", "soda": "soda-core", "dbt": "dbt-core"}[kind]
    asked = f"import importlib.metadata as m; print(m.version({package!r}))"
    return (
        f"{package} "
        f"{subprocess.run([python, '-c', asked], capture_output=True, text=True, check=True).stdout.strip()}"
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
