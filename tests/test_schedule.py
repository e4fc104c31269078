"""schedule prints units that work as they are and hold no secret."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import needs
from cronsim import CronSim
from helpers import examples
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from shop import Shop

from kisaan_validate.cli.main import main
from kisaan_validate.errors import UsageError
from kisaan_validate.ops.schedule import cron, k8s, systemd
from kisaan_validate.ops.schedule.job import NightlyJob, absolute, read_name, read_time

KINDS: dict[str, Callable[[NightlyJob], str]] = {
    "--systemd": systemd.units,
    "--cron": cron.line,
    "--k8s": k8s.manifest,
}
AWKWARD = [
    "plain",
    "with space",
    "100%h",
    "$HOME and ${X}",
    'quo"te',
    "it's",
    "back\\slash",
    "semi;colon & more",
    "#hash",
    "दुकान",
    "{a: b}",
    "- x",
]


def _job(folder: Path, **more: Any) -> NightlyJob:
    given: dict[str, Any] = {
        "name": "shop",
        "program": (str(folder / "bin" / "kisaan-validate"),),
        "folder": folder,
        "suite": folder / "checks",
        "reports": folder / "reports",
        "config": None,
        "hour": 2,
        "minute": 30,
        "user": "reader",
        "image": "r.example/x:1",
        "version": "1",
    }
    return NightlyJob(**(given | more))


def _live(folder: Path) -> NightlyJob:
    """A job whose program is there."""
    program = folder / "bin" / "kisaan-validate"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    return _job(folder)


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_is_printed(shop: Shop, kind: str) -> None:
    """Whatever holds a password in the environment, nothing of a connection string is in the units: not
    even a host.
    """
    secret = "hunter2-Pass"
    url = f"postgresql://someone:{secret}@db.secret.invalid/prod"
    shown = shop.cli(
        "schedule", kind, KISAAN_DSN=url, DATABASE_URL=url, PGPASSWORD=secret, PGHOST="db.secret.invalid"
    )
    assert shown.returncode == 0, shown.stderr
    for hidden in (secret, "someone", "db.secret.invalid"):
        assert hidden not in shown.stdout + shown.stderr
    assert "--lock" in shown.stdout
    assert "KISAAN_DSN" in shown.stdout


def test_the_units_use_this_configuration(shop: Shop) -> None:
    """Suite, reports and configuration as kisaan.toml says, absolute; the time as --at says."""
    (shop.folder / "night.toml").write_text('[suite]\npath = "checks"\n[report]\nfolder = "kept/../out"\n')
    shown = shop.cli(
        "schedule", "--systemd", "--config", "night.toml", "--at", "23:05", "--name", "shop-night", dsn=False
    )
    assert shown.returncode == 0, shown.stderr
    folder = shop.folder
    words = (
        f'"run" "--lock" "--quiet" "--config" "{folder}/night.toml" "--suite" "{folder}/checks" '
        f'"--reports" "{folder}/out"'
    )
    assert words in shown.stdout
    for line in (
        "OnCalendar=*-*-* 23:05:00",
        f"WorkingDirectory={folder}",
        "EnvironmentFile=/etc/kisaan-validate/shop-night.env",
    ):
        assert line in shown.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "needs one of"),
        (["--cron", "--k8s"], "needs one of"),
        (["--cron", "--at", "24:00"], "not a time of day"),
        (["--cron", "--at", "2:30"], "not a time of day"),
        (["--cron", "--name", "A b"], "cannot name a unit"),
        (["--cron", "--suite", "nowhere"], "no such folder: 'nowhere'"),
        (["--systemd", "--user", "a\nExecStart=/bin/sh"], "cannot be used in a unit"),
        (["--k8s", "--image", "x\ny: z"], "cannot be used in a unit"),
        (["--cron", "--reports", "a\nb"], "cannot be used in a unit"),
        (["--cron", "--scan", "a b"], "--scan 'a b' cannot be used in a unit"),
        (["--cron", "--scan", "--now"], "--scan '--now' cannot be used in a unit"),
        (["--systemd", "--on-failure", "x\nUser=root"], "cannot be used in a unit"),
        (["--cron", "--ping"], "names no ping URL"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    """Exit 2 and one fact; nothing is printed that somebody could install."""
    (tmp_path / "checks").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["schedule", *words]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err


@pytest.mark.parametrize("text", ["", "x", "02:60", "02:3", "-1:30", "02:30 ", "٠٢:٣٠", "02:30\n"])
def test_only_a_time_of_day_is_one(text: str) -> None:
    """Two digits each, from 00:00 to 23:59."""
    with pytest.raises(UsageError):
        read_time(text)
    assert (read_time("00:00"), read_time("23:59")) == ((0, 0), (23, 59))


@pytest.mark.parametrize("text", ["", "-a", "a-", "a/b", "a.b", "a" * 53, "ä", "a\n"])
def test_only_a_name_that_all_three_accept_is_one(text: str) -> None:
    """systemd unit, file and Kubernetes object at once."""
    with pytest.raises(UsageError):
        read_name(text)
    assert read_name("a" * 52)


@pytest.mark.parametrize("kind", KINDS)
def test_a_path_with_hidden_characters_is_refused(kind: str) -> None:
    """A line break in a folder's name would end a unit's line and begin another."""
    for name in ("a\nExecStart=/bin/sh", "a\rb", "a\x00b", "a\u202eb", "\udcff"):
        with pytest.raises(UsageError):
            absolute(Path(name))
    assert absolute(Path("/a/../b/./c")) == Path("/b/c")


# --- systemd ----------------------------------------------------------------------------------------------


def _units(text: str) -> dict[str, str]:
    """File name -> text, as the first lines say it is to be saved."""
    parts = re.split(r"^# /etc/systemd/system/(\S+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _words(line: str) -> list[str]:
    """A command line as systemd reads it: double quotes, backslashes, %% and $$."""
    words = [re.sub(r"\\(.)", r"\1", word) for word in re.findall(r'"((?:[^"\\]|\\.)*)"', line)]
    assert not any("%" in word.replace("%%", "") for word in words)
    assert not any("$" in word.replace("$$", "") for word in words[1:])
    return [words[0].replace("%%", "%"), *(word.replace("%%", "%").replace("$$", "$") for word in words[1:])]


@pytest.mark.parametrize("name", AWKWARD)
def test_systemd_verifies_the_units(tmp_path: Path, name: str) -> None:
    """`systemd-analyze verify` has nothing to say, and the command line comes out as it went in; whatever
    the folder is called.
    """
    job = _live(tmp_path / name)
    if set(name) & set("'\"\\"):
        with pytest.raises(UsageError, match="systemd cannot start a program"):
            systemd.units(job)
        job = replace(job, program=_live(tmp_path / "elsewhere").program)
    files = _units(systemd.units(job))
    assert list(files) == ["shop.service", "shop.timer"]
    (line,) = [line for line in files["shop.service"].splitlines() if line.startswith("ExecStart=")]
    assert _words(line) == list(job.command)
    for setting in (
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
        "User=reader",
        "#OnFailure=notify@%n.service",
    ):
        assert setting in files["shop.service"].splitlines()
    program = shutil.which("systemd-analyze")
    if program is None:
        return
    (tmp_path / "units").mkdir()
    for file, text in files.items():
        (tmp_path / "units" / file).write_text(text)
    paths = [str(tmp_path / "units" / file) for file in files]
    shown = subprocess.run(
        [program, "verify", "--man=no", *paths], capture_output=True, text=True, timeout=60
    )
    ours = [line for line in shown.stderr.splitlines() if "shop." in line or str(tmp_path) in line]
    assert ours == []


def _verified(folder: Path, job: NightlyJob) -> list[str]:
    """What ``systemd-analyze verify`` says of the units of a job."""
    folder.mkdir()
    for file, text in _units(systemd.units(job)).items():
        (folder / file).write_text(text)
    words = [needs("systemd-analyze"), "verify", "--man=no", *map(str, folder.iterdir())]
    shown = subprocess.run(words, capture_output=True, text=True, timeout=60)
    return [line for line in shown.stderr.splitlines() if "shop." in line or str(folder) in line]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"scan": "nightly", "ping_variable": "PING_URL"},
        {"ping_variable": "PING_URL"},
    ],
)
def test_systemd_verifies_every_kind_of_job(tmp_path: Path, more: dict[str, str]) -> None:
    """Scans, pings, a unit for failures; what failed for want of a database is tried again, an answer is
    not.
    """
    job = replace(_live(tmp_path / "shop"), on_failure="notify@%n.service", **more)
    assert _verified(tmp_path / "verified", job) == []
    lines = _units(systemd.units(job))["shop.service"].splitlines()
    assert "OnFailure=notify@%n.service" in lines
    assert "RestartPreventExitStatus=1 3 5 6" in lines
    (line,) = [line for line in lines if line.startswith("ExecStart=")]
    assert ('"scan" "nightly"' in line, '"--ping"' in line) == (
        "scan" in more,
        more.keys() == {"ping_variable"},
    )


@pytest.mark.parametrize(
    "line", ["RestartSec=10min", "StartLimitBurst=3", "RestartPreventExitStatus=1 3 5 6"]
)
def test_systemd_would_see_a_slip_in_what_restarts(tmp_path: Path, line: str) -> None:
    """The settings stand in the sections where systemd knows them."""
    job = _live(tmp_path / "shop")
    text = systemd.units(job)
    assert line in text
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(systemd, "units", lambda _: text.replace(line, f"Q{line}"))
        assert any("Unknown" in said for said in _verified(tmp_path / "verified", job))


def test_systemd_verify_would_see_a_fault(tmp_path: Path) -> None:
    """The verification is one: a setting that does not exist is reported."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "shop.service"
    unit.write_text(
        _units(systemd.units(_live(tmp_path / "x")))["shop.service"].replace(
            "NoNewPrivileges=", "NoNewPrivilege="
        )
    )
    shown = subprocess.run(
        [program, "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60
    )
    assert "NoNewPrivilege" in shown.stderr


# --- cron -------------------------------------------------------------------------------------------------


def _as_cron_runs_it(text: str) -> tuple[str, str]:
    """(when, the command for sh): the last line; a percent sign that is not escaped would end the command
    (crontab(5)).
    """
    *comments, line = text.splitlines()
    assert all(comment.startswith("#") for comment in comments)
    fields = line.split(" ", 5)
    assert not re.search(r"(?<!\\)%", fields[5])
    return " ".join(fields[:5]), fields[5].replace("\\%", "%")


@pytest.mark.parametrize("name", AWKWARD)
def test_cron_s_command_is_the_command(tmp_path: Path, name: str) -> None:
    """sh gets the very words; a pass prints nothing, anything else prints what was said and the exit code,
    and ends with it.
    """
    job = _live(tmp_path / name)
    when, command = _as_cron_runs_it(cron.line(job))
    assert when == "30 2 * * *"
    environment = tmp_path / "night.env"
    environment.write_text("KISAAN_DSN='postgresql://reader@db/prod?a=b&c=d'\n")
    command = command.replace(str(job.environment), shlex.quote(str(environment)))
    program = Path(job.program[0])
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" "$KISAAN_DSN" > seen\necho said\nexit $(cat code)\n')
    for code, mailed in (
        (0, ""),
        (1, "said\nkisaan-validate: exit 1\n"),
        (6, "said\nkisaan-validate: exit 6\n"),
    ):
        (job.folder / "code").write_text(str(code))
        shown = subprocess.run(
            ["/bin/sh", "-c", command], capture_output=True, text=True, cwd="/", timeout=60
        )
        assert (shown.returncode, shown.stdout) == (code, mailed), shown.stderr
    assert (job.folder / "seen").read_text().splitlines() == [
        *job.command[1:],
        "postgresql://reader@db/prod?a=b&c=d",
    ]


@given(st.integers(0, 23), st.integers(0, 59), st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))
@profile(max_examples=examples(50))
def test_cron_starts_it_once_a_day_at_its_time(hour: int, minute: int, after: datetime) -> None:
    """By a parser of cron's own language: each next time is the time of day, a day later; whatever the job."""
    for more in ({}, {"scan": "nightly", "ping_variable": "PING_URL"}):
        job = replace(_job(Path("/srv/shop")), hour=hour, minute=minute, **more)
        when, _ = _as_cron_runs_it(cron.line(job))
        assert CronSim(when, after).explain() == f"At {hour:02}:{minute:02} every day"
        first, second = itertools.islice(CronSim(when, after), 2)
        assert (first.hour, first.minute, second - first) == (hour, minute, timedelta(days=1))
        assert timedelta() < first - after <= timedelta(days=1)
    made = _manifest(job)
    assert made["spec"]["schedule"] == when


