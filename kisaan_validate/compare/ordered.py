"""Two streams in one order, merged: the only merge of live sides, row files and value files.

Never more than the items of one place are in memory. Both streams must come in the order of their places; one
that goes back is refused, because its items would be taken for gone and come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, Protocol, TypeVar

from kisaan_validate.errors import DatabaseError


class Orderable(Protocol):
    """What a place is: anything that has an order."""

    def __lt__(self, other: Any, /) -> bool: ...


Item = TypeVar("Item")
Group = TypeVar("Group")
Place = TypeVar("Place", bound=Orderable)

Identical = Callable[[Item, Item, int], None]
"""Called for each run of items that both sides have, one for one: the first, the last, and how many."""


def side_by_side(
    before: Iterable[Item],
    after: Iterable[Item],
    place: Callable[[Item], Place],
    refused: str,
    identical: Identical[Item] | None = None,
) -> Iterator[tuple[Item | None, Item | None]]:
    """Items of the same place side by side, None where a side has none; equal places of one side one by one.

    With ``identical``, items that are equal as a whole are not given but counted, and their place is not
    asked for: that is much faster where most are. Raises DatabaseError, which says ``refused``, where a
    stream goes back.
    """
    befores, afters = iter(before), iter(after)
    old, new = next(befores, None), next(afters, None)
    left: Place | None = None
    right: Place | None = None
    left_last: Place | None = None
    right_last: Place | None = None
    while old is not None or new is not None:
        # Equal items need no place: in a comparison of millions nearly all are equal.
        if identical is not None and old is not None and old == new:
            first, many = old, 0
            while old is not None and old == new:
                # The last one is kept, since old has moved on when the run ends.
                last, many = old, many + 1
                old, new = next(befores, None), next(afters, None)
            # Their places are not known, so the next items are placed again.
            left = right = None
            identical(first, last, many)
            continue
        if left is None and old is not None:
            left = place(old)
            # A stream that goes back was sorted by another rule; its rows would seem gone and come.
            if left_last is not None and left < left_last:
                raise DatabaseError(refused)
            left_last = left
        if right is None and new is not None:
            right = place(new)
            if right_last is not None and right < right_last:
                raise DatabaseError(refused)
            right_last = right
        if right is None or (left is not None and left < right):
            yield old, None
            old, left = next(befores, None), None
        # Exactly one is less, or they are equal: only < is asked of a place.
        elif left is None or right < left:
            yield None, new
            new, right = next(afters, None), None
        else:
            yield old, new
            old, new = next(befores, None), next(afters, None)
            left = right = None


def groups_side_by_side(
    before: Iterable[Item],
    after: Iterable[Item],
    place: Callable[[Item], Place],
    refused: str,
    add: Callable[[list[Item], Item], None] = list.append,
) -> Iterator[tuple[list[Item], list[Item]]]:
    """All items of each place of both sides, [] where a side has none.

    ``add`` puts one more item to those of its place, and may refuse when they are too many. Raises
    DatabaseError, which says ``refused``, where a stream goes back.
    """
    old, new = _groups(before, place, add), _groups(after, place, add)
    for left, right in side_by_side(old, new, _PLACE, refused):
        yield left[1] if left is not None else [], right[1] if right is not None else []


_PLACE = itemgetter(0)


def _groups(
    items: Iterable[Item], place: Callable[[Item], Place], add: Callable[[list[Item], Item], None]
) -> Iterator[tuple[Place, list[Item]]]:
    """The items of each place that follow each other."""
    rest = iter(items)
    # The for only takes the first item, so that an empty stream yields nothing.
    for first in rest:  # once at most: the loop below takes the others
        here, group = place(first), [first]
        for item in rest:
            where = place(item)
            if where == here:
                add(group, item)
            else:
                yield here, group
                here, group = where, [item]
        yield here, group
