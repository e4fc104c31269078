"""Judged runs for the formats: one in which everything occurs, one of each verdict, and one made of a
hostile text.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from test_report_page import PLACE, earlier, every_status, make_run

from kisaan_validate.contract.load import Contract, read_contract
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.check import Check, Criterion, Form, Severity
from kisaan_validate.facts.kept import ValueChange, ValuePattern, ValuesCompared
from kisaan_validate.facts.place import Notice
from kisaan_validate.facts.result import Evidence, Result, Status
from kisaan_validate.facts.run import Run, TableCoverage
from kisaan_validate.facts.table import TableFacts
from kisaan_validate.report.signatures import Attested, ShownSignature, Signatures
from kisaan_validate.verdict.judgement import Judgement, judge
from kisaan_validate.verdict.waivers import Waiver, Waivers

CONTRACT = """
format = 1
name = "wider money"

[[promise]]
id = "wide"
kind = "retyped"
column = "orders.total"
to = "numeric(18,2)"

[[promise]]
id = "no_rows_go"
kind = "rows_unchanged"
table = "orders"

[[promise]]
id = "repaired"
kind = "fixed"
check = "orders.fails"
severity = "warning"

[[promise]]
id = "answered"
kind = "fixed"
check = "orders.errs"
"""


VALUES = (
    ValuesCompared("orders", "same", 0, 3),
    ValuesCompared(
        "orders",
        "placed_at",
        2,
        3,
        (
            ValueChange((("id", "1"),), "2025-10-18 05:30:00", "2025-10-18 00:00:00"),
            ValueChange((("id", "2"),), None, " a \u202e"),
        ),
        (
            ValuePattern(
                "time shift",
                ("placed_at",),
                1,
                "shifted by -05:30 (the offset of Asia/Kolkata) in 1 of 2 changed rows",
            ),
            ValuePattern("unexplained", ("placed_at",), 1, "1 of 2 changed rows unexplained"),
        ),
    ),
    ValuesCompared("orders", "note", message="it is personal now, so its values are not read"),
)
"""Kept values that did not change, that did, and that nobody knows of."""


def _more_checks(run: Run) -> Run:
    base = run.checks[0]
    origin = "sql/paid, in full.sql:7"
    checks = (
        replace(base, id="orders.waived", origin="orders.py:12", why="a dispute of 2024"),
        replace(base, id="orders.warns", severity=Severity.WARNING, origin=origin, why="reports group by it"),
        replace(base, id="orders.informs", severity=Severity.INFO, hint="look at it on Monday"),
        replace(base, id="orders.lost"),
    )
    found = Result(
        "",
        Status.FAIL,
        2,
        100_000,
        Evidence.SCANNED,
        key=("id",),
        sample=((("id", "3"),), (("id", "4"),)),
        sql="SELECT id\nFROM o",
    )
    results = tuple(replace(found, check_id=check.id) for check in checks[:3])
    first = replace(run.checks[0], origin="orders.py:3")
    return replace(run, checks=(first, *run.checks[1:], *checks), results=(*run.results, *results))


def everything() -> Judgement:
    """Each standing, each state of a promise, unexplained differences, something that cannot be told."""
    run, contract = (
        replace(_more_checks(every_status()), values=VALUES),
        read_contract(CONTRACT, "contract.toml"),
    )
    before = replace(earlier(run), contract_digest=contract.digest)
    waiver = Waiver("orders.waived", "two accounts, in dispute", "finance", date(2026, 3, 31), rows=2)
    waivers = Waivers((waiver,), "d" * 64, "")
    return replace(judge(run, before, contract, waivers), sources="checks")


def signed_page() -> tuple[Judgement, Signatures]:
    """Everything, with success criteria of each standing, coverage with gaps, and sign-offs that hold and
    that do not.
    """
    judged = everything()
    at = judged.run.place.at
    criteria = (
        Criterion("kept", "orders stay whole", ("orders.passes",)),
        Criterion("missed", "no order fails", ("orders.fails", "orders.errs")),
        Criterion("open", "every order was looked at", ("orders.skipped", "orders.unasked")),
        Criterion("told", "people were told", manual=True),
        Criterion("watched", "somebody watches", manual=True),
    )
    coverage = (
        TableCoverage("orders", 3, ("total",), ("id",), ("note",)),
        TableCoverage("lonely", 0, (), (), ("a", "b")),
    )
    run = replace(judged.run, criteria=criteria, coverage=coverage)
    signatures = Signatures(
        "waiting",
        "Not approved: has 1 of 2 approvals.",
        (
            ShownSignature(
                "asha@example.org",
                "approve",
                "the losses are known",
                at,
                accepts=("verdict",),
                digest="a" * 64,
                file="signoffs/1.json",
                key="SHA256:x",
            ),
            ShownSignature(
                "ravi@example.org",
                "reject",
                "see ticket 12",
                at,
                problem="the contract is another one now",
                digest="b" * 64,
                file="signoffs/2.json",
            ),
        ),
        (
            Attested(
                "told", "asha@example.org", True, "by telephone", at, digest="c" * 64, file="signoffs/3.json"
            ),
        ),
        needed=2,
    )
    return replace(judge(run, judged.baseline, judged.contract, judged.waivers), sources="checks"), signatures


def one(status: Status, severity: Severity = Severity.BLOCKING, **more: object) -> Judgement:
    """A run of one check with this outcome."""
    violations = {Status.PASS: 0, Status.FAIL: 1, Status.TOLERATED: 1}.get(status)
    check = Check(
        "orders.total",
        "orders",
        ("total",),
        Form.ROW,
        "compare",
        "total >= 0",
        severity,
        digest="d" * 64,
        origin="orders.py:4",
    )
    result = Result("orders.total", status, violations, None if violations is None else 9, Evidence.SCANNED)
    return judge(make_run([check], [result], **more))  # type: ignore[arg-type]


def contracted(text: str) -> Contract:
    """A contract of these promises."""
    return read_contract(f"format = 1\n{text}", "contract.toml")


def hostile(text: str, status: Status = Status.FAIL, severity: Severity = Severity.BLOCKING) -> Judgement:
    """A run in which every text that data, a server or an author could have chosen is this one."""
    check = Check(
        text,
        text,
        (text,),
        Form.ROW,
        text,
        text,
        severity,
        why=text,
        hint=text,
        owner=text,
        tags=(text,),
        origin=text,
        digest="d" * 64,
    )
    violations = {Status.PASS: 0, Status.FAIL: 2}.get(status)
    sample = (((text, text), ("k", None)),)
    result = Result(
        text,
        status,
        violations,
        violations and 3,
        Evidence.SCANNED,
        text,
        sample,
        (text,),
        True,
        "e" * 64,
        text,
        text,
        text,
        text,
    )
    place = replace(PLACE, host=text, database=text, role=text)
    tables = (TableFacts(text, text, "table", 1),)
    made = make_run(
        [check], [result], tables, place=place, notices=(Notice(text, text, text),), interrupted=text
    )
    values = (
        ValuesCompared(
            text,
            text,
            1,
            2,
            (ValueChange(((text, text),), text, None),),
            (ValuePattern(text, (text,), 1, text, {text: text}),),
            text,
        ),
    )
    run = replace(made, suite=replace(made.suite, name=text), values=values)
    before = replace(baseline_of(run), tables=(replace(tables[0], rows=9),))
    waivers = Waivers((Waiver(text, text, text, date(2026, 3, 31), whole_check=True),), "d" * 64, "")
    contract = contracted("")
    return judge(run, replace(before, contract_digest=contract.digest), contract, waivers)
