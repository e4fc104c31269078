"""Whether the files of a run are those that it used and no others; the run judged again from them."""

from __future__ import annotations

from collections.abc import Mapping

from kisaan_validate.contract.load import read_contract
from kisaan_validate.errors import KisaanError, OtherFormat, RecordError
from kisaan_validate.facts.run import Run
from kisaan_validate.record.codec import baseline_from_json, run_from_json
from kisaan_validate.report.summary import promise_words
from kisaan_validate.signoff.archive import SUMS
from kisaan_validate.signoff.bundle import BASELINE, DERIVED
from kisaan_validate.signoff.evidence import Files
from kisaan_validate.signoff.findings import Mark, Verified
from kisaan_validate.signoff.statement import FOLDER, REVOKED, SIGNERS, is_statement, sha256
from kisaan_validate.verdict.judgement import Judgement, judge
from kisaan_validate.verdict.waivers import read_waivers


def compare_sums(files: Files, found: Verified) -> None:
    """Whether a bundle's files are exactly those that its list of digests names."""
    listed = {}
    for line in (files.get(SUMS) or b"").decode("utf-8", "replace").splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    if SUMS not in files:
        found.add(Mark.WRONG, SUMS, "it is missing")
        return
    wrong = False
    # Both ways: what is listed and missing, and what is there and not listed.
    for name in sorted({*listed, *files.files} - {SUMS}):
        if name not in files:
            found.add(Mark.WRONG, name, f"{SUMS} lists it, but it is missing")
        elif name not in listed:
            found.add(Mark.WRONG, name, f"it was added: {SUMS} does not list it")
        elif listed[name] != sha256(files[name]):
            found.add(Mark.WRONG, name, f"it differs from the file that {SUMS} lists")
        else:
            continue
        wrong = True
    if not wrong:
        found.add(Mark.PROVED, SUMS, f"all {len(listed):,} files match")


def run_of(files: Files, found: Verified) -> Run | None:
    """The run; None where its record cannot be read, which was then said."""
    try:
        run = run_from_json(files.text("run.json"), "run.json")
    except RecordError as error:
        # Another version's record is open, not wrong.
        found.add(Mark.OPEN if isinstance(error, OtherFormat) else Mark.WRONG, "run.json", error.fact)
        return None
    found.add(Mark.PROVED, "run.json", f"it is complete: run {run.id}, SHA-256 {sha256(files['run.json'])}")
    return run


def judged_again(files: Files, run: Run, found: Verified) -> Judgement | None:
    """The run judged again beside the files that it names; None where that cannot be done, which was then
    said.
    """
    texts = {name: _beside(files, name, digest, found) for name, digest in _named(run).items()}
    # Without one of its files a run would be judged as though it had had none.
    gone = [name for name, digest in _named(run).items() if digest and texts[name] is None]
    if gone:
        return None
    try:
        before, promised, excused = texts[BASELINE], texts["contract.toml"], texts["waivers.toml"]
        judged = judge(
            run,
            baseline_from_json(before, BASELINE) if before is not None else None,
            read_contract(promised, "contract.toml") if promised is not None else None,
            read_waivers(excused, "waivers.toml") if excused is not None else None,
        )
    # The facts come from a stranger: whatever judging them raises is theirs.
    except (KisaanError, ValueError, LookupError, TypeError, ArithmeticError) as error:
        found.add(Mark.WRONG, "run.json", f"it cannot be judged: {type(error).__name__}: {str(error)[:200]}")
        return None
    said = "; ".join(filter(None, (judged.verdict.value, promise_words(judged).rstrip("."))))
    found.add(Mark.PROVED, "verdict", f"judged again from the facts: {said}")
    return judged


def _named(run: Run) -> Mapping[str, str]:
    return {
        BASELINE: run.baseline_digest,
        "contract.toml": run.contract_digest,
        "waivers.toml": run.waivers_digest,
    }


def _beside(files: Files, name: str, digest: str, found: Verified) -> str | None:
    """The text of a file that a run names by its digest; None where it names none, or where it is not that
    file.
    """
    if not digest:
        if name in files:
            found.add(Mark.WRONG, name, "it was added: the run did not use it")
        return None
    if name not in files:
        # A bundle may leave the baseline out on purpose; a folder may not.
        mark = Mark.OPEN if name == BASELINE and files.bundle is not None else Mark.WRONG
        found.add(
            mark, name, f"it is missing, so the run cannot be judged again; its SHA-256 must be {digest}"
        )
        return None
    if sha256(files[name]) != digest:
        found.add(Mark.WRONG, name, "it differs from the file that the run used")
        return None
    found.add(Mark.PROVED, name, "it is the file that the run used")
    return files.text(name)


def find_strays(files: Files, found: Verified) -> None:
    """Files that nothing accounts for."""
    statements = {name for name in files.files if is_statement(name)}
    known = {f"{name}{more}" for name in statements for more in ("", ".sig", ".sig.tsr", ".sig.tsq")} | {
        SIGNERS,
        REVOKED,
    }
    facts = {"run.json", BASELINE, "contract.toml", "waivers.toml"}
    for name in files.files:
        if name in known or name in facts or name in DERIVED or name.startswith("suite/"):
            continue
        # Among the sign-offs and in a bundle nothing is there by chance.
        inside = name.startswith(f"{FOLDER}/") or files.bundle is not None
        found.add(
            Mark.WRONG if inside else Mark.NOTE,
            name,
            "it was added: not part of the run" if inside else "not part of the run, not verified",
        )
    for name, what in files.odd.items():
        found.add(Mark.WRONG, name, f"it is {what} and was not read")
