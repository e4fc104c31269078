"""Whether a run and its suite are of one another: the sources kept with it, and a folder as it is now."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from kisaan_validate.errors import KisaanError
from kisaan_validate.facts.run import Run
from kisaan_validate.signoff.evidence import Files
from kisaan_validate.signoff.findings import Mark, Verified
from kisaan_validate.suite.load import Suite, load_suite
from kisaan_validate.suite.sources import sources_digest
from kisaan_validate.version import VERSION


def compare_suite(found: Verified, suite: Path) -> None:
    """Say whether the suite that stands in a folder now is another than the one that was run: no sign-off
    speaks of it.
    """
    from kisaan_validate.suite.files import suite_files

    if found.judged is None or not suite.is_dir():
        return
    # Files that begin with an underscore are no sources of a suite.
    listed = [p for p in suite_files(suite) if not p.name.startswith("_")]
    now = sources_digest((p.relative_to(suite).as_posix(), p.read_bytes()) for p in sorted(listed))
    if now != found.judged.run.suite.digest:
        found.add(
            Mark.NOTE,
            "suite",
            f"{suite} now contains a different suite: this run and its sign-offs say nothing about it",
        )
        # Of another suite nothing can be compared.
        return
    try:
        declared = load_suite(suite)
    except KisaanError as error:
        found.add(Mark.NOTE, "suite", f"its checks were not compared with the run: {error.fact}")
        return
    for wrong in undeclared(found.judged.run, declared):
        # Same digest of the sources, other declarations: the record was edited.
        found.add(Mark.WRONG, "run.json", f"{wrong}, unlike the suite that was run")


def undeclared(run: Run, suite: Suite) -> list[str]:
    """What a run says of its suite and checks that the suite itself, from sources of the same digest, does
    not.
    """
    declared = {check.id: check for check in suite.checks}
    wrong = (
        []
        if run.suite == suite.facts
        else ["it has different suite settings or a different number of checks"]
    )
    if run.criteria != suite.criteria:
        wrong.append("its success criteria differ")
    for check in run.checks:
        own = declared.get(check.id)
        if own is None:
            wrong.append(f"it has a check {check.id}")
            continue
        # Another version may word a claim, or make the digest of a meaning, in another way.
        names = [
            f.name
            for f in fields(check)
            if run.tool_version == VERSION or f.name not in {"claim", "digest", "kind", "hint"}
        ]
        wrong += [
            f"{check.id}: its {n} is {getattr(check, n)!s:.80}"
            for n in names
            if getattr(check, n) != getattr(own, n)
        ]
    return wrong


def compare_sources(files: Files, run: Run, found: Verified) -> None:
    """Whether the sources kept with a run are those of its suite's digest."""
    kept = [name for name in files.files if name.startswith("suite/")]
    if not kept:
        found.add(
            Mark.OPEN, "suite", f"its sources are not included; their digest must be {run.suite.digest}"
        )
        return
    names = [f"suite/{name}" for name in run.suite.sources]
    for name in sorted({*names, *kept}):
        if name not in files:
            found.add(Mark.WRONG, name, "the run names it as a source of its suite, but it is missing")
        elif name not in names:
            found.add(Mark.WRONG, name, "it was added: the run names no such source")
    # Missing ones were named above; a digest without them would differ for that reason alone.
    if all(name in files for name in names):
        if sources_digest((name.removeprefix("suite/"), files[name]) for name in names) == run.suite.digest:
            found.add(Mark.PROVED, "suite", f"its {len(names):,} sources are those that were run")
        else:
            found.add(Mark.WRONG, "suite", "its sources differ from those that were run")
