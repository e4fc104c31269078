"""Who looks from outside: ``last`` by its exit code, ``metrics`` by a real Prometheus parser, the alert rules
by a PromQL parser and by what they say of real files.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import promql
import promql_parser
import pytest
import yaml
from conftest import ROOT
from helpers import examples
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from kisaan_suite import SUITE
from prometheus_client.parser import text_string_to_metric_families
from shop import Shop

from kisaan_validate.cli.watched import FoundNights
from kisaan_validate.facts.result import Verdict
from kisaan_validate.history.night import Night
from kisaan_validate.watch.alerts import alert_rules, rules_text
from kisaan_validate.watch.last import age_of, all_ran, series_of
from kisaan_validate.watch.textfile import _HELP, MOST_CHECKS, PREFIX, WatchedRun, escaped, metrics_text

NOW = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
DAY = timedelta(hours=26)


def night(hours: float, verdict: str = "PASS", whole: bool = True, **more: Any) -> Night:
    """A night so many hours before NOW."""
    given: dict[str, Any] = {
        "run": f"run{hours}", "digest": "", "folder": "f", "at": NOW - timedelta(hours=hours), "suite": "shop",
        "suite_digest": "", "host": "db", "port": "5432", "database": "prod", "server": "1",
        "verdict": Verdict(verdict), "whole": whole, "milliseconds": 61_005, "rows": (), "outcomes": (),
    }  # fmt: skip
    return Night(**(given | more))


# --- last: the law ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nights", "ran", "said"),
    [
        ([night(4)], True, "shop on prod: last run 2026-11-30 02:00 UTC, PASS, 4 h 0 min ago"),
        ([night(4, "FAIL"), night(28)], True, "02:00 UTC, FAIL, last success 2026-11-29 02:00 UTC, 4 h 0 min ago"),
        ([night(4, "INCONCLUSIVE")], True, "INCONCLUSIVE, no success on record, 4 h 0 min ago"),
        ([night(26)], True, "26 h 0 min ago"),
        ([night(26.1)], False, "no run in the last 26 h 0 min: last run 2026-11-29 03:54 UTC, PASS, 26 h 6 min ago"),
        ([night(4, whole=False), night(28)], False, "; the run of 2026-11-30 02:00 UTC was partial or interrupted"),
        ([night(4, whole=False)], False, "no run came to its end"),
        ([night(80)], False, "3 days 8 h ago"),
        ([night(-0.05)], True, "0 min ago"),
        ([night(-1), night(4)], False, "that is 1 h 0 min ahead of the clock of this host (2026-11-30 06:00 UTC)"),
    ],
)  # fmt: skip
def test_a_run_is_young_enough_or_it_did_not_run(nights: list[Night], ran: bool, said: str) -> None:
    """Whole runs alone count, whatever their verdict; a date in the future proves nothing."""
    (series,) = series_of(nights)
    age = age_of(series, NOW, DAY)
    assert (age.ran, said in age.said) == (ran, True), age.said
    assert age.said.startswith("shop on prod: ")


def test_every_series_must_have_run() -> None:
    """One that is silent is not hidden by another; and none at all is no run."""
    found = series_of([night(1), night(99, database="other", server="2", host="b"), night(2, suite="money")])
    ages = [age_of(series, NOW, DAY) for series in found]
    assert [a.ran for a in ages] == [True, True, False]
    assert not all_ran(ages)
    assert all_ran(ages[:2])
    assert not all_ran([])


@given(st.lists(st.tuples(st.integers(0, 200), st.sampled_from(list(Verdict)), st.booleans()), max_size=8))
@profile(max_examples=examples(100))
def test_what_is_said_of_a_series_is_true_of_its_nights(made: list[tuple[int, Verdict, bool]]) -> None:
    """Law: the last run and success are the newest of their kind; unproved runs are those before the newest
    that proved something.
    """
    nights = [night(h + n / 100, v, w, run=f"r{n}") for n, (h, v, w) in enumerate(made)]
    for series in series_of(nights):
        ordered = sorted(nights, key=lambda n: n.at, reverse=True)
        assert [n.run for n in series.nights] == [n.run for n in ordered]
        whole = [n for n in ordered if n.whole]
        assert series.last_run == (whole[0] if whole else None)
        passed = [n for n in whole if n.verdict is Verdict.PASS]
        assert series.last_success == (passed[0] if passed else None)
        proving = [k for k, n in enumerate(ordered) if n.whole and n.verdict is not Verdict.INCONCLUSIVE]
        assert series.unproved == (proving[0] if proving else len(ordered))


# --- last: the command ------------------------------------------------------------------------------------


def aged(shop: Shop, **ago: float) -> None:
    """The newest run, dated so long ago, as a run of then would be."""
    record = shop.newest_run / "run.json"
    made = json.loads(record.read_text())
    for holder, key in ((made, "started_at"), (made, "finished_at"), (made["place"], "at")):
        then = datetime.fromisoformat(holder[key]) - timedelta(**ago)
        holder[key] = then.isoformat().replace("+00:00", "Z")
    record.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")


def test_last_says_by_its_exit_code_whether_it_ran(shop: Shop) -> None:
    """0, or 7 with a sentence; 2 for what cannot be meant."""
    none = shop.cli("last", "--within", "26 h", dsn=False)
    assert (none.returncode, "no such folder" in none.stderr) == (2, True)
    (shop.folder / "reports").mkdir()
    none = shop.cli("last", "--within", "26 h", dsn=False)
    assert (none.returncode, none.stdout) == (7, "DID NOT RUN  no recorded run fits\n")
    assert shop.cli("run").returncode == 0
    ran = shop.cli("last", "--within", "26 h", dsn=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("ran          checks on ")
    assert shop.cli("last", "--within", "26 h", "--database", "elsewhere", dsn=False).returncode == 7
    assert shop.cli("last", "--within", "26 h", "--suite-name", "checks", dsn=False).returncode == 0
    # A part of the suite is no night.
    assert shop.cli("run", "orders.id.type").returncode == 0
    assert shop.cli("last", "--within", "26h", dsn=False).returncode == 0
    for words in (["--within", "26"], ["--within", "0 h"], ["--within", "soon"], []):
        assert shop.cli("last", *words, dsn=False).returncode == 2
    newest = shop.newest_run
    aged(shop, days=400)
    for folder in (shop.folder / "reports").glob("2*"):
        if folder != newest:
            shutil.rmtree(folder)
    late = shop.cli("last", "--within", "26 h", dsn=False)
    assert (late.returncode, "no run came to its end" in late.stdout) == (7, True)


def test_a_run_of_the_day_before_yesterday_is_too_old(shop: Shop) -> None:
    """Also where the folder keeps no index, and where a newer run is damaged."""
    assert shop.cli("run").returncode == 0
    aged(shop, hours=50)
    late = shop.cli("last", "--within", "26 h", dsn=False)
    assert (late.returncode, "no run in the last 26 h 0 min: last run " in late.stdout) == (7, True)
    assert shop.cli("last", "--within", "3 d", dsn=False).returncode == 0
    # An index that is damaged hides no run.
    index = shop.folder / "reports" / ".kisaan-history.sqlite"
    index.write_bytes(b"no database" * 1000)
    again = shop.cli("last", "--within", "3 d", dsn=False)
    assert (again.returncode, "note    without the index" in again.stderr) == (0, True)
    assert shop.cli("last", "--within", "26 h", dsn=False).returncode == 7
    index.unlink()
    assert shop.cli("run").returncode == 0
    newest = shop.newest_run / "run.json"
    newest.write_text(newest.read_text()[:-100])
    cut = shop.cli("last", "--within", "26 h", dsn=False)
    assert (cut.returncode, "1 recorded runs cannot be read" in cut.stderr) == (7, True)


def test_an_index_by_url_needs_no_folder(shop: Shop) -> None:
    """The second host has the database of the history, and nothing else."""
    url = f"sqlite:///{shop.folder}/history.sqlite"
    (shop.folder / "kisaan.toml").write_text(f'[history]\nurl = "{url}"\n')
    assert shop.cli("run").returncode == 0
    assert shop.cli("history").returncode == 0
    shutil.rmtree(shop.folder / "reports")
    assert shop.cli("last", "--within", "26 h", dsn=False).returncode == 0
    (shop.folder / "history.sqlite").write_bytes(b"x" * 5000)
    assert shop.cli("last", "--within", "26 h", dsn=False).returncode == 2


def test_a_profile_counts_for_itself(shop: Shop) -> None:
    """A scan of a part of the suite is a run of its profile, in ``last`` and as a label of metrics, and none
    of the suite; so is one after whose profile nobody asked.
    """
    config = '[scan.money]\nselect = ["orders"]\nexclude = ["*unique*"]\nmetrics = "money.prom"\n[scan.all]\n'
    (shop.folder / "kisaan.toml").write_text(config)
    assert shop.cli("scan", "money").returncode == 0
    within = ("last", "--within", "26 h")
    assert shop.cli(*within, dsn=False).returncode == 7
    own = shop.cli(*within, "--scan", "money", dsn=False)
    assert (own.returncode, f", scan money: last run {datetime.now(UTC):%Y}" in own.stdout) == (0, True)
    assert shop.cli("scan", "money", "--check-last", "26 h", dsn=False).returncode == 0
    assert shop.cli("scan", "all", "--check-last", "26 h", dsn=False).returncode == 7
    assert shop.cli(*within, "--scan", "of nobody", dsn=False).returncode == 7
    found = parsed((shop.folder / "money.prom").read_text())
    assert len(valued(found, "last_run_timestamp_seconds")) == 1
    assert len(valued(found, "last_run_timestamp_seconds", scan="money")) == 1
    assert sum(valued(found, "checks", scan="money", status="pass")) > 2
    assert shop.cli("scan", "all").returncode == 0
    assert shop.cli(*within, dsn=False).returncode == 0
    found = parsed(shop.cli("metrics", dsn=False).stdout)
    assert len(valued(found, "last_run_timestamp_seconds")) == 2
    assert valued(found, "unproved_runs") == [0.0, 0.0]
    # What asks all is the suite's own series.
    assert not valued(found, "checks", scan="all")


# --- metrics ----------------------------------------------------------------------------------------------

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Samples:
    """What Prometheus' own parser reads; each metric with HELP and TYPE, no sample twice."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert (family.type, bool(family.documentation)) == ("gauge", True)
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def valued(samples: Samples, name: str, **labels: str) -> list[float]:
    """The values of a metric that has these labels."""
    return [v for (n, of), v in samples.items() if n == PREFIX + name and set(labels.items()) <= of]


