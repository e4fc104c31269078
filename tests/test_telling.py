"""Telling of recorded runs through the spool: once, whatever dies, fills up or does not answer."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from receivers import FarHook, Hook, far_web_server, free_port, web_server
from told_nights import Nights

from kisaan_validate.cli.job import record
from kisaan_validate.cli.telling import TellingDone, drill, send_again, standing_notices, tell
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.check import Severity
from kisaan_validate.notify.drills import hold_drill, last_drill
from kisaan_validate.notify.message import Message
from kisaan_validate.notify.spool import FIRST_PAUSE, LONGEST_WAIT, MOST_TRIES, Spool, Spooled, Waiting
from kisaan_validate.notify.told import read_told
from kisaan_validate.ops.config import Config, load_config
from kisaan_validate.verdict.judgement import Judgement


class Desk:
    """A folder of reports with a configuration, and a suite that is run in it."""

    def __init__(self, folder: Path, hooks: dict[str, int]) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.nights = folder, Nights()
        self.configure(hooks)

    def configure(self, hooks: dict[str, int]) -> None:
        """Name the channels, with the ports on which they are."""
        text = "[notify]\n" + "".join(
            f'[[notify.webhook]]\nname = "{name}"\nurl = "http://localhost:{port}/"\ntimeout = "2 s"\n'
            for name, port in hooks.items()
        )
        (self.folder / "kisaan.toml").write_text(text)

    @property
    def config(self) -> Config:
        """The configuration as it stands."""
        return load_config(self.folder / "kisaan.toml")

    @property
    def spool(self) -> Spool:
        """The spool of the folder."""
        return Spool(self.config.reports)

    def run(self, **said: Any) -> Judgement:
        """A run, recorded a day after the one before."""
        judged = self.nights.judged(said)
        self.nights.at += timedelta(days=1)
        record(judged, self.config.reports)
        return judged

    def tell(self, judged: Judgement, later: timedelta = timedelta()) -> TellingDone:
        """Tell of a run, so much after it was made."""
        return tell(self.config, judged, now=judged.run.place.at + later)

    def told(self) -> list[str]:
        """The runs of which was told."""
        return [one.run for one in read_told(self.spool.folder)[0]]


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A receiver that takes all."""
    with web_server() as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, hook: Hook) -> Desk:
    """A desk with one channel."""
    return Desk(tmp_path, {"hook": hook.port})


def _got(hook: Hook) -> list[str]:
    return [json.loads(body)["id"] for body in hook.bodies]


def test_a_run_is_told_once(desk: Desk, hook: Hook) -> None:
    """The second time it is said to be told; a night like the one before is silent; nothing waits."""
    first = desk.run(c=3)
    done = desk.tell(first)
    assert done.message is not None
    assert [(s.channel, s.delivered, s.said) for s in done.sent] == [("hook", True, "HTTP 200 id evt-77")]
    again = desk.tell(first)
    assert (again.message, again.sent, again.again) == (None, (), True)
    quiet = desk.tell(desk.run(c=3))
    assert (quiet.message, quiet.again) == (None, False)
    fixed = desk.tell(desk.run(c="ok"))
    assert fixed.message is not None
    assert fixed.message.facts["incidents"][0]["news"] == "fixed"
    assert _got(hook) == [first.run.id, fixed.message.id]
    assert desk.spool.waiting() == []
    assert standing_notices(desk.config) == ()
    for path in desk.spool.folder.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


def test_without_anybody_to_tell(tmp_path: Path) -> None:
    """It is a mistake, and said to be one."""
    with pytest.raises(UsageError, match="names nobody"):
        tell(Config(reports=tmp_path), Nights().judged({"c": 3}))
    assert standing_notices(Config(reports=tmp_path)) == ()


# --- channels that do not answer --------------------------------------------------------------------------


