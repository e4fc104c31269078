"""Nights told one after the other, as they would be: each run is judged, and what was told of it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from test_report_page import PLACE, make_run

from kisaan_validate.facts.check import Check, Form, Severity
from kisaan_validate.facts.result import Evidence, Result, Status
from kisaan_validate.history.lines import follow
from kisaan_validate.history.marks import HistoryMark
from kisaan_validate.history.night import Night, night_of
from kisaan_validate.incidents.night import NightToTell
from kisaan_validate.incidents.tell import spooled_of
from kisaan_validate.notify.spool import Spooled
from kisaan_validate.notify.told import News, ToldNight
from kisaan_validate.verdict.judgement import Judgement, judge
from kisaan_validate.verdict.waivers import Waiver, Waivers

FIRST = datetime(2026, 1, 5, 2, 30, tzinfo=UTC)

Said = str | int
"""``3`` fails with three rows, ``"3b"`` with three others, ``"ok"``, ``"?"`` is an error, ``"-"`` not
applicable, ``"gone"`` a table that is not there.
"""

_STATUS = {"ok": Status.PASS, "?": Status.ERROR, "-": Status.NOT_APPLICABLE, "gone": Status.SKIP}


def result_of(of: Check, said: Said) -> Result:
    """The result of a check on one night."""
    check = of.id
    status = _STATUS.get(str(said), Status.FAIL)
    count = int(str(said).rstrip("ab")) if status is Status.FAIL else 0 if said == "ok" else None
    made = Result(check, status, count, None if count is None else 1_000, Evidence.SCANNED)
    if status is Status.FAIL:
        sample = ((("id", "KEY-OF-A-ROW"),),)
        return replace(
            made,
            key=("id",),
            sample=sample,
            sample_complete=count == 1,
            key_digest=sha256(f"{of.digest} {said}".encode()).hexdigest(),
        )
    if said == "gone":
        message = "skipped, because table orders does not exist"
        return replace(made, message=message, sqlstate="42P01", hint="create it")
    return replace(made, message='invalid input: "VALUE-OF-A-ROW"', sqlstate="22P02") if said == "?" else made


def check_of(id: str, **more: object) -> Check:
    """A check of that id."""
    made = Check(
        id, "orders", (), Form.ROW, "compare", f"claim of {id}", digest=f"m-{id}", hint=f"repair {id}"
    )
    return replace(made, **more)  # type: ignore[arg-type]


def waiver_of(check: str, until: date, rows: int = 9) -> Waiver:
    """A waiver of a check."""
    return Waiver(check, "in dispute", "finance", until, rows)


@dataclass
class Nights:
    """A suite that is run night after night, and whose news are told."""

    nights: list[Night] = field(default_factory=list)
    told: list[ToldNight] = field(default_factory=list)
    marks: list[HistoryMark] = field(default_factory=list)
    renamed: Mapping[str, str] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    at: datetime = FIRST

    def judged(self, said: Mapping[str, Said], waivers: Iterable[Waiver] = (), **more: object) -> Judgement:
        """The run of a night, judged."""
        checks = [self.checks.get(id) or check_of(id) for id in said]
        results = [result_of(check, one) for check, one in zip(checks, said.values(), strict=True)]
        place = replace(PLACE, at=self.at)
        run = make_run(checks, results, place=place, id=f"{self.at:%Y%m%dT%H%M%SZ}-abc123", **more)  # type: ignore[arg-type]
        kept = tuple(waivers)
        return judge(run, waivers=Waivers(kept, "w" * 64, "") if kept else None)

    def telling(self, judged: Judgement) -> NightToTell:
        """What is known on a night that is added."""
        self.nights.append(night_of(judged, judged.run.id, ""))
        lines = list(follow(self.nights, self.renamed).values())
        return NightToTell(judged, self.nights[-1], lines, self.marks, self.told, self.renamed)

    def night(
        self, said: Mapping[str, Said], waivers: Iterable[Waiver] = (), days: float = 1, **more: object
    ) -> Spooled | None:
        """A night, a day later than the one before; its message, which is kept as told."""
        made = spooled_of(self.telling(self.judged(said, waivers, **more)), ["mail"], "reports/x/report.html")
        self.at += timedelta(days=days)
        if made is not None and made.told is not None:
            self.told.append(made.told)
        return made


def news(made: Spooled | None) -> dict[str, News]:
    """What a message says of each subject."""
    return {s.key.removeprefix("check "): s.news for s in made.told.subjects} if made and made.told else {}


def series(said: Sequence[Said], check: str = "c") -> list[str]:
    """What is told of one check, night by night."""
    nights = Nights()
    return [news(nights.night({check: one})).get(check, "") for one in said]


def incidents(made: Spooled | None) -> list[tuple[str, int]]:
    """The news of each incident, and how many checks are in it."""
    return [(one["news"], len(one["checks"])) for one in made.message.facts["incidents"]] if made else []


BLOCKING, INFO = Severity.BLOCKING, Severity.INFO
