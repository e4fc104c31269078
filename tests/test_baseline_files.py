"""A baseline file is believed only if it is as it was written, of this database and this version; and it
holds nothing personal.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Server
from helpers import examples, measuring
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from shop import Shop

from kisaan_validate import declare
from kisaan_validate.cli.main import main
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.baseline import BASELINE_FORMAT, Baseline, baseline_of, require_same_database
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import _seal, baseline_from_json, baseline_to_json
from kisaan_validate.record.files import write_bytes, write_file
from kisaan_validate.record.rowfile import RowWriter
from kisaan_validate.suite.load import suite_of


@pytest.fixture(scope="module")
def written(server: Server) -> Iterator[str]:
    """The text of a baseline with failing keys, figures, objects, a sequence and a measure."""
    database = server.create(
        "CREATE TABLE t (id serial PRIMARY KEY, v numeric); INSERT INTO t (v) VALUES (0.10), (-1), (-2)"
    )
    made = run(
        suite_of(declare.holds("t", "v > 0", id="positive")),
        server.dsn(database),
        options=measuring(count_all=True),
    )
    yield baseline_to_json(baseline_of(made))
    server.drop(database)


def resealed(text: str, change: Callable[[dict[str, Any]], Any]) -> str:
    """The file after a change by somebody who can seal it again."""
    given = json.loads(text)
    change(given)
    return json.dumps(given | {"seal": _seal(given)})


def _without(name: str) -> Callable[[str], str]:
    return lambda text: json.dumps({key: value for key, value in json.loads(text).items() if key != name})


def _set(name: str, value: Any) -> Callable[[str], str]:
    return lambda text: resealed(text, lambda given: given.update({name: value}))


def _swapped(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


DAMAGE: dict[str, tuple[Callable[[str], str | bytes], str, str]] = {
    "empty": (lambda text: "", "is not complete JSON", "it may be truncated; take it again"),
    "its end is missing": (
        lambda text: text[:-3],
        "is not complete JSON",
        "it may be truncated; take it again",
    ),
    "half of it": (
        lambda text: text[: len(text) // 2],
        "is not complete JSON",
        "it may be truncated; take it again",
    ),
    "a count": (
        _swapped('"rows": 3', '"rows": 4'),
        "was changed: its seal does not match",
        "it was edited or damaged; take it again",
    ),
    "a sum": (
        _swapped('"-2.90"', '"-2.91"'),
        "was changed: its seal does not match",
        "it was edited or damaged; take it again",
    ),
    "a failing key": (
        _swapped('"2"', '"7"'),
        "was changed: its seal does not match",
        "it was edited or damaged; take it again",
    ),
    "no seal": (
        _without("seal"),
        "was changed: its seal does not match",
        "it was edited or damaged; take it again",
    ),
    "an empty seal": (
        _swapped('"seal": "', '"seal": "", "seals": "'),
        "its seal does not match",
        "it was edited or damaged; take it again",
    ),
    "a seal that is no text": (
        lambda text: json.dumps(json.loads(text) | {"seal": ["x"]}),
        "its seal does not match",
        "take it again",
    ),
    "half a character": (
        _swapped('"suite"', '"\\ud800": 1, "suite"'),
        "its seal does not match",
        "it was edited or damaged; take it again",
    ),
    "a run": (_set("kind", "run"), "is not a baseline file (it is run)", "check the file's name"),
    "a list": (
        lambda text: f"[{text}]",
        "is not a baseline file (it is something else)",
        "check the file's name",
    ),
    "a number": (lambda text: "2", "is not a baseline file (it is something else)", "check the file's name"),
    "nested without end": (lambda text: "[" * 200_000, "is not complete JSON", "take it again"),
    "a newer format": (
        _set("format_version", BASELINE_FORMAT + 1),
        f"has format {BASELINE_FORMAT + 1}; this version reads up to {BASELINE_FORMAT}",
        "upgrade kisaan-validate",
    ),
    "an older format": (
        _set("format_version", 1),
        f"has format 1 of an earlier version; this version reads {BASELINE_FORMAT}",
        "take it again",
    ),
    "a format that is a text": (_set("format_version", str(BASELINE_FORMAT)), "has format 2", ""),
    "a format that is a fraction": (_set("format_version", float(BASELINE_FORMAT)), "has format 2.0", ""),
    "a format that is true": (_set("format_version", True), "has format True", ""),
    "no format": (
        lambda text: resealed(text, lambda given: given.pop("format_version")),
        "has format None",
        "",
    ),
    "an entry too many": (_set("approved", True), "may contain", "it may have been edited"),
    "an entry too few": (
        lambda text: resealed(text, lambda given: given.pop("tables")),
        "is not valid: tables",
        "it may have been edited",
    ),
    "a count that is a text": (
        lambda text: resealed(text, lambda given: given["tables"][0].update(rows="3")),
        "",
        "it may have been edited",
    ),
    "a count that is negative zero": (
        lambda text: resealed(text, lambda given: given["tables"][0].update(rows=-0.0)),
        "",
        "it may have been edited",
    ),
    "not UTF-8": (
        lambda text: text.encode().replace(b"positive", b"positiv\xe9"),
        "it is not UTF-8 text",
        "check the path",
    ),
    "UTF-16": (lambda text: text.encode("utf-16"), "it is UTF-16 text: save it as UTF-8", "check the path"),
    "a mark before it": (lambda text: "\ufeff" + text, "is not complete JSON", "take it again"),
}
"""What may have happened to a file: the damage, and words of what is said of it and of what to do."""


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_refused_by_name(
    damage: str, written: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shown or compared with, it is exit 2, naming the file, what is wrong with it, and what to do; no
    database is asked.
    """
    change, fact, hint = DAMAGE[damage]
    damaged = change(written)
    path = tmp_path / "pre.json"
    path.write_bytes(damaged if isinstance(damaged, bytes) else damaged.encode())
    checks = tmp_path / "checks"
    checks.mkdir()
    (checks / "t.py").write_text(
        'from kisaan_validate import declare\ndeclare.holds("t", "v > 0", id="positive")\n'
    )
    for words in (
        ["baseline", "show", str(path)],
        ["run", "--suite", str(checks), "--dsn", "host=nowhere.invalid", "--baseline", str(path)],
    ):
        assert main(words) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        said = " ".join(shown.err.split())
        assert "pre.json" in said
        assert fact in said
        assert f"HINT: {hint}" in said or hint in said.partition("HINT: ")[2]
        assert "Traceback" not in said


