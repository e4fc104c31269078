"""What a dump is and holds, read without a server: whole only if nothing is missing, refused in words."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import Server, needs
from dump_sources import LEFT_OUT, ROWS, SMALL, dump, everything, program
from hypothesis import given, settings
from hypothesis import strategies as st

from kisaan_validate.dumps import unpacking
from kisaan_validate.dumps.archive import Unreadable, _time
from kisaan_validate.dumps.events import BrokenOff, RowPiece, Sentence, Smuggled
from kisaan_validate.dumps.lexer import Lexer
from kisaan_validate.dumps.read import read_dump
from kisaan_validate.errors import KisaanError, RecordError, UsageError
from kisaan_validate.facts.dump import DumpFacts, DumpFormat

FORMS = {"plain": "-Fp", "custom": "-Fc", "tar": "-Ft", "directory": "-Fd"}


class Made:
    """Dumps of one server's databases, each made once."""

    def __init__(self, server: Server, name: str, folder: Path) -> None:
        self.server, self.name, self.folder = server, name, folder
        self.databases: dict[str, str] = {}

    def database(self, what: str = "everything") -> str:
        """The name of the database."""
        if what not in self.databases:
            small = what == "small"
            self.databases[what] = self.server.create(SMALL) if small else everything(self.server)
        return self.databases[what]

    def __call__(self, *options: str, what: str = "everything") -> Path:
        path = self.folder / f"{what}{''.join(options).replace('/', '_')}"
        return path if path.exists() else dump(self.server, self.name, self.database(what), path, *options)


