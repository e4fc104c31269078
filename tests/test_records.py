"""run.json and baselines: they read back as what was written, fit their published schema, and refuse
damage.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from datetime import datetime, timedelta, tzinfo
from itertools import count
from pathlib import Path
from typing import Any, get_args, get_type_hints

import jsonschema
import make_schemas
import pytest
from conftest import ROOT, Server
from helpers import measuring

from kisaan_validate import declare
from kisaan_validate.compare.changes import diff
from kisaan_validate.compare.tables import row_counts
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.differences import Origin, Transition
from kisaan_validate.facts.run import OLDEST_RUN_FORMAT, RUN_FORMAT, Run
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import (
    baseline_from_json,
    baseline_to_json,
    run_from_json,
    run_to_json,
    schema_of,
)
from kisaan_validate.record.files import says_it_is
from kisaan_validate.suite.load import suite_of


@pytest.fixture(scope="module")
def measured(server: Server) -> Run:
    """A run with a failure, an error and a not applicable check."""
    database = server.create(
        "CREATE TABLE t (id int PRIMARY KEY, v numeric); INSERT INTO t VALUES (1, 0.10), (2, -1)"
    )
    suite = suite_of(
        declare.holds("t", "v > 0", id="positive", tolerance="1/3"),
        declare.holds("t", "v / 0 > 1", id="broken"),
        declare.holds("t", "v < 9", id="elsewhere", applies="table nowhere"),
        declare.column("t", "v", type="numeric", id="typed"),
    )
    return run(suite, server.dsn(database), options=measuring(count_all=True))


@pytest.mark.parametrize("kind", [Run, Baseline])
def test_the_published_schema_is_the_code_s(kind: type) -> None:
    """docs/schemas is generated (tests/make_schemas.py) and never lags behind the nouns."""
    path = ROOT / "docs" / "schemas" / f"{kind.__name__.lower()}.schema.json"
    assert json.loads(path.read_text()) == schema_of(kind), "run: python tests/make_schemas.py"


@pytest.mark.parametrize("name", make_schemas.record_schemas())
def test_the_published_schema_of_each_record_is_the_code_s(name: str) -> None:
    """docs/schemas is generated for every file that is written."""
    path = ROOT / "docs" / "schemas" / f"{name}.schema.json"
    assert json.loads(path.read_text()) == make_schemas.record_schemas()[name], (
        "run: python tests/make_schemas.py"
    )


def test_a_run_reads_back_and_fits_its_schema(measured: Run) -> None:
    """Writing and reading loses nothing; the file is valid by the published schema."""
    text = run_to_json(measured)
    assert run_from_json(text) == measured
    jsonschema.validate(json.loads(text), schema_of(Run))
    baseline = baseline_of(measured)
    assert baseline_from_json(baseline_to_json(baseline)) == baseline
    jsonschema.validate(json.loads(baseline_to_json(baseline)), schema_of(Baseline))


@pytest.mark.parametrize(
    ("name", "read", "write"),
    [
        ("run-0.1.0", run_from_json, run_to_json),
        ("run-0.4.0", run_from_json, run_to_json),
        ("baseline-0.1.0", baseline_from_json, baseline_to_json),
    ],
)
def test_records_of_an_earlier_version_keep_their_bytes(
    name: str, read: Callable[[str], object], write: Callable[[object], str]
) -> None:
    """Digests by which other files and signatures refer to a record still fit after an upgrade: LATER
    names what came since, and a default stays what it was.
    """
    text = (Path(__file__).parent / "fixtures" / "records" / f"{name}.json").read_text(encoding="utf-8")
    assert write(read(text)) == text


def test_a_run_leaves_out_fields_at_their_default(measured: Run) -> None:
    """It is shorter, says the same, and a default that somebody writes into it is an edit."""
    full = replace(measured, format_version=OLDEST_RUN_FORMAT)
    assert len(run_to_json(measured)) < len(run_to_json(full))
    assert replace(run_from_json(run_to_json(full)), format_version=RUN_FORMAT) == measured
    document = json.loads(run_to_json(measured))
    assert "sqlstate" not in document["results"][0]
    passing = [result for result in document["results"] if result["status"] == "pass"]
    assert passing
    assert not any("sample_complete" in result for result in passing), (
        "where none violates there is no sample"
    )
    document["results"][0]["sqlstate"] = ""
    with pytest.raises(RecordError, match="more than a run file may contain"):
        run_from_json(json.dumps(document))


@pytest.mark.parametrize("name", ["run-0.1.0", "run-0.4.0", "baseline-0.1.0"])
def test_a_record_is_known_by_its_first_bytes(name: str) -> None:
    """Of either format, as those who look for one in a folder need it."""
    path = Path(__file__).parent / "fixtures" / "records" / f"{name}.json"
    kind = name.partition("-")[0]
    assert [one for one in ("run", "baseline", "probe") if says_it_is(path, one)] == [kind]


def _dataclasses(kind: type[Any]) -> dict[str, type[Any]]:
    """The dataclasses that a record of this kind may hold, by name."""
    found: dict[str, type[Any]] = {}
    waiting: list[Any] = [kind]
    while waiting:
        one = waiting.pop()
        waiting += get_args(one)
        if isinstance(one, type) and is_dataclass(one) and one.__name__ not in found:
            found[one.__name__] = one
            hints = get_type_hints(one)
            waiting += [hints[field.name] for field in fields(one)]
    return found


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def test_a_default_stays_what_it_was() -> None:
    """Law: what a run of format 4 leaves out is read as what it was when it was written. A field that came
    later is added to the list with the default that stands for runs of before it.
    """
    path = Path(__file__).parent / "fixtures" / "records" / "run-4-defaults.txt"
    # A part of its own is known by the defaults of its fields.
    now = {
        f"{name}.{field.name} = {'' if is_dataclass(default) else repr(default)}"
        for name, kind in _dataclasses(Run).items()
        for field in fields(kind)
        if (default := _default(field)) is not MISSING and (name, field.name) != ("Run", "format_version")
    }
    assert now == set(path.read_text(encoding="utf-8").splitlines())


def test_times_are_utc_and_say_so(measured: Run) -> None:
    """RFC 3339 in UTC."""
    assert json.loads(run_to_json(measured))["started_at"].endswith("Z")


@pytest.mark.parametrize("cut", [0, 1, 10, 500])
def test_a_truncated_run_is_refused(measured: Run, cut: int) -> None:
    """Half a file is not a file."""
    with pytest.raises(RecordError, match=r"not complete JSON|not a run file"):
        run_from_json(run_to_json(measured)[:cut])


def test_diff_of_a_thing_with_itself_is_empty(measured: Run) -> None:
    """diff(a, a) has no change, and no check moved."""
    same = diff(baseline_of(measured), baseline_of(measured))
    assert same.changes == ()
    assert {m.transition for m in same.moves} <= {
        Transition.STILL_FAILING,
        Transition.STILL_PASSING,
        Transition.UNKNOWN,
    }
    assert {m.origin for m in same.moves if m.transition is Transition.STILL_FAILING} <= {Origin.BEFORE}


def test_diff_mirrors(server: Server) -> None:
    """What diff(a, b) gains, diff(b, a) loses: rows, columns, types, nullability, figures, tables."""
    database = server.create(
        "CREATE TABLE t (id int, a int); INSERT INTO t VALUES (1, 1); CREATE TABLE gone (x int)"
    )
    suite = suite_of(declare.holds("t", "id > 0"))
    before = baseline_of(run(suite, server.dsn(database), options=measuring(count_all=True)))
    server.sql(
        "ALTER TABLE t ALTER a TYPE bigint, ADD b text, ALTER id SET NOT NULL; INSERT INTO t VALUES (2, "
        "2), (3, 3);"
        "DROP TABLE gone; CREATE TABLE new (x int)",
        database,
    )
    after = baseline_of(run(suite, server.dsn(database), options=measuring(count_all=True)))
    there, back = diff(before, after), diff(after, before)
    assert {(c.table, c.delta) for c in row_counts(before, after)} == {
        ("t", 2),
        ("gone", None),
        ("new", None),
    }
    assert {(c.key, c.before, c.after) for c in there.changes if c.kind != "grant"} == {
        (("rows", "t", "", "count"), "1", "3"),
        (("values", "t", "id", "maximum"), "1", "3"),
        (("values", "t", "id", "total"), "1", "6"),
        (("values", "t", "a", "maximum"), "1", "3"),
        (("values", "t", "a", "total"), "1", "6"),
        (("column", "t", "a", "type"), "integer", "bigint"),
        (("column", "t", "b", "added"), None, "text"),
        (("column", "t", "id", "not null"), None, "yes"),
        (("table", "gone", "gone", "removed"), "table", None),
        (("table", "new", "new", "added"), None, "table"),
    }
    turned = {"added": "removed", "removed": "added"}
    mirrored = {
        ((*c.key[:3], turned.get(c.aspect, c.aspect)), c.after, c.before, -(c.delta or 0))
        for c in back.changes
    }
    assert mirrored == {(c.key, c.before, c.after, c.delta or 0) for c in there.changes}


def test_the_sample_report_exists_and_is_linked() -> None:
    """A visitor of the repository finds one report made by the demo."""
    sample = ROOT / "reports" / "sample"
    assert (sample / "report.html").exists()
    assert (sample / "run.json").exists()
    assert "reports/sample/report.html" in Path(ROOT / "README.md").read_text()


@pytest.mark.parametrize("hours", [-30, -1, 0, 1, 30])
def test_a_clock_that_is_set_changes_no_duration(
    hours: int, server: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the wall clock is set while a run lasts, it ends after it began, by the time that it took, and
    its record is read.
    """
    readings = count()

    class SetClock(datetime):
        """Jumps at each reading after the first."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(hours=hours * next(readings))

    for name, module in sys.modules.items():
        if name.startswith("kisaan_validate.prove.") and hasattr(module, "datetime"):
            monkeypatch.setattr(module, "datetime", SetClock)
    server.sql("CREATE TABLE t (id int PRIMARY KEY)", database)
    begun = time.monotonic()
    ran = run(suite_of(declare.row_count("t", low=0, high=0)), server.dsn(database))
    took = timedelta(seconds=time.monotonic() - begun)
    assert timedelta(0) <= ran.finished_at - ran.started_at <= took
    assert run_from_json(run_to_json(ran), "run.json") == ran
