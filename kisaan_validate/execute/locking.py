"""How a run locks what it reads, so that half of the server's lock table stays free of everybody's locks.
Pure.

Best is to hold every table for as long as the snapshot, in every session: nobody can rewrite one
meanwhile, and no session asks for a lock late. That costs a place a table, index and session. Where there
is no room for it, readers give back their locks after each statement; where there is none for the holder's
either, nothing is held, and a table that was changed under the snapshot is found out afterwards (see
``snapshot.rewritten``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.postgres.locktable import Cost, Room

HOLDER, READER = 160, 80
"""Places for the catalogue's own tables and indexes, which a session locks as it looks there."""


@dataclass(frozen=True)
class Locking:
    """``held``: the first session keeps a lock on every table. ``kept``: so does every reader, of which
    there are ``readers``.

    ``need`` is how many places a reader's statement takes. ``refused`` tables are not read, and why;
    ``impossible`` says why nothing is. ``why`` says in words why it is not the best way.
    """

    held: bool = True
    kept: bool = True
    readers: int = 0
    need: int = 0
    refused: Mapping[TableKey, str] = field(default_factory=dict)
    impossible: str = ""
    why: str = ""


def choose_locking(
    room: Room,
    costs: Mapping[TableKey, Cost],
    together: Iterable[Collection[TableKey]],
    readers: int,
    share: int = 1,
    *,
    holding: bool = True,
) -> Locking:
    """The best way that leaves half of the table free. ``together`` are tables that one statement may read
    at once.

    ``share``: how many holders of ours take their locks from the same room. ``holding``: whether tables
    may be held at all.
    """
    # Other holders of ours take their locks at the same moment, before any of them shows up as used.
    free, held = room.free // share, sum(cost.relations for cost in costs.values())
    groups = [tuple(key for key in group if key in costs) for group in together]
    # Each table is also read alone, for its digests and figures.
    groups += [(key,) for key in costs]
    need, refused = _need(costs, groups, room, free)
    # Not even one reader beside the holder: then nothing is read, and every check is an error.
    if free < HOLDER + READER + need:
        why = (
            f"{room.used:,} of {room.size:,} slots of the server's lock table are in use: a run "
            "would not leave half of it free"
        )
        return Locking(False, False, 0, need, refused, impossible=why)
    every = sum(cost.read for cost in costs.values())
    # Parallel workers lock what their leader locks, each for itself, while a statement runs.
    if HOLDER + held + readers * (READER + every) + room.parallel * need <= free and not refused and holding:
        return Locking(True, True, readers, need)
    size = f"the server's lock table has {room.size:,} slots"
    # Each reader needs room for its catalogue lookups and its most demanding statement.
    most = max(1, min(readers, (free - HOLDER - held) // (READER + need)))
    if HOLDER + held + READER + need <= free and not refused and holding:
        why = f"{size}: readers lock a table only while they read it"
        return Locking(True, False, most, need, why=why)
    most = max(1, min(readers, (free - HOLDER) // (READER + need)))
    why = (
        f"{size}: tables are locked only while they are read, and changes in between are detected afterwards"
    )
    return Locking(False, False, most, need, refused, why=why)


def _need(
    costs: Mapping[TableKey, Cost], groups: Iterable[tuple[TableKey, ...]], room: Room, free: int
) -> tuple[int, dict[TableKey, str]]:
    """The places of the most demanding statement that can be run, and the tables that cannot be read at
    all.
    """
    refused: dict[TableKey, str] = {}
    need = 0
    most = max(0, free - HOLDER - READER)
    # Small groups first: a table that cannot be read alone is refused before larger groups blame another one.
    for group in sorted(set(groups), key=lambda g: (len(g), g)):
        if any(key in refused for key in group):
            continue
        asked = sum(costs[key].read + room.parallel * costs[key].relations for key in set(group))
        if asked > most and group:
            # Of a group only the most expensive table is given up, so that the others stay readable.
            largest = max(group, key=lambda key: costs[key].read)
            refused[largest] = (
                f"not read: a statement on it locks {asked:,} relations at once (partitions, "
                f"indexes), and half of the {room.size:,} slots of the server's lock table must "
                "stay free"
            )
            continue
        need = max(need, asked)
    return need, refused
