"""Migrations that name what they follow, as a graph. Iterative: a chain may have thousands of links."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush

from kisaan_validate.facts.migrations import FileRemark, MigrationFile, Oddity


def in_order(files: Iterable[MigrationFile]) -> tuple[MigrationFile, ...]:
    """Parents first, then by name. Those in a circle come last."""
    known = {file.name: file for file in files}
    waits = {name: {p for p in file.parents if p in known} for name, file in known.items()}
    children = defaultdict(list)
    for name, parents in waits.items():
        for parent in parents:
            children[parent].append(name)
    ready = sorted(name for name, parents in waits.items() if not parents)
    done: dict[str, MigrationFile] = {}
    while ready:
        name = heappop(ready)
        done[name] = known[name]
        for child in children[name]:
            waits[child].discard(name)
            if not waits[child]:
                heappush(ready, child)
    return (*done.values(), *(file for name, file in sorted(known.items()) if name not in done))


def ancestors(names: Iterable[str], files: Mapping[str, MigrationFile]) -> frozenset[str]:
    """These names and all that they follow, as far as the files tell."""
    found: set[str] = set()
    left = deque(names)
    while left:
        name = left.popleft()
        if name in found:
            continue
        found.add(name)
        if name in files:
            left.extend(files[name].parents)
    return frozenset(found)


def heads(files: Sequence[MigrationFile]) -> tuple[str, ...]:
    """The names that no other file follows."""
    followed = {parent for file in files for parent in file.parents}
    return tuple(file.name for file in files if file.name not in followed)


def roots(files: Sequence[MigrationFile]) -> tuple[str, ...]:
    """The names that follow none of these files."""
    names = {file.name for file in files}
    return tuple(file.name for file in files if names.isdisjoint(file.parents))


def graph_remarks(files: Sequence[MigrationFile]) -> Iterator[tuple[str, FileRemark]]:
    """(name, what is wrong): parents without a file, and circles."""
    known = {file.name for file in files}
    for file in files:
        for parent in file.parents:
            if parent not in known:
                yield file.name, FileRemark(Oddity.GRAPH, f"follows {parent}, which is not in the folder")
    before: set[str] = set()
    for file in in_order(files):
        # In order, each comes after its parents, unless it is in a circle, or after one.
        if any(parent in known and parent not in before for parent in file.parents):
            yield file.name, FileRemark(Oddity.GRAPH, "follows itself, by a circle of files")
            return
        before.add(file.name)
