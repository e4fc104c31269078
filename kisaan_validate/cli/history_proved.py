"""``kisaan-validate history proved``: when each table of the newest run was last proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kisaan_validate.facts.proved import TableProved
    from kisaan_validate.history.night import Night
    from kisaan_validate.history.store import History
    from kisaan_validate.ops.config import Config


def proved_lines(config: Config) -> tuple[list[str], int]:
    """One line for each table that checks of the newest run are about, the one that was proved longest ago
    first, and how many runs could not be read. Raises RecordError, AlreadyRunning and UsageError.
    """
    from kisaan_validate.cli.history_index import the_history

    with the_history(config) as found:
        nights = found.history.nights()
        tables = list(_tables(found.history, nights[0].night)) if nights else []
    # What was never proved has no time, and comes first.
    tables.sort(key=lambda one: (one.at is not None, one.at.isoformat() if one.at else "", one.table))
    return [_line(one) for one in tables], found.unread


def _tables(history: History, newest: Night) -> Iterator[TableProved]:
    from collections import defaultdict

    from kisaan_validate.facts.proved import TableProved
    from kisaan_validate.history.lines import last_states
    from kisaan_validate.history.night import same_database

    series = same_database((line.night for line in history.nights()), newest)
    asked: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in last_states(history.lines(newest), newest):
        asked[line.outcome.table].append((line.outcome.check, line.outcome.meaning))
    for table, checks in asked.items():
        if table:
            night = history.last_answered(series, checks)
            yield TableProved(table, night.at, night.run) if night is not None else TableProved(table)


def _line(one: TableProved) -> str:
    from datetime import UTC

    from kisaan_validate.report.shown import shown

    at = f"{one.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if one.at is not None else "never"
    return shown(f"{at:<20}  {one.table}{f'  {one.run}' if one.run else ''}")
