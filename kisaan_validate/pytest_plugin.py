"""Each check of a suite as a test of pytest: ``pytest --kisaan-suite checks``.

The suite is run once, before the first test: all selected checks share one read-only snapshot. A test
passes if its check holds, fails if it fails the run, is an error if the check has no answer, and is
skipped with the reason if it does not apply. What fails but fails no run (lower severity, waived) is an
expected failure and a warning that is always shown, so it is never silently green; ``--runxfail`` makes it
fail, as it does with every expected failure.

Without the option this module does nothing, and imports nothing but pytest.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from kisaan_validate.facts.baseline import Baseline
    from kisaan_validate.facts.check import Check
    from kisaan_validate.facts.run import Run
    from kisaan_validate.ops.config import Config
    from kisaan_validate.report.standing import ResultLine
    from kisaan_validate.suite.load import Suite
    from kisaan_validate.verdict.judgement import Judgement
    from kisaan_validate.verdict.waivers import Waivers


class CheckWarning(UserWarning):
    """A check fails, but fails no run: it is of lower severity, or waived."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; see docs/operations.md."""
    group = parser.getgroup("kisaan-validate")
    group.addoption(
        "--kisaan-suite",
        dest="kv_suite",
        metavar="DIR",
        help="Test each check of this suite on a live PostgreSQL, in one read-only snapshot.",
    )
    group.addoption(
        "--kisaan-dsn",
        dest="kv_dsn",
        metavar="DSN",
        help="The database.  [default: KISAAN_DSN, DATABASE_URL, libpq's environment]",
    )
    group.addoption(
        "--kisaan-baseline",
        dest="kv_baseline",
        metavar="FILE",
        help="A baseline: failures then say whether they are new.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what would take several snapshots, or means nothing."""
    if not config.getoption("kv_suite"):
        for option in ("kv_dsn", "kv_baseline"):
            if config.getoption(option):
                raise pytest.UsageError(f"--kisaan-{option.removeprefix('kv_')} needs --kisaan-suite")
    # Each worker would take its own snapshot, so the checks would not be of one state.
    elif config.getoption("numprocesses", None) or hasattr(config, "workerinput"):
        raise pytest.UsageError("--kisaan-suite does not work with -n: all checks share one snapshot")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Beside what the session finds in files, it finds the suite."""
    report = yield
    folder = collector.config.getoption("kv_suite") if isinstance(collector, pytest.Session) else None
    # Only after a clean collection: an error there is the session's, not the suite's.
    if folder and report.passed:
        report.result.append(SuiteNode.of(collector, Path(folder)))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Run the suite, outside of any test, for a test may have a time limit of its own."""
    node = session.config.stash.get(_NODE, None)
    option = session.config.option
    # As pytest itself: errors of collection stop the tests unless somebody asked otherwise.
    given_up = session.testsfailed and not option.continue_on_collection_errors
    if node is not None and not option.collectonly and not given_up:
        node.measure({item.check.id for item in session.items if isinstance(item, CheckItem)})


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Where it was measured, and the verdict on what was selected."""
    node = config.stash.get(_NODE, None)
    if node is not None and node.judged is not None:
        from kisaan_validate.report.findings import where
        from kisaan_validate.report.summary import verdict_sentence

        terminalreporter.section("kisaan-validate")
        terminalreporter.line(where(node.judged))
        terminalreporter.line(f"{node.judged.verdict.value}  {verdict_sentence(node.judged)}")


class SuiteNode(pytest.Collector):
    """One suite; its items are its checks. Runs at most once."""

    suite: Suite
    settings: Config
    baseline: Baseline | None = None
    judged: Judgement | None = None
    refused: str = ""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.lines: dict[str, ResultLine] = {}

    @classmethod
    def of(cls, session: pytest.Collector, folder: Path) -> SuiteNode:
        """The node of a suite's folder. Raises UsageError for whatever is wrong before the database is
        asked.
        """
        from dataclasses import replace

        from kisaan_validate.errors import KisaanError
        from kisaan_validate.ops.config import load_config
        from kisaan_validate.suite.load import load_suite
        from kisaan_validate.suite.preflight import refuse_ending

        try:
            # In a process of its own first: a suite that ends the interpreter would end the whole session.
            refuse_ending(folder)
            settings = replace(load_config(None), suite=folder)
            suite, baseline = load_suite(folder), _baseline(session.config)
        except KisaanError as error:
            raise pytest.UsageError(str(error)) from None
        made = cls.from_parent(session, name=suite.settings.name, nodeid=suite.settings.name)
        made.suite, made.settings, made.baseline = suite, settings, baseline
        session.config.stash[_NODE] = made
        return made

    def collect(self) -> list[pytest.Item]:
        """An item a check, in the order of the suite; ``-k`` knows its id, its table and its tags."""
        from kisaan_validate.report.text import plain

        items: list[pytest.Item] = []
        for check in self.suite.checks:
            item = CheckItem.from_parent(self, name=plain(check.id))
            item.check = check
            item.extra_keyword_matches.update({check.id, check.table, *check.tags} - {""})
            items.append(item)
        return items

    def measure(self, chosen: set[str]) -> None:
        """Run the chosen checks, if there are any, and keep what happened to each. Whatever goes wrong is
        kept in ``refused``.
        """
        from kisaan_validate.errors import KisaanError
        from kisaan_validate.facts.run import nothing_checked
        from kisaan_validate.report.standing import lines_of

        if not chosen:
            return
        try:
            self.judged = judged = self._judge(chosen)
        except KisaanError as error:
            self.refused = str(error)
            return
        except Exception as error:  # a fault of ours is no finding, and must not be met once for each check
            self.refused = (
                "this is a bug in kisaan-validate; it says nothing about the data: "
                f"{type(error).__name__}: {error}"
            )
            return
        # An interrupted run proves nothing, and a stopped session must stop.
        if judged.run.interrupted:
            raise KeyboardInterrupt(judged.run.interrupted)
        if nothing_checked(judged.run):
            self.refused = (
                "nothing was checked: no selected check applies to this database, so nothing was proved"
            )
        self.lines = {line.check.id: line for line in lines_of(judged)}

    def _judge(self, chosen: set[str]) -> Judgement:
        from kisaan_validate.record.files import read_file
        from kisaan_validate.verdict.judgement import judge
        from kisaan_validate.verdict.waivers import read_waivers

        file = self.settings.waivers or self.settings.suite / "waivers.toml"
        named = self.settings.waivers is not None or file.exists()
        waivers = read_waivers(read_file(file), file.name, self.suite.rules) if named else None
        return judge(self._run(chosen, waivers), self.baseline, waivers=waivers)

    def _run(self, chosen: set[str], waivers: Waivers | None) -> Run:
        from dataclasses import replace

        from kisaan_validate.cli.job import attended
        from kisaan_validate.cli.options import the_limits
        from kisaan_validate.cli.past_figures import past_figures
        from kisaan_validate.postgres.target import find_target
        from kisaan_validate.prove.options import Before, Comparing, Options
        from kisaan_validate.prove.run import run

        c = self.settings
        # The other checks are not run: pytest selected these.
        part = replace(self.suite, checks=tuple(check for check in self.suite.checks if check.id in chosen))
        options = Options(
            jobs=c.jobs,
            sample=c.sample,
            trust_constraints=c.trust_constraints,
            trust_indexes=c.trust_indexes,
            expect=c.expect,
            compare=Comparing(Before(self.baseline)) if self.baseline is not None else None,
            waivers=waivers,
            limits=the_limits(c),
            past=past_figures(c, part),
        )
        target = find_target(self.config.getoption("kv_dsn"))
        return attended(lambda stop: run(part, target, options=options, stop=stop))


class CheckItem(pytest.Item):
    """One check. Its name is the visible form of the check's id."""

    check: Check

    def setup(self) -> None:
        """No answer is an error, and what does not apply is skipped."""
        from kisaan_validate.report.standing import ResultStanding, details

        node = self._node
        line = node.lines.get(self.check.id)
        # A check without a result is an error, not a silent pass.
        if node.refused or line is None:
            pytest.fail(node.refused or "the run has no result for this check", pytrace=False)
        self.user_properties.append(("kv_standing", line.standing.value))
        if line.standing is ResultStanding.UNANSWERED:
            pytest.fail("\n".join([line.said, *details(line, 0)]), pytrace=False)
        if line.standing is ResultStanding.INAPPLICABLE:
            pytest.skip(line.said)

    def runtest(self) -> None:
        """Fail if the check does. A trace through this package would say nothing about the data, so none
        is shown.
        """
        from kisaan_validate.report.standing import ResultStanding, details

        line = self._node.lines[self.check.id]
        self.add_report_section("call", "check", line.said)
        if line.standing in {ResultStanding.HOLDS, ResultStanding.TOLERATED}:
            return
        # A finding that fails no run is an expected failure, and a warning so that it is seen.
        if line.standing is not ResultStanding.FAILED:
            _expected(f"{line.standing.value}: {line.said}", self.check.id)
        pytest.fail(
            "\n".join([line.said, *details(line, 20)]), pytrace=False
        )  # under --runxfail, xfail does nothing

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The line that declares the check."""
        from kisaan_validate.report.formats.place import place_of

        node = self._node
        file, line = place_of(self.check.origin, str(node.settings.suite))
        # pytest counts lines from 0.
        return Path(file or node.settings.suite), line - 1 if line else None, f"{node.name}: {self.name}"

    @property
    def _node(self) -> SuiteNode:
        assert isinstance(self.parent, SuiteNode)
        return self.parent


_NODE = pytest.StashKey[SuiteNode]()


def _expected(text: str, check_id: str) -> None:
    """What fails but fails no run: warned of, and an expected failure. A warning that is made an error
    fails the test.
    """
    try:
        warnings.warn(CheckWarning(f"{check_id}: {text}"), stacklevel=1)
    except CheckWarning as error:
        pytest.fail(str(error), pytrace=False)
    # After the warning: an expected failure alone would be easy to overlook.
    pytest.xfail(text)


def _baseline(config: pytest.Config) -> Baseline | None:
    from kisaan_validate.record.codec import baseline_from_json
    from kisaan_validate.record.files import read_file

    path = config.getoption("kv_baseline")
    return baseline_from_json(read_file(Path(path)), str(path)) if path else None
