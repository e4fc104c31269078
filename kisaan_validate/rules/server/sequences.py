"""How many values sequences have left, and whether their types fit the columns that they fill."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.server import SequenceState, ServerFacts
from kisaan_validate.rules.base import CatalogueAnswer
from kisaan_validate.rules.server.base import ServerRule, Wrong, answer, known
from kisaan_validate.rules.server.rates import Rate, rate_of
from kisaan_validate.text.numbers import counted

HIGHEST = {"int2": 2**15 - 1, "int4": 2**31 - 1, "int8": 2**63 - 1}
"""The highest value of each integer type; the lowest is one further from 0."""

WORDS = {"int2": "smallint", "int4": "integer", "int8": "bigint"}


def end_of(sequence: SequenceState) -> int:
    """The last value that it can hand out into all columns that it fills: its own end, or a column's."""
    ends = [HIGHEST[c.base] for c in sequence.fills if c.base in HIGHEST]
    if sequence.increment > 0:
        return min([sequence.maximum, *ends])
    return max([sequence.minimum, *(-end - 1 for end in ends)])


def values_left(sequence: SequenceState) -> tuple[int, int]:
    """How many values it can still hand out, and how many it ever could."""
    first = sequence.minimum if sequence.increment > 0 else sequence.maximum
    last, end = sequence.last, end_of(sequence)
    every = max(0, (end - first) // sequence.increment + 1)
    if last is None:
        return every, every
    return max(0, (end - last) // sequence.increment), every


@dataclass(frozen=True)
class SequenceHeadroom(ServerRule):
    """Each sequence has at least ``share`` of its values left, and enough for ``days`` at the present rate.

    One that begins again (CYCLE) never ends and is left out.
    """

    share: Fraction = Fraction(1, 10)
    days: int = 30
    kind: ClassVar[str] = "sequence_headroom"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return (
            f"every sequence has at least {self.share} of its values left, "
            f"and enough for {self.days} days at the present rate"
        )

    def judged(self, server: ServerFacts) -> CatalogueAnswer:
        """Those near their end, by what is left and by the rate."""
        every = known(server.sequences)
        ending = [s for s in every if not s.cycles]
        readable = [s for s in ending if not s.unread]
        wrong = [found for s in readable if (found := self._wrong(s, server))]
        unknown = [f"{s.name}: {s.unread}" for s in ending if s.unread]
        hint = "GRANT SELECT ON SEQUENCE … to the role, and USAGE on the schema"
        return answer(len(readable), wrong, _fewest(readable), unknown, hint)

    def _wrong(self, s: SequenceState, server: ServerFacts) -> Wrong | None:
        (left, every), rate = values_left(s), _rate(s, server)
        days = rate.days(left) if rate is not None else None
        if left >= self.share * every and (days is None or days >= self.days):
            return None
        lasts = f", {rate.words(left)}" if rate is not None else ""
        row = {
            "sequence": s.name,
            "last_value": "never called" if s.last is None else str(s.last),
            "end": str(end_of(s)),
            "left": str(left),
            "days_left": "unknown" if days is None else str(days),
            "fills": ", ".join(c.name for c in s.fills),
        }
        return Wrong(f"{s.name} has {counted(left, 'value')} left of {every:,}{lasts}", row)


def _rate(s: SequenceState, server: ServerFacts) -> Rate | None:
    return None if s.last is None else rate_of(server, s.name, s.last, step=s.increment)


def _fewest(sequences: list[SequenceState]) -> str:
    if not sequences:
        return "there are no sequences that could end"
    # By share: a smallint with 900 left is nearer its end than a bigint with a million used.
    nearest = min(sequences, key=_share_left)
    left, every = values_left(nearest)
    return f"nearest to its end is {nearest.name}: {counted(left, 'value')} left of {every:,}"


def _share_left(sequence: SequenceState) -> Fraction:
    left, every = values_left(sequence)
    return Fraction(left, every) if every else Fraction(0)


@dataclass(frozen=True)
class SequenceTypes(ServerRule):
    """A sequence ends where the integer column ends that it fills: neither before, because its type is
    narrower, nor after, where its values no longer fit.
    """

    kind: ClassVar[str] = "sequence_types"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return "every sequence has the type of the column that it fills"

    def judged(self, server: ServerFacts) -> CatalogueAnswer:
        """Those whose type is not that of their column."""
        pairs = [(s, c.name, c.base) for s in known(server.sequences) for c in s.fills if c.base in HIGHEST]
        wrong = [found for s, column, base in pairs if (found := _misfit(s, column, base))]
        return answer(len(pairs), wrong, f"{counted(len(pairs), 'pair')} of a sequence and a column fit")


def _misfit(s: SequenceState, column: str, base: str) -> Wrong | None:
    own, theirs = _end(s, s.base), _end(s, base)
    bound = s.maximum if s.increment > 0 else s.minimum
    beyond = abs(bound) > abs(theirs)
    # A narrower one with an end of its own choice was limited on purpose.
    early = bound == own and abs(own) < abs(theirs)
    if not (beyond or early):
        return None
    why = "its values stop fitting" if beyond else "it ends first"
    row = {
        "sequence": s.name,
        "type": WORDS[s.base],
        "ends_at": str(bound),
        "column": column,
        "column_type": WORDS[base],
        "problem": why,
    }
    return Wrong(f"{s.name} is {WORDS[s.base]}, its column {column} {WORDS[base]}: {why}", row)


def _end(s: SequenceState, base: str) -> int:
    """Where a type ends in the direction of a sequence."""
    return HIGHEST[base] if s.increment > 0 else -HIGHEST[base] - 1