@given(st.text())
@profile(max_examples=examples(100))
def test_every_label_reads_back(text: str) -> None:
    """Law: Prometheus' parser reads a label as it was, but for half a character, whatever is in it."""
    whole = text.encode("utf-8", "replace").decode()
    found = parsed(metrics_text([WatchedRun(series_of([night(1, suite=text)])[0], None)], NOW))
    assert valued(found, "last_run_timestamp_seconds", suite=whole) == [
        (NOW - timedelta(hours=1)).timestamp()
    ]
    assert "\n" not in escaped(text)


def test_last_run_and_last_success_stand_apart() -> None:
    """A failing night moves the one and not the other; no success has no time, and no 0."""
    nights = [night(4, "FAIL"), night(28, "INCONCLUSIVE"), night(52)]
    found = parsed(metrics_text([WatchedRun(series_of(nights)[0], None)], NOW, unreadable=2))
    assert valued(found, "last_run_timestamp_seconds") == [(NOW - timedelta(hours=4)).timestamp()]
    assert valued(found, "last_success_timestamp_seconds") == [(NOW - timedelta(hours=52)).timestamp()]
    assert valued(found, "run_duration_seconds", host="db:5432") == [61.005]
    assert valued(found, "run_verdict", verdict="FAIL") == [1]
    assert valued(found, "run_verdict", verdict="PASS") == [0]
    assert valued(found, "unproved_runs") == [0]
    assert valued(found, "unreadable_runs") == [2]
    never = parsed(metrics_text([WatchedRun(series_of([night(4, "INCONCLUSIVE")])[0], None)], NOW))
    assert valued(never, "last_success_timestamp_seconds") == []
    assert valued(never, "unproved_runs") == [1]


