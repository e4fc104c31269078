"""What editors do to files: each file that people write means the same with a byte order mark and any line
ends, or is refused in words that say what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, needs
from helpers import refusal, write_suite

from kisaan_validate.author.importers.load import import_files, read_tables
from kisaan_validate.contract.load import read_contract
from kisaan_validate.errors import KisaanError
from kisaan_validate.ops.config import load_config
from kisaan_validate.probe.load import load_probes
from kisaan_validate.record.files import read_file
from kisaan_validate.rollout.plan import read_plan
from kisaan_validate.signoff.answers import lines_in
from kisaan_validate.signoff.keys import read_signers
from kisaan_validate.suite.load import load_suite
from kisaan_validate.text import authored
from kisaan_validate.verdict.waivers import read_waivers

SQL = "-- id: bom\n-- table: t\n-- key: id\n\n-- the deleted ones too\nSELECT id FROM t\nWHERE b < 0\n"
PYTHON = "from kisaan_validate import declare\n\n\ndeclare.holds('t', 'id > 0',\n              id='t.own')\n"
SETTINGS = 'name = "named"\nschemas = ["public"]\n[filters]\nt = """\nid >\n 0"""\n'
CONFIG = '[suite]\npath = "elsewhere"\n[run]\njobs = 7\n'
CONTRACT = (
    'format = 1\nname = "m"\n\n[[promise]]\nid = "p"\nkind = "rows_added"\ntable = "t"\nwhere = '
    '"""\nid >\n 0"""\n'
)
WAIVERS = (
    'format = 1\n[[waiver]]\ncheck = "c"\nreason = "r"\nowner = "o"\nexpires = '
    "2999-01-01\nwhole_check = true\n"
)
ROLLOUT = (
    'format = 1\nname = "n"\n[[phase]]\nid = "p"\ntitle = "P"\n[[phase.step]]\nid = "s"\ntitle = "S"\n'
    'kind = "person"\nwhy = """\nbecause\n of it"""\n'
)
SODA = "checks for t:\n  - row_count > 0\n  - missing_count(id) = 0\n"
GX = (
    '{"expectation_suite_name": "s", "meta": {}, "expectations": [{"expectation_type": '
    '"expect_column_values_to_not_be_null", "kwargs": {"column": "id"}}]}\n'
)
DBT = "models:\n  - name: t\n    columns:\n      - name: id\n        tests: [not_null]\n"
PROBES = (
    'format = 1\nproduction = false\n[health]\npath = "/h"\n[[step]]\nname = "n"\npath = "/p"\nmethod = "POST"\n'
    'json = { a = """\nb\n c""" }\n'
)
SINGULAR = "SELECT id FROM t\nWHERE id < 0\n"
SIGNERS = 'asha namespaces="signoff@kisaan-validate" ssh-ed25519 AAAA\nbinod ssh-ed25519 BBBB\n'


def _suite(folder: Path, name: str, data: bytes) -> Any:
    files = {"a.py": PYTHON, "sql/b.sql": SQL, "suite.toml": SETTINGS}
    write_suite(folder, {path: text for path, text in files.items() if path != name})
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    suite = load_suite(folder)
    return replace(suite, digest="", origin="", rules=dict(suite.rules))


def _import(tool: str, name: str) -> Callable[[Path, bytes], Any]:
    def read(folder: Path, data: bytes) -> Any:
        (folder / name).write_bytes(data)
        made = import_files(tool, [folder / name], read_tables(["t"] if tool == "great-expectations" else []))
        return [*made.outcomes, *(one.source for one in made.made)]

    return read


def _contract(folder: Path, data: bytes) -> Any:
    (folder / "c.toml").write_bytes(data)
    return read_contract(read_file(folder / "c.toml"), "c.toml").promises


def _waivers(folder: Path, data: bytes) -> Any:
    (folder / "w.toml").write_bytes(data)
    return read_waivers(read_file(folder / "w.toml"), "w.toml").waivers


def _rollout(folder: Path, data: bytes) -> Any:
    (folder / "rollout.toml").write_bytes(data)
    return replace(read_plan(read_file(folder / "rollout.toml"), "rollout.toml"), digest="")


def _config(folder: Path, data: bytes) -> Any:
    (folder / "kisaan.toml").write_bytes(data)
    return repr(load_config(folder / "kisaan.toml")).replace(str(folder), "")


def _probes(folder: Path, data: bytes) -> Any:
    (folder / "probes.toml").write_bytes(data)
    return load_probes(folder / "probes.toml").file


def _signers(folder: Path, data: bytes) -> Any:
    (folder / "allowed").write_bytes(data)
    found = read_signers(folder / "allowed", None)
    return found and ([line.principals for line in lines_in(found)], found.allowed)


READERS: dict[str, tuple[str, Callable[[Path, bytes], Any]]] = {
    "a.py": (PYTHON, lambda folder, data: _suite(folder, "a.py", data)),
    "b.sql": (SQL, lambda folder, data: _suite(folder, "sql/b.sql", data)),
    "suite.toml": (SETTINGS, lambda folder, data: _suite(folder, "suite.toml", data)),
    "kisaan.toml": (CONFIG, _config),
    "rollout.toml": (ROLLOUT, _rollout),
    "c.toml": (CONTRACT, _contract),
    "w.toml": (WAIVERS, _waivers),
    "soda.yml": (SODA, _import("soda", "soda.yml")),
    "gx.json": (GX, _import("great-expectations", "gx.json")),
    "dbt.yml": (DBT, _import("dbt", "dbt.yml")),
    "probes.toml": (PROBES, _probes),
    "s.sql": (SINGULAR, _import("dbt", "s.sql")),
    "allowed": (SIGNERS, _signers),
}
"""Every kind of file that people write, a small one of it, and how it is read."""

BOM = b"\xef\xbb\xbf"
MEANT: dict[str, Callable[[str], bytes]] = {
    "a mark": lambda t: BOM + t.encode(),
    "a mark twice": lambda t: BOM + BOM + t.encode(),
    "line ends of Windows": lambda t: t.replace("\n", "\r\n").encode(),
    "both": lambda t: BOM + t.replace("\n", "\r\n").encode(),
    "no last line end": lambda t: t.rstrip("\n").encode(),
    "blank lines at the end": lambda t: t.encode() + b"\n\n  \n",
}
REFUSED: dict[str, tuple[Callable[[str], bytes], str]] = {
    "UTF-16": (lambda t: t.encode("utf-16"), "it is UTF-16 text: save it as UTF-8"),
    "UTF-16, the other way round": (
        lambda t: b"\xfe\xff" + t.encode("utf-16-be"),
        "it is UTF-16 text: save it as UTF-8",
    ),
    "UTF-32": (lambda t: t.encode("utf-32"), "it is UTF-32 text: save it as UTF-8"),
    "Latin-1": (lambda t: t.encode() + b"\n# Stra\xdfe\n", "contains the byte 0xDF: save it as UTF-8"),
    "cut off and filled": (
        lambda t: t.encode() + b"\0" * 512,
        "contains a NUL character: the file may be damaged",
    ),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("treatment", MEANT)
def test_an_editor_changes_nothing_of_what_a_file_means(name: str, treatment: str, tmp_path: Path) -> None:
    """Law: what a file says is what it said before an editor put a mark before it or ended its lines
    in another way.
    """
    text, read = READERS[name]
    if name == "allowed":
        needs("ssh-keygen")
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    plain, treated = read(tmp_path / "one", text.encode()), read(tmp_path / "other", MEANT[treatment](text))
    assert plain
    if name == "allowed":
        plain, treated = plain[0], treated[0]
    assert treated == plain


@pytest.mark.parametrize("name", [name for name in READERS if name != "allowed"])
@pytest.mark.parametrize("treatment", REFUSED)
def test_another_encoding_is_refused_by_name(name: str, treatment: str, tmp_path: Path) -> None:
    """Law: nothing is guessed: one line says which file it is and what to do."""
    text, read = READERS[name]
    treat, said = REFUSED[treatment]
    with pytest.raises(KisaanError) as caught:
        read(tmp_path, treat(text))
    assert said in str(caught.value)
    assert name in str(caught.value)


def test_signers_in_another_encoding_are_refused(tmp_path: Path) -> None:
    """A shell that redirects in UTF-16 makes a file of no signers, which would look like nobody's
    approval.
    """
    with pytest.raises(KisaanError, match="UTF-16 text"):
        _signers(tmp_path, SIGNERS.encode("utf-16"))


@pytest.mark.parametrize(
    "end", [";", " ;\n", ";\n\n", ";;", ";\n;\n", "; -- done\n", ";\n-- one; more\n/* and; this */\n", "\n;"]
)
def test_a_statement_may_end_as_statements_do(end: str, tmp_path: Path) -> None:
    """A semicolon behind the last word is no second statement, whatever remarks stand behind it."""
    plain = load_suite(write_suite(tmp_path / "one", {"sql/a.sql": SQL}))
    ended = load_suite(write_suite(tmp_path / "other", {"sql/a.sql": SQL.rstrip() + end}))
    assert [c.digest for c in ended.checks] == [c.digest for c in plain.checks]


@pytest.mark.parametrize(
    "more",
    [
        "; SELECT 1",
        ";;SELECT id FROM t WHERE b > 0",
        "; DELETE FROM t;",
        "; -- x\nDELETE FROM t",
        ";--';\n(SELECT 1)",
    ],
)
def test_a_second_statement_is_refused(more: str, tmp_path: Path) -> None:
    """Only what stands behind the last word is an end."""
    assert "semicolon" in refusal(tmp_path, {"sql/a.sql": SQL.rstrip() + more}).fact


def test_semicolons_in_texts_and_names_end_nothing(tmp_path: Path) -> None:
    """Law: the end is found where the server would find it."""
    body = "-- id: a\n-- key: id\nSELECT id FROM t WHERE b = ';' AND \"odd;\" > 0 OR b = 'x;' ;"
    rule = load_suite(write_suite(tmp_path, {"sql/a.sql": body})).rules["a"]
    assert rule.sql == body.split("\n")[2][:-1].rstrip()  # type: ignore[attr-defined]


def test_an_editor_s_own_files_are_no_sources(tmp_path: Path) -> None:
    """Locks, backups and resource forks beside a suite: hidden, and none of it."""
    folder = write_suite(
        tmp_path, {"a.py": PYTHON, "sql/b.sql": SQL, "._a.py": "\0\5", "sql/._b.sql": "\0", ".#draft.py": "("}
    )
    (folder / ".#a.py").symlink_to("somebody@somewhere.1234")
    assert load_suite(folder).sources == ("a.py", "sql/b.sql")


@pytest.mark.parametrize("name", ["A.PY", "b.Py", "sql/C.SQL", "sql/d.Sql"])
def test_a_file_that_would_be_missed_is_refused(name: str, tmp_path: Path) -> None:
    """A capital letter must not cost a check in silence."""
    refused = refusal(tmp_path, {"a.py": PYTHON, "sql/b.sql": SQL, name: SQL if "sql" in name else PYTHON})
    assert refused.origin == name
    assert "would be ignored" in refused.fact


@pytest.mark.parametrize("text", ["a = " + "[" * 20_000, "a = " + "9" * 5_000, "a", "a = nan ä \x01"])
def test_no_toml_is_more_than_one_line_of_complaint(text: str, tmp_path: Path) -> None:
    """Every reader of TOML answers as every other: nesting and numbers without end are no faults of ours."""
    for read in (_config, _contract, _waivers, READERS["suite.toml"][1]):
        with pytest.raises(KisaanError, match="not valid TOML"):
            read(tmp_path, text.encode())


def test_the_file_from_the_field(tmp_path: Path) -> None:
    """A byte order mark before the header."""
    text = "\ufeff-- id: bom\n-- table: t\n-- key: id\nSELECT id FROM t WHERE b < 0\n"
    assert load_suite(write_suite(tmp_path, {"sql/bom.sql": text})).checks[0].id == "bom"


def test_all_readers_are_tried() -> None:
    """No module reads a text file past ``authored``: only packaged templates, records' own bytes, and
    those named here do.
    """
    package = ROOT / "kisaan_validate"
    found = {
        p.relative_to(package).as_posix()
        for p in package.rglob("*.py")
        if ".read_text(" in p.read_text(encoding="utf-8")
    }
    packaged = {
        name for name in found if name.startswith(("postgres/", "report/")) or name == "ops/demo/assets.py"
    }
    # Of these files only names, numbers or lines of other programs are wanted; nobody writes them for us.
    programs = {f"scratch/{name}.py" for name in ("account", "cluster", "marker", "leftovers")}
    logs = {"backup/finding.py", "rehearse/exposure.py"}
    assert found - packaged == {"signoff/chain.py"} | programs | logs
    tomls = {
        p.relative_to(package).as_posix()
        for p in package.rglob("*.py")
        if "tomllib.loads(" in p.read_text(encoding="utf-8")
    }
    assert tomls == {"toml/reader.py", "ops/demo/assets.py"}
    assert authored.MARK.encode() == BOM
