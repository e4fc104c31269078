"""What is the scratch server's own failure, as a full disk is, is no verdict on a dump or a migration; everything
else is.
"""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rehearsal_cases import clean

from kisaan_validate.dumps.messages import said, server_failed
from kisaan_validate.errors import DatabaseError, RecordError
from kisaan_validate.facts.rehearsal import FileState, MigratedFile
from kisaan_validate.record import files
from kisaan_validate.record.files import write_files
from kisaan_validate.rehearse.trouble import (
    failure_of_server,
    failure_under_tape,
    require_server,
    require_server_under_tape,
)
from kisaan_validate.scratch.marker import HeldMarker, markers, new_marker
from kisaan_validate.scratch.space import little_room, size

ROOMY: Any = SimpleNamespace(full="")
FULL: Any = SimpleNamespace(full="0 bytes are free in /x")


def line(state: str, words: str) -> str:
    """An error as psql prints it."""
    return f"psql:<stdin>:7: ERROR:  {state}: {words}\n"


@pytest.mark.parametrize("state", ["53100", "53200", "58030", "57P01", "57P02", "08006"])
def test_errors_of_the_server_are_not_the_dumps(state: str) -> None:
    """Wherever they stand among others."""
    found = server_failed(said(line("42P01", "no such table") + line(state, "could not extend file")))
    assert found is not None
    assert found.sqlstate == state
    assert (
        server_failed(said("psql:<stdin>:9: error: server closed the connection unexpectedly\n")) is not None
    )


@pytest.mark.parametrize("state", ["42P01", "22P02", "23505", "57014", "42501", "XX001"])
def test_all_other_errors_are(state: str) -> None:
    """A damaged dump fails by them."""
    assert server_failed(said(line(state, "any"))) is None
    assert server_failed(said("psql:<stdin>:9: error: invalid command \\x\n")) is None


def failed(state: str) -> Any:
    """A rehearsed run whose file failed with this SQLSTATE."""
    run = clean().rehearsal.alone
    bad = (MigratedFile("1.sql", "", FileState.FAILED, 1.0, state, "could not"),)
    return replace(run, migration=replace(run.migration, succeeded=False, files=bad))


@pytest.mark.parametrize("state", ["53100", "58030", "57P02", "57P03", "08006"])
def test_a_migration_that_the_server_ended_is_not_judged(state: str) -> None:
    """With the file, and how much room there is."""
    with pytest.raises(DatabaseError, match=r"failed while the migration ran: 1\.sql: could not"):
        require_server_under_tape(failed(state), ROOMY)
    with pytest.raises(DatabaseError, match="0 bytes are free") as caught:
        require_server(failed(state).migration, FULL)
    assert "says nothing of the migration" in caught.value.hint


@pytest.mark.parametrize("state", ["42P01", "55P03", "57P01", "53200", "40P01"])
def test_a_migration_that_failed_by_itself_is_judged(state: str) -> None:
    """Also one that ran out of locks, or that ended its own session: so it would in production."""
    assert failure_under_tape(failed(state), ROOMY) is None
    assert failure_of_server(failed(state).migration, ROOMY) is None
    assert failure_under_tape(clean().rehearsal.alone, FULL) is None


def test_a_command_that_failed_on_a_full_disk_is_not_judged() -> None:
    """What it printed is its own: only the room and the tape are known of it."""
    run = clean().rehearsal.alone
    done = replace(run.migration, succeeded=False, files=(), command="npm run migrate", exit_code=1)
    assert failure_of_server(done, ROOMY) is None
    assert failure_under_tape(replace(run, migration=done), ROOMY) is None
    for found in (failure_of_server(done, FULL), failure_under_tape(replace(run, migration=done), FULL)):
        assert found is not None
        assert found.fact.endswith("it has no room left; 0 bytes are free in /x")
    # One that took too long was ended by us, and is judged.
    assert failure_of_server(replace(done, stopped="it did not end within 3 s"), FULL) is None
    statement = replace(run.tape.statements[0], sqlstate="53100")
    tape = replace(run.tape, statements=(*run.tape.statements, statement))
    with pytest.raises(DatabaseError, match="SQLSTATE 53100"):
        require_server_under_tape(replace(run, migration=done, tape=tape), ROOMY)


def test_files_are_written_all_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last one has no room, none has its new name, and what had it before is unharmed."""
    names = [tmp_path / name for name in ("a.json", "b.html", "c.json")]
    names[0].write_text("old")
    real, done = files._fill, list[str]()

    def full(name: str, data: bytes, mode: int) -> None:
        if "c.json" in name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(name, data, mode)

    monkeypatch.setattr(files, "_fill", full)
    with pytest.raises(RecordError, match=r"cannot write .*c\.json: No space left"):
        write_files([(path, "new") for path in names], lambda: done.append("first"))
    assert ([p.name for p in tmp_path.iterdir()], names[0].read_text(), done) == (["a.json"], "old", [])
    monkeypatch.undo()
    write_files([(path, "new") for path in names], lambda: done.append("first"))
    assert [p.read_text() for p in names] == ["new"] * 3
    assert (done, len(list(tmp_path.iterdir()))) == (["first"], 3)


def test_a_marker_needs_no_room_to_be_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps its length; one that cannot be written at all is not left behind."""
    path = tmp_path / "kisaan-scratch-1.json"
    held = HeldMarker(path, new_marker("x"))
    length = path.stat().st_size
    held.add(tmp_path)
    held.keep()
    assert path.stat().st_size == length
    (found,) = markers((tmp_path,))
    assert found.marker is not None
    assert (found.marker.kept, list(found.marker.folders)) == (True, [str(tmp_path)])
    held.close()
    path.unlink()
    monkeypatch.setattr(os, "pwrite", lambda *_: 0)
    with pytest.raises(OSError, match="No space left"):
        HeldMarker(path, new_marker("x"))
    assert list(tmp_path.iterdir()) == []


def test_little_room_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the figure and the disk's folder; nothing where there is some."""
    assert little_room(tmp_path / "gone") == ""
    for blocks, words in ((3, f"{size(12_288)} are free in {tmp_path}"), (1 << 20, "")):
        monkeypatch.setattr(os, "statvfs", lambda _, n=blocks: SimpleNamespace(f_bavail=n, f_frsize=4_096))
        assert little_room(tmp_path / "server") == words