MANY = """
from kisaan_validate import declare

for n in range({many}):
    declare.holds("orders", f"total >= 0 OR {{n}} < 0", id=f"c{{n:03}}")
declare.holds("orders", "id > 1", id='odd "name" \\\\ of one')
declare.holds("orders", "nothing > 1", id="unasked")
declare.holds("orders", "id > 0", id="quiet")
"""
TOML = """
[[criteria]]
id = "told"
text = "somebody was told"
manual = true
[[criteria]]
id = "totals"
text = "totals are right"
checks = ["c*"]
[[criteria]]
id = "ids"
text = "ids are right"
checks = ["quiet"]
[[criteria]]
id = "open"
text = "nobody knows"
checks = ["unasked"]
"""


def test_metrics_of_a_real_run_are_bounded_and_complete(shop: Shop) -> None:
    """Checks by status and severity, the largest failures by name, the rest as one sum, criteria by id."""
    many = MOST_CHECKS + 10
    (shop.folder / "checks" / "many.py").write_text(MANY.format(many=many))
    (shop.folder / "checks" / "suite.toml").write_text(TOML)
    shop.sql("UPDATE orders SET total = -1 WHERE id < 3")
    assert shop.cli("run").returncode == 1
    done = shop.cli("metrics", "-o", "out/validate.prom", "--check", "qui*", dsn=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    file = shop.folder / "out" / "validate.prom"
    # node_exporter runs as somebody else, and reads only *.prom: no other file is left there.
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert os.listdir(file.parent) == ["validate.prom"]
    found = parsed(file.read_text())
    assert valued(found, "checks", status="fail", severity="blocking") == [many + 2]
    assert valued(found, "checks", status="skip", severity="blocking") == [1]
    assert valued(found, "checks", status="tolerated", severity="info") == [0]
    shown = {dict(of)["check"]: v for (n, of), v in found.items() if n == PREFIX + "check_violations"}
    assert len(shown) == MOST_CHECKS + 1
    assert shown["quiet"] == 0
    # All but one have two rows; what is not shown is in the sum.
    (rest,) = valued(found, "check_violations_rest")
    assert sum(shown.values()) + rest == 2 * (many + 1) + 1
    assert valued(found, "criterion_met", criterion="ids") == [1]
    assert valued(found, "criterion_met", criterion="totals") == [0]
    assert valued(found, "criterion_unproved", criterion="open") == [1]
    assert valued(found, "criterion_met", criterion="open") == []
    assert valued(found, "criterion_unproved", criterion="told") == []
    # Again the same but for the time; and printed where no file is named.
    printed = shop.cli("metrics", "--check", "qui*", dsn=False).stdout
    differ = [a for a, b in zip(printed.splitlines(), file.read_text().splitlines(), strict=True) if a != b]
    assert [line.split()[0] for line in differ] == [PREFIX + "written_timestamp_seconds"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(shop: Shop) -> None:
    """Exit 2 and the reason; Prometheus goes on reading the last whole one, and the stale rule rings."""
    assert shop.cli("run").returncode == 0
    (shop.folder / "out").write_text("in the way")
    done = shop.cli("metrics", "-o", "out/validate.prom", dsn=False)
    assert (done.returncode, "cannot write out/validate.prom" in done.stderr) == (2, True)
    full = shop.cli("metrics", "-o", "/dev/full", dsn=False)
    assert full.returncode == 2


def test_a_record_that_cannot_be_read_is_counted_and_is_no_success(shop: Shop) -> None:
    """Exit 3; the metrics of the others are written."""
    assert shop.cli("run").returncode == 0
    record = shop.run_folder / "run.json"
    record.write_text(record.read_text()[:-100])
    done = shop.cli("metrics", dsn=False)
    assert done.returncode == 3
    assert valued(parsed(done.stdout), "unreadable_runs") == [1]
    assert valued(parsed(done.stdout), "last_run_timestamp_seconds") == []


# --- alert rules ------------------------------------------------------------------------------------------

FILES = {
    "docs/alerts.rules.yml": "the engine's",
    "demo/alerts.rules.yml": "those of the runbook",
}


def rules_of(text: str) -> Iterator[dict[str, Any]]:
    """The rules of a file, each with what Prometheus asks of one."""
    for group in yaml.safe_load(text)["groups"]:
        assert set(group) == {"name", "rules"}
        for rule in group["rules"]:
            assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
            yield rule


def test_the_committed_rules_are_those_that_are_printed(shop: Shop) -> None:
    """`metrics --rules`; without a database, a suite or a report."""
    printed = shop.cli("metrics", "--rules", dsn=False).stdout
    assert (ROOT / "docs" / "alerts.rules.yml").read_text() == printed == rules_text(DAY)
    other = shop.cli("metrics", "--rules", "--within", "2 d", dsn=False).stdout
    assert "> 172800 or" in other


@pytest.mark.parametrize("file", FILES)
def test_rules_are_promql_over_metrics_that_exist(file: str) -> None:
    """Law: each expression parses, and names only metrics that a file may hold."""
    known = {PREFIX + name for name in _HELP}
    names = set()
    for rule in rules_of((ROOT / file).read_text()):
        promql_parser.parse(rule["expr"])
        used = promql.metrics_of(rule["expr"])
        assert used <= known, rule["alert"]
        assert used
        names.add(rule["alert"])
    assert len(names) == len(list(rules_of((ROOT / file).read_text())))


def rings(text: str, at: datetime, rules: str = "docs/alerts.rules.yml") -> set[str]:
    """The alerts that ring over a file of metrics at a time."""
    samples = [promql.Sample(n, dict(of) | {"instance": "db1"}, v) for (n, of), v in parsed(text).items()]
    return {
        rule["alert"]
        for rule in rules_of((ROOT / rules).read_text())
        if promql.evaluate(rule["expr"], samples, at.timestamp())
    }


def of(*nights: Night) -> str:
    """The metrics of these nights, written at NOW."""
    found = FoundNights(series_of(nights), 0, nights).of_suites_and_scans(())
    return metrics_text([WatchedRun(series, None) for series in found], NOW)


def part(hours: float, verdict: str = "PASS", *, ended: bool = True) -> Night:
    """A night of a profile that asks a part of the suite."""
    return night(hours, verdict, whole=False, scan="money", ended=ended)


CASES: Mapping[str, tuple[str, timedelta, set[str]]] = {
    "all is well": (of(night(4)), timedelta(), set()),
    "it did not run": (of(night(27)), timedelta(), {"ValidationHasNotRun"}),
    "one of two did not run": (
        of(night(4), night(30, database="b", host="c", server="3")), timedelta(), {"ValidationHasNotRun"},
    ),
    "it never came to its end": (of(night(4, whole=False)), timedelta(), {"ValidationHasNotRun"}),
    "it fails": (of(night(4, "FAIL"), night(28)), timedelta(), {"ValidationFails"}),
    "it failed for long": (
        of(night(4, "FAIL"), night(80)), timedelta(), {"ValidationFails", "ValidationNoSuccess"},
    ),
    "it never passed": (of(night(4, "FAIL")), timedelta(), {"ValidationFails", "ValidationNoSuccess"}),
    "no answer": (of(night(4, "INCONCLUSIVE"), night(28)), timedelta(), {"ValidationHasNoAnswer"}),
    "no answer twice": (
        of(night(4, "INCONCLUSIVE"), night(28, "INCONCLUSIVE"), night(40)),
        timedelta(), {"ValidationHasNoAnswer", "ValidationUnprovedAgain"},
    ),
    "parts beside the whole": (of(part(4), night(5), part(28), part(30)), timedelta(), set()),
    "a part did not run": (of(night(4), part(27)), timedelta(), {"ValidationHasNotRun"}),
    "the whole did not run": (of(part(4), night(27)), timedelta(), {"ValidationHasNotRun"}),
    "a part fails": (of(part(4, "FAIL"), part(28), night(5)), timedelta(), {"ValidationFails"}),
    "a part was cut short": (of(part(4, ended=False), part(27), night(5)), timedelta(), {"ValidationHasNotRun"}),
    # That each part is proved proves no whole.
    "parts alone": (of(part(4)), timedelta(), {"ValidationHasNotRun"}),
    "a date in the future": (of(night(-2)), timedelta(), {"ValidationClockIsWrong"}),
    "the file is not written any more": (of(night(4)), timedelta(hours=3), {"ValidationMetricsStale"}),
    "nothing is there": ("", timedelta(), {"ValidationMetricsMissing"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_alert_rings_for_its_case_and_no_other(case: str) -> None:
    """Evaluated over the file of that case."""
    text, later, wanted = CASES[case]
    assert rings(text, NOW + later) == wanted


def test_each_alert_of_the_engine_rings_in_some_case() -> None:
    """None is a rule that nothing can make ring; criteria are tried on a real run below."""
    ringing = set().union(*(wanted for _, _, wanted in CASES.values()))
    assert ringing | {"ValidationCriterionNotMet"} == {rule.alert for rule in alert_rules(DAY)}


def test_unmet_criteria_and_missing_answers_of_a_real_run_ring(shop: Shop) -> None:
    """By the metrics that the command writes."""
    (shop.folder / "checks" / "many.py").write_text(MANY.format(many=1))
    (shop.folder / "checks" / "suite.toml").write_text(TOML)
    shop.sql("UPDATE orders SET total = -1")
    assert shop.cli("run").returncode == 1
    text = shop.cli("metrics", dsn=False).stdout
    assert rings(text, datetime.now(UTC)) == {
        "ValidationFails", "ValidationHasNoAnswer", "ValidationCriterionNotMet", "ValidationNoSuccess",
    }  # fmt: skip


RUNBOOK: Mapping[str, tuple[str, set[str]]] = {
    "all is well": (
        (
            'kisaan_validate_criterion_met{criterion="payment-dates"} 1\n'
            'kisaan_validate_criterion_met{criterion="commissions-once"} 1\n'
            'kisaan_validate_check_violations{check="kisaan_payments.payment_date.not_null"} 0\n'
        ),
        set(),
    ),
    "a payment without a date": (
        'kisaan_validate_check_violations{check="kisaan_payments.payment_date.not_null"} 1\n',
        {"PaymentWithoutDate"},
    ),
    "payment dates are not proved": (
        'kisaan_validate_criterion_unproved{criterion="payment-dates"} 1\n', {"PaymentDatesNotProved"},
    ),
    "a commission twice": (
        'kisaan_validate_criterion_met{criterion="commissions-once"} 0\n', {"CommissionIssue"},
    ),
    "a commission that is not as agreed": (
        'kisaan_validate_check_violations{check="kisaan_transactions.commission_amount.as_agreed"} 3\n',
        {"CommissionIssue"},
    ),
    "something else": ('kisaan_validate_check_violations{check="kisaan_users.id.unique"} 3\n', set()),
}  # fmt: skip


@pytest.mark.parametrize("case", RUNBOOK)
def test_the_runbook_s_two_alerts_ring(case: str) -> None:
    """Any NULL payment date, and commission issues; of the suite's own criteria and checks."""
    text, wanted = RUNBOOK[case]
    typed = "".join(
        f"# HELP {name} x\n# TYPE {name} gauge\n"
        + "".join(f"{x}\n" for x in text.splitlines() if x.startswith(name + "{"))
        for name in sorted({x.partition("{")[0] for x in text.splitlines()})
    )
    assert rings(typed, NOW, "demo/alerts.rules.yml") == wanted


def test_what_the_runbook_s_rules_name_exists_in_its_suite() -> None:
    """Law: a criterion or check that a rule names is one of the suite's."""
    criteria, ids = {c.id for c in SUITE.criteria}, [c.id for c in SUITE.checks]
    for rule in rules_of((ROOT / "demo" / "alerts.rules.yml").read_text()):
        for name, op, value in promql.matchers_of(rule["expr"]):
            if name == "criterion":
                assert value in criteria
            if name == "check":
                assert any(promql.matches(op, id, value) for id in ids), value


def test_a_series_of_two_hosts_is_one_that_moved() -> None:
    """The same server at another address is one series: an old address leaves no alert behind."""
    moved = [night(30, host="old"), replace(night(4), host="new")]
    text = of(*moved)
    assert rings(text, NOW) == set()
    assert 'host="old:5432"' not in text


def test_the_folder_of_the_rules_is_complete() -> None:
    """Both files are there."""
    assert all(Path(ROOT / file).is_file() for file in FILES)
