"""Write tests/longer.txt, the laws that only `make test-all` tries: ``python tests/make_longer.py OUTPUT``.

OUTPUT is what ``PYTEST_ADDOPTS="--durations=0 --durations-min=0.5" make test-all`` printed on two idle cores.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

LIST = Path(__file__).with_name("longer.txt")
LIMIT = 1.0
"""Seconds of its longest case from which on a law is a longer proof."""

KEPT = frozenset(
    f"tests/{file}.py::{test}"
    for file, tests in {
        "test_backup": ("test_taken_verified_and_shown",),
        "test_canaries": ("test_an_exclusive_lock_is_felt_by_readers_and_writers_of_its_table",),
        "test_cli": (
            "test_a_pass_is_exit_0_names_its_target_first_and_writes_private_files",
            "test_help_lists_every_command_and_every_exit_code",
        ),
        "test_control": ("test_an_interruption_that_is_wrapped_or_lost_is_one_still",),
        "test_demo": ("test_every_planted_fault_is_found_with_its_count_and_nothing_else",),
        "test_equivalence": ("test_fused_is_what_pandera_finds",),
        "test_exit_codes": ("test_no_error_is_known_by_its_words",),
        "test_faults": ("test_sigterm_ends_a_process_with_a_record",),
        "test_fix_proof": ("test_rehearse_fix_proves_kits_on_a_dump",),
        "test_how_tos": ("test_each_line_of_a_page_does_what_the_page_says",),
        "test_kisaan_checks": (
            "test_a_clean_database_passes_every_check",
            "test_the_planted_violation_is_found",
        ),
        "test_migrations_cli": ("test_promises_tied_to_files",),
        "test_names": ("test_every_class_has_a_name_of_its_own",),
        "test_no_harm": ("test_every_statement_only_reads",),
        "test_page_access": ("test_axe_finds_nothing",),
        "test_preflight_cli": ("test_go_no_go_and_cannot_tell",),
        "test_probe_cli": ("test_a_run_is_told_and_kept",),
        "test_rehearse_rules": ("test_the_bad_migration_breaks_its_rule_alone",),
        "test_report_page": ("test_the_same_run_gives_the_same_bytes_and_the_sample_is_current",),
        "test_resume": ("test_a_profile_names_such_tables",),
        "test_rollout_cli": ("test_a_night_from_start_to_end",),
        "test_scan": ("test_two_scans_at_once",),
        "test_settling": ("test_an_assertion_may_settle",),
        "test_stream_faults": ("test_a_stop_ends_processes_within_two_seconds",),
        "test_suite_loading": ("test_the_engine_knows_no_business",),
        "test_wait": ("test_a_service_that_answers_before_it_is_migrated",),
    }.items()
    for test in tests
)
"""One law of each main path that `make test` tries though it takes longer."""

LINE = re.compile(r"^ *(\d+\.\d+)s (?:call|setup) +(tests/\S+?)(?:\[.*)?$", re.M)


def longer(output: str) -> list[str]:
    """The laws of a run of pytest, by the time of their longest case."""
    seconds: dict[str, float] = defaultdict(float)
    for took, law in LINE.findall(output):
        seconds[law] = max(seconds[law], float(took))
    return sorted(law for law, took in seconds.items() if took > LIMIT and law not in KEPT)


if __name__ == "__main__":
    found = longer(Path(sys.argv[1]).read_text(encoding="utf-8"))
    LIST.write_text("".join(f"{law}\n" for law in found), encoding="utf-8")
    print(f"{LIST.name}: {len(found)} laws")
