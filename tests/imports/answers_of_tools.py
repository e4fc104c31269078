"""Runs inside a tool's own environment: prints, as JSON, what the tool answers to each item of a suite on
a live database.

    python answers_of_tools.py gx|soda|dbt FILE HOST PORT DATABASE USER

``compare_with_tools.py`` starts it. An answer is "pass", "warn", "fail" or, with what the tool said,
"none: …".
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any


def gx(file: str, host: str, port: str, database: str, user: str) -> dict[str, str]:
    """By index: each expectation is validated by itself, over the whole table."""
    os.environ["GX_ANALYTICS_ENABLED"] = "False"
    import great_expectations as tool

    context = tool.get_context(mode="ephemeral")
    source = context.data_sources.add_postgres(
        "shop", connection_string=f"postgresql+psycopg2://{user}@localhost/{database}?host={host}&port={port}"
    )
    given = json.loads(Path(file).read_text())
    table = given["name"] if given["name"].islower() else f'"{given["name"]}"'  # else it is folded
    batch = (
        source.add_table_asset("asset", table_name=table).add_batch_definition_whole_table("all").get_batch()
    )
    suite = tool.ExpectationSuite(name=given["name"], expectations=given["expectations"], meta=given["meta"])
    answers = {}
    for index, expectation in enumerate(suite.expectations):
        found = batch.validate(expectation)
        raised = found.exception_info or {}
        messages = [raised] if "raised_exception" in raised else list(raised.values())
        said = [m["exception_message"] for m in messages if m.get("raised_exception")]
        answers[f"expectations[{index}]"] = (
            f"none: {said[0]}" if said else "pass" if found.success else "fail"
        )
    return answers


def soda(file: str, host: str, port: str, database: str, user: str) -> dict[str, str]:
    """By line of the file, from 1. One check that breaks leaves others without an answer: these are asked
    again, each by itself.
    """
    text = Path(file).read_text()
    place = f"host: {host}\n  port: {port}\n  username: {user}\n  password: x\n  database: {database}\n"
    answers = _soda_scan(text, place)
    lines = text.splitlines()
    starts = [
        n
        for n, line in enumerate(lines)
        if line.startswith(("  - ", "    - ")) and not line.startswith("    - exclude")
    ]
    for number in starts:
        if str(number + 1) not in answers:
            answers.update(_soda_scan(_alone(lines, number), place))
    return answers


def _alone(lines: list[str], number: int) -> str:
    """The file with one check in it, beside filters and configurations: other lines are left empty, so
    that it stands where it stood.
    """
    indent = len(lines[number]) - len(lines[number].lstrip())
    end = next(
        (
            n
            for n in range(number + 1, len(lines))
            if lines[n].strip() and len(lines[n]) - len(lines[n].lstrip()) <= indent
        ),
        len(lines),
    )
    kept, keeps = [], False
    for n, line in enumerate(lines):
        if line and not line.startswith(" "):
            keeps = line.startswith(("filter ", "configurations "))
            head = n
        if n == number:
            kept[head:] = lines[head : n if indent > 2 else head + 1] + [""] * (
                0 if indent > 2 else n - head - 1
            )
        kept.append(line if keeps or number <= n < end else "")
    return "\n".join(kept)


def _soda_scan(text: str, place: str) -> dict[str, str]:
    from soda.scan import Scan

    scan = Scan()
    scan.disable_telemetry()
    scan.set_data_source_name("shop")
    scan.add_configuration_yaml_str(f"data_source shop:\n  type: postgres\n  {place}")
    with (
        tempfile.TemporaryDirectory() as folder
    ):  # beside the file that one of its items needs, else Soda evaluates none
        (Path(folder) / "checks.yml").write_text(text)
        reference = (
            "dataset: orders\ncolumn: total\ndistribution_type: "
            "continuous\ndistribution_reference:\n  weights: [0.5, 0.5]\n  bins: [1, 2]\n"
        )
        (Path(folder) / "reference.yml").write_text(reference)
        scan.add_sodacl_yaml_file(str(Path(folder) / "checks.yml"))
        scan.execute()
    answers: dict[str, str] = {}
    for check in scan.get_scan_results()["checks"]:
        line, outcome = (
            str(check["location"]["line"]),
            check["outcome"] or f"none: {check.get('outcomeReasons') or 'it was not evaluated'}",
        )
        worst = max(
            (answers.get(line, "pass"), outcome), key=lambda o: ("pass", "warn", "fail", "none").index(o[:4])
        )
        answers[line] = worst
    return answers


def dbt(file: str, host: str, port: str, database: str, user: str) -> dict[str, str]:
    """By place, test and its number there: dbt's own tests and the singular ones, over models that are the
    tables themselves.
    """
    from validate_with_tools import dbt_project

    with tempfile.TemporaryDirectory() as folder:
        dbt_project(Path(folder), host, port, database, user)
        for model in (Path(folder) / "models").glob("*.sql"):
            model.write_text(
                f"{{{{ config(materialized='ephemeral') }}}} select * from public.{model.stem}\n"
            )
        tool = str(Path(sys.executable).parent / "dbt")
        known = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "False", "DO_NOT_TRACK": "1"}
        for words in (["deps"], ["test"]):
            command = [
                tool,
                "--no-use-colors",
                "--no-version-check",
                *words,
                "--profiles-dir",
                ".",
                "--vars",
                "limit: 1",
            ]
            done = subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True)
        target = Path(folder) / "target"
        if not (target / "run_results.json").exists():
            raise SystemExit(done.stdout + done.stderr)
        nodes = json.loads((target / "manifest.json").read_text())["nodes"]
        results = {
            r["unique_id"]: r for r in json.loads((target / "run_results.json").read_text())["results"]
        }
    return _dbt_answers(nodes, results)


def _dbt_answers(nodes: dict[str, dict[str, Any]], results: dict[str, dict[str, Any]]) -> dict[str, str]:
    answers: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for id, node in nodes.items():
        if node["resource_type"] != "test":
            continue
        test = node.get("test_metadata")
        if test is not None and test.get("namespace") is not None:
            continue  # of a package, for which a macro stands in that finds nothing
        place, text = _dbt_place(node, nodes)
        number, seen[f"{place}|{text}"] = seen[f"{place}|{text}"], seen[f"{place}|{text}"] + 1
        status = results[id]["status"] if id in results else "none: it was not run"
        answers[f"{place}|{text}|{number}"] = (
            f"none: {results[id]['message']}" if status == "error" else status
        )
    return answers


def _dbt_place(node: dict[str, Any], nodes: dict[str, dict[str, Any]]) -> tuple[str, str]:
    """Where a test stands and what it is, in the words of the import."""
    test = node.get("test_metadata")
    if test is None:
        return "singular test", node["name"]
    column = node["column_name"]
    about = node.get("attached_node") or next(
        n for n in node["depends_on"]["nodes"] if n.startswith("source.")
    )
    kind, _, *names = about.split(".")
    if column is None:  # named by the test itself, and perhaps an expression
        return f"{kind}s.{'.'.join(names)}", f"{test['name']} of {test['kwargs']['column_name']}"
    bare = column[1:-1].replace('""', '"') if column.startswith('"') else column
    return f"{kind}s.{'.'.join(names)}.columns.{bare}", f"{test['name']} of {bare}"


if __name__ == "__main__":
    which, *words = sys.argv[1:]
    found = {"gx": gx, "soda": soda, "dbt": dbt}[which](*words)
    print("ANSWERS " + json.dumps(found))
