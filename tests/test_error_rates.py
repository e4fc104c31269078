"""The rate of errors before a change and after it: exact counts, a rule that says when it cannot tell."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import comb
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, slack
from faulty import faulty, plain, said
from helpers import examples
from test_probe_cli import cli, few

from kisaan_validate.errors import UsageError
from kisaan_validate.facts.error_rate import ErrorRates, ErrorWindow
from kisaan_validate.facts.probe import ProbeState
from kisaan_validate.probe.chance import chance_of, first_noticed
from kisaan_validate.probe.error_verdict import judge_error_rates
from kisaan_validate.probe.logs import LogCount, count_logs, log_patterns
from kisaan_validate.probe.prometheus import PrometheusQueries, count_prometheus
from kisaan_validate.probe.times import NoTime, NoZone, read_time, read_zone, two_windows
from kisaan_validate.process.stopping import Stop
from kisaan_validate.record.error_rates import errors_from_json, errors_to_json

GO, NO, OPEN = ProbeState.PASS, ProbeState.FAIL, ProbeState.UNKNOWN
AROUND = datetime(2026, 10, 18, 2, 30, tzinfo=UTC)
PATTERN, ERRORS = r"^(?P<time>\S+) (GET|POST) ", r" 5\d\d$"


def rates(before: tuple[int, int], after: tuple[int, int], **more: Any) -> ErrorRates:
    """Two windows of half an hour; each side is (requests, errors)."""
    half = timedelta(minutes=30)
    sides = ErrorWindow(AROUND - half, AROUND, *before), ErrorWindow(AROUND, AROUND + half, *after)
    return replace(ErrorRates(1, "log", AROUND, *sides, Decimal("0.01"), Decimal("0.01")), **more)


# --- the rule ---------------------------------------------------------------------------------------------


def exact(before: tuple[int, int], after: tuple[int, int]) -> Fraction:
    """Fisher's test by whole numbers alone."""
    (n, e), (m, f) = before, after
    ways = sum(comb(m, k) * comb(n, e + f - k) for k in range(f, min(e + f, m) + 1))
    return Fraction(ways, comb(n + m, e + f))


def test_the_chance_is_that_of_fishers_test() -> None:
    """Law: to forty digits, for any counts, none of them special."""
    dice = random.Random(19)
    for _ in range(examples(200)):
        n, m = dice.randint(1, 150), dice.randint(1, 150)
        before, after = (n, dice.randint(0, n)), (m, dice.randint(0, m))
        error = abs(Fraction(chance_of(before, after)) - exact(before, after))
        assert error < Fraction(1, 10**40), (before, after)
        first = first_noticed(before, m, Decimal("0.01"))
        noticed = [k for k in range(m + 1) if exact(before, (m, k)) < Fraction(1, 100)]
        assert first == (noticed[0] if noticed else None)


RULES: dict[str, tuple[tuple[int, int], tuple[int, int], ProbeState, str]] = {
    "as the runbook hopes": (
        (3402, 12),
        (3380, 15),
        GO,
        "errors did not increase: 12 of 3,402 before, 15 of 3,380 after",
    ),
    "fewer": ((3402, 40), (3380, 0), GO, "errors did not increase"),
    "none": ((3000, 0), (3000, 0), GO, "errors did not increase"),
    "many more": ((3402, 12), (3380, 60), NO, "errors increased: 12 of 3,402 before, 60 of 3,380 after"),
    "all of a few": ((100, 0), (20, 20), NO, "errors increased"),
    "seven of a hundred": ((100, 0), (100, 7), NO, "errors increased"),
    "six of a hundred": ((100, 0), (100, 6), OPEN, "too few requests"),
    "few": ((100, 0), (100, 0), OPEN, "only 7 errors or more would have been noticed"),
    "very few": ((2, 1), (2, 1), OPEN, "no number of errors would have been noticed"),
    "none before": ((0, 0), (3000, 0), OPEN, "there is no request before"),
    "none after": ((3000, 0), (0, 0), OPEN, "there is no request after"),
    "all fail on both sides": ((9000, 9000), (9000, 9000), OPEN, "no number of errors"),
}


