"""No edited fact of a record says more than was measured: what contradicts itself is refused by every
reader, by name.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Server
from helpers import measuring

from kisaan_validate import declare
from kisaan_validate.cli.main import main
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.check import Check as CheckNoun
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.result import UNANSWERED, FailOn, Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import baseline_from_json, run_from_json, run_to_json
from kisaan_validate.record.consistency import run_contradictions
from kisaan_validate.signoff.check import SignoffTrust
from kisaan_validate.signoff.evidence import Files
from kisaan_validate.signoff.verify import verify_files
from kisaan_validate.signoff.verify_signoffs import ONLY_A_SIGNATURE
from kisaan_validate.suite.load import suite_of

SAMPLE = ROOT / "reports" / "sample"


@pytest.fixture(scope="module")
def rich(server: Server) -> dict[str, Any]:
    """A run.json with every status, form and kind of evidence, tolerances, figures of columns, and
    coverage.
    """
    database = server.create(
        "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);"
        "CREATE TABLE t (id int PRIMARY KEY, p int, v numeric); INSERT INTO t SELECT i, i % 2, i - 2 "
        "FROM generate_series(1, 9) i"
    )
    suite = suite_of(
        declare.holds("t", "v > 0", id="tolerated", tolerance="1/3"),
        declare.holds("t", "v > 2", id="failed", severity="warning"),
        declare.holds("t", "v > 5", id="blocking", tolerance=1),
        declare.holds("t", "id > 0", id="passed"),
        declare.references("t", "p", "p", id="orphan"),
        declare.unique("t", "p", id="twice"),
        declare.total("t", "v", low=1000, id="figure"),
        declare.holds("t", "v / 0 > 1", id="broken"),
        declare.holds("t", "nothing > 0", id="skipped"),
        declare.holds("t", "v < 9", id="elsewhere", applies="table nowhere"),
        declare.column("t", "v", type="text", id="typed"),
    )
    made = run(suite, server.dsn(database), options=measuring(jobs=1, count_all=True))
    assert {r.status for r in made.results} == set(Status)
    return json.loads(run_to_json(made))  # type: ignore[no-any-return]


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value of a document, lists and objects among them, by its path."""
    if path:
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _leaves(inner, (*path, key))


_WORDS = [
    *Status,
    *Severity,
    *FailOn,
    "scanned",
    "streamed",
    "catalogue",
    "proved by constraint",
    "none",
    "row",
    "join",
    "query",
    "catalog",
    "python",
]