@pytest.fixture(scope="module", params=["server", "server15"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Dumps of each version."""
    return Made(request.getfixturevalue(request.param), request.param, tmp_path_factory.mktemp("dumps"))


def holds(facts: DumpFacts) -> tuple[Any, ...]:
    """What must be alike, whatever the form."""
    contents = facts.contents
    return (
        [(t.name, t.rows, t.partitioned) for t in contents.tables],
        contents.sequences,
        contents.large_objects,
        contents.extensions,
        contents.languages,
        {(one.kind, one.name) for one in facts.refused},
        facts.encoding,
        facts.server_version,
    )


# --- what it holds --------------------------------------------------------------------------------------


def test_every_form_says_the_same(made: Made) -> None:
    """Tables, rows, roles, what is left out: alike in plain SQL, as INSERTs, and in archives; and it is whole."""
    facts = {name: read_dump(made(option)) for name, option in FORMS.items()}
    facts |= {o: read_dump(made(o)) for o in ("--inserts", "--column-inserts", "--rows-per-insert=7", "-Z0")}
    first = facts["plain"]
    for name, one in facts.items():
        assert (one.complete, one.damage) == (True, ""), name
        assert holds(one) == holds(first), name
    assert first.contents.rows == ROWS
    assert first.contents.large_objects == 2
    roles = made.database()
    assert {f"{roles}_a", f"{roles}_b", "postgres"} == set(first.contents.roles)
    assert {(k, n.replace("{0}", roles)) for k, n in LEFT_OUT} <= {(o.kind, o.name) for o in first.refused}
    assert not any(one.stops for one in first.refused)
    assert {facts[n].database for n in ("custom", "tar", "directory")} == {made.database()}
    assert facts["custom"].taken_at is not None
    assert facts["plain"].client_major == facts["plain"].server_major == (18 if made.name == "server" else 15)


def test_what_was_dumped_in_part_is_said(made: Made) -> None:
    """The schema alone, the data alone, one table, one schema, one section."""
    schema, data = read_dump(made("-s")), read_dump(made("-a", "-Fc"))
    assert schema.contents.holds == "schema only"
    assert "public.customers" in schema.contents.without_data
    assert data.contents.holds == "data only"
    assert data.contents.rows == ROWS
    assert [t.name for t in read_dump(made("-t", "customers")).contents.tables] == ["public.customers"]
    assert {t.name for t in read_dump(made("-n", "s")).contents.tables} == {"s.e1", "s.e2", "s.events"}
    assert read_dump(made("--section=pre-data")).contents.rows == 0
    assert read_dump(made("--exclude-table-data=customers", "-Fd")).contents.without_data == (
        "public.customers",
    )
    root = {t.name: t.rows for t in read_dump(made("--load-via-partition-root")).contents.tables}
    assert (root["s.events"], root["s.e1"]) == (100, None)


def test_other_options_change_nothing_that_counts(made: Made) -> None:
    """--clean, --create, no comments, another way to set owners, planner statistics."""
    options = [["--clean"], ["--clean", "--if-exists"], ["--create"], ["--no-comments"]]
    options += [["--use-set-session-authorization"], ["--create", "--clean"], ["-v"]]
    options += [["--statistics"]] if made.name == "server" else []
    for words in options:
        facts = read_dump(made(*words))
        assert facts.complete, words
        assert facts.contents.rows == ROWS, words
        assert not any(one.stops for one in facts.refused), words
    verbose = read_dump(made("-v"))
    assert verbose.taken_at is not None
    assert abs(datetime.now(verbose.taken_at.tzinfo or None) - verbose.taken_at).total_seconds() < 86_400
    assert read_dump(made("--create")).database == made.database()
    assert datetime.now(UTC)


def test_a_dump_of_all_databases_is_known(made: Made, tmp_path: Path) -> None:
    """pg_dumpall: recognised, whole, and not restored."""
    path = tmp_path / "all"
    words = [program(made.name, "pg_dumpall"), "-g", "-f", str(path), "-d", made.server.dsn()]
    subprocess.run(words, check=True)
    facts = read_dump(path)
    assert (facts.format, facts.complete) == (DumpFormat.CLUSTER, True)
    (stopping,) = facts.refused
    assert stopping.stops
    assert "pg_dump DATABASE" in stopping.why


def test_a_digest_is_that_of_sha256sum(made: Made) -> None:
    """Of a file; of a folder that of the lines for its files."""
    path, folder = made("-Fc"), made("-Fd")
    assert read_dump(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    words = f"cd {folder} && sha256sum $(ls | LC_ALL=C sort) | sha256sum"
    said = subprocess.run(words, shell=True, check=True, capture_output=True, text=True).stdout
    assert read_dump(folder).sha256 == said.split()[0]


# --- packed ---------------------------------------------------------------------------------------------


def packed(how: str, data: bytes) -> bytes:
    """By Python or by the program."""
    if how in ("zstd", "lz4"):
        return subprocess.run([needs(how), "-c", "-q"], input=data, check=True, capture_output=True).stdout
    return {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}[how](data)


@pytest.mark.parametrize("how", ["gzip", "zstd", "lz4", "bzip2", "xz"])
def test_a_packed_dump_is_the_dump(made: Made, how: str, tmp_path: Path) -> None:
    """Known by content; its end is seen, also if its last bytes are missing, or are of another stream."""
    data = made("-Fp", what="small").read_bytes()
    path = tmp_path / "misnamed.sql"
    path.write_bytes(packed(how, data))
    facts = read_dump(path)
    assert (facts.compression, facts.complete) == (how, True)
    assert holds(facts) == holds(read_dump(made("-Fp", what="small")))
    path.write_bytes(packed(how, data[:900]) + packed(how, data[900:]))
    assert read_dump(path).complete
    whole = packed(how, data)
    for cut in range(16, len(whole), max(1, len(whole) // 20)):
        path.write_bytes(whole[:cut])
        assert read_dump(path).complete is False, cut


def test_the_missing_program_is_named(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """lz4 by its program alone; zstd by a package or a program."""
    path = tmp_path / "x"
    path.write_bytes(packed("zstd", made("-Fp", what="small").read_bytes()))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(unpacking, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="program zstd is missing") as caught:
        read_dump(path)
    assert "apt-get install zstd" in caught.value.hint


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What unpacks to far more than any dump does."""
    monkeypatch.setattr(unpacking, "BOMB_FROM", 1 << 22)
    path = tmp_path / "bomb"
    with gzip.open(path, "wb") as file:
        file.write(b"-- PostgreSQL database dump\n")
        for _ in range(9):
            file.write(b"--" + b"\n" * (1 << 20))
    with pytest.raises(RecordError, match="500 times"):
        read_dump(path)


# --- cut ------------------------------------------------------------------------------------------------


def never_whole(path: Path, cuts: Iterator[int] | range, data: bytes) -> int:
    """Cut at each place: refused as no dump, or read as not whole. How many there were."""
    count = 0
    for cut in cuts:
        path.write_bytes(data[:cut])
        count += 1
        try:
            facts = read_dump(path)
        except RecordError:
            continue
        assert not facts.complete, f"cut at {cut} of {len(data)}"
        assert facts.damage
    return count


def test_a_plain_dump_cut_at_any_byte_is_not_whole(made: Made, tmp_path: Path) -> None:
    """Of a small one, at each third byte, and at each of the last 300."""
    data = made("-Fp", what="small").read_bytes()
    assert never_whole(tmp_path / "cut", range(0, len(data), 3), data) > 500
    assert never_whole(tmp_path / "cut", range(len(data) - 300, len(data)), data) == 300


@pytest.mark.slow
def test_a_plain_dump_cut_at_every_byte_is_not_whole(made: Made, tmp_path: Path) -> None:
    """Of a small one, at every byte."""
    data = made("-Fp", what="small").read_bytes()
    assert never_whole(tmp_path / "cut", range(len(data)), data) > 1_500


@pytest.mark.parametrize("form", ["custom", "tar"])
def test_an_archive_cut_anywhere_is_not_whole(made: Made, form: str, tmp_path: Path) -> None:
    """At about 300 places; packed and not."""
    for option in ("-Z0", "-Z1") if form == "custom" else ("-v",):
        data = made(FORMS[form], option, what="small").read_bytes()
        assert never_whole(tmp_path / "cut", range(0, len(data), max(1, len(data) // 300)), data) >= 300
        assert never_whole(tmp_path / "cut", range(len(data) - 40, len(data)), data) == 40


@pytest.mark.slow
@pytest.mark.parametrize("form", ["plain", "custom", "tar"])
def test_a_large_dump_cut_at_every_thousandth_is_not_whole(made: Made, form: str, tmp_path: Path) -> None:
    """The dump with everything in it, at each thousandth of its length."""
    data = made(FORMS[form]).read_bytes()
    assert never_whole(tmp_path / "cut", range(0, len(data), max(1, len(data) // 1000)), data) >= 1_000


@pytest.mark.parametrize("option", ["-Z0", "-Z1"])
def test_a_folder_with_a_cut_file_is_not_whole(made: Made, option: str, tmp_path: Path) -> None:
    """Any file of it cut or gone. Of large objects that are stored unpacked nothing says how long they are."""
    folder = made("-Fd", option, what="small")
    whole = read_dump(folder)
    assert whole.complete is (True if option == "-Z1" else None)
    for name in sorted(os.listdir(folder)):
        data = (folder / name).read_bytes()
        copy = tmp_path / name
        shutil.copytree(folder, copy)
        never_there = {*range(0, len(data), max(1, len(data) // 25)), len(data) - 1}
        for cut in sorted(never_there):
            (copy / name).write_bytes(data[:cut])
            assert not read_dump(copy).complete, (name, cut)
        (copy / name).unlink()
        if name == "toc.dat":
            with pytest.raises(RecordError, match=r"toc\.dat"):
                read_dump(copy)
        else:
            assert read_dump(copy).complete is False, name


def test_a_damaged_byte_in_packed_data_is_seen(made: Made, tmp_path: Path) -> None:
    """The packed blocks of an archive have checksums."""
    data = made("-Fc").read_bytes()
    facts = read_dump(made("-Fc"))
    assert facts.complete
    path = tmp_path / "damaged"
    start = data.rindex(b"\x78", 0, len(data) - 200)
    for place in range(start + 20, len(data) - 60, 37):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        assert read_dump(path).complete is False, place


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_nothing_makes_it_fall_over(
    made_bytes: dict[str, bytes], tmp_path_factory: Any, data: st.DataObject
) -> None:
    """Damage anywhere gives facts or words, never another exception."""
    original = data.draw(st.sampled_from(sorted(made_bytes)))
    content = bytearray(made_bytes[original])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    path = tmp_path_factory.getbasetemp() / "mangled"
    path.write_bytes(bytes(content))
    try:
        said = read_dump(path).format.value
    except KisaanError as error:
        said = error.fact
    assert said


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("number", [-1, 10**6, 2**31, 2**63, 2**200, -(2**63)])
def test_a_time_that_is_none_is_damage(place: int, number: int) -> None:
    """However large the number: a damaged header also says of how many bytes its numbers are."""
    fields = [0, 0, 0, 1, 0, 126, 0]
    assert _time(fields) is not None
    fields[place] = number
    # Seconds above 59 are leap seconds, or nearly so; 1899 is a year.
    if (place == 0 and number > 0) or (place, number) == (5, -1):
        return
    with pytest.raises(Unreadable):
        _time(fields)


@pytest.fixture(scope="module")
def made_bytes(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Small dumps in three forms."""
    made = Made(server, "server", tmp_path_factory.mktemp("bytes"))
    return {name: made(FORMS[name], what="small").read_bytes() for name in ("plain", "custom", "tar")}


# --- what is no dump ------------------------------------------------------------------------------------

FOREIGN = {
    "is empty": b"",
    "zeros only": b"\0" * 5000,
    "a web page": b"<!DOCTYPE html>\n<html><body>403</body></html>",
    "an XML document": b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    "a JSON document": b'{"error": "not found"}',
    "a dump of MySQL": b"-- MySQL dump 10.13  Distrib 8.0.36\n--\n",
    "an SQLite database": b"SQLite format 3\0\x10\0",
    "a ZIP file": b"PK\x03\x04aaaa",
    "encrypted": b"-----BEGIN PGP MESSAGE-----\n",
    "an error message": b"pg_dump: error: connection to server failed\n",
    "UTF-16 text": "\ufeff--\n-- PostgreSQL database dump\n".encode("utf-16-le"),
    "binary file": b"\x7fELF\x02\x01\x01\0\0\0\0",
    "a tar that does not begin": b"base/1".ljust(257, b"\0") + b"ustar\0".ljust(300, b"\0"),
}


@pytest.mark.parametrize("words", FOREIGN)
def test_what_is_no_dump_is_named(words: str, tmp_path: Path) -> None:
    """By what it is, packed or not."""
    path = tmp_path / "dump.sql"
    for content in [FOREIGN[words], gzip.compress(FOREIGN[words])]:
        path.write_bytes(content)
        if words.startswith("a tar") and content[:1] == b"\x1f":
            continue
        with pytest.raises(RecordError, match=words) as caught:
            read_dump(path)
        assert caught.value.hint


def test_what_cannot_be_opened_is_named(made: Made, tmp_path: Path) -> None:
    """Nothing there, a pipe (without waiting), a broken link, no right, a folder without a table of contents."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "folder").mkdir()
    for name, words in {
        "pipe": "a pipe",
        "link": "a link to a file",
        "loop": "leads to itself",
        "no": "is not there",
    }.items():
        with pytest.raises(UsageError, match=words):
            read_dump(tmp_path / name)
    with pytest.raises(UsageError, match="a device"):
        read_dump(Path("/dev/zero"))
    with pytest.raises(RecordError, match=r"is empty: it is no dump"):
        read_dump(tmp_path / "folder")
    (tmp_path / "good").symlink_to(made("-Fc", what="small"))
    assert read_dump(tmp_path / "good").complete


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    """As another user, if we are root."""
    path = tmp_path / "secret"
    path.write_bytes(b"x")
    path.chmod(0)
    tmp_path.chmod(0o755)
    code = f"from pathlib import Path\nfrom kisaan_validate.dumps.opening import regular\nregular(Path({str(path)!r}))"
    if os.geteuid() == 0:
        code = f"import os\nfrom kisaan_validate.dumps import opening\nos.setuid(65534)\n{code}"
    done = subprocess.run(
        [shutil.which("python3") or "python3", "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(os.sys.path)},
    )  # type: ignore[attr-defined]
    assert "may not be read" in done.stderr or "cannot be read" in done.stderr


def test_a_folder_names_no_files_elsewhere(made: Made, tmp_path: Path) -> None:
    """A link in place of a member is refused, and a name that leads out of the folder is damage."""
    folder = tmp_path / "dump"
    shutil.copytree(made("-Fd", "-Z0", what="small"), folder)
    data = next(p for p in sorted(folder.iterdir()) if re.fullmatch(r"\d+\.dat", p.name))
    toc = (folder / "toc.dat").read_bytes()
    (folder / "toc.dat").write_bytes(
        toc.replace(data.name.encode(), b"../x.dat".rjust(len(data.name), b".")[: len(data.name)])
    )
    assert read_dump(folder).complete is False
    (folder / "toc.dat").write_bytes(toc)
    data.unlink()
    data.symlink_to("/etc/passwd")
    with pytest.raises(UsageError, match="is a link"):
        read_dump(folder)


def test_a_converted_dump_is_not_called_whole(made: Made, tmp_path: Path) -> None:
    """CRLF line ends and a byte order mark are seen; the mark alone harms nothing."""
    data = made("-Fp", what="small").read_bytes()
    path = tmp_path / "x"
    path.write_bytes(data.replace(b"\n", b"\r\n"))
    facts = read_dump(path)
    assert facts.complete is None
    assert "CRLF" in facts.damage
    path.write_bytes(b"\xef\xbb\xbf" + data)
    facts = read_dump(path)
    assert (facts.complete, facts.notes) == (True, ("it begins with a byte order mark, which is left out",))
    path.write_bytes(b"CREATE TABLE t(a int);\n")
    assert read_dump(path).complete is None


# --- how it is split ------------------------------------------------------------------------------------


def split(pieces: list[bytes]) -> list[Any]:
    """The events, rows joined; what stops it is the last."""
    found: list[Any] = []
    lexer = Lexer(pieces)
    try:
        for event in lexer.events():
            if isinstance(event, RowPiece):
                if isinstance(found[-1], bytes):
                    found[-1] += event.data
                else:
                    found.append(event.data)
            elif isinstance(event, Sentence):
                found.append(replace(event, tokens=event.tokens[:3]))
            else:
                found.append(event)
    except (Smuggled, BrokenOff) as error:
        found.append(str(error))
    return found


SCRAPS = [
    *(
        "SELECT 1",
        ";",
        " ",
        "\n",
        "'a'",
        "'it''s'",
        "'\\'",
        "E'\\''",
        "e'a\\\\'",
        '"q;"',
        "$$;$$",
        "$a$ $b$ ; $a$",
    ),
    *(
        "-- c ; '\n",
        "/* ; /* ' */ */",
        "(",
        ")",
        "B'1'",
        "x'ff'",
        "1.5e-3",
        "::text",
        "a$b",
        "$1",
        "U&'x'",
        "\\",
    ),
    *(
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END",
        "CASE",
        "END",
        "BEGIN",
        "$",
        "''",
        "\t",
        "é",
    ),
    *(
        "INSERT INTO t VALUES (1, 'x');",
        "INSERT INTO t VALUES\n\t(1, 'x'),\n\t(2, NULL);",
        "E'a'\n'b'",
        ":x",
        ":'x'",
    ),
    *(
        "COPY t FROM stdin;\n1\ta\n\\.\n",
        "COPY t FROM stdin;\n\\.\n",
        "\n\\restrict abc\n",
        "\n\\! ls\n",
        "12e",
        "a'b'",
    ),
    *("E'a long constant \\' ; of many bytes'", "B'1010101010101010'", "$a_long_name$ ; ' $a_long_name$"),
]


@given(st.lists(st.sampled_from(SCRAPS), max_size=12).map("".join), st.data())
@settings(max_examples=400, deadline=None)
def test_pieces_do_not_matter(text: str, data: st.DataObject) -> None:
    """Whatever the pieces in which a text comes, it is split alike."""
    whole = text.encode()
    places = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    pieces = [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]
    assert split([p for p in pieces if p]) == split([whole])


def test_a_text_is_split_as_psql_splits_it(server: Server, tmp_path: Path) -> None:
    """Random texts of scraps, as psql sends them, by its own log. What we refuse to split is not compared."""
    import random

    wanted: list[str] = []
    source = random.Random(7)
    sure = [s for s in SCRAPS if "COPY" not in s and "restrict" not in s]
    while len(wanted) < 250:
        text = " ".join(source.choices(sure, k=source.randint(1, 9))) + " ;"
        if not any(isinstance(e, str) for e in split([text.encode()])):
            wanted.append(text)
    separator = "SELECT 'a separator that no text holds';"
    (tmp_path / "in.sql").write_text("\n".join(f"{text}\n{separator}" for text in wanted), encoding="utf-8")
    words = [
        program("server", "psql"),
        "-X",
        "-q",
        "-o",
        "/dev/null",
        "-L",
        str(tmp_path / "log"),
        "-f",
        "in.sql",
        server.dsn(),
    ]
    subprocess.run(words, cwd=tmp_path, capture_output=True, env={**os.environ, "PGCLIENTENCODING": "UTF8"})
    log = (tmp_path / "log").read_text(encoding="utf-8")
    sent = re.findall(r"^/?\*{8,9} QUERY \*{9,10}/?\n(.*?)\n/?\*{24,26}/?$", log, re.DOTALL | re.MULTILINE)
    ours = [
        e.text.decode()
        for text in wanted
        for e in split([f"{text}\n{separator}".encode()])
        if isinstance(e, Sentence)
    ]
    bare = lambda text: re.sub(r"\s|--[^\n]*", "", text.replace("/* ; /* ' */ */", "")).removesuffix(";")  # noqa: E731
    assert [bare(t) for t in sent if bare(t)] == [bare(t) for t in ours if bare(t)]
    assert len(sent) > 300