def test_cron_says_so_if_the_file_that_names_the_database_is_missing(tmp_path: Path) -> None:
    """Nothing is run on a database that nobody named."""
    job = _live(tmp_path / "x")
    _, command = _as_cron_runs_it(cron.line(job).replace(str(job.environment), str(tmp_path / "nowhere")))
    shown = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert shown.returncode != 0
    assert "nowhere" in shown.stderr


@pytest.mark.slow
def test_a_whole_night_of_cron(shop: Shop) -> None:
    """The printed line, run by sh, proves the real suite on the real server: silent on a pass, loud on a
    failure.
    """
    printed = shop.cli("schedule", "--cron", dsn=False).stdout
    environment = shop.folder / "night.env"
    environment.write_text(
        f"KISAAN_DSN='{shop.server.dsn(shop.database, shop.role)}'\nPYTHONPATH='{Path(__file__).parent.parent}'\n"
    )
    _, command = _as_cron_runs_it(
        printed.replace("/etc/kisaan-validate/kisaan-validate.env", str(environment))
    )
    quiet = subprocess.run(
        ["/bin/sh", "-c", command],
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
        timeout=120,
    )
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert (shop.run_folder / "report.html").exists()
    shop.sql("UPDATE orders SET total = -1")
    loud = subprocess.run(
        ["/bin/sh", "-c", command],
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
        timeout=120,
    )
    assert loud.returncode == 1
    assert loud.stdout.splitlines()[0].startswith("target")
    assert loud.stdout.splitlines()[-1] == "kisaan-validate: exit 1"