def _edits(value: Any) -> list[Any]:
    """What an editor may make of one value."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (int, float)):
        return [value - 1, value + 1, 0, -value - 3, 10**12, None]
    if isinstance(value, str):
        return [str(w) for w in _WORDS if w != value] if value in _WORDS else ["", f"{value}x", None]
    if isinstance(value, list):
        dropped = [value[:i] + value[i + 1 :] for i in range(len(value))]
        return [*dropped, *([[*value, value[0]], value[::-1], []] if value else [])]
    return [0, "x"] if value is None else [{}, None]


LEFT_OUT = object()
"""The edit that removes a field, which then has its default."""


def _mutants(document: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], Any, dict[str, Any]]]:
    for path, value in list(_leaves(document)):
        left_out = [LEFT_OUT] if isinstance(path[-1], str) else []
        for new in [*_edits(value), *left_out]:
            if new == value and type(new) is type(value):
                continue
            changed = copy.deepcopy(document)
            place: Any = changed
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = new
            if new is LEFT_OUT:
                del place[path[-1]]
            yield path, new, changed


def _read(text: str) -> Run | str:
    """The run, or the words with which it is refused."""
    try:
        return run_from_json(text)
    except RecordError as error:
        return str(error)


def _claims(made: Run) -> tuple[int, ...]:
    """How much a run claims: each number is higher where it claims more."""
    by = made.by_id
    weight = {Severity.BLOCKING: 2, Severity.WARNING: 1, Severity.INFO: 0}
    failing = [weight[by[r.check_id].severity] for r in made.results if r.status is Status.FAIL]
    return (
        {"FAIL": 0, "INCONCLUSIVE": 1, "PASS": 2}[made.verdict.value],
        -len(failing),
        -sum(failing),
        -sum(r.violations or 0 for r in made.results),
        -sum(r.status in UNANSWERED for r in made.results),
        sum(r.examined or 0 for r in made.results),
        len(made.checks),
    )


CANNOT_BE_TOLD = {
    ("checks", "severity"),
    ("checks", "tolerance"),
    ("results", "violations"),
    ("results", "examined"),
    ("interrupted",),
    ("checks", "kind"),
    ("checks", "claim"),
    ("tables", "rows"),
    ("checks", "table"),
    ("checks", "form"),
    ("results",),
    ("checks",),
}
"""Which facts may be edited, within bounds, so that another consistent run claims more. Every other field
may not.
"""


@pytest.mark.parametrize("step", [40, pytest.param(1, marks=pytest.mark.slow)])
def test_every_edited_field_is_refused_or_claims_no_more(rich: dict[str, Any], step: int) -> None:
    """Law: of all single edits of run.json (numbers, words, texts, list items, null, a field less), each is
    refused by name, or claims no more than the original did, or makes another consistent run; and of that
    ``verify`` says that only a signature could tell.
    """
    original = _claims(run_from_json(json.dumps(rich)))
    refused = accepted = 0
    for path, new, changed in islice(_mutants(rich), step // 2, None, step):
        text = json.dumps(changed)
        made = _read(text)
        if isinstance(made, str):
            assert made.startswith("run.json ")
            refused += 1
            continue
        accepted += 1
        kind = tuple(key for key in path if isinstance(key, str))[:2]
        if any(a > b for a, b in zip(_claims(made), original, strict=True)):
            assert kind in CANNOT_BE_TOLD, (path, new)
        if kind[0] in {"results", "checks", "interrupted", "tables"} and accepted % 7 == 1:
            found = verify_files(Files("x", {"run.json": text.encode()}), SignoffTrust())
            assert any(ONLY_A_SIGNATURE in f.message for f in found.findings), (path, new)
    assert refused > accepted / 4
    assert refused > 500 / step


def _edit(document: dict[str, Any], id: str, **fields: Any) -> str:
    changed = copy.deepcopy(document)
    edited = next(r for r in changed["results"] if r["check_id"] == id)
    edited.update(fields)
    for name in [name for name, value in fields.items() if value is LEFT_OUT]:
        del edited[name]
    return json.dumps(changed)


NAMED: dict[str, tuple[str, dict[str, Any], str]] = {
    "pass beside violations": ("failed", {"status": "pass"}, "passed beside 4 violations"),
    "negative": ("failed", {"violations": -3}, "-3 violations"),
    "three of nothing": (
        "failed",
        {"violations": 3, "examined": 0, "sample": LEFT_OUT, "sample_complete": LEFT_OUT},
        "3 violations among 0 examined",
    ),
    "failed beside none": ("failed", {"violations": 0}, "failed beside 0 violations"),
    "an answer made of an error": ("broken", {"status": "pass"}, "passed without a number of violations"),
    "an error that does not apply": ("broken", {"status": "not_applicable"}, "has no condition"),
    "a skip that does not apply": ("skipped", {"status": "not_applicable"}, "has no condition"),
    "tolerated beyond the tolerance": ("blocking", {"status": "tolerated"}, "but its tolerance is"),
    "examined more than there is": ("passed", {"examined": 10}, "10 rows examined of a table of 9"),
    "more keys than violations": ("failed", {"violations": 1}, "failing keys beside 1 violations"),
    "all keys": ("failed", {"violations": 5}, "are claimed to be all of 5"),
    "a catalogue fact that was scanned": ("typed", {"evidence": "scanned"}, "cannot be answered by"),
    "without evidence": ("passed", {"evidence": LEFT_OUT}, "without evidence"),
    "proved without trust": ("passed", {"evidence": "proved by constraint"}, "proved by a constraint"),
    "two figures": ("figure", {"violations": 2}, "2 violations of one figure"),
    "another check's": ("passed", {"check_id": "failed"}, "occurs 2 times"),
    "nobody's": ("passed", {"check_id": "nobody"}, "a check without a result"),
}


@pytest.mark.parametrize("name", NAMED)
def test_each_contradiction_has_a_name(name: str, rich: dict[str, Any]) -> None:
    """The edits of the field page and their kin: one line says which check and what is wrong with it."""
    id, fields, said = NAMED[name]
    with pytest.raises(RecordError, match=r"run\.json contradicts itself") as caught:
        run_from_json(_edit(rich, id, **fields))
    assert said in str(caught.value)


def test_every_reader_refuses_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Law: page, other formats, list of runs, sign-off, bundle and ``verify`` all read through the same
    door.
    """
    for file in SAMPLE.iterdir():
        if file.is_file():
            (tmp_path / "r" / "one").mkdir(parents=True, exist_ok=True)
            (tmp_path / "r" / "one" / file.name).write_bytes(file.read_bytes())
    folder = tmp_path / "r" / "one"
    document = json.loads((folder / "run.json").read_text())
    failed = next(r for r in document["results"] if r["status"] == "fail")
    failed["status"] = "pass"
    (folder / "run.json").write_text(json.dumps(document, indent=1, ensure_ascii=False))
    for words, code in [
        (["report", str(folder)], 2),
        (["report", str(folder), "--format", "json"], 2),
        (["report", str(folder), "--format", "junit"], 2),
        (["bundle", str(folder)], 2),
        (["verify", str(folder)], 1),
        (["index", str(tmp_path / "r")], 3),
    ]:
        found = main(words)
        said = capfd.readouterr()
        assert found == code, (words, found, said)
        assert "contradicts itself" in said.out + said.err, words