@pytest.mark.parametrize("name", RULES)
def test_the_rule_says_what_it_saw(name: str) -> None:
    """Law: an increase that chance hardly explains fails; none passes only where an increase of more than the
    tolerance would have been noticed; else it cannot be told.
    """
    before, after, state, words = RULES[name]
    judged = judge_error_rates(rates(before, after))
    assert (judged.state, words in judged.fact) == (state, True), judged


def test_a_gap_outranks_every_number() -> None:
    """Law: counts that may not be whole prove nothing, neither way; larger tolerance asks for less."""
    for sides in (((3402, 12), (3380, 15)), ((3402, 12), (3380, 60))):
        judged = judge_error_rates(rates(*sides, gaps=("the log begins late",)))
        assert (judged.state, judged.fact.startswith("the log begins late")) == (OPEN, True)
    assert judge_error_rates(rates((100, 0), (100, 0), tolerance=Decimal("0.1"))).state is GO


def test_a_large_count_is_judged_soon() -> None:
    """Law: the terms that count are few, whatever the counts are."""
    began = time.monotonic()
    judged = judge_error_rates(rates((10_000_000, 1_000_000), (10_000_000, 1_010_000)))
    assert judged.state is NO
    assert time.monotonic() - began < 5 * slack()


# --- times ------------------------------------------------------------------------------------------------


def test_a_time_has_a_zone_that_somebody_said() -> None:
    """Law: no zone is assumed; what a clock showed twice or never is no time."""
    india, berlin = read_zone("Asia/Kolkata"), read_zone("Europe/Berlin")
    wanted = AROUND - timedelta(hours=5, minutes=30)
    for text, form, zone in (
        ("2026-10-18T02:30:00+05:30", "", None),
        ("2026-10-17T21:00:00Z", "", None),
        ("2026-10-18 02:30:00", "", india),
        ("2026-10-18 02:30:00,000", "", read_zone("+05:30")),
        (f"{wanted.timestamp():.0f}", "", None),
        (f"{wanted.timestamp():.0f}000", "", None),
        ("18/Oct/2026:02:30:00 +0530", "%d/%b/%Y:%H:%M:%S %z", None),
    ):
        assert read_time(text, form, zone) == wanted, text
    assert read_time("1760754600.123456", "", None).microsecond == 123_456
    for text, zone, kind, twice in (
        ("2026-10-18T02:30", None, NoZone, False),
        ("2026-10-25T02:30", berlin, NoTime, True),
        ("2026-03-29T02:30", berlin, NoTime, True),
        ("yesterday", india, NoTime, False),
        ("9999-12-31T23:59:59-12:00", None, NoTime, False),
    ):
        with pytest.raises(kind) as raised:
            read_time(text, "", zone)
        assert raised.value.ambiguous is twice
    for zone in ("Nowhere/Town", "../../etc/passwd", "+25:00", "\0", "/etc/localtime"):
        with pytest.raises(UsageError, match="names no time zone"):
            read_zone(zone)


def test_both_times_are_equally_long() -> None:
    """Law: right before, or the same weekday a week before; never overlapping the change."""
    day = timedelta(days=1)
    plain_ = two_windows(AROUND, None, 1800, week=False)
    later = two_windows(AROUND, AROUND + timedelta(hours=2), 1800, week=False)
    week = two_windows(AROUND, AROUND + timedelta(hours=2), 1800, week=True)
    for made in (plain_, later, week):
        assert made.before[1] - made.before[0] == made.after[1] - made.after[0] == timedelta(minutes=30)
        assert made.before[1] <= AROUND
    assert (plain_.before[1], plain_.after[0]) == (AROUND, AROUND)
    assert later.after[0] == AROUND + timedelta(hours=2)
    assert week.after[0] - week.before[0] == 7 * day
    with pytest.raises(UsageError, match="reaches into the change"):
        two_windows(AROUND, None, 8 * 86_400, week=True)
    with pytest.raises(UsageError, match="earlier than --around"):
        two_windows(AROUND, AROUND - day, 60, week=False)


# --- logs -------------------------------------------------------------------------------------------------


def lines(times: Sequence[float], status: int = 200) -> str:
    """A request each, so many minutes after the change."""
    return "".join(f"{(AROUND + timedelta(minutes=m)).isoformat()} GET /x {status}\n" for m in times)


