"""The numbers at the beginning of files' names: two of the same, and numbers that do not sort as names do."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from kisaan_validate.facts.migrations import FileRemark, Oddity

_NUMBER = re.compile(r"(\d+(?:[._-]\d+)*)(?=[._-])")
_DAY = re.compile(r"(19|20)\d{2}[._-]?(0[1-9]|1[0-2])[._-]?(0[1-9]|[12]\d|3[01])")


def numbering_remarks(names: Sequence[str]) -> Iterator[tuple[str, FileRemark]]:
    """(name, remark) of files' names in their order."""
    by_number: dict[tuple[int, ...], list[str]] = defaultdict(list)
    # Of one form only: a day and a counter are not comparable.
    last: dict[int, tuple[tuple[int, ...], str]] = {}
    for name in names:
        number = _number(name)
        if number is None:
            continue
        by_number[number].append(name)
        before, whose = last.setdefault(len(number), (number, name))
        if number < before:
            fact = f"runs after {whose}, whose number is greater: names sort as text"
            yield name, FileRemark(Oddity.OUT_OF_ORDER, fact)
        last[len(number)] = number, name
    for same in by_number.values():
        for name in same[1:]:
            yield name, FileRemark(Oddity.SAME_NUMBER, f"has the same number as {same[0]}")


def _number(name: str) -> tuple[int, ...] | None:
    """The numbers that begin a name; None where there are none, or only a day, which many may share."""
    found = _NUMBER.match(name)
    if found is None or _DAY.fullmatch(found[1]):
        return None
    return tuple(int(part) for part in re.split(r"[._-]", found[1]))
