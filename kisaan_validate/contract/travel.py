"""Whether what a table or a column held is found again under another name. Pure; both sides have the names
of after here.
"""

from __future__ import annotations

from kisaan_validate.contract.both import Both, CannotTell
from kisaan_validate.contract.promise import Outcome, State, counted
from kisaan_validate.contract.story import Story, story_of
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import DIGEST, ROWS, VALUES, ChangeKey
from kisaan_validate.facts.measure_key import of_column
from kisaan_validate.facts.table import Family, Profile

_SHOWN = 3
"""So many columns, or keys, are named in a message."""


@dataclass(frozen=True)
class _Column:
    """What is known of the values of one column: ``wrong`` says how they differ, ``untold`` why that is
    unknown.
    """

    name: str
    wrong: str = ""
    untold: str = ""


def column_outcome(both: Both, table: str, name: str) -> Outcome:
    """What happened to the values of a column under its new name. Raises CannotTell."""
    # A promise about the values decides: judged twice, they could get two answers.
    if (spoken := _spoken(both, table, name)) is not None:
        return spoken
    story = story_of(both, table)
    if wrong := _rows(story):
        return Outcome(
            State.BROKEN, f"some values are missing: {wrong}", contradicts=_keys(both, table, (name,))
        )
    found = _looked(story, name)
    if found.wrong:
        message = f"renamed, but values changed: {found.wrong}{_exactly(both, table, name)}"
        return Outcome(State.BROKEN, message, contradicts=_keys(both, table, (name,)))
    if found.untold:
        return Outcome(State.UNKNOWN, f"renamed; whether the values are the same is unknown: {found.untold}")
    return Outcome(State.KEPT)


def table_outcome(both: Both, table: str) -> Outcome:
    """What happened to the rows and values of a table under its new name. Raises CannotTell."""
    story = story_of(both, table)
    if wrong := _rows(story):
        return Outcome(
            State.BROKEN, f"renamed, but rows changed: {wrong}", contradicts=_keys(both, table, ())
        )
    names = [c.name for c in both.before.tables[table].columns]
    # A column that was promised to go is no loss.
    if lost := [n for n in names if (table, n) not in both.after.columns and (table, n) not in both.dropped]:
        return Outcome(
            State.BROKEN, f"renamed, but {_listed(lost)} no longer {'exists' if len(lost) == 1 else 'exist'}"
        )
    spoken = [n for n in names if (table, n) in both.speakers and both.speakers[table, n].says_values]
    # What another promise says of every value is its to judge.
    kept = [n for n in names if (table, n) in both.after.columns and n not in spoken]
    found = [_unsaid(both, table, name) or _looked(story, name) for name in kept]
    if wrong_ones := [column for column in found if column.wrong]:
        said = "; ".join(f"{c.name}: {c.wrong}{_exactly(both, table, c.name)}" for c in wrong_ones[:_SHOWN])
        more = f"; and {len(wrong_ones) - _SHOWN} more" if len(wrong_ones) > _SHOWN else ""
        keys = _keys(both, table, [c.name for c in wrong_ones])
        return Outcome(State.BROKEN, f"renamed, but values changed: {said}{more}", contradicts=keys)
    if untold := [column for column in found if column.untold]:
        said = f"{_listed([c.name for c in untold])}: {untold[0].untold}"
        return Outcome(State.UNKNOWN, f"renamed; whether the contents are the same is unknown for {said}")
    return Outcome(State.KEPT, f"other promises cover {_listed(spoken)}" if spoken else "")


def _unsaid(both: Both, table: str, name: str) -> _Column | None:
    """What is said of a column whose values change by a promise that does not say which."""
    speaker = both.speakers.get((table, name))
    if speaker is not None:
        return _Column(name, untold=f"promise {speaker.id} says that values change, but not which")
    return None


def _spoken(both: Both, table: str, name: str) -> Outcome | None:
    """The outcome of another promise about the column's values; None where no promise covers each of them."""
    speaker = both.speakers.get((table, name))
    if speaker is None:
        return None
    if not speaker.says_values:
        raise CannotTell(
            f"promise {speaker.id} says that values change, but not which: promise it exactly, "
            "e.g. with `changed_where_null`"
        )
    outcome = speaker.judge(both)
    if outcome.state is State.KEPT:
        said = f": {outcome.message}" if outcome.message else ""
        return Outcome(State.KEPT, f"promise {speaker.id} judges its values{said}")
    return Outcome(outcome.state, f"promise {speaker.id} judges its values: {outcome.message}")


