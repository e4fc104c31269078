"""The command lines of the pages, and a sandbox for each page: what its readers have before they type."""

from __future__ import annotations

import gzip
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import dumps
from conftest import ROOT, Server
from shop import SUITE, TABLES, Shop

PROGRAM = "kisaan-validate"
FENCED = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ALONE = re.compile(r"""(?:"[^"]*"|'[^']*'|(?! \#|[|>;]|&&)[^"'])*""")
"""A command up to what a shell does with it: a comment, a pipe, a file, the next command."""

SHELL = {"", "sh", "console"}
"""The languages of blocks in which command lines stand."""

INLINE = re.compile(rf"`({PROGRAM} [a-z][^`]*)`")


def lines_of(text: str) -> list[str]:
    """The command lines of a page in their order, in blocks and between backticks; continued lines joined,
    without comments.
    """
    found: list[str] = []
    last = 0
    for block in FENCED.finditer(text):
        found += INLINE.findall(text[last : block.start()])
        found += _typed(block[2]) if block[1] in SHELL else []
        last = block.end()
    return [*found, *INLINE.findall(text[last:])]


def fenced_lines(text: str) -> list[str]:
    """Those in blocks alone."""
    blocks = [block[2] for block in FENCED.finditer(text) if block[1] in SHELL]
    return [line for block in blocks for line in _typed(block)]


def _typed(block: str) -> list[str]:
    """The lines of a block that begin with the program."""
    lines = [line.removeprefix("$ ").strip() for line in block.replace("\\\n", " ").splitlines()]
    return [ALONE.match(line)[0].strip() for line in lines if line.startswith(f"{PROGRAM} ")]  # type: ignore[index]


@dataclass
class Sandbox:
    """A folder and a database, as the readers of a page have them. ``words`` are what a page says for a
    name of the reader's own.
    """

    server: Server
    folder: Path
    database: str
    words: dict[str, str] = field(default_factory=dict)

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line of a page in the folder, as a shell would: names, ``~`` and ``*`` are put in."""
        words = [found for word in shlex.split(line)[1:] for found in self._expanded(word)]
        return Shop(self.server, self.folder, self.database).cli(*words, HOME=str(self.folder))

    def _expanded(self, word: str) -> list[str]:
        if "*" in word:
            return sorted(str(path.relative_to(self.folder)) for path in self.folder.glob(word))
        if word.startswith("~/"):
            return [str(self.folder / word[2:])]
        latest = self.latest
        known = {"RUN": latest, "reports/RUN.zip": f"{latest}.zip", "<folder>": latest, **self.words}
        return [known.get(word, word)]

    @property
    def latest(self) -> str:
        """The folder of the latest run, "" where there is none."""
        records = self.folder.glob("reports/*/run.json")
        # Of two that began in one second the names do not say which is newer.
        newest = max(records, key=lambda path: path.stat().st_mtime_ns, default=None)
        return str(newest.parent) if newest is not None else ""

    def write(self, name: str, text: str) -> None:
        """A file of the reader's."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def sql(self, sql: str) -> None:
        """Change the database as its owner."""
        self.server.sql(sql, self.database)


# --- what readers have, and what they do between the lines --------------------------------------------------

CONTRACT = """
format = 1
name = "orders get a currency"

[[promise]]
id = "currency"
kind = "added"
object = "column"
table = "orders"
name = "currency"

[[promise]]
id = "rows"
kind = "rows_unchanged"
table = "orders"
"""
EXPECTATIONS = """
{"expectation_suite_name": "orders", "meta": {}, "data_asset_type": null, "expectations": [
  {"expectation_type": "expect_column_values_to_not_be_null", "kwargs": {"column": "total"}, "meta": {}},
  {"expectation_type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 1}, "meta": {}}]}
"""
SODA = """
checks for orders:
  - row_count > 0
  - missing_count(total) = 0
"""
DBT = """
version: 2
models:
  - name: stg_orders
    columns:
      - name: id
        data_tests: [unique, not_null]
"""
CRITERIA = """
name = "house"

[[criteria]]
id = "stakeholders-notified"
text = "Everybody was told"
manual = true
"""


def nothing(_: Sandbox) -> None:
    """The reader has a database and an empty folder."""


def suite(box: Sandbox) -> None:
    """The reader has a suite."""
    box.write("checks/orders.py", SUITE)


def suite_and_profile(box: Sandbox) -> None:
    """The reader has a suite, and a profile that may run at any time."""
    suite(box)
    box.write("kisaan.toml", '[scan.nightly]\nbudget = "40 min"\n')


def guarded_suite(box: Sandbox) -> None:
    """The reader has a suite, and rules for its guard."""
    suite(box)
    box.write("kisaan.toml", '[guard]\npause_file = "pause"\n')


def suite_and_run(box: Sandbox) -> None:
    """The reader has a suite, and ran it."""
    suite(box)
    assert box.run(f"{PROGRAM} run").returncode == 0


def contract(box: Sandbox) -> None:
    """The reader wrote the contract of README.md."""
    box.write("what.toml", CONTRACT)


