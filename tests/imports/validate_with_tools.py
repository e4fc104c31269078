"""Asks each tool itself whether the files beside this script are valid in its own eyes.

The tests need none of the tools. To look again, with each tool in an environment of its own:

    python3 -m venv /tmp/gx && /tmp/gx/bin/pip install 'great_expectations>=1.24' && /tmp/gx/bin/python
    validate_with_tools.py gx_1 python3 -m venv /tmp/gx0 && /tmp/gx0/bin/pip install
    'great_expectations==0.18.22' && /tmp/gx0/bin/python validate_with_tools.py gx_0 python3 -m venv
    /tmp/soda && /tmp/soda/bin/pip install 'soda-core-postgres<4' && /tmp/soda/bin/python
    validate_with_tools.py soda python3 -m venv /tmp/dbt && /tmp/dbt/bin/pip install 'dbt-core<1.11'
    'dbt-postgres<1.11' && /tmp/dbt/bin/python validate_with_tools.py dbt

dbt's packages (dbt_utils, dbt_expectations) come from GitHub; where that is out of reach their macros are
stood in for by empty ones of the same names, so that dbt still reads every argument.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def gx_1() -> None:
    """Each expectation is built by Great Expectations 1.x; what it does not know itself would raise."""
    from great_expectations import ExpectationSuite

    suite = json.loads((HERE / "gx_1.json").read_text())
    built = ExpectationSuite(name=suite["name"], expectations=suite["expectations"], meta=suite["meta"])
    print(f"{len(built.expectations)} of {len(suite['expectations'])} expectations are valid")
    assert len(built.expectations) == len(suite["expectations"])


def gx_0() -> None:
    """Great Expectations 0.18 reads the suite; all but the invented expectation are registered there."""
    from great_expectations.core import ExpectationSuite
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    suite = json.loads((HERE / "gx_0.json").read_text())
    ExpectationSuite(
        **{k: v for k, v in suite.items() if k in {"expectation_suite_name", "expectations", "meta"}}
    )
    known = set(list_registered_expectation_implementations())
    unknown = [e["expectation_type"] for e in suite["expectations"] if e["expectation_type"] not in known]
    print(
        f"{len(suite['expectations']) - len(unknown)} expectations are known, not known: {', '.join(unknown)}"
    )


def soda() -> None:
    """Soda Core parses the file; it says of each line what it does not take."""
    from soda.scan import Scan

    scan = Scan()
    scan.set_data_source_name("shop")
    scan.add_configuration_yaml_str(
        "data_source shop:\n  type: postgres\n  host: localhost\n  username: x\n  password: x\n  "
        "database: x\n"
    )
    from soda.sodacl.sodacl_parser import SodaCLParser

    parser = SodaCLParser(scan._sodacl_cfg, scan._logs, str(HERE / "soda.yml"), "shop")
    before = len(scan._logs.logs)
    parser.parse_sodacl_yaml_str((HERE / "soda.yml").read_text())
    said = [f"{log.level}: {log.message}" for log in scan._logs.logs[before:]]
    print("\n".join(said) or "nothing is complained about")


def dbt() -> None:
    """dbt parses the project, then compiles every test."""
    folder = Path(tempfile.mkdtemp(prefix="dbt-project-"))
    dbt_project(folder, "localhost", "5432", "x", "x")
    tool = str(Path(sys.executable).parent / "dbt")
    for words in (["deps"], ["parse", "--show-all-deprecations"], ["ls", "--resource-type", "test"]):
        done = subprocess.run(
            [tool, "--no-use-colors", *words, "--profiles-dir", ".", "--vars", "limit: 1"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        print(f"dbt {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    shutil.rmtree(folder)


def dbt_project(folder: Path, host: str, port: str, database: str, user: str) -> None:
    """Copy the project, with macros in the place of packages and a profile for a database."""
    shutil.copytree(HERE / "dbt", folder, dirs_exist_ok=True)
    text = (folder / "models" / "schema.yml").read_text() + (folder / "models" / "sources.yml").read_text()
    for package in ("dbt_utils", "dbt_expectations"):
        stub = folder / package
        (stub / "macros").mkdir(parents=True)
        (stub / "dbt_project.yml").write_text(f'name: {package}\nversion: "1.0"\nmacro-paths: [macros]\n')
        for name in sorted(set(re.findall(rf"{package}\.(\w+)", text))):
            macro = (
                f"{{% test {name}(model, column_name=none) %}}select 1 where false {{{{ kwargs "
                f"}}}}{{% endtest %}}\n"
            )
            (stub / "macros" / f"{name}.sql").write_text(macro)
    (folder / "macros").mkdir()
    (folder / "macros" / "even.sql").write_text(
        "{% test even(model, column_name) %}select 1 where false{% endtest %}\n"
    )
    (folder / "packages.yml").write_text("packages:\n  - local: dbt_utils\n  - local: dbt_expectations\n")
    output = (
        f"type: postgres, host: {host}, user: {user}, password: x, port: {port}, dbname: "
        f"{database}, schema: public, threads: 1"
    )
    (folder / "profiles.yml").write_text(f"shop:\n  target: x\n  outputs:\n    x: {{{output}}}\n")


if __name__ == "__main__":
    {"gx_1": gx_1, "gx_0": gx_0, "soda": soda, "dbt": dbt}[sys.argv[1]]()
