"""One night of a simulated year as a scan does it, with a clock of its own. It can be killed in each phase."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from conftest import ROOT

from kisaan_validate.cli.exits import exit_code
from kisaan_validate.cli.job import record_after
from kisaan_validate.cli.last_run import remembering
from kisaan_validate.cli.past_figures import past_figures
from kisaan_validate.cli.report_command import judged_again
from kisaan_validate.cli.runs_index import add_to_index
from kisaan_validate.cli.telling import tell
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.result import FailOn
from kisaan_validate.facts.run import Run
from kisaan_validate.ops.config import Config, load_config
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.request import Connected, Progress
from kisaan_validate.prove.run import run
from kisaan_validate.rules.base import Violations
from kisaan_validate.rules.volume import Volume
from kisaan_validate.suite.load import Suite, load_suite
from kisaan_validate.verdict.judgement import Judgement, judge
from kisaan_validate.verdict.waivers import Waivers, read_waivers
from kisaan_validate.watch.pings import pinging

PHASES = ("connect", "prove", "record", "index", "tell", "ping")

SUITE = """from kisaan_validate import declare as d
d.holds("orders", "total >= 0", id="{total}")
d.holds("orders", "note IS NOT NULL", id="note")
d.holds("orders", "day <= {until}", id="day")
d.references("lines", "order_id", "orders", id="lines")
d.holds("lines", "amount > 0", id="amount")
d.holds("lines", "amount < 1000", id="large", severity="warning")
d.volume("sales", arrivals="came", zone="UTC", least=1, id="arrivals")
d.volume("sales", zone="UTC", by="any", least=1, id="rows")
"""

CONFIG = """[history]
every = "1 d"
[history.renamed]
{renamed}
[[notify.webhook]]
name = "on-call"
url_env = "HOOK_URL"
"""


@dataclass(frozen=True)
class DatedVolume(Volume):
    """A volume that takes ``at`` for the server's time: the server's clock cannot be set."""

    at: str = ""
    kind: ClassVar[str] = "volume"

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        """What a volume asks at that time."""
        return super().violations(table, columns, replace(catalogue, at=self.at))


@dataclass(frozen=True)
class YearNight:
    """What a night is about. ``crash`` is the phase in which it is killed, "" for none."""

    folder: str
    dsn: str
    clock: str
    hook: str
    ping: str
    total: str = "total"
    until: str = "'2026-01-05'"
    renamed: str = ""
    waiver: str = ""
    crash: str = ""

    @property
    def at(self) -> datetime:
        """When."""
        return datetime.fromisoformat(self.clock)

    @property
    def config(self) -> Config:
        """What kisaan.toml says tonight."""
        file = Path(self.folder) / "kisaan.toml"
        file.write_text(CONFIG.format(renamed=self.renamed))
        return replace(load_config(file), reports=Path(self.folder) / "reports")

    @property
    def suite(self) -> Suite:
        """What the suite says tonight."""
        checks = Path(self.folder) / "checks"
        checks.mkdir(exist_ok=True)
        (checks / "suite.toml").write_text('name = "nightly"\n')
        (checks / "all.py").write_text(SUITE.format(total=self.total, until=self.until))
        made = load_suite(checks)
        now = f"{self.at:%Y-%m-%d %H:%M:%S}+00"
        dated = {
            id: DatedVolume(r.rule, r.where, at=now) for id, r in made.rules.items() if isinstance(r, Volume)
        }
        return replace(made, rules={**made.rules, **dated})

    def waivers(self, suite: Suite) -> Waivers | None:
        """What is accepted tonight."""
        return read_waivers(self.waiver, "waivers.toml", suite.rules) if self.waiver else None

    def reach(self, phase: str) -> None:
        """Be killed, if it is to be in this phase."""
        if phase == self.crash:
            os.kill(os.getpid(), signal.SIGKILL)

    def seen(self, event: Progress | Connected) -> None:
        """What the run says of itself: that it is connected, that it asks the checks."""
        if isinstance(event, Connected):
            self.reach("connect")
        elif event.phase == "checking":
            self.reach("prove")


class _Known(Mapping[str, str]):
    """The environment of a night: its URL is asked for when the message lies in the spool."""

    def __init__(self, night: YearNight) -> None:
        self._night, self._there = night, {"HOOK_URL": night.hook}

    def __getitem__(self, name: str) -> str:
        self._night.reach("tell")
        return self._there[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._there)

    def __len__(self) -> int:
        return len(self._there)


def play(night: YearNight) -> str:
    """The night in this process; its verdict."""
    config, suite = night.config, night.suite
    with pinging(night.ping, lambda _: None) as end:
        past = past_figures(config, suite, now=night.at)
        options = Options(jobs=1, fail_on=FailOn.NEW, waivers=night.waivers(suite), past=past)
        made = moved(run(suite, night.dsn, options=options, observer=night.seen), night.at)
        judged = judge(made, waivers=options.waivers)
        judged, _ = record_after(judged, config.reports, _settle(night, config))
        night.reach("index")
        add_to_index(config.reports, judged)
        tell(config, judged, now=night.at, env=_Known(night))
        night.reach("ping")
        end.code = exit_code(judged.run, judged.verdict, recorded=True)
    return judged.verdict.value


def _settle(night: YearNight, config: Config) -> Callable[[Judgement], Judgement]:
    remember = remembering(config, since_last=True)

    def settle(judged: Judgement) -> Judgement:
        settled = remember(judged)
        # The chain is held, and nothing of the run is written.
        night.reach("record")
        return settled

    return settle


def moved(made: Run, at: datetime) -> Run:
    """The run as if it had been made then."""
    took = made.finished_at - made.started_at
    stamp = f"{at:%Y%m%dT%H%M%SZ}-{made.id.rpartition('-')[2]}"
    return replace(made, id=stamp, started_at=at, finished_at=at + took, place=replace(made.place, at=at))


def killed(night: YearNight) -> str:
    """The night in a process of its own that is killed; the verdict of what it recorded, "" if nothing."""
    path = f"{ROOT}:{ROOT / 'tests'}"
    done = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(asdict(night)),
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        timeout=180,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    found = list((Path(night.folder) / "reports").glob(f"{night.at:%Y%m%dT%H%M%SZ}-*/run.json"))
    return judged_again(found[0]).verdict.value if found else ""


if __name__ == "__main__":
    play(YearNight(**json.load(sys.stdin)))