def test_what_does_not_arrive_waits_and_is_seen(desk: Desk, hook: Hook) -> None:
    """One channel that fails keeps no other waiting; the next run says so; it is tried again after its
    pause, and then only there.
    """
    dead = free_port()
    desk.configure({"dead": dead, "hook": hook.port})
    first = desk.run(c=3)
    done = desk.tell(first)
    assert [(s.channel, s.delivered) for s in done.sent] == [("dead", False), ("hook", True)]
    (notice,) = standing_notices(desk.config, first.run.place.at)
    assert notice == done.undelivered[0]
    assert (notice.code, notice.message) == (
        "undelivered",
        "1 message did not reach 'dead', since 2026-01-05 02:30 UTC: Connection refused",
    )
    assert desk.tell(first, FIRST_PAUSE).sent == (), "its pause doubles with each try"
    with web_server() as late:
        desk.configure({"dead": late.port, "hook": hook.port})
        done = desk.tell(desk.run(c=3))
        assert [(s.message, s.channel, s.delivered) for s in done.sent] == [(first.run.id, "dead", True)]
    assert (_got(hook), _got(late)) == ([first.run.id], [first.run.id])
    assert standing_notices(desk.config) == ()


def test_a_channel_is_tried_so_often_and_so_long(desk: Desk, hook: Hook) -> None:
    """Then it is given up, said so, and tried only when a person asks."""
    desk.configure({"dead": free_port()})
    first = desk.run(c=3)
    tries = [len(desk.tell(first, timedelta(hours=13 * n)).sent) for n in range(14)]
    assert sum(tries) == MOST_TRIES
    assert tries[:MOST_TRIES] == [1] * MOST_TRIES
    (notice,) = standing_notices(desk.config, first.run.place.at)
    assert notice.message.endswith("Connection refused; given up")
    desk.configure({"dead": hook.port})
    assert desk.tell(first, timedelta(days=6)).sent == ()
    assert [s.delivered for s in send_again(desk.config).sent] == [True]
    assert _got(hook) == [first.run.id]
    waiting = Spooled(Message("m", first.run.place.at, "", "", Severity.INFO), None, {"dead": Waiting()})
    assert waiting.given_up("dead", first.run.place.at + LONGEST_WAIT + timedelta(seconds=1))
    assert not waiting.given_up("dead", first.run.place.at + LONGEST_WAIT)


def test_a_clock_that_went_back_keeps_nothing_waiting() -> None:
    """A try that lies in the future does not count."""
    now = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    assert Waiting(3, now + timedelta(days=400)).due(now)
    assert not Waiting(3, now).due(now)


def test_a_dead_channel_is_not_waited_for_with_each_message(desk: Desk) -> None:
    """Four messages wait: it is tried once, with what is news."""
    desk.configure({"dead": free_port()})
    for n in range(4):
        done = desk.tell(desk.run(c=n + 1), timedelta(days=1))
        assert len(done.sent) == 1
        assert done.message is not None
        assert done.sent[0].message == done.message.id
    assert len(desk.spool.waiting()) == 4


def test_a_channel_that_is_configured_no_more_waits_no_more(desk: Desk, hook: Hook) -> None:
    """Nobody could ever take it."""
    desk.configure({"dead": free_port(), "hook": hook.port})
    first = desk.run(c=3)
    desk.tell(first)
    desk.configure({"hook": hook.port})
    desk.tell(first)
    assert desk.spool.waiting() == []