# --- kubernetes -------------------------------------------------------------------------------------------


def _read(lines: list[str], indent: int = 0) -> Any:
    """The YAML that is written here, and nothing else: maps and lists of maps by indentation, everything
    else as JSON.
    """
    made: dict[str, Any] = {}
    while (
        lines
        and len(lines[0]) - len(lines[0].lstrip(" ")) == indent
        and not lines[0].lstrip().startswith("- ")
    ):
        match = re.fullmatch(r" *(\w+):(?: (.+))?", lines.pop(0))
        assert match
        made[match[1]] = json.loads(match[2]) if match[2] else _block(lines, indent + 2)
    return made


def _block(lines: list[str], indent: int) -> Any:
    if not lines[0].startswith(" " * indent + "- "):
        return _read(lines, indent)
    items = []
    while lines and lines[0].startswith(" " * indent + "- "):
        lines[0] = lines[0].replace("- ", "  ", 1)
        items.append(_read(lines, indent + 2))
    return items


def _manifest(job: NightlyJob) -> Any:
    lines = [line for line in k8s.manifest(job).splitlines() if not line.startswith("#")]
    made = _read(lines)
    assert lines == []
    return made


@pytest.mark.parametrize("name", AWKWARD)
def test_the_cron_job_reads_back(tmp_path: Path, name: str) -> None:
    """What is written is what was meant, whatever suite and configuration are called."""
    folder = tmp_path / "work"
    job = _job(folder, suite=folder / name, config=folder / f"{name}.toml")
    made = _manifest(job)
    container = made["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert container["args"] == [
        "run",
        "--lock",
        "--quiet",
        "--config",
        f"{name}.toml",
        "--suite",
        name,
        "--reports",
        "/reports",
    ]
    if shutil.which("kubectl"):
        (tmp_path / "job.yaml").write_text(k8s.manifest(job))
        (tmp_path / "kustomization.yaml").write_text("resources: [job.yaml]\n")
        shown = subprocess.run(
            ["kubectl", "kustomize", str(tmp_path)], capture_output=True, text=True, timeout=60
        )
        assert shown.returncode == 0, shown.stderr
        assert "kind: CronJob" in shown.stdout


