"""How test files are dealt out to processes: the longest first, so that no process ends long before another.

``--dist loadfile`` alone begins with the files of most tests, and ends with a file of few long ones.
KISAAN_ORDER, a number, brings files and the tests in them in a random order instead (tests/beside_a_hog.py).
"""

from __future__ import annotations

import gc
import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from make_longer import KEPT

PARTS = {"test_contracts.py": 8}
"""Files whose tests share nothing but a server are dealt out in so many parts."""

SECONDS = {
    **dict.fromkeys(
        ("test_equivalence.py", "test_stream_faults.py", "test_streams.py", "test_faults.py"), 30
    ),
    **dict.fromkeys(("test_kisaan_checks.py", "test_rules.py", "test_comparison_laws.py"), 25),
    "test_paper.py": 40,
    **dict.fromkeys(("test_guard.py", "test_guard_standby.py"), 20),
    "test_unproved.py": 15,
    "test_preflight.py": 25,
    "test_preflight_cli.py": 15,
    **dict.fromkeys(("test_tape.py", "test_canaries.py", "test_rehearse_rules.py"), 12),
    **dict.fromkeys(("test_wait.py", "test_migrations_cli.py"), 12),
    **dict.fromkeys(("test_no_harm.py", "test_schema_objects.py", "test_page_access.py", "test_cli.py"), 20),
    **dict.fromkeys(
        (
            "test_stream_rules.py",
            "test_runs_index.py",
            "test_import.py",
            "test_diff_rows.py",
            "test_diff_rows_file.py",
            "test_diff_page.py",
            "test_five_schemas.py",
            "test_how_tos.py",
        ),
        15,
    ),
    **dict.fromkeys(("test_output_cli.py", "test_endings.py", "test_control.py", "test_init.py"), 14),
    **dict.fromkeys(("test_profile.py", "test_profile_page.py", "test_scan.py", "test_resume.py"), 25),
    "test_settling.py": 15,
    **dict.fromkeys(("test_rollout_cli.py", "test_rollout_page.py", "test_rollout_machine.py"), 15),
    **dict.fromkeys(("test_backup.py", "test_backup_gallery.py", "test_certificate_page.py"), 12),
    **dict.fromkeys(("test_demo.py", "test_lock.py", "test_pytest_plugin.py", "test_snapshot_limit.py"), 12),
    **dict.fromkeys(
        (
            "test_lock_table.py",
            "test_standby.py",
            "test_report_page.py",
            "test_page_parts.py",
            "test_pooler.py",
        ),
        10,
    ),
    **dict.fromkeys(("test_comparing_cli.py", "test_figures.py", "test_samples.py", "test_tampering.py"), 9),
    **dict.fromkeys(("test_edited_contracts.py", "test_selecting.py"), 25),
    **dict.fromkeys(
        (
            "test_watchers.py",
            "test_pings.py",
            "test_server_health.py",
            "test_one_check.py",
            "test_nearest_names.py",
            "test_accept.py",
            "test_start_up.py",
            "test_scratch.py",
        ),
        15,
    ),
    **dict.fromkeys(("test_volume_series.py", "test_volume_runs.py"), 12),
    **dict.fromkeys(("test_since_last.py", "test_history_robust.py", "test_history_cli.py"), 12),
    **dict.fromkeys(("test_telling.py", "test_notify_cli.py", "test_scan_night.py"), 12),
    **dict.fromkeys(("test_rehearse_cli.py", "test_rehearsal_page.py", "test_rehearse_queries.py"), 12),
    **dict.fromkeys(("test_ground.py", "test_fix_kit.py", "test_fix_proof.py", "test_suite_loading.py"), 14),
    **dict.fromkeys(("test_baseline_digests.py", "test_dumps_read.py", "test_baseline_values.py"), 13),
    **dict.fromkeys(("test_keyed_digests.py", "test_same_server.py"), 11),
    **dict.fromkeys(
        (
            "test_migrations.py",
            "test_gallery.py",
            "test_error_rates.py",
            "test_listed_differences.py",
            "test_baseline_rows.py",
        ),
        9,
    ),
    **dict.fromkeys(("test_examined.py", "test_ledger.py", "test_bundle.py", "test_baseline_gaps.py"), 7),
    "test_year.py": 60,
    "test_contracts.py": 7,
}
"""What a file, or each of its parts, takes on an idle machine, if its number of tests does not tell."""

CASES = 3
"""A law with so many cases, or more, is tried on a quarter of them in `make test`."""

MANY = 32
"""So many cases of one law, more or less, are the most that `make test` tries."""