@pytest.mark.slow
def test_a_baseline_that_was_sealed_anew_is_refused_too(rich: dict[str, Any]) -> None:
    """Anyone can seal a file again: then its facts still have to agree."""
    from kisaan_validate.record.codec import _seal

    given = json.loads((SAMPLE / "baseline.json").read_text())
    assert baseline_from_json(json.dumps(given))
    for change in (
        lambda d: d["checks"][0].update(status="pass", violations=3),
        lambda d: d["tables"].append(d["tables"][0]),
        lambda d: d["tables"][0].update(rows=-1),
        lambda d: d["checks"].append(d["checks"][0]),
        lambda d: d["sequences"].append(d["sequences"][0]),
    ):
        changed = copy.deepcopy(given)
        change(changed)
        changed["seal"] = _seal(changed)
        with pytest.raises(RecordError, match="contradicts itself"):
            baseline_from_json(json.dumps(changed))


def test_the_recorded_samples_agree_with_themselves() -> None:
    """What is in the repository was measured, and reads back."""
    made = run_from_json((SAMPLE / "run.json").read_text())
    assert not list(run_contradictions(made))
    assert all(isinstance(one, Result) for one in made.results)
    assert all(isinstance(one, CheckNoun) for one in made.checks)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda c: c.update(severity="info"), "its severity is info"),
        pytest.param(
            lambda c: c.update(tolerance={"rows": 5}),
            "its tolerance is",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda c: c.update(id="orders.invented"), "it has a check orders.invented", marks=pytest.mark.slow
        ),
        (lambda c: None, ""),
    ],
)
def test_a_check_that_the_suite_does_not_have_is_wrong(shop: Any, edit: Any, said: str) -> None:
    """Where the suite that was run stands beside, `verify` compares what the run says of its checks with
    what it declares.
    """
    assert shop.cli("run").returncode == 0
    (record,) = shop.folder.glob("reports/*/run.json")
    document = json.loads(record.read_text())
    check = document["checks"][-1]
    old = check["id"]
    edit(check)
    for place in (document["results"], *(s["check_ids"] for s in document["statements"])):
        for n, entry in enumerate(place):
            if entry == old:
                place[n] = check["id"]
            elif isinstance(entry, dict) and entry["check_id"] == old:
                entry["check_id"] = check["id"]
    record.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    found = shop.cli("verify", str(record.parent))
    if said:
        assert found.returncode == 1, found
        assert f"{said}" in found.stdout
    assert ("unlike the suite that was run" in found.stdout) is bool(said), found.stdout
