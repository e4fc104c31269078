"""Counts which patterns fit the changed values of one column, and at the end attributes each value to one
of them.

A value that several patterns fit counts for the set of them; only at the end is it known which of them
fits most rows. So the counts are kept by set, and each set goes to its preferred member: the lower group,
then more rows, then the order of the list. What no pattern that is worth a name fits is unexplained.

Most columns of which millions of values changed changed in one way. So from time to time the patterns that
lead are looked up, and from then on a value that a leader makes is the leader's, without asking the others;
only what no leader makes is searched. After ``ENOUGH`` values that had to be searched, with or without
success, the leaders alone are asked, and every number but theirs is a lower bound.

Memory is bounded: once there are ``limit`` suppositions, the free ones met least often are forgotten. One
that is first met, or met again, after that may have been met before: its number is a lower bound and is
called "at least".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from kisaan_validate.compare.patterns.base import Pair, Parameter, Pattern, Sort
from kisaan_validate.compare.patterns.rows import digest, plain
from kisaan_validate.dataclass import dataclass

Supposition = tuple[int, Parameter]
"""A pattern by its place in the list, with its parameter."""

_EXCHANGED = 1 << 128

FIRST_LOOK = 2_000
"""Changed values of a column after which its leaders are looked up; again at every fourfold."""

MOST_LEADERS = 3

ENOUGH = 200_000
"""Values of a column that are searched for all patterns."""


@dataclass
class _Support:
    """How often a supposition fitted, and whether what must vary did."""

    rows: int
    first: object
    varied: bool
    late: bool


@dataclass(frozen=True)
class PatternClaim:
    """A pattern with its parameter, and exactly how many changed values it is held to have made.

    ``at_least``: more may have been made so, among those called unexplained.
    """

    pattern: Pattern
    parameter: Parameter
    rows: int
    at_least: bool = False


@dataclass(frozen=True)
class Findings:
    """What happened to a column's changed values: ``rows`` of them. The parts add up to it.

    ``exchanged``: those that no pattern explains are, as a whole, the old values in other rows.
    """

    rows: int
    claims: tuple[PatternClaim, ...]
    exchanged: int
    unexplained: int


class ColumnTally:
    """The changed values of one column, as they stream by."""

    def __init__(self, patterns: Sequence[Pattern], sort: Sort, limit: int = 2_000) -> None:
        self._patterns = patterns
        self._sort = sort
        # Patterns that are found in whole rows are given from outside.
        self._own = [(n, p) for n, p in enumerate(patterns) if type(p).fits is not Pattern.fits]
        self._limit = limit
        self._support: dict[Supposition, _Support] = {}
        self._sets: dict[tuple[Supposition, ...], list[int]] = {}
        self._forgot = False
        self._leaders: tuple[Supposition, ...] = ()
        self._next_look = FIRST_LOOK
        self._searched = 0
        self.rows = 0

    def is_led(self, pair: Pair) -> bool:
        """Whether a leading pattern makes the value; then it is counted."""
        # Leaders make nearly all of the values: asked first, the other patterns need not be.
        for leader in self._leaders:
            if leader[1] in self._patterns[leader[0]].fits(pair):
                self._support[leader].rows += 1
                self._sets[(leader,)][0] += 1
                self.rows += 1
                return True
        return False

    def add(self, pair: Pair, given: Iterable[Supposition] = ()) -> None:
        """One changed value that is not led; ``given`` are suppositions that were found by looking at the
        whole row.
        """
        fitting = [*given]
        if self._searched < ENOUGH:
            self._searched += 1
            for n, pattern in self._own:
                for parameter in pattern.fits(pair):
                    fitting.append((n, parameter))
        else:
            # From here on a pattern's number may lack what was not searched.
            self._forgot = True
        for supposition in fitting:
            self._support_of(supposition, pair)
        self.rows += 1
        # What values gained and lost, summed: 0 at the end means that they only changed places.
        moved = digest((plain(pair.after, self._sort),)) - digest((plain(pair.before, self._sort),))
        count = self._sets.setdefault(tuple(fitting), [0, 0])
        count[0] += 1
        count[1] = (count[1] + moved) % _EXCHANGED
        if len(self._support) > self._limit:
            self._forget()
        if self.rows >= self._next_look:
            self._look_up()

    def add_unseen(self, pair: Pair) -> None:
        """One changed value that no pattern is asked about."""
        self.rows += 1
        count = self._sets.setdefault((), [0, 0])
        count[0] += 1
        count[1] = (count[1] + digest((pair.after,)) - digest((pair.before,))) % _EXCHANGED

    def _look_up(self) -> None:
        """Who leads: at most three patterns that each make a tenth of the values so far, and need no look
        at the row.
        """
        # Rarer as it goes on: each look sorts all that is known.
        self._next_look = self.rows * 4
        own = dict(self._own)
        found = (
            (self._patterns.index(c.pattern), c.parameter)
            for c in self.findings().claims
            if c.rows * 10 >= self.rows
        )
        self._leaders = tuple(leader for leader in found if leader[0] in own)[:MOST_LEADERS]
        for leader in self._leaders:
            self._sets.setdefault((leader,), [0, 0])

    def _support_of(self, supposition: Supposition, pair: Pair) -> None:
        support = self._support.get(supposition)
        if support is None:
            first = self._patterns[supposition[0]].variety(pair)
            # Met after something was forgotten, so it may have been met before.
            self._support[supposition] = _Support(1, first, False, self._forgot)
            return
        support.rows += 1
        if not support.varied:
            # Once it varied it stays so; asked only until then.
            support.varied = self._patterns[supposition[0]].variety(pair) != support.first

    def _forget(self) -> None:
        """Drop the free suppositions met least often, until half of the limit is left; sets lose what was
        dropped.
        """
        self._forgot = True
        # Fixed patterns are few; free ones have a parameter for nearly every value.
        free = {s: self._support[s].rows for s in self._support if self._patterns[s[0]].free(s[1])}
        spare = len(self._support) - len(free)
        kept = Counter(free).most_common(max(0, self._limit // 2 - spare))
        dropped = free.keys() - {supposition for supposition, _ in kept} - set(self._leaders)
        for supposition in dropped:
            del self._support[supposition]
        sets: dict[tuple[Supposition, ...], list[int]] = {}
        for fitting, (rows, moved) in self._sets.items():
            # Sets that are the same without what was dropped become one.
            count = sets.setdefault(tuple(s for s in fitting if s not in dropped), [0, 0])
            count[0] += rows
            count[1] = (count[1] + moved) % _EXCHANGED
        self._sets = sets

    def findings(self) -> Findings:
        """What each changed value is attributed to."""
        worth = self._worth_a_name()
        while True:
            made, rest, moved = self._attribute(worth)
            # Some have too few values once others took theirs; without them the rest is shared out again.
            weak = {s for s in worth if made[s] < self._patterns[s[0]].least(s[1])} - set(self._leaders)
            if not weak:
                break
            worth -= weak
        claims = tuple(
            PatternClaim(self._patterns[s[0]], s[1], made[s], self._is_lower_bound(s))
            for s in sorted(worth, key=lambda s: (-made[s], self._preference(s)))
        )
        # One value alone cannot have changed places.
        exchanged = rest if rest > 1 and not moved else 0
        return Findings(self.rows, claims, exchanged, rest - exchanged)

    def _is_lower_bound(self, supposition: Supposition) -> bool:
        if self._searched >= ENOUGH and supposition not in self._leaders:
            return True
        return self._support[supposition].late and self._patterns[supposition[0]].free(supposition[1])

    def _worth_a_name(self) -> set[Supposition]:
        """Fixed patterns, and free ones that fit one in a hundred of what no fixed pattern fits; all with
        enough rows.
        """
        enough = {s for s, support in self._support.items() if self._is_enough(s, support)}
        fixed = {s for s in enough if not self._patterns[s[0]].free(s[1])}
        # Free patterns compete for what no fixed one explains.
        open_rows = sum(rows for fitting, (rows, _) in self._sets.items() if not fixed.intersection(fitting))
        return (
            fixed
            | {s for s in enough - fixed if self._support[s].rows * 100 >= open_rows}
            | set(self._leaders)
        )

    def _is_enough(self, supposition: Supposition, support: _Support) -> bool:
        pattern, parameter = self._patterns[supposition[0]], supposition[1]
        return support.rows >= pattern.least(parameter) and (
            support.varied or not pattern.needs_variety(parameter)
        )

    def _preference(self, supposition: Supposition) -> tuple[object, ...]:
        n, parameter = supposition
        return (
            self._patterns[n].group,
            -self._support[supposition].rows,
            n,
            self._patterns[n].order(parameter),
        )

    def _attribute(self, worth: set[Supposition]) -> tuple[Mapping[Supposition, int], int, int]:
        rank = {s: n for n, s in enumerate(sorted(worth, key=self._preference))}
        made: Counter[Supposition] = Counter()
        rest = total = 0
        for fitting, (rows, moved) in self._sets.items():
            best = min((s for s in fitting if s in rank), key=rank.__getitem__, default=None)
            if best is None:
                rest, total = rest + rows, (total + moved) % _EXCHANGED
            else:
                made[best] += rows
        return made, rest, total
