"""The run of a suite and database that was recorded last, and what the next one remembers of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kisaan_validate.facts.past import PastMark, Remembered
    from kisaan_validate.facts.run import Run
    from kisaan_validate.ops.config import Config
    from kisaan_validate.record.index import Entry
    from kisaan_validate.verdict.judgement import Judgement


def remembering(config: Config, *, since_last: bool) -> Callable[[Judgement], Judgement]:
    """A function that gives a run its past, and judges it again where that decides: with ``since_last``, a
    failure that the last run knew does not count. Without a last run that can be read all failures are new.

    Call it while the chain is held: two runs that end together must not forget each other.
    """

    def settle(judged: Judgement) -> Judgement:
        from kisaan_validate.verdict.judgement import judge

        run = replace(judged.run, past=_past(config, judged.run), since_last=since_last)
        if not since_last:
            return replace(judged, run=run)
        if run.past is None:
            print("note    there is no last run to compare with: every failure is new", file=sys.stderr)
        again = judge(run, judged.baseline, judged.contract, judged.waivers)
        return replace(again, sources=judged.sources)

    return settle


def _past(config: Config, run: Run) -> Remembered | None:
    from kisaan_validate.cli.report_command import judged_again
    from kisaan_validate.errors import KisaanError
    from kisaan_validate.history.past import past_of
    from kisaan_validate.record.codec import digest_of
    from kisaan_validate.record.files import read_file

    try:
        source = _last_record(config.reports, run)
        if source is None:
            return None
        last, digest = judged_again(source), digest_of(read_file(source))
        told = {"renamed": config.renamed, "every_seconds": config.every_seconds}
        return past_of(run, last, digest, marks=_marks(config.reports), **told)  # type: ignore[arg-type]
    except KisaanError as error:
        said = error.fact
    # A record that was made to do harm must not cost the run that was just measured.
    except (OSError, MemoryError, RecursionError, ValueError, ArithmeticError, LookupError) as error:
        said = f"{type(error).__name__} while reading it"
    print(f"note    the last run cannot be read, so nothing is known of it: {said}", file=sys.stderr)
    return None


def _marks(reports: Path) -> list[PastMark]:
    from kisaan_validate.facts.past import PastMark
    from kisaan_validate.history.marks import read_marks

    return [PastMark(mark.at, mark.text) for mark in read_marks(reports)[0]]


def _last_record(reports: Path, run: Run) -> Path | None:
    """The run.json of the run before this one, of the same suite and database; None if there is none.

    Found along the chain, which knows in which order runs were recorded whatever the clock said; where it
    ends, by the names of folders. Raises RecordError where the newest one cannot be read.
    """
    from kisaan_validate.cli.recorded import recorded_runs
    from kisaan_validate.cli.runs_index import INDEX_FILE, TOMBSTONE
    from kisaan_validate.history.night import same_series
    from kisaan_validate.record.codec import run_from_json
    from kisaan_validate.record.files import read_file
    from kisaan_validate.record.index import read_index
    from kisaan_validate.signoff.tombstones import read_tombstone

    index = read_index(reports / INDEX_FILE)
    known = {entry.id: entry for entry in index.entries} if index is not None else {}
    seen: set[str] = set()
    id = run.provenance.previous_run
    while id and id not in seen:
        seen.add(id)
        path = reports / id / "run.json"
        if path.is_file():
            if (other := _other(known, path, run)) is not None:
                id = other
                continue
            found = run_from_json(read_file(path), str(path))
            if same_series(found, run):
                return path
            id = found.provenance.previous_run
        elif (stone := reports / id / TOMBSTONE).is_file():
            id = read_tombstone(stone).previous_run
        else:
            break
    by_name = (found for found in recorded_runs(reports, run.suite.name) if found.id not in seen | {run.id})
    older = next((found for found in by_name if same_series(found, run)), None)
    return reports / older.id / "run.json" if older is not None else None


def _other(known: Mapping[str, Entry], path: Path, run: Run) -> str | None:
    """The run before the one at ``path`` if that is surely of another suite or database, without reading it;
    None if it is to be read.
    """
    from kisaan_validate.cli.runs_index import mark_of
    from kisaan_validate.record.index import entry_name

    entry = known.get(path.parent.name)
    # Only as long as its files look as they did.
    if entry is None or entry.mark != mark_of(str(path.parent)):
        return None
    meant = (entry_name(run.suite.name), entry_name(run.place.database))
    return entry.previous if (entry.suite, entry.database) != meant else None
