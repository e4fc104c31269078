"""The demonstration finds exactly what was planted, on both servers, from the checkout and from an
installed wheel.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import ROOT, Server

from kisaan_validate.facts.result import Status, Verdict
from kisaan_validate.ops.demo.assets import Assets, find_assets
from kisaan_validate.ops.demo.place import DATABASE, READER, Playground
from kisaan_validate.ops.demo.story import PUBLIC_SCALE, DemoStory, play
from kisaan_validate.suite.load import load_suite

SCALE = 3_000


@contextmanager
def _stage(server: Server) -> Iterator[Playground]:
    """The demonstration's database on a server of the tests, removed afterwards."""
    yield Playground(server.host, server.port)
    server.drop(DATABASE)
    server.sql(f"DROP ROLE {READER}")


@pytest.fixture(scope="module")
def assets() -> Assets:
    """The story's files of this checkout."""
    return find_assets()


@pytest.fixture(params=["server", "server15"])
def stage(request: pytest.FixtureRequest) -> Iterator[Playground]:
    """PostgreSQL 18 and 15 in turn."""
    with _stage(request.getfixturevalue(request.param)) as place:
        yield place


def _play(
    place: Playground, assets: Assets, clean: bool = False, scale: int = SCALE, public: bool = False
) -> DemoStory:
    return play(place, assets, lambda _: None, scale=scale, clean=clean, public=public)


def test_every_planted_fault_is_found_with_its_count_and_nothing_else(
    stage: Playground, assets: Assets
) -> None:
    """The findings equal the manifest exactly."""
    story = _play(stage, assets, clean=False)
    assert (story.missed, story.invented) == ({}, {})
    assert story.after.verdict is Verdict.FAIL
    assert {r.status for r in story.after.results} <= {
        Status.PASS,
        Status.FAIL,
        Status.TOLERATED,
        Status.NOT_APPLICABLE,
    }
    page = story.after.to_html(story.before)
    for (value,) in stage.execute("SELECT contact FROM kisaan_users WHERE contact IS NOT NULL LIMIT 500"):
        assert value not in page, "a personal value reached the page"


def test_a_clean_migration_passes(stage: Playground, assets: Assets) -> None:
    """Done right, the same migration leaves nothing to find."""
    story = _play(stage, assets, clean=True)
    assert (story.missed, story.invented) == ({}, {})
    assert story.after.verdict is Verdict.PASS


@pytest.mark.slow
def test_findings_do_not_depend_on_the_scale(server: Server, assets: Assets) -> None:
    """The manifest holds at another size too."""
    with _stage(server) as place:
        story = _play(place, assets, clean=False, scale=2_000)
    assert (story.missed, story.invented) == ({}, {})


@pytest.mark.slow
def test_in_the_public_schema_the_runner_stops_and_every_fault_is_found(
    stage: Playground, assets: Assets
) -> None:
    """The first file fails for want of total_amount, nothing after it runs; the findings equal the
    manifest, none is a SKIP.
    """
    story = _play(stage, assets, public=True, scale=2_000)
    assert (story.migrated.applied, story.migrated.stopped) == (0, "20251018_01_monetary_precision.sql")
    assert "total_amount" in story.migrated.reason
    assert (story.missed, story.invented) == ({}, {})
    assert story.after.verdict is Verdict.FAIL
    assert {r.status for r in story.after.results} == {Status.PASS, Status.FAIL, Status.NOT_APPLICABLE}
    said = {r.check_id: r.message for r in story.after.results}
    assert said["_migrations.name.all_applied"].count(".sql") == 7
    assert (
        "allows rows with NULL: shop_id may be NULL" in said["kisaan_commissions.shop_id_rate_type.enforced"]
    )
    page = story.after.to_html(story.before)
    for (value,) in stage.execute(
        "SELECT contact FROM kisaan_users UNION SELECT email FROM kisaan_users WHERE email IS NOT NULL"
    ):
        assert value not in page, "a personal value reached the page"


@pytest.mark.slow
def test_the_public_schema_has_no_clean_migration() -> None:
    """The two options exclude each other: a usage error says why, before any server is started."""
    refused = subprocess.run(
        [sys.executable, "-m", "kisaan_validate", "demo", "--public-schema", "--clean-migration"],
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 2
    assert "stop at the first file" in refused.stderr


@pytest.mark.slow
def test_the_public_schema_tells_the_same_story_at_its_default_scale(server: Server, assets: Assets) -> None:
    """20,000 payments, as `demo --public-schema` makes them."""
    with _stage(server) as place:
        story = _play(place, assets, public=True, scale=PUBLIC_SCALE)
    assert (story.missed, story.invented) == ({}, {})


@pytest.mark.slow
@pytest.mark.parametrize("public", [False, True])
def test_every_fault_of_the_manifest_is_tied_to_checks_or_said_to_be_fixed(
    public: bool, assets: Assets
) -> None:
    """No fault is listed that nothing looks for, and every named check exists."""
    known = {check.id for check in load_suite(assets.checks).checks}
    for fault in assets.manifest(public)["fault"]:
        named = set(fault.get("checks", []))
        assert named <= known, f"{fault['name']}: {named - known}"
        assert named or fault["after_migration"] == "fixed", f"{fault['name']} is left, and no check finds it"


@pytest.mark.slow
def test_the_demonstration_works_from_an_installed_wheel(tmp_path: Path) -> None:
    """A wheel carries the story: the demo runs from another folder, without the checkout."""
    built = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--wheel-dir",
            str(tmp_path),
            str(ROOT),
        ],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    installed, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    assert not any("tests" in name for name in os.listdir(installed))
    shown = subprocess.run(
        [sys.executable, "-m", "kisaan_validate", "demo", "--scale", "2000"],
        capture_output=True,
        text=True,
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(installed)},
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "and nothing else" in shown.stdout
    assert shown.stdout.count("\n") <= 40
    (report,) = elsewhere.glob("reports/night-*/after/*/report.html")
    assert report.stat().st_size > 10_000
    # The night before: what people felt, which statement did it, and that the runbook's rollback restores nothing.
    assert re.search(r"felt +payments could not be read or written for [2-9]", shown.stdout)
    assert "pg_restore -d demo before.dump does not roll back" in shown.stdout
    assert re.search(r"equal to before: every row, the schema and the sequences$", shown.stdout, re.M)
    (page,) = elsewhere.glob("reports/night-*/rollout.html")
    assert page.stat().st_size > 10_000
    # What the service was asked to create is gone again, and no password reached a file.
    (record,) = elsewhere.glob("reports/night-*/probed/probe.json")
    assert json.loads(record.read_text())["created"]


@pytest.mark.slow
def test_the_scale_of_the_sample_tells_the_same_story(server: Server, assets: Assets) -> None:
    """300,000 payments, as the sample report has them."""
    with _stage(server) as place:
        story = _play(place, assets, clean=False, scale=300_000)
    assert (story.missed, story.invented) == ({}, {})