@given(st.data())
@hypothesis_settings(
    max_examples=examples(200),
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_single_edit_goes_unnoticed(written: str, data: st.DataObject) -> None:
    """Whatever character is changed, put in or left out: the file is refused, or says to the letter what
    it said.
    """
    place = data.draw(st.integers(0, len(written) - 1))
    character = data.draw(st.sampled_from('0123456789abcdef"{}[],: tn-.\\é'))
    width = data.draw(st.integers(0, 1))
    edited = written[:place] + character * data.draw(st.integers(1 - width, 1)) + written[place + width :]
    if json_or_none(edited) == json.loads(written):
        assert baseline_from_json(edited) == baseline_from_json(written)
        return
    with pytest.raises(RecordError, match=r"pre\.json") as refused:
        baseline_from_json(edited, "pre.json")
    assert refused.value.hint


def json_or_none(text: str) -> Any:
    """What a text holds, None if it is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _place(baseline: Baseline, **changed: str) -> Any:
    return replace(baseline.place, **changed)


def test_a_baseline_of_another_database_is_refused(written: str) -> None:
    """The system identifier and the name decide; where either side could not read the identifier, host and
    port do.
    """
    baseline = baseline_from_json(written)
    require_same_database(baseline, baseline.place)
    require_same_database(baseline, _place(baseline, host="another name of it", port="1"))
    blind = replace(baseline, place=_place(baseline, system_identifier=""))
    require_same_database(blind, baseline.place)
    for before, now in [
        (baseline, _place(baseline, system_identifier="7")),
        (baseline, _place(baseline, database="other")),
        (blind, _place(baseline, host="elsewhere")),
        (blind, _place(baseline, port="1")),
        (baseline, _place(baseline, system_identifier="", host="elsewhere")),
    ]:
        with pytest.raises(
            RecordError, match=f"the baseline is of database '{baseline.place.database}' on .*, but this is"
        ) as refused:
            require_same_database(before, now)
        assert "--other-database" in refused.value.hint


def test_a_baseline_of_another_cluster_is_exit_2(shop: Shop) -> None:
    """A restored copy has the same name, not the same system identifier."""
    assert shop.cli("baseline", "-o", "pre.json").returncode == 0
    path = shop.folder / "pre.json"
    path.write_text(resealed(path.read_text(), lambda given: given["place"].update(system_identifier="7")))
    shown = shop.cli("run", "--baseline", "pre.json")
    assert shown.returncode == 2, shown.stdout
    assert f"the baseline is of database '{shop.database}'" in shown.stderr
    assert not (shop.folder / "reports").exists()


def test_a_file_is_its_owner_s_alone(written: str, tmp_path: Path) -> None:
    """Mode 0600 whatever the umask, for a new file and for one that is replaced; half a file is never
    seen.
    """
    path = tmp_path / "deep" / "pre.json"
    before = os.umask(0)
    try:
        write_file(path, written)
        path.chmod(0o666)
        write_file(path, written)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["pre.json"]
    assert baseline_from_json(path.read_text(encoding="utf-8")) == baseline_from_json(written)


def rows_written(path: Path, data: bytes) -> None:
    """A file of row digests, whatever the data."""
    RowWriter(path).finish()


WRITERS: dict[str, Callable[[Path, bytes], None]] = {
    "text": lambda path, data: write_file(path, data.decode()),
    "bytes": write_bytes,
    "rows": rows_written,
}


@pytest.mark.parametrize("name", ["text", "bytes"])
def test_a_pipe_is_written_to_and_stays_one(name: str, tmp_path: Path) -> None:
    """No file takes the place of a device or a pipe, whoever may put one there."""
    path = tmp_path / "out"
    os.mkfifo(path)
    # Open at both ends, so that neither side waits for the other.
    handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        WRITERS[name](path, b"a\nb")
        assert stat.S_ISFIFO(path.lstat().st_mode)
        assert os.read(handle, 10) == b"a\nb"
    finally:
        os.close(handle)


@pytest.mark.parametrize("name", WRITERS)
def test_the_new_name_lasts(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is synced after a file was put in its place: else a power cut brings the old one back."""
    path, seen = tmp_path / "out", []

    def fsync(handle: int) -> None:
        seen.append((stat.S_ISDIR(os.fstat(handle).st_mode), path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    WRITERS[name](path, b"x")
    assert seen == [(False, False), (True, True)]


# --- nothing personal -------------------------------------------------------------------------------------

PHONES = [f"91{n:08d}" for n in range(40, 60)]
SECRETS = {"password": "hunter2-Ω", "note": "met Asha Patil at 5", "born": "1987-06-05", "pin": "48151623"}
PEOPLE = f"""CREATE TYPE mood AS ENUM ('calm', 'fragile');
CREATE TABLE people (phone text PRIMARY KEY, password text, note text, born date, pin bigint, mood mood, n int, code text);
INSERT INTO people SELECT phone, '{SECRETS["password"]}', '{SECRETS["note"]}', '{SECRETS["born"]}', {SECRETS["pin"]}, 'fragile', 1, 'code'
FROM unnest(ARRAY{PHONES!r}) AS phone;
CREATE TABLE calls (id serial PRIMARY KEY, phone text REFERENCES people, length int); INSERT INTO calls (phone, length) SELECT phone, -1 FROM people;
CREATE TABLE ledger (name text); INSERT INTO ledger VALUES ('01');
"""
SUITE = """
from kisaan_validate import declare
declare.holds("people", "n > 1", id="key")
declare.holds("people", "length(password) > 99", id="password")
declare.unique("people", ["note", "born"], id="note")
declare.holds("people", "phone::bigint > 0 AND note::int > 0", id="error")
declare.holds("calls", "length > 0", id="call")
declare.holds("calls", "phone = '0'", id="phone")
declare.references("calls", "phone", "people", "phone", id="reference")
declare.agrees("calls", "length", with_="people.n", via="phone", on="phone", id="agrees")
declare.minimum_rows("people", 1000)
"""
SETTINGS = (
    'name = "people"\npersonal = ["*.phone", "people.password", "people.note", "people.born", '
    '"people.pin", "people.mood"]\n'
)
PROMISES = {
    "retyped": 'kind = "retyped"\ncolumn = "people.note"\nto = "integer"\nusing = "{column}::integer"',
    "overflow": 'kind = "becomes"\ncolumn = "people.n"\nexpression = "phone::bigint::integer"',
    "copied": 'kind = "becomes"\ncolumn = "people.code"\nexpression = "phone || note"',
    "filled": 'kind = "filled"\ncolumn = "people.pin"\nwith = "phone::bigint"',
    "gone": 'kind = "rows_removed"\ntable = "people"\nwhere = "note = \'x\' OR password LIKE \'h%\'"',
    "once": 'kind = "rows_removed"\ntable = "calls"\nduplicates = ["length"]',
    "came": 'kind = "rows_arrived"\ntable = "people"\nby = "phone"',
    "new": 'kind = "rows_added"\ntable = "calls"\nwhere = "phone::integer > 0"',
    "sum": 'kind = "sum_preserved"\ncolumn = "people.pin"',
    "names": 'kind = "recorded"\ntable = "ledger"\nnames = ["01"]',
    "check": 'kind = "fixed"\ncheck = "key"',
}


@pytest.fixture
def people(server: Server, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A database full of personal values, and a folder with a suite and a contract that stumble over them."""
    database = server.create(PEOPLE)
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "people.py").write_text(SUITE)
    (tmp_path / "checks" / "suite.toml").write_text(SETTINGS)
    promises = "".join(f'[[promise]]\nid = "{id}"\n{said}\n' for id, said in PROMISES.items())
    (tmp_path / "contract.toml").write_text(f"format = 1\n{promises}")
    yield server.dsn(database), tmp_path
    server.drop(database)


def test_nothing_personal_is_written_or_shown(
    people: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Ends, keys, samples, measures and the server's own messages: no personal value is in a baseline, in
    run.json, on the page or on the screen, not even a digest that could be guessed; what is not personal
    is there."""
    dsn, folder = people
    common = ["--dsn", dsn, "--suite", str(folder / "checks"), "--contract", str(folder / "contract.toml")]
    before, reports = folder / "pre.json", folder / "reports"
    main(["baseline", "-o", str(before), *common])
    main(["baseline", "show", "-v", str(before)])
    assert main(["run", "--baseline", str(before), "--reports", str(reports), "--verbose", *common]) == 1
    shown = capsys.readouterr()
    (place,) = (run.parent for run in reports.glob("*/run.json"))
    texts = {
        p.name: p.read_text(encoding="utf-8")
        for p in (before, *place.iterdir())
        if p.name not in ("contract.toml", "suite")
    }
    texts |= {"stdout": shown.out, "stderr": shown.err}
    assert set(texts) == {"pre.json", "run.json", "baseline.json", "report.html", "stdout", "stderr"}
    for name, text in texts.items():
        for secret in (*PHONES, *SECRETS.values(), "Asha", "hunter2"):
            assert secret not in text, (name, secret)
    baseline = baseline_from_json(texts["pre.json"])
    assert {c.id: c.key_digest for c in baseline.checks if c.id in {"key", "password"}} == {
        "key": "",
        "password": "",
    }
    assert "-1" in texts["pre.json"]
    assert {m.id for m in baseline.measured if m.message} >= {"calls: rows of new"}


# --- shown and rendered again -----------------------------------------------------------------------------

WAIVERS = """format = 1
[[waiver]]
check = "orders.total.greater_than_or_equal_to"
reason = "known"
owner = "books"
expires = 2999-12-31
rows = 5
"""
CONTRACT = 'format = 1\n[[promise]]\nid = "rows"\nkind = "rows_unchanged"\ntable = "orders"\n'


@pytest.mark.slow
def test_a_report_is_rendered_again_beside_the_files_of_its_run_or_not_at_all(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """From run.json and what was recorded beside it comes the very same page; a file that is another or
    gone is refused.
    """
    shop.sql("UPDATE orders SET total = -1 WHERE id = 2")
    for name, text in (("contract.toml", CONTRACT), ("waivers.toml", WAIVERS)):
        (shop.folder / name).write_text(text)
    assert shop.cli("baseline", "-o", "pre.json", "--contract", "contract.toml").returncode == 0
    shown = shop.cli(
        "run", "--baseline", "pre.json", "--contract", "contract.toml", "--waivers", "waivers.toml"
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    place = shop.run_folder
    page = (place / "report.html").read_bytes()
    (place / "report.html").unlink()
    assert main(["report", str(place)]) == 0
    assert (place / "report.html").read_bytes() == page
    capsys.readouterr()
    for name, what in (
        ("baseline.json", "baseline"),
        ("contract.toml", "contract"),
        ("waivers.toml", "file of waivers"),
    ):
        kept = (place / name).read_bytes()
        for other in (kept + b"\n", kept.replace(b"1", b"2", 1)):
            (place / name).write_bytes(other)
            assert main(["report", str(place)]) == 2
            said = " ".join(capsys.readouterr().err.split())
            assert f"{name} is not the {what} of this run" in said
            assert "HINT: restore the file that was recorded with the run" in said
        (place / name).unlink()
        assert main(["report", str(place)]) == 2
        assert f"cannot read {place / name}" in " ".join(capsys.readouterr().err.split())
        (place / name).write_bytes(kept)
    assert main(["report", str(place)]) == 0


def test_a_run_is_no_baseline_and_the_other_way_round(written: str, shop: Shop) -> None:
    """Files are told apart by their kind, not by their name."""
    assert shop.cli("run").returncode == 0
    shown = shop.cli("run", "--baseline", str(shop.run_folder / "run.json"))
    assert shown.returncode == 2
    assert "is not a baseline file (it is run)" in shown.stderr
    (shop.run_folder / "run.json").write_text(written)
    shown = shop.cli("report", str(shop.run_folder))
    assert shown.returncode == 2
    assert "is not a run file (it is baseline)" in shown.stderr