def suite_and_rollout(box: Sandbox) -> None:
    """The reader has a suite, and copied the plan of docs/rollout.md."""
    suite(box)
    page = (ROOT / "docs" / "rollout.md").read_text(encoding="utf-8")
    box.write("rollout.toml", next(block[2] for block in FENCED.finditer(page) if block[1] == "toml"))


def suite_and_contract(box: Sandbox) -> None:
    """The reader has a suite and a contract in it."""
    suite(box)
    box.write("checks/contracts/2025-10-18.toml", CONTRACT)


def migrated(box: Sandbox) -> None:
    """The migration of the contract was done: ``npm run migrate``."""
    box.sql("ALTER TABLE orders ADD currency text")


def other_tools(box: Sandbox) -> None:
    """The reader has suites of other tools, no folder ``checks`` yet, and rows enough to observe."""
    box.sql("INSERT INTO orders SELECT g, g, 'note ' || g FROM generate_series(10, 40) AS g")
    box.write("gx/expectations/orders.json", EXPECTATIONS)
    box.write("checks.yml", SODA)
    box.write("models/orders.yml", DBT)
    box.write("tests/positive.sql", "select * from {{ ref('stg_orders') }} where total < 0\n")


def elsewhere(box: Sandbox) -> None:
    """What was in ``checks`` went to another folder: the next line begins without it."""
    number = len(list(box.folder.glob("checks.*")))
    (box.folder / "checks").rename(box.folder / f"checks.{number}.old")


def two_databases(box: Sandbox) -> None:
    """There is a copy from before a change."""
    copy = box.server.create(template=box.database)
    box.sql("UPDATE orders SET total = 21 WHERE id = 2")
    box.words["postgresql://db.internal/shop_before"] = box.server.dsn(copy)
    box.words["postgresql://db.internal/shop"] = box.server.dsn(box.database)


def a_dump(box: Sandbox) -> None:
    """The night's dump lies there, packed."""
    words = [dumps.pg_dump(box.server), "-d", box.server.dsn(box.database)]
    text = subprocess.run(words, check=True, capture_output=True).stdout
    (box.folder / "dump.sql.gz").write_bytes(gzip.compress(text))


def report_named(box: Sandbox) -> None:
    """The run that a page names is the reader's own."""
    box.words["reports/20251018T023000Z-1a2b3c"] = box.latest


def signers(box: Sandbox) -> None:
    """The reader has a run, a key, and a list of people who count."""
    box.write("checks/suite.toml", CRITERIA)
    box.write("kisaan.toml", '[signoff]\nallowed_signers = "allowed_signers"\n')
    suite_and_run(box)
    key = box.folder / ".ssh" / "id_ed25519"
    key.parent.mkdir(mode=0o700)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    kind, blob, *_ = key.with_suffix(".pub").read_text().split()
    box.write("allowed_signers", f'asha@example.org namespaces="signoff@kisaan-validate" {kind} {blob}\n')


def migrations_folder(box: Sandbox) -> None:
    """The reader has two migrations, and the ledger of a runner that ran none."""
    for name in ("001_paid.sql", "002_currency.sql"):
        box.write(f"src/migrations/{name}", f"ALTER TABLE orders ADD {name[4:-4]} text;")
    box.sql("CREATE TABLE _migrations (name text PRIMARY KEY, executed_at timestamptz DEFAULT now())")
    box.sql("GRANT SELECT ON _migrations TO PUBLIC")


def ran_migrations(box: Sandbox) -> None:
    """They ran in the night of the page."""
    for hour, name in enumerate(("001_paid.sql", "002_currency.sql"), 3):
        box.sql(f"INSERT INTO _migrations VALUES ('{name}', '2025-10-18 {hour:02}:00+05:30')")


Step = Callable[[Sandbox], None]


@dataclass(frozen=True)
class Page:
    """What the reader of a page has, and the exit code that it promises of each line; ``before`` is what
    the reader does before a line.
    """

    codes: Mapping[str, int]
    has: Step = nothing
    before: Mapping[str, Step] = field(default_factory=dict)