def test_a_spool_that_cannot_be_kept_is_named_and_people_are_told_all_the_same(
    desk: Desk, hook: Hook, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file where its folder should be: the alarm is worth more than its record."""
    desk.configure({"hook": hook.port, "dead": free_port()})
    run = desk.run(c=3)
    desk.spool.folder.touch()
    done = desk.tell(run)
    assert _got(hook) == [run.run.id]
    assert sorted((sent.channel, sent.delivered) for sent in done.sent) == [("dead", False), ("hook", True)]
    assert f"cannot write {desk.spool.folder}: File exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe\x00", b'{"kind": "kisaan-validate.spooled", "format": 99}', b"[" * 100_000, b"null", b" " * (5 << 20)],
)  # fmt: skip
def test_a_file_that_cannot_be_read_stops_nobody(
    desk: Desk, hook: Hook, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    """It is set aside by name, said at once and in the next run; what is news goes out."""
    desk.spool.folder.mkdir(parents=True)
    (desk.spool.folder / "20260101T000000Z-bad.json").write_bytes(content)
    done = desk.tell(desk.run(c=3))
    assert _got(hook) == [done.sent[0].message]
    assert "set aside: 20260101T000000Z-bad.poison" in capsys.readouterr().err
    (notice,) = standing_notices(desk.config)
    assert "20260101T000000Z-bad.poison" in notice.message


def test_every_field_of_a_spooled_file_is_looked_at(desk: Desk) -> None:
    """A file with any one field missing or of another kind is no message of ours, and raises nothing."""
    desk.configure({"dead": free_port()})
    desk.tell(desk.run(c=3))
    (path,) = desk.spool.folder.glob("*.json")
    whole = json.loads(path.read_bytes())
    ruined = [
        {k: v for k, v in whole.items() if k != name} for name in whole
    ] + [{**whole, name: odd} for name in whole for odd in (None, 7, "x", [1], {"a": 1}) if (name, odd) != ("told", None)]  # fmt: skip
    for part in ("message", "told"):
        ruined += [
            {**whole, part: {k: v for k, v in whole[part].items() if k != name}} for name in whole[part]
        ]
    for one in ruined:
        path.write_text(json.dumps(one))
        assert desk.spool.waiting() == [], one
    path.write_text(json.dumps(whole))
    assert len(desk.spool.waiting()) == 1


# --- what is lost or in the way ---------------------------------------------------------------------------


def test_a_damaged_ledger_or_history_tells_rather_twice(
    desk: Desk, hook: Hook, capsys: pytest.CaptureFixture[str]
) -> None:
    """A torn line costs no other; without the history the alarm goes out, and says what it could not know."""
    desk.tell(desk.run(c=3))
    with (desk.spool.folder / "told.jsonl").open("a") as file:
        file.write('{"message": "x", "ru')
    assert desk.tell(desk.run(c=3)).message is None
    assert "1 line of what was told cannot be read" in capsys.readouterr().err
    desk.tell(desk.run(c=3, d=1))
    assert len(desk.told()) == 2
    index = desk.config.reports / ".kisaan-history.sqlite"
    index.write_bytes(b"x" * 5_000)
    done = desk.tell(desk.run(c=3, d=1, e=1))
    assert done.message is not None
    assert "Note: the history could not be read" in done.message.body
    assert {i for one in done.message.facts["incidents"] for i in one["checks"]} >= {"e"}
    index.unlink()
    (desk.spool.folder / "told.jsonl").unlink()
    told = desk.tell(desk.run(c=3, d=1, e=1)).message
    assert told is not None
    assert {one["news"] for one in told.facts["incidents"]} == {"still failing"}


def _forked(work: Callable[[], object]) -> int:
    """Do something in a process of its own; how it ended."""
    return _ended(_begun(work))


def _begun(work: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(9)
        os._exit(0)
    return child


def _ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def far(tmp_path: Path) -> Iterator[FarHook]:
    """A receiver in another process."""
    with far_web_server(tmp_path / "far.log") as running:
        yield running


def test_a_full_disk_silences_nobody(tmp_path: Path, far: FarHook) -> None:
    """Nothing can be written, not even the lock: the message goes out all the same."""
    desk = Desk(tmp_path, {"far": far.port})
    judged = desk.run(c=3)

    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        done = desk.tell(judged)
        assert [s.delivered for s in done.sent] == [True]

    assert _forked(full) == 0
    assert far.ids() == [judged.run.id]
    # What could not be written down is told again, by the same id.
    desk.tell(judged)
    assert far.ids() == [judged.run.id] * 2


DEADLY = {os: ("open", "write", "fsync", "replace", "unlink", "close"), tempfile: ("mkstemp",)}


@contextmanager
def killed_at(step: int) -> Iterator[list[str]]:
    """Die at the step-th call that touches a file, or comes to the network: half of what a write should
    write is written.
    """
    import socket

    seen: list[str] = []

    def deadly(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            seen.append(name)
            if len(seen) == step:
                if name == "write":
                    real(args[0], args[1][: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **named)

        return call

    places = [
        *((module, name) for module, names in DEADLY.items() for name in names),
        (socket, "create_connection"),
    ]
    real = [getattr(module, name) for module, name in places]
    for (module, name), was in zip(places, real, strict=True):
        setattr(module, name, deadly(name, was))
    try:
        yield seen
    finally:
        for (module, name), was in zip(places, real, strict=True):
            setattr(module, name, was)


@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_anywhere_it_is_told(tmp_path: Path, stride: int) -> None:
    """Before any open, write, sync, rename, removal or connection, and in the middle of each write: the next
    telling leaves both channels with the message, at most twice and by one id, the ledger with one line, and
    nothing waiting.
    """
    with far_web_server(tmp_path / "1.log") as one, far_web_server(tmp_path / "2.log") as two:
        first = Desk(tmp_path / "first", {"one": one.port, "two": two.port})
        judged = first.run(c=3)
        step, ended = 0, -signal.SIGKILL
        while ended == -signal.SIGKILL:
            step += 1
            shutil.copytree(first.folder, tmp_path / str(step))
            desk = Desk(tmp_path / str(step), {"one": one.port, "two": two.port})
            one.clear()
            two.clear()

            def work(desk: Desk = desk, step: int = step) -> None:
                with killed_at(step):
                    desk.tell(judged)

            ended = _forked(work)
            desk.tell(judged)
            desk.tell(judged, timedelta(hours=1))
            for hook in (one, two):
                assert set(hook.ids()) == {judged.run.id}, step
                assert len(hook.ids()) <= 2, step
            assert desk.told() == [judged.run.id], step
            assert desk.spool.waiting() == [], step
            assert sorted(p.name for p in desk.spool.folder.iterdir()) == ["told.jsonl"], step
        assert ended == 0
        assert step >= 25, "else little was killed"


def test_two_at_once_tell_once(tmp_path: Path, far: FarHook) -> None:
    """The second waits for the first, and finds it told."""
    desk = Desk(tmp_path, {"far": far.port})
    judged = desk.run(c=3)
    begun = [_begun(lambda: desk.tell(judged)) for _ in range(3)]
    assert [_ended(child) for child in begun] == [0, 0, 0]
    assert far.ids() == [judged.run.id]
    assert desk.told() == [judged.run.id]


# --- drills -----------------------------------------------------------------------------------------------


def test_a_drill_says_who_took_it(desk: Desk, hook: Hook) -> None:
    """A marked alarm, each receipt, and a line for the next page; it waits for nobody."""
    desk.configure({"hook": hook.port, "dead": free_port()})
    held = drill(desk.config, now=desk.nights.at)
    (body,) = hook.bodies
    given = json.loads(body)
    assert (given["drill"], given["subject"][:6]) == (True, "DRILL:")
    assert [(a.channel, a.delivered) for a in held.answers] == [("hook", True), ("dead", False)]
    assert last_drill(desk.spool.folder) == held
    (notice,) = standing_notices(desk.config)
    assert (notice.code, notice.message) == (
        "drill_failed",
        "last alarm drill, 2026-01-05 02:30 UTC: hook: HTTP 200 id evt-77; dead FAILED: Connection refused",
    )
    assert desk.spool.waiting() == []
    desk.configure({"hook": hook.port})
    drill(desk.config, now=desk.nights.at)
    assert [notice.code for notice in standing_notices(desk.config)] == ["drill"]
    assert (
        replace(held, answers=()).failed
        == hold_drill((), Message("d", held.at, "", "", Severity.INFO), {}).failed
    )