USUAL = 0.05
"""Seconds of a test in a file that is not listed."""


def unit_of(nodeid: str) -> str:
    """What a test is dealt out with: its file, or a part of it."""
    file = nodeid.partition("::")[0]
    parts = PARTS.get(_name(file), 1)
    return file if parts == 1 else f"{file} {crc32(nodeid.encode()) % parts}"


def seconds(unit: str, tests: int) -> float:
    """How long a file, or a part of one, probably takes."""
    return SECONDS.get(_name(unit.partition(" ")[0]), USUAL * tests)


def _name(file: str) -> str:
    return file.rpartition("/")[2]


EXHAUSTIVE = {"test_stages.py": 4, "test_backup_gallery.py": 3, "test_rehearse_gallery.py": 2}
"""Files of very many long cases of few laws: one in so many is tried where time is limited, as in CI."""

LONGER = frozenset(Path(__file__).with_name("longer.txt").read_text(encoding="utf-8").split())
"""Laws of which one case takes over a second (tests/make_longer.py): only `make test-all` tries them."""


def mark_slow(items: list[pytest.Item]) -> None:
    """Most laws have several cases, or are proved on PostgreSQL 18 and again on 15: a quarter of that in
    `make test`, of very many cases less, at least one case of each law, the rest as slow proofs. Always the
    same ones.
    """
    laws: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if crc32(item.nodeid.encode()) % EXHAUSTIVE.get(item.path.name, 1):
            item.add_marker(pytest.mark.exhaustive)
        laws[item.nodeid.partition("[")[0]].append(item)
    for law, cases in laws.items():
        for case in left_out(law, cases):
            case.add_marker(pytest.mark.slow)


def left_out(law: str, cases: list[pytest.Item]) -> list[pytest.Item]:
    """The cases of a law that `make test` does not try: all of a longer one; all but one where each takes long,
    and the law was kept nevertheless.
    """
    if law in LONGER:
        return cases
    if law in KEPT and len(cases) <= MANY:
        return sorted(cases, key=lambda case: crc32(case.nodeid.encode()))[1:]
    many, one_in = len(cases) >= CASES, max(4, len(cases) // MANY)
    left = [
        case for case in cases if (many or "server15" in case.name) and crc32(case.nodeid.encode()) % one_in
    ]
    # The last is often the smallest: examples are listed by their weight.
    return left[:-1] if len(left) == len(cases) else left


def import_from_the_last(session: pytest.Session) -> None:
    """Import the test files, the last first, in every second process where all are collected.

    Each process rewrites the asserts of all files that nobody has rewritten yet, which takes longer than all
    else; so two meet in the middle. A file that cannot be imported is left to pytest, which says so.
    """
    here, config = Path(__file__).parent, session.config
    number = getattr(config, "workerinput", {"workerid": "gw0"})["workerid"].removeprefix("gw")
    if int(number) % 2 and [config.rootpath / given for given in config.args] == [here]:
        for path in sorted(here.glob("test_*.py"), reverse=True):
            with suppress(Exception, pytest.skip.Exception):
                import_module(path.stem)


def longest_first(items: list[pytest.Item]) -> list[pytest.Item]:
    """The same tests, those of the longest unit first; within a unit, in their order."""
    units = [unit_of(item.nodeid) for item in items]
    tests = Counter(units)
    order = sorted(range(len(items)), key=lambda n: (-seconds(units[n], tests[units[n]]), units[n], n))
    return [items[n] for n in order]


def in_random_order(items: list[pytest.Item], seed: str) -> list[pytest.Item]:
    """The same tests, units in a random order and the tests of a unit in another; the same for each process."""
    dice = random.Random(seed)
    units = sorted({unit_of(item.nodeid) for item in items})
    place = {unit: dice.random() for unit in units}
    return sorted(items, key=lambda item: (place[unit_of(item.nodeid)], dice.random()))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Mark before others choose by marks. Afterwards bring what they chose in the order in which it is dealt
    out; alone, pytest's own order is easier to follow.
    """
    mark_slow(items)
    yield
    if seed := os.environ.get("KISAAN_ORDER"):
        items[:] = in_random_order(items, seed)
    elif hasattr(config, "workerinput"):
        items[:] = longest_first(items)


def pytest_collection(session: pytest.Session) -> None:
    """Before anything is collected."""
    import_from_the_last(session)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is there now stays: nobody need look for garbage in it during each test."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The scheduler for ``--dist loadfile``: whoever is idle takes the next unit."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByUnit(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

    config.option.loadscopereorder = False
    return ByUnit(config, log)