PAGES = {
    "README.md": Page(
        {
            "init": 0,
            "run": 0,
            "baseline -o pre.json --contract what.toml": 0,
            "run --baseline pre.json --contract what.toml": 0,
            "doctor": 0,
        },
        contract,
        {"run --baseline pre.json --contract what.toml": migrated},
    ),
    "docs/adoption.md": Page(
        {
            "init": 0,
            "list --select observed": 0,
            "import --from great-expectations gx/expectations/orders.json -o checks": 0,
            "import --from soda checks.yml -o checks": 0,
            "import --from dbt models/*.yml tests/*.sql -o checks --table stg_orders=orders": 0,
        },
        other_tools,
        {
            "import --from great-expectations gx/expectations/orders.json -o checks": elsewhere,
            "import --from soda checks.yml -o checks": elsewhere,
            "import --from dbt models/*.yml tests/*.sql -o checks --table stg_orders=orders": elsewhere,
        },
    ),
    "docs/backups.md": Page(
        {
            "backup take --dump shop.dump -o shop.json": 0,
            "backup verify shop.dump --max-age '26 h' --newest orders.created_at": 0,
            "backup show shop.dump.certificate.json": 0,
            "backup sign shop.dump.certificate.json --as asha@example.org    "
            "--key ~/.ssh/id_ed25519 --reason 'monthly drill'": 0,
            "run --baseline dump.sql.gz": 0,
        },
        signers,
        {"run --baseline dump.sql.gz": a_dump},
    ),
    "docs/contracts.md": Page(
        {
            "baseline -o pre.json --contract checks/contracts/2025-10-18.toml": 0,
            "run --baseline pre.json --contract checks/contracts/2025-10-18.toml": 0,
        },
        suite_and_contract,
        {"run --baseline pre.json --contract checks/contracts/2025-10-18.toml": migrated},
    ),
    "docs/diff.md": Page(
        {
            "diff --before postgresql://db.internal/shop_before --after postgresql://db.internal/shop": 1,
        },
        two_databases,
    ),
    "docs/formats.md": Page(
        {
            "run --format junit=junit.xml --format markdown=summary.md --format github": 0,
            "report reports/20251018T023000Z-1a2b3c --format csv --output checks.csv": 0,
        },
        suite,
        {"report reports/20251018T023000Z-1a2b3c --format csv --output checks.csv": report_named},
    ),
    "docs/guard.md": Page({"run --guard": 0}, guarded_suite),
    "docs/operations.md": Page(
        {
            "doctor": 0,
            "run": 0,
            "schedule --systemd --at 02:30": 0,
            "report <folder>": 0,
            "index": 0,
            "history": 0,
        },
        suite,
    ),
    "docs/migrations.md": Page(
        {
            "migrations --folder src/migrations -o before": 1,
            "wait --until-migrated --folder src/migrations --timeout '10 min'    "
            "--health http://127.0.0.1:3000/api/health": 0,
            "migrations --folder src/migrations --before before    "
            "--since 2025-10-18T02:00+05:30 --until 2025-10-18T06:00+05:30 -o after": 0,
        },
        migrations_folder,
        {
            "wait --until-migrated --folder src/migrations --timeout '10 min'    "
            "--health http://127.0.0.1:3000/api/health": ran_migrations,
        },
    ),
    "docs/nightly.md": Page(
        {"scan": 0, "schedule --cron --scan nightly --at 01:05": 0},
        suite_and_profile,
    ),
    "docs/rollout.md": Page(
        {
            "rollout next --plan rollout.toml": 7,
            "rollout attest told --by 'Asha Rao' --text 'mailed at 21:00'": 0,
            "rollout next": 0,
            "rollout status": 7,
            "rollout page": 7,
            "rollout check": 0,
        },
        suite_and_rollout,
    ),
    "docs/signoff.md": Page(
        {
            "attest RUN --criterion stakeholders-notified --as asha@example.org --reason "
            '"mailed" --key ~/.ssh/id_ed25519': 0,
            'sign RUN --as asha@example.org --decision approve --reason "as promised" --key ~/.ssh/id_ed25519': 0,
            "bundle RUN": 0,
            "verify reports/RUN.zip --allowed-signers allowed_signers": 0,
        },
        signers,
    ),
    "docs/watchers.md": Page(
        {
            "last --within '26 h'": 0,
            "metrics --rules": 0,
            "schedule --systemd --at 02:30": 0,
        },
        suite_and_run,
    ),
    "docs/volumes.md": Page({"history backtest": 0}, suite_and_run),
    "docs/writing-checks.md": Page({"list": 0}, suite),
}
"""Every page with command lines, but those below."""

ELSEWHERE = {
    "docs/preflight.md": "needs a certificate and a receipt: run by test_preflight_cli.py",
    "docs/fix-kit.md": "needs a failing run and a dump: run by test_fix_proof.py",
    "docs/probes.md": "needs an application: run by test_probe_cli.py",
    "docs/rehearsal.md": "needs a dump and a minute: run by test_rehearse_cli.py",
    "docs/alarms.md": "needs receivers: run by test_notify_cli.py",
    "docs/tutorial.md": "run as a whole by test_tutorial.py",
    "docs/cli.md": "made from the commands, without lines to type",
}
"""Pages whose lines are not run here, and why."""

NOT_RUN = {
    "demo/README.md: demo --public-schema": "takes a minute; test_demo.py runs it",
    "docs/tampering.md: verify": "names the command; test_tampering.py runs it on every bundle of the page",
}
"""Lines that no test types as they stand, and why."""


def sandbox(server: Server, folder: Path) -> Sandbox:
    """A shop's database, and an empty folder."""
    database = server.create()
    server.sql(TABLES.format(name=database), database)
    return Sandbox(server, folder, database)


def completion(folder: Path) -> tuple[str, dict[str, str]]:
    """The line of docs/operations.md for a shell's start file, and the variables with which it finds the
    program.
    """
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (line,) = re.findall(r'^eval "\$\(_KISAAN\S+ .*?\)"', text, re.MULTILINE)
    return line, {"PATH": f"{folder}:{os.environ['PATH']}"}