def _rows(story: Story) -> str:
    """How the rows are not those that should be there, in words; "" if they are. Raises CannotTell."""
    return story.misfit or story.strangers()


def _looked(story: Story, name: str) -> _Column:
    """Whether each row has its value in a column. What digests say comes first: figures alone do not see a
    swap.
    """
    try:
        wanted, found = story.expected(name), story.actual(name)
    except CannotTell as reason:
        return _Column(name, untold=str(reason))
    if wanted.nulls != found.nulls and None not in (wanted.nulls, found.nulls):
        return _Column(name, f"{found.nulls:,} NULL, {wanted.nulls:,} before")
    # Every row NULL on both sides: digests could add nothing.
    if wanted.nulls is not None and wanted.nulls == found.nulls == story.settled:
        return _Column(name)  # there is no value
    if wanted.personal or found.personal:
        return _personal(story, name)
    try:
        if story.agree(of_column(name), of_column(name)):
            return _Column(name)
    except CannotTell as reason:
        # The digest could not be compared, but figures that differ are proof enough.
        wrong = _contradiction(story, name) if _comparable(wanted, found) else ""
        return _Column(name, wrong, "" if wrong else str(reason))
    wrong = _contradiction(story, name) if _comparable(wanted, found) else ""
    # Words about figures only where one differs: "some rows" is all that a digest tells.
    if wrong and any(
        getattr(wanted, figure) != getattr(found, figure) for figure in ("minimum", "maximum", "total")
    ):
        return _Column(name, wrong)
    # Without a key, digests are of whole rows: a change in any column makes them differ.
    if not story.unique and any(key[:2] == (VALUES, story.table) for key in story.both.changes):
        return _Column(
            name,
            untold="the table has no key and its values changed, so which row has which value is unknown",
        )
    return _Column(name, wrong or "the figures are unchanged, but some rows have a different value")


def _comparable(wanted: Profile, found: Profile) -> bool:
    exact = {Family.NUMBER, Family.FLOAT}
    return not (wanted.personal or found.personal) and (
        wanted.family is found.family or {wanted.family, found.family} <= exact
    )


def _contradiction(story: Story, name: str) -> str:
    try:
        return story.contradiction(name)
    except CannotTell:
        return ""


def _personal(story: Story, name: str) -> _Column:
    """What a digest under the baseline's own key tells of a personal column, where one was kept
    (``baseline --digests``).
    """
    if why := story.both.stale_of(story.table):  # which rows stay was asked differently
        return _Column(name, untold=f"personal values: {why}")
    there, now = (
        next((k for k in side.facts.keyed if (k.table, k.column) == (story.table, name)), None)
        for side in story.both.sides
    )
    if there is None:
        return _Column(name, untold="personal values are not compared without --digests")
    # The keyed digest is compared elsewhere, under the baseline's key; here only what it said is read.
    change = (VALUES, story.table, name, DIGEST)
    if now is not None and now.outcome == "same":
        return _Column(name)
    if change in story.both.changes:
        return _Column(name, "its personal values changed")
    why = there.message or (now.message if now is not None else "") or "it was not digested"
    return _Column(name, untold=f"personal values: {why}")


def _exactly(both: Both, table: str, name: str) -> str:
    """In how many rows the value differs, and in which first, where the baseline kept values or digests of
    rows.
    """
    kept = both.values.get((table, name))
    if kept is not None and not kept.message and kept.changed:
        rows = [
            " ".join(f"{column} {value}" for column, value in sample.key) for sample in kept.samples[:_SHOWN]
        ]
        return (
            f"; changed in {counted(kept.changed)} of "
            f"{kept.compared:,}{f', first {_listed(rows)}' if rows else ''}"
        )
    rows_now = both.rows.get(table)
    if rows_now is not None and not rows_now.message and rows_now.changed:
        keys = rows_now.keys.get("changed", ())[:_SHOWN]
        return (
            f"; {counted(rows_now.changed)} of the table "
            f"changed{f', first {_listed(list(keys))}' if keys else ''}"
        )
    return ""


def _keys(both: Both, table: str, names: tuple[str, ...] | list[str]) -> frozenset[ChangeKey]:
    """The differences of these columns' values; of the table's rows where no column is named."""
    kinds = (VALUES, ROWS) if names else (ROWS,)
    return frozenset(
        key
        for key in both.changes
        if key[0] in kinds and key[1] == table and (key[0] == ROWS or key[2] in names)
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
