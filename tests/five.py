"""Five databases with the features of well-known ones, and what is planted in each (schemas/)."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from conftest import ROOT, Server
from shop import Shop

SCHEMAS = ROOT / "tests" / "schemas"
WORDS = {"rental": (), "orders": (), "forum": (), "music": ("music",), "map": ("public", "Old Maps")}
"""The schemas that are named on the command line, () for the usual one."""

PATIENCE = 900
"""Seconds after which a command is taken for stuck: 300 tables take long where others work too."""


def planted(name: str) -> dict[str, Any]:
    """What the changes of a schema leave behind."""
    return tomllib.loads((SCHEMAS / f"{name}.toml").read_text(encoding="utf-8"))


@dataclass
class Trip:
    """One database on its way: every command that was run, in its order, and what it left behind."""

    name: str
    server: Server
    folder: Path
    fresh: bool = False

    def __post_init__(self) -> None:
        self.database = self.server.create(self.script(self.name))
        self.copy = ""
        self.done: dict[str, subprocess.CompletedProcess[str]] = {}

    @staticmethod
    def script(name: str) -> str:
        """A file of SQL."""
        return (SCHEMAS / f"{name}.sql").read_text(encoding="utf-8")

    @property
    def schemas(self) -> list[str]:
        """The options that name the schemas."""
        return [word for schema in WORDS[self.name] for word in ("--schema", schema)]

    def command(self, step: str, *words: str) -> None:
        """Run a command as its users do, and keep what it said."""
        shop = Shop(self.server, self.folder, self.database)
        dsn = self.server.dsn(self.database)
        self.done[step] = shop.cli(*words, fresh=self.fresh, timeout=PATIENCE, KISAAN_DSN=dsn)

    def travel(self) -> None:
        """init → run → baseline → the same again → change → run --baseline → diff."""
        self.command("init", "init", *self.schemas)
        self.command("run", "run", "-q")
        self.publish()
        self.command("baseline", "baseline", "--digests", "-o", "pre.json")
        self.command("same", "run", "--baseline", "pre.json", "--format", "json=same.json")
        self.copy = self.server.create(template=self.database)
        self.compare("unchanged")
        self.server.sql(self.script(f"{self.name}_changes"), self.database)
        self.command("after", "run", "--baseline", "pre.json", "--format", "json=after.json")
        self.compare("diff")

    def compare(self, step: str) -> None:
        """Compare the copy with the database, row by row."""
        old = self.server.dsn(self.copy)
        self.command(step, "diff", "--before", old, *self.schemas, "--format", "json", "-o", f"{step}.json")

    def publish(self) -> None:
        """Say in suite.toml that nobody's data is here: these were made by SQL."""
        file = self.folder / "checks" / "suite.toml"
        text = file.read_text(encoding="utf-8")
        kept, found = re.subn(r"^personal = \[.*?^\]", "personal = []", text, flags=re.DOTALL | re.MULTILINE)
        assert found or "personal = []" in text
        file.write_text(kept, encoding="utf-8")

    def leave(self) -> None:
        """Drop both databases."""
        for name in (self.database, self.copy):
            self.server.drop(name)

    def document(self, step: str) -> dict[str, Any]:
        """The JSON that a step wrote."""
        return dict(json.loads((self.folder / f"{step}.json").read_text(encoding="utf-8")))

    @cached_property
    def changes(self) -> list[dict[str, Any]]:
        """The differences that the run found beside the baseline."""
        return list(self.document("after")["judgement"]["changes"])

    def differing(self) -> Iterator[dict[str, Any]]:
        """The tables in which the comparison of both sides found rows that differ."""
        for table in self.document("diff")["tables"]:
            if any((table["added"], table["removed"], table["changed"])):
                yield table

    @cached_property
    def version(self) -> int:
        """The server's version."""
        return int(self.server.sql("SHOW server_version_num")[0][0]) // 10000
