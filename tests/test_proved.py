"""When checks and tables were last answered, by the index: the same whatever finds it, for any past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from helpers import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from kisaan_validate.facts.check import Check, Form, Severity
from kisaan_validate.facts.result import UNANSWERED, Status, Verdict
from kisaan_validate.history import proved
from kisaan_validate.history.night import CheckNight, Night
from kisaan_validate.history.proved import last_proved
from kisaan_validate.history.store import opened

CHECKS = [Check(f"c{n}", f"t{n // 2}", (), Form.ROW, "k", "claim", digest=f"m{n}") for n in range(4)]
RENAMED = {"was0": "c0"}

OUTCOMES = st.lists(
    st.tuples(
        st.sampled_from(["c0", "was0", "c1", "c2", "c3"]),
        st.sampled_from(["same", "other"]),
        st.sampled_from([Status.PASS, Status.FAIL, Status.ERROR, Status.SKIP, Status.NOT_APPLICABLE]),
        st.sampled_from([Severity.BLOCKING, Severity.WARNING]),
    ),
    unique_by=lambda one: one[0].replace("was", "c"),
)


def _night(number: int, said: list[tuple[str, str, Status, Severity]], host: str) -> Night:
    outcomes = tuple(
        CheckNight(
            name, f"m{name[-1]}" if meaning == "same" else "other", f"t{int(name[-1]) // 2}", severity, status,
            None, "",
        )
        for name, meaning, status, severity in said
    )  # fmt: skip
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
    return Night(
        f"r{number:02}", "d", f"f{number}", at, "s", "x", host, "5432", "d", "", Verdict.PASS, True, 1, (), outcomes
    )  # fmt: skip


@settings(max_examples=examples(25), deadline=None)
@given(
    st.lists(st.tuples(OUTCOMES, st.sampled_from(["ours", "ours", "theirs"])), max_size=8), st.integers(1, 9)
)
def test_the_last_answers_are_those_of_the_nights(
    past: list[tuple[list[tuple[str, str, Status, Severity]], str]], recent: int
) -> None:
    """By hand: of our server, the same meaning, any name that it had, any answer; a table has the last night in
    which all of its checks had one. However many nights are looked at together.
    """
    nights = [_night(n, said, host) for n, (said, host) in enumerate(past)]
    ours = [night for night in nights if night.host == "ours"]
    answered = [
        {
            f"c{o.check[-1]}"
            for o in night.outcomes
            if o.status not in UNANSWERED and o.meaning == f"m{o.check[-1]}"
        }
        for night in ours
    ]

    def last(ids: set[str]) -> datetime | None:
        return next(
            (n.at for n, said in reversed(list(zip(ours, answered, strict=True))) if ids <= said), None
        )

    usual, proved.RECENT = proved.RECENT, recent
    try:
        with TemporaryDirectory() as folder, opened(Path(folder) / "h.sqlite", RENAMED) as history:
            history.add(nights)
            found = last_proved(history, ours, CHECKS)
    finally:
        proved.RECENT = usual
    assert found.checks == {c.id: at for c in CHECKS if (at := last({c.id})) is not None}
    tables = {name: last({c.id for c in CHECKS if c.table == name}) for name in ("t0", "t1")}
    assert {name: one.at for name, one in found.tables.items()} == {n: at for n, at in tables.items() if at}
    turns = found.turns
    for one in turns:
        for other in turns:
            assert (turns[one] < turns[other]) is (found.checks[one] < found.checks[other])
    assert min(turns.values(), default=1) == 1