def counted(paths: Sequence[Path], pattern: str = PATTERN, errors: str = ERRORS, **more: Any) -> LogCount:
    """The files, half an hour before and after."""
    windows = two_windows(AROUND, None, 1800, week=False)
    given = {"form": "", "zone": None, "seconds": 60.0, "stop": Stop(), **more}
    patterns = log_patterns(pattern, errors, given["form"], given["zone"])
    return count_logs(paths, patterns, windows, given["seconds"], given["stop"])


WHOLE = (
    lines((-40, -30, -29.5, -0.1))
    + lines((-15,), 503)
    + lines((0, 10))
    + lines((5, 6), 500)
    + lines((29.9, 30, 40))
)


def numbers(found: LogCount) -> list[tuple[int, int]]:
    """(requests, errors) of both times."""
    return [(one.requests, one.errors) for one in found.sides()]


def test_each_request_is_counted_once_where_it_belongs(tmp_path: Path) -> None:
    """Law: a time begins with its first moment and ends before its last; rotated and packed files are read."""
    old, new = tmp_path / "a.log.1.gz", tmp_path / "a.log"
    cut = WHOLE.index("\n", len(WHOLE) // 2) + 1
    old.write_bytes(gzip.compress((WHOLE[:cut] + "Traceback: no request\n").encode()))
    new.write_text(WHOLE[cut:])
    found = counted([new, old])
    assert (numbers(found), found.gaps()) == ([(4, 1), (5, 2)], ())


DAMAGED = {
    "begins late": (lines((-20, 0, 29, 31)), "the log begins at 2026-10-18 02:10:00 UTC"),
    "ends early": (lines((-40, 0, 20)), "the log ends at 2026-10-18 02:50:00 UTC"),
    "no request": ("GET nothing\n", "none of 1 line fits --pattern"),
    "nothing": ("", "none of 0 lines fits --pattern"),
    "no zone": (WHOLE + "2026-10-18T02:31:00 GET /x 200\n", "1 line has a time without a zone"),
    "no time": (WHOLE + "soon GET /x 200\n" * 2, "2 lines have a time that cannot be read"),
    "a long line": (WHOLE + lines((1,))[:-1] + " " * 300_000 + " 500\n", "1 line has more than 64 kB"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_log_that_may_not_be_whole_says_so(name: str, tmp_path: Path) -> None:
    """Law: what was not read, or cannot be placed, keeps the counts from proving anything."""
    text, gap = DAMAGED[name]
    (tmp_path / "a.log").write_text(text)
    assert counted([tmp_path / "a.log"]).gaps()[0].startswith(gap)


def test_a_pattern_or_a_file_without_end_is_given_up(tmp_path: Path) -> None:
    """Law: neither a line that a pattern never finishes with nor an endless packed file holds us up."""
    path = tmp_path / "a.log"
    path.write_text(WHOLE + lines((1,))[:-1] + "ab" * 60 + "c!\n")
    began = time.monotonic()
    found = counted([path], errors="(a|b|ab)*c$")
    assert found.gaps()[0] == "a pattern took more than 1 s over one line of a.log"
    bomb = tmp_path / "b.log.gz"
    bomb.write_bytes(gzip.compress(b"x" * 2**24, compresslevel=1) * 1000)  # 16 GB once unpacked
    assert counted([bomb], seconds=0.5).gaps()[0] == "the files were not read within 0.5 s"
    assert time.monotonic() - began < 20 * slack()
    stop = Stop()
    stop.request("SIGTERM")
    assert counted([path], stop=stop).gaps()[0] == "stopped: SIGTERM"


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    """Law: missing, a folder, cut off, or named twice in any way: exit 2, by name."""
    whole, cut = tmp_path / "a.log", tmp_path / "cut.gz"
    whole.write_text(WHOLE)
    cut.write_bytes(gzip.compress(os.urandom(10_000))[:-500])
    (tmp_path / "link.log").symlink_to(whole)
    (tmp_path / "junk.gz").write_bytes(b"\x1f\x8bnothing")
    for paths, words in (
        ([tmp_path / "none.log"], "cannot be read: No such file"),
        ([tmp_path], "is not a file"),
        ([cut], "is damaged"),
        ([tmp_path / "junk.gz"], "is damaged"),
        ([whole, tmp_path / "link.log"], "is named twice"),
    ):
        with pytest.raises(UsageError, match=words):
            counted(paths)
    for pattern, words in (("(", "not a regular expression"), ("GET", "names no time")):
        with pytest.raises(UsageError, match=words):
            log_patterns(pattern, "x", "", None)


def test_the_command_compares_and_keeps(tmp_path: Path) -> None:
    """Law: exit 0, 1 and 3 by the rule; the record reads back; no line of the log is printed."""
    quiet = lines([-31] + [-30 + n / 100 for n in range(3000)]) + lines([n / 100 for n in range(3000)] + [31])
    (tmp_path / "good.log").write_text(quiet)
    (tmp_path / "bad.log").write_text(quiet + lines([5] * 60, 500))
    (tmp_path / "short.log").write_text(WHOLE)
    base = ("probe", "errors", "--pattern", PATTERN, "--errors", ERRORS, "--around", "2026-10-18T08:00+05:30")
    base += ("--for", "30 min", "-o", "out")
    codes = {name: cli(tmp_path, *base, "--log", name) for name in ("good.log", "bad.log", "short.log")}
    assert [done.returncode for done in codes.values()] == [0, 1, 3], codes
    assert "errors increased: 0 of 3,000 before, 60 of 3,060 after" in codes["bad.log"].stdout
    assert (
        "go           errors did not increase: 0 of 3,000 before, 0 of 3,000 after"
        in codes["good.log"].stdout
    )
    assert "/x" not in "".join(done.stdout for done in codes.values())
    text = (tmp_path / "out" / "errors.json").read_text()
    assert errors_to_json(errors_from_json(text)) == text


def test_an_answer_that_cannot_be_written_is_shown(tmp_path: Path) -> None:
    """Law: where the disk takes no byte the verdict is said all the same, and a go that nobody can read is none."""
    quiet = lines([-31] + [-30 + n / 100 for n in range(3000)]) + lines([n / 100 for n in range(3000)] + [31])
    for name, text, code, word in (
        ("good.log", quiet, 3, "go           errors did not"),
        ("bad.log", quiet + lines([5] * 60, 500), 1, "no-go        errors increased"),
    ):
        (tmp_path / name).write_text(text)
        words = ["probe", "errors", "--pattern", PATTERN, "--errors", ERRORS, "--log", name, "-o", "out"]
        words += ["--around", "2026-10-18T02:30Z", "--for", "30 min"]
        # It holds for root too, and Python ignores its signal: each write fails as on a full disk.
        limited = [
            "sh",
            "-c",
            'ulimit -f 0; exec "$@"',
            "sh",
            sys.executable,
            "-m",
            "kisaan_validate",
            *words,
        ]
        here = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(limited, cwd=tmp_path, env=here, capture_output=True, text=True, check=False)
        assert (done.returncode, word in done.stdout) == (code, True), done.stdout + done.stderr
        assert f"error: cannot write {Path('out', 'errors.json')}" in done.stderr
        assert list((tmp_path / "out").iterdir()) == []


WRONG = {
    "no zone": (("--around", "2026-10-18T08:00"), "--around has no zone"),
    "no time": (("--around", "now"), "--around is not a time"),
    "the future": (("--around", "2199-01-01T00:00Z"), "the period after has not ended"),
    "no length": (("--for", "30"), "--for is not a duration"),
    "no chance": (("--chance", "2"), "--chance is not a share"),
    "no tolerance": (("--tolerance", "NaN"), "--tolerance is not a share"),
    "both": (("--prometheus", "http://localhost:1"), "in log files or by Prometheus"),
}


@pytest.mark.parametrize("name", few(WRONG))
def test_what_is_wrong_is_refused(name: str, tmp_path: Path) -> None:
    """Law: exit 2 with what to do."""
    words, fact = WRONG[name]
    (tmp_path / "a.log").write_text(WHOLE)
    base = ["probe", "errors", "--log", "a.log", "--pattern", PATTERN, "--errors", ERRORS]
    base += ["--around", "2026-10-18T02:30Z", "--for", "30 min", *words]
    done = cli(tmp_path, *base)
    assert (done.returncode, fact in done.stderr, "HINT" in done.stderr) == (2, True, True), done.stderr


# --- Prometheus -------------------------------------------------------------------------------------------


def vector(*values: str) -> dict[str, Any]:
    """What Prometheus answers to a query."""
    result = [{"metric": {}, "value": [1.0, value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def prometheus(folder: Path, ways: Any, **env: str) -> Any:
    """The command against a server that answers so, and what it was asked."""
    with faulty() as server:
        server.ways["/api/v1/query"] = ways
        done = cli(
            folder, "probe", "errors", "--prometheus", server.url, "--requests", "sum(increase(a[$window]))",
            "--failed", "sum(increase(b[$window]))", "--around", "2026-10-18T02:30Z", "--for", "30 min",
            *(("--token-env", "TOKEN") if env else ()), **env,
        )  # fmt: skip
        return done, server.asked


def test_prometheus_is_asked_for_both_times(tmp_path: Path) -> None:
    """Law: the same queries at the end of each time, over its length; counts are named as estimates."""

    def answer(wire: Any, asked: Any) -> None:
        errors = "b%5B1800s" in asked.path
        said(200, vector("12.4" if errors else "3402.17"))(wire, asked)

    done, asked = prometheus(tmp_path, answer, TOKEN="t0ken")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "about 12 of 3,402 before, about 12 of 3,402 after" in done.stdout
    times = [one.path.rpartition("time=")[2] for one in asked]
    assert times == [f"{(AROUND + timedelta(minutes=m)).timestamp():.0f}" for m in (0, 0, 30, 30)]
    assert {one.headers["authorization"] for one in asked} == {"Bearer t0ken"}
    assert "t0ken" not in done.stdout


NO_COUNT = {
    "no series": (said(200, vector()), "no series"),
    "several": (said(200, vector("1", "2")), "several series"),
    "NaN": (said(200, vector("NaN")), "a query gives no count"),
    "negative": (said(200, vector("-1")), "a query gives no count"),
    "an error": (said(400, {"status": "error"}), "HTTP 400"),
    "a page": (plain(200, b"<html>", kind="text/html"), "not JSON"),
    "something else": (said(200, {"data": []}), "its answer is not that of a query"),
    "no object": (said(200, [1]), "its answer is not that of a query"),
    "a matrix": (said(200, {"data": {"resultType": "matrix", "result": []}}), "no single number"),
    "part of it": (said(200, {**vector("1"), "warnings": ["a store is away"]}), "may not be whole"),
    "odd values": (said(200, {"data": {"resultType": "vector", "result": [{}]}}), "not that of a query"),
}


@pytest.mark.parametrize("name", NO_COUNT)
def test_what_is_no_count_is_cannot_tell(name: str) -> None:
    """Law: a gap with the reason, which no verdict passes, never a silent count of 0."""
    way, words = NO_COUNT[name]
    with faulty() as server:
        server.ways["/api/v1/query"] = way
        asked = PrometheusQueries(server.url, "sum(increase(a[$window]))", "sum(increase(b[$window]))", {})
        sides, gaps = count_prometheus(asked, two_windows(AROUND, None, 1800, week=False), Stop())
    assert words in gaps[0]
    assert (
        judge_error_rates(replace(rates((1, 1), (1, 1)), before=sides[0], after=sides[1], gaps=gaps)).state
        is OPEN
    )


def test_prometheus_that_cannot_be_asked_is_said(tmp_path: Path) -> None:
    """Law: a query that says no length is refused, a server that is not there is cannot tell."""
    asked = PrometheusQueries("http://localhost:1", "a[$window]", "b[$window]", {})
    windows = two_windows(AROUND, None, 1800, week=False)
    assert count_prometheus(asked, windows, Stop())[1][0].endswith("the connection was refused")
    with pytest.raises(UsageError, match="--failed has no"):
        count_prometheus(replace(asked, errors="b"), windows, Stop())
    done, _ = prometheus(tmp_path, said(200, vector()))
    assert (done.returncode, "no series" in done.stdout) == (3, True)
