"""What an imported suite answers, beside what its tool answers: shared by the comparison itself and by the
test of recorded answers.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from conftest import ROOT, Server
from import_shop import SHOP
from import_states import STATED, SUITES, TWINS

from kisaan_validate.author.importers.load import import_files, read_tables
from kisaan_validate.author.importers.maker import Maker
from kisaan_validate.author.importers.outcome import ImportOutcome
from kisaan_validate.author.importers.writing import render
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.suite.files import load_files
from kisaan_validate.suite.load import Suite

FOLDER = ROOT / "tests" / "imports"
Answers = Mapping[str, str]


def recorded_at(name: str) -> Path:
    """Where the answers of a suite's tool are kept."""
    return FOLDER / "answers" / f"{name}.json"


def files_of(name: str) -> list[Path]:
    """A suite is a file, or as dbt has it, those of a project."""
    path = FOLDER / SUITES[name][1]
    return sorted(path.glob("models/*.yml")) + sorted(path.glob("tests/*.sql")) if path.is_dir() else [path]


def digest_of(name: str, sql: str) -> str:
    """Of everything that answers hang on: the suite, the database and its damage. A record of anything
    else is stale.
    """
    texts = [SHOP, sql, *(path.read_text(encoding="utf-8") for path in files_of(name))]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


@dataclass
class Imported:
    """One suite as it is imported, asked about one state after another."""

    name: str
    maker: Maker = field(init=False)
    suite: Suite = field(init=False)
    agreed: dict[str, set[str]] = field(default_factory=dict)
    """By state, the keys of the items that were answered alike, or differently for a NaN alone."""

    def __post_init__(self) -> None:
        tool = SUITES[self.name][0]
        self.maker = import_files(tool, files_of(self.name), read_tables(()))
        self.suite = load_files(render(self.maker, tool, "compared", ("public",)))

    def answers(self, server: Server, sql: str) -> dict[str, str]:
        """By key, what is said here of a state."""
        database = server.create(SHOP)
        server.sql(sql, database)
        done = run(self.suite, server.dsn(database), options=Options(jobs=1, sample=0))
        server.drop(database)
        results, severities = (
            {r.check_id: r for r in done.results},
            {c.id: c.severity for c in self.suite.checks},
        )
        warns = SUITES[self.name][2] != "gx"
        return {key: _answer(o, severities, results, warns=warns) for o, key in self.keys() if o.imported}

    def keys(self) -> Iterator[tuple[ImportOutcome, str]]:
        """Each item with the key under which ``imports/answers_of_tools.py`` gives its tool's answer."""
        kind = SUITES[self.name][2]
        lines = _lines(files_of(self.name)[0]) if kind == "soda" else {}
        seen: Counter[str] = Counter()
        places = Counter(re.sub(r"\.(fail|warn)$", "", outcome.place) for outcome in self.maker.outcomes)
        for outcome in self.maker.outcomes:
            # Of a schema check that says one thing Soda's answer is the answer to that.
            place = re.sub(r"\.(fail|warn)$", "", outcome.place)
            key = lines.get(place if places[place] == 1 else outcome.place, outcome.place)
            if kind == "dbt":
                title = f"{outcome.place}|{outcome.text}"
                key, seen[title] = f"{title}|{seen[title]}", seen[title] + 1
            yield outcome, key

    def verdicts(
        self, state: str, ours: Answers, theirs: Answers
    ) -> Iterator[tuple[str, ImportOutcome, str]]:
        """Of each imported item whether it is answered alike, differently for a reason that is stated, or
        just differently; and its key.

        States come in order: one with a NaN after its twin, of which an item must agree whose answer the
        NaN alone changes.
        """
        agreed = self.agreed.setdefault(state, set())
        for outcome, key in self.keys():
            if not outcome.imported:
                continue
            verdict = (
                "not asked"
                if key not in theirs
                else self._verdict(state, outcome, key, ours[key], theirs[key])
            )
            if verdict in {"agree", "a NaN fails here"}:
                agreed.add(key)
            yield verdict, outcome, key

    def _verdict(self, state: str, outcome: ImportOutcome, key: str, ours: str, theirs: str) -> str:
        if ours == theirs[: len(ours)]:  # "none: …" carries what the tool said
            return "agree"
        if (
            ours in {"fail", "warn"}
            and theirs[:4] != "fail"
            and key in self.agreed.get(TWINS.get(state, ""), ())
        ):
            return "a NaN fails here"
        _, allowed = STATED.get(self.name, {}).get(outcome.place, ("", set()))
        return "stated" if (theirs[:4], ours) in allowed else "DIFFER"


def _answer(
    outcome: ImportOutcome, severities: Mapping[str, Severity], results: Mapping[str, Result], *, warns: bool
) -> str:
    found = [(severities[id], results[id].status) for id in outcome.ids]
    failed = [severity for severity, status in found if status is Status.FAIL]
    if not failed:
        return "none" if any(status in {Status.ERROR, Status.SKIP} for _, status in found) else "pass"
    return "warn" if warns and Severity.BLOCKING not in failed else "fail"


def _lines(file: Path) -> dict[str, str]:
    """The line, from 1, on which each check of a SodaCL file begins, by its place as the import calls it."""
    found = {}
    document = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    for key, value in document.value:
        sequences: Sequence[tuple[str, yaml.Node]] = (
            [(key.value, value)] if isinstance(value, yaml.SequenceNode) else []
        )
        if isinstance(value, yaml.MappingNode):
            tables = [node.value for k, v in value.value if k.value == "datasets" for node in v.value]
            sequences = [
                (f"{key.value}: {table}", v)
                for k, v in value.value
                if k.value == "checks"
                for table in tables
            ]
        for header, sequence in sequences:
            for index, item in enumerate(sequence.value):
                found[f"{header}[{index}]"] = str(item.start_mark.line + 1)
    return found


def read_recorded(name: str) -> dict[str, tuple[str, Answers]]:
    """By state: the digest of what was asked, and the answers. Raises OSError where nothing was recorded."""
    kept = json.loads(recorded_at(name).read_text(encoding="utf-8"))
    return {state: (of["digest"], of["answers"]) for state, of in kept["states"].items()}
