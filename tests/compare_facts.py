"""Compare the facts of two checkouts: ``python tests/compare_facts.py OTHER [--every N] [--from N]``.

The demonstration and every folder of tests/contracts go through ``baseline`` and ``run`` of both checkouts, each
by its own environment (OTHER/.venv; without one by this interpreter), against databases of one server.
Compared are exit codes, verdicts, each check's status, counts, keys and digests, each promise's state, each
difference with who explains it, and what is unknown. Words are not compared. Exits 1 if anything differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from conftest import ROOT, Server, embedded_server

CASES = ROOT / "tests" / "contracts"
ALWAYS = 'from kisaan_validate import declare\n\ndeclare.sql("SELECT 1 WHERE false", id="always")\n'
OF_A_CHECK = ("check_id", "status", "violations", "examined", "evidence", "sample", "key", "key_digest")


def facts_of(document: dict[str, Any], exit_code: int) -> dict[str, Any]:
    """What must not differ of one judged run."""
    made = document["judgement"]
    return {
        "exit code": exit_code,
        "verdict": made["verdict"],
        "failing": made["failing"],
        "checks": [{name: result[name] for name in OF_A_CHECK} for result in document["run"]["results"]],
        "moves": [(m["check_id"], m["transition"], m["origin"]) for m in made["moves"]],
        "promises": {p["id"]: (p["state"], p["explains"]) for p in made["promises"]},
        "changes": [
            {
                name: change[name]
                for name in ("kind", "table", "name", "aspect", "explained_by", "contradicts")
            }
            for change in made["changes"]
        ],
        "unknown": len(made["untold"]),
    }


def command(checkout: Path, folder: Path, dsn: str, *words: str) -> int:
    """Run one command of a checkout in a folder; its exit code."""
    own = checkout / ".venv" / "bin" / "python"
    done = subprocess.run(
        [str(own if own.exists() else sys.executable), "-m", "kisaan_validate", *words],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(checkout), "KISAAN_DSN": dsn, "HOME": str(folder)},
        capture_output=True,
        check=False,
    )
    return done.returncode


def prepared(case: Path, folder: Path) -> tuple[str, ...]:
    """The files of a case in a folder as the command line takes them; the words for its contract."""
    checks = folder / "checks"
    checks.mkdir(parents=True)
    there = case / "checks.py"
    (checks / "checks.py").write_text(there.read_text() if there.exists() else ALWAYS)
    settings = case / "suite.toml"
    (checks / "suite.toml").write_text(settings.read_text() if settings.exists() else 'name = "case"\n')
    contract = case / "contract.toml"
    if not contract.exists() or not contract.read_text().strip():
        return ()
    (folder / "contract.toml").write_text(contract.read_text())
    return ("--contract", "contract.toml")


def of_case(server: Server, case: Path, checkouts: tuple[Path, Path], scratch: Path) -> list[Any]:
    """The facts of one case by each checkout; the same database, first before, then after its change."""
    database = server.create((case / "before.sql").read_text() + "\n;SELECT 1")
    dsn, found = server.dsn(database), []
    places = [scratch / f"{case.name}-{number}" for number in range(2)]
    words = [prepared(case, place) for place in places]
    codes = [
        command(checkout, place, dsn, "baseline", "-o", "pre.json", *more)
        for checkout, place, more in zip(checkouts, places, words, strict=True)
    ]
    server.sql((case / "after.sql").read_text() + "\n;SELECT 1", database)
    for checkout, place, more, code in zip(checkouts, places, words, codes, strict=True):
        shown = ("--baseline", "pre.json", *more, "--format", "json=judged.json")
        exit_code = command(checkout, place, dsn, "run", *shown)
        file = place / "judged.json"
        found.append(
            [code, facts_of(json.loads(file.read_text()), exit_code) if file.exists() else exit_code]
        )
    server.drop(database)
    return found


def of_demo(checkout: Path, scratch: Path) -> Any:
    """The facts of the demonstration by one checkout."""
    folder = scratch / f"demo-{checkout.name}"
    folder.mkdir()
    code = command(checkout, folder, "", "demo")
    # Its last run is the one after the migration; a rehearsal may stand before it.
    file = max(folder.glob("**/run.json"), key=lambda path: path.parent.name)
    again = command(checkout, folder, "", "report", str(file.parent), "--format", "json=judged.json")
    made = facts_of(json.loads((folder / "judged.json").read_text()), code)
    # The demonstration writes the time of its migration into rows: these values differ from run to run.
    return [again, made | {"checks": [{**c, "sample": len(c["sample"])} for c in made["checks"]]}]


def main() -> int:
    """Compare, and say what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path)
    parser.add_argument("--every", type=int, default=1, help="only every nth case")
    parser.add_argument("--from", dest="first", type=int, default=0, help="begin with this one")
    given = parser.parse_args()
    checkouts = (given.other.resolve(), ROOT)
    cases = sorted(folder for folder in CASES.iterdir() if (folder / "before.sql").exists())
    cases = cases[given.first :: given.every]
    differing = []
    with embedded_server() as server, tempfile.TemporaryDirectory() as name:
        demo = [of_demo(checkout, Path(name)) for checkout in checkouts]
        differing += ["the demonstration"] if demo[0] != demo[1] else []
        for number, case in enumerate(cases):
            if number and number % 20 == 0:
                print(f"{number} of {len(cases)} cases, {len(differing)} differ so far", flush=True)
            before, after = of_case(server, case, checkouts, Path(name))
            if before != after:
                differing.append(case.name)
                print(f"{case.name}:\n  {before}\n  {after}", flush=True)
    print(
        f"{len(cases):,} cases and the demonstration: {len(differing):,} differ{': ' if differing else ''}",
        end="",
    )
    print(", ".join(differing))
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main())