def test_the_ping_url_comes_from_the_secret(tmp_path: Path) -> None:
    """As the database does; under the variable that the configuration names."""
    job = replace(_job(tmp_path), scan="nightly", ping_variable="MY_PING")
    container = _manifest(job)["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    (ping,) = [e for e in container["env"] if e["name"] == "MY_PING"]
    assert ping["valueFrom"]["secretKeyRef"] == {"name": "shop", "key": "ping"}
    assert container["args"][:3] == ["scan", "nightly", "--quiet"]
    assert "--from-file=ping=FILE" in k8s.manifest(job)


def test_the_cron_job_is_alone_unprivileged_and_holds_no_secret(tmp_path: Path) -> None:
    """Forbid, no retry, not root, no capability, a file system that is read only; the database comes from
    a Secret.
    """
    made = _manifest(_job(tmp_path))
    spec, pod = made["spec"], made["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert (made["apiVersion"], made["kind"], spec["schedule"], spec["concurrencyPolicy"]) == (
        "batch/v1",
        "CronJob",
        "30 2 * * *",
        "Forbid",
    )
    assert (spec["jobTemplate"]["spec"]["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
    assert pod["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["containers"]
    security = container["securityContext"]
    assert (
        security["allowPrivilegeEscalation"],
        security["readOnlyRootFilesystem"],
        security["capabilities"],
    ) == (False, True, {"drop": ["ALL"]})
    assert all(
        "value" not in variable and "secretKeyRef" in variable["valueFrom"] for variable in container["env"]
    )
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_the_program_is_the_one_that_printed_the_units(shop: Shop) -> None:
    """The words that start it exist, and start this version."""
    from kisaan_validate.cli.schedule_command import _program

    words = _program()
    shown = subprocess.run([*words, "--version"], capture_output=True, text=True, timeout=60, cwd=shop.folder)
    assert shown.returncode == 0
    assert Path(words[0]).parent == Path(sys.executable).parent
