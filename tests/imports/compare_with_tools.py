"""Asks Great Expectations, Soda Core or dbt and the imported suite the same questions about the same rows, and compares the answers.

Each tool lives in an environment of its own (see ``validate_with_tools.py``); from the project's environment:

    python tests/imports/compare_with_tools.py gx_1 /tmp/gx/bin/python
    python tests/imports/compare_with_tools.py gx_nulls /tmp/gx/bin/python
    python tests/imports/compare_with_tools.py gx_names /tmp/gx/bin/python          # NaN, names, patterns, conditions
    python tests/imports/compare_with_tools.py soda /tmp/soda/bin/python
    python tests/imports/compare_with_tools.py soda_names /tmp/soda/bin/python
    python tests/imports/compare_with_tools.py dbt /tmp/dbt/bin/python      # dbt's own tests, and singular ones

It asks on the rows of ``import_shop.py`` as they are, and again after each of several kinds of damage, so that failing answers are
compared as well. Exit code 1 if an item that has a counterpart is answered otherwise by its tool, but for the differences that
docs/adoption.md names. Nothing is sent anywhere: the tools' telemetry is switched off.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

from conftest import Server, embedded_server  # noqa: E402
from import_shop import SHOP  # noqa: E402

from kisaan_validate.importers.load import import_files, read_tables  # noqa: E402
from kisaan_validate.importers.outcome import Outcome  # noqa: E402
from kisaan_validate.importers.writing import render  # noqa: E402
from kisaan_validate.model import Result, Severity, Status  # noqa: E402
from kisaan_validate.runner import Options, run  # noqa: E402
from kisaan_validate.suite.files import load_files  # noqa: E402

SUITES = {
    "gx_1": ("great-expectations", "gx_1.json", "gx"), "gx_nulls": ("great-expectations", "gx_nulls.json", "gx"),
    "gx_names": ("great-expectations", "gx_names.json", "gx"), "soda": ("soda", "soda.yml", "soda"),
    "soda_names": ("soda", "soda_names.yml", "soda"), "dbt": ("dbt", "dbt", "dbt"),
}  # fmt: skip

ODD = {
    "one NaN": """UPDATE "Readings" SET f8 = 'NaN', f4 = 'NaN', n = 'NaN' WHERE id = 3; UPDATE orders SET total = 'NaN' WHERE id = 3""",
    "a pair of NaN": """UPDATE "Readings" SET n = 'NaN', n_copy = 'NaN' WHERE id = 3; UPDATE orders SET total = 'NaN', paid = 'NaN' WHERE id = 3""",
    "nothing but NaN": """UPDATE "Readings" SET f8 = 'NaN', f4 = 'NaN', n = 'NaN', n_copy = 'NaN'; UPDATE orders SET total = 'NaN', paid = 'NaN'""",
    "NaN and NULL": """UPDATE "Readings" SET f8 = NULLIF('NaN', id::float8), n = NULL WHERE id < 3; UPDATE "Readings" SET f8 = NULL WHERE id > 9""",
    "infinities": """UPDATE "Readings" SET f8 = 'Infinity', n = 'Infinity' WHERE id = 3; UPDATE "Readings" SET f8 = '-Infinity' WHERE id = 4""",
    "other cases": """ALTER TABLE "Readings" RENAME "CamelCase" TO camelcase; ALTER TABLE "Readings" RENAME lower TO "LOWER" """,
    "other names": """ALTER TABLE "Readings" RENAME my_secret TO secret_s; ALTER TABLE "Readings" RENAME credit_card_no TO no; ALTER TABLE "Readings" RENAME userid TO user_id;"""
                   """ALTER TABLE "Readings" RENAME pii_name TO "PII"; ALTER TABLE "Readings" ADD "a%b" int, ADD password_hash text""",
    "moved": """ALTER TABLE "Readings" RENAME TO old; DROP VIEW meter_readings; CREATE TABLE "Readings" AS SELECT "CamelCase", id, f8::numeric, f4, n::float8, """
             """my_secret::varchar, "select", "a b", n_copy, userid, lower, pii_name, credit_card_no FROM old; CREATE VIEW meter_readings AS SELECT * FROM "Readings" """,
    "duplicates of expressions": """UPDATE "Readings" SET my_secret = 'S_1', pii_name = 'p', "a b" = NULL, "select" = 'z' WHERE id IN (5, 6)""",
    "no readings": """DELETE FROM "Readings" """,
}  # fmt: skip
"""States in which a number is none, or names, types and patterns differ. Of the first four holds: a NaN fails here, whatever it passes there."""

DAMAGE = {
    "nothing": "SELECT 1",
    "NULLs": "UPDATE orders SET customer_id = NULL, status = NULL, total = NULL WHERE id % 7 = 0",
    "values": "UPDATE orders SET status = 'lost', total = -total, code = 'bad code, far too long'::varchar(12) WHERE id % 11 = 0",
    "one NULL": "UPDATE orders SET status = NULL, code = NULL, placed_at = NULL WHERE id = 3",
    "strangers": "UPDATE orders SET customer_id = 999, country = 'XX', share_a = 1 WHERE id IN (5, 6)",
    "duplicates": "UPDATE orders SET code = 'A-1', code_copy = 'A-2', note = 'secret' WHERE id < 40",
    "old and large": "UPDATE orders SET updated_at = now() - interval '9 days', placed_at = '2001-01-01', paid = total + 1, total = 123456.78",
    "one of two NULL": "UPDATE orders SET share_b = NULL, code_copy = NULL, note = NULL WHERE id = 4",
    "both NULL": "UPDATE orders SET share_a = NULL, share_b = NULL, code = NULL, code_copy = NULL, note = NULL WHERE id IN (4, 5)",
    "all equal": "UPDATE orders SET share_a = 1, share_b = 1, note = 'a', code = 'a', code_copy = 'a'",
    "all equal but one": "UPDATE orders SET share_a = 1, share_b = nullif(id, 7), note = 'a', code = nullif('a', id::text), code_copy = 'a'",
    "nothing but NULL": "UPDATE orders SET share_a = NULL, share_b = NULL, note = NULL, code = NULL, code_copy = NULL, status = NULL",
    "no rows": "DELETE FROM orders",
    **ODD,
}  # fmt: skip

STATED = {
    "gx_1": {"expectations[25]": "Great Expectations wants the type spelled in full", "expectations[18]": "as in gx_nulls"},
    "gx_names": {f"expectations[{i}]": "Great Expectations 1.x finds a column whatever the case of its name; here it is as it is written" for i in (61, 62, 65, 76)},
    "gx_nulls": {f"expectations[{i}]": "on SQL, its join drops rows with a NULL; here two NULLs are alike, as to its pandas" for i in (34, 35)},
}  # fmt: skip
"""What is answered otherwise on purpose, and why; docs/adoption.md says so too."""


def main(name: str, python: str) -> int:
    """Compare and print; the exit code."""
    tool, file, kind = SUITES[name]
    maker = import_files(tool, _files(HERE / file), read_tables(()))
    suite = load_files(render(maker, tool, "compared", ("public",)))
    lines = _lines(HERE / file) if kind == "soda" else {}
    told: Counter[str] = Counter()
    with embedded_server() as server:
        for damage, sql in DAMAGE.items():
            database = server.create(SHOP)
            server.sql(sql, database)
            answers = _ask(python, kind, HERE / file, server, database)
            checks = suite.by_id if hasattr(suite, "by_id") else {check.id: check for check in suite.checks}
            done = run(suite, server.dsn(database), options=Options(jobs=1, sample=0))
            results = {result.check_id: result for result in done.results}
            for outcome, key in _keys(maker.outcomes, kind, lines):
                theirs = answers.get(key)
                if not outcome.imported:
                    continue
                if theirs is None:
                    told["not asked"] += 1
                    continue
                ours = _ours(outcome, checks, results, warns=kind != "gx")
                verdict = _verdict(name, outcome, damage, theirs, ours)
                told[verdict] += 1
                told["failing"] += verdict == "agree" and ours != "pass"
                told["unanswered"] += verdict == "agree" and ours == "none"
                if verdict not in {"agree", "a NaN fails here"}:
                    print(f"{verdict}  after {damage}: {outcome.place} {outcome.text}: {tool} says {theirs[:200]!r}, here {ours!r}")
            server.drop(database)
    print(f"{name}: {sum(o.imported for o in maker.outcomes)} items on {len(DAMAGE)} states of the rows: {told['agree']} answers agree "
          f"({told['failing']} of them are no pass, {told['unanswered']} no answer), {told['stated']} differ as stated, "
          f"{told['a NaN fails here']} pass (or break on) a NaN there and fail here, {told['DIFFER']} differ; {told['not asked']} times the tool gave no answer "
          "of its own to an item")  # fmt: skip
    return 1 if told["DIFFER"] or not told["agree"] else 0


def _verdict(name: str, outcome: Outcome, damage: str, theirs: str, ours: str) -> str:
    """Whether two answers agree, differ for a reason that is stated, or differ."""
    if ours == theirs or (ours == "none" and theirs.startswith("none")):
        return "agree"
    if damage in NAN and (theirs[:4], ours) in {("pass", "fail"), ("pass", "warn"), ("warn", "fail"), ("none", "fail")}:
        return "a NaN fails here"
    return "stated" if outcome.place in STATED.get(name, {}) else "DIFFER"


NAN = tuple(ODD)[:5]
"""The states in which a number is NaN, or becomes one: infinities of both signs have no sum."""


def _files(path: Path) -> list[Path]:
    """A suite is a file, or as dbt has it, those of a project."""
    return sorted(path.glob("models/*.yml")) + sorted(path.glob("tests/*.sql")) if path.is_dir() else [path]


def _keys(outcomes: Sequence[Outcome], kind: str, lines: dict[str, str]) -> Iterator[tuple[Outcome, str]]:
    """Each item with the key under which ``answers_of_tools.py`` gives its answer."""
    seen: Counter[str] = Counter()
    places = Counter(re.sub(r"\.(fail|warn)$", "", outcome.place) for outcome in outcomes)
    for outcome in outcomes:
        # Of a schema check that says one thing Soda's answer is the answer to that.
        place = re.sub(r"\.(fail|warn)$", "", outcome.place)
        key = lines.get(place if places[place] == 1 else outcome.place, outcome.place)
        if kind == "dbt":
            name = f"{outcome.place}|{outcome.text}"
            key, seen[name] = f"{name}|{seen[name]}", seen[name] + 1
        yield outcome, key


def _ours(outcome: Outcome, checks: dict[str, Any], results: dict[str, Result], *, warns: bool) -> str:
    found = [(checks[id].severity, results[id].status) for id in outcome.ids]
    failed = [severity for severity, status in found if status is Status.FAIL]
    if not failed:
        return "none" if any(status in {Status.ERROR, Status.SKIP} for _, status in found) else "pass"
    return "warn" if warns and Severity.BLOCKING not in failed else "fail"


def _ask(python: str, kind: str, file: Path, server: Server, database: str) -> dict[str, str]:
    """What the tool says, by place; what it prints on its way is shown only if it says nothing."""
    given = dict(pair.split("=", 1) for pair in server.dsn(database).split())
    words = [python, str(HERE / "answers_of_tools.py"), kind, str(file), given["host"], given["port"], database, given["user"]]
    done = subprocess.run(words, capture_output=True, text=True, cwd="/")
    said = [line for line in done.stdout.splitlines() if line.startswith("ANSWERS ")]
    if not said:
        raise SystemExit(done.stdout + done.stderr)
    answers: dict[str, str] = json.loads(said[-1].removeprefix("ANSWERS "))
    return answers


def _lines(file: Path) -> dict[str, str]:
    """The line, from 1, on which each check of a SodaCL file begins, by its place as the import calls it."""
    found = {}
    document = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    for key, value in document.value:
        sequences = [(key.value, value)] if isinstance(value, yaml.SequenceNode) else []
        if isinstance(value, yaml.MappingNode):
            tables = [node.value for k, v in value.value if k.value == "datasets" for node in v.value]
            sequences = [(f"{key.value}: {table}", v) for k, v in value.value if k.value == "checks" for table in tables]
        for header, sequence in sequences:
            for index, item in enumerate(sequence.value):
                found[f"{header}[{index}]"] = str(item.start_mark.line + 1)
    return found


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
