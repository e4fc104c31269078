"""Verifying a run offline, by its folder or its bundle: what is proved, wrong, and unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

from kisaan_validate.contract.load import read_contract
from kisaan_validate.errors import KisaanError, OtherFormat, RecordError
from kisaan_validate.facts.run import Run
from kisaan_validate.record.codec import baseline_from_json, run_from_json
from kisaan_validate.report.summary import promise_words
from kisaan_validate.signoff.archive import SUMS, unpack
from kisaan_validate.signoff.bundle import BASELINE, DERIVED, derived
from kisaan_validate.signoff.chain import links_of, walk
from kisaan_validate.signoff.check import SignoffTrust, signoffs_of
from kisaan_validate.signoff.evidence import Files, read_folder
from kisaan_validate.signoff.findings import Mark, Verified, VerifyFinding
from kisaan_validate.signoff.keys import Signers
from kisaan_validate.signoff.standing import Signed, SignoffStanding, SignoffState, StampState, standing_of
from kisaan_validate.signoff.statement import FOLDER, REVOKED, SIGNERS, is_statement, sha256
from kisaan_validate.signoff.tombstones import TOMBSTONE_FILE, read_tombstone
from kisaan_validate.suite.load import Suite, load_suite
from kisaan_validate.suite.sources import sources_digest
from kisaan_validate.verdict.judgement import Judgement, judge
from kisaan_validate.verdict.waivers import Use, read_waivers
from kisaan_validate.version import VERSION


def verify_path(path: Path, trust: SignoffTrust, *, only_chain: bool = False) -> list[Verified]:
    """Verify a bundle, a run's folder (or its run.json), or a folder of runs: then its chain first, and
    unless ``only_chain`` every run.

    Raises RecordError where there is nothing to verify, and UsageError where OpenSSH is missing.
    """
    if path.is_file() and path.name == "run.json":
        path = path.parent
    # A file is a bundle; run.json was turned into its folder above.
    if path.is_file():
        return [_bundle(path, trust)]
    if (path / "run.json").exists():
        return [verify_files(read_folder(path), trust, name=path.resolve().name)]
    if (path / TOMBSTONE_FILE).exists():
        stone = read_tombstone(path / TOMBSTONE_FILE)
        raise RecordError(
            f"run {stone.night.run} was {stone.words}; its run.json had SHA-256 {stone.night.digest}",
            "verify its place in the chain: kisaan-validate verify --chain and the folder of reports",
        )
    if path.is_dir() and any(path.glob("*/run.json")):
        chain = verify_chain(path)
        if only_chain:
            return [chain]
        # The chain first: it says whether what follows is all there is.
        return [chain, *(_one_of(p.parent, trust) for p in sorted(path.glob("*/run.json")))]
    raise RecordError(f"{path} contains no run", "name a bundle, a run's folder, or a folder of reports")


def _one_of(folder: Path, trust: SignoffTrust) -> Verified:
    try:
        return verify_files(read_folder(folder), trust, name=folder.name)
    except RecordError as error:
        found = Verified(str(folder))
        # One run that cannot be read must not hide what the others prove.
        found.add(Mark.OPEN, "evidence", error.fact)
        return found


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


def verify_chain(reports: Path) -> Verified:
    """Whether each run of a folder comes after the one that it names."""
    found, seen = Verified(str(reports)), walk(links_of(reports))
    for fault in seen.broken:
        found.add(Mark.WRONG, "chain", fault)
    if seen.start:
        found.add(Mark.OPEN, "chain", f"{seen.start}: older runs are kept elsewhere or were removed")
    if seen.pruned:
        more = f"{len(seen.pruned):,} runs are tombstones, the last one " if len(seen.pruned) > 1 else ""
        last = f"{more}{seen.pruned[-1]}"
        found.add(Mark.OPEN, "chain", f"{last}. A tombstone keeps the place of a run and proves none of it")
    for apart in seen.outside:
        found.add(Mark.NOTE, "chain", f"not part of the chain: {apart}")
    if seen.newest is not None and not seen.broken:
        found.add(
            Mark.PROVED,
            "chain",
            f"{seen.runs - len(seen.pruned):,} runs follow each other, up to {seen.newest.id}; its run.json "
            f"has SHA-256 {seen.newest.digest}. Keep that digest elsewhere: nothing here shows "
            "whether newer runs were removed",
        )
    return found


def _bundle(path: Path, trust: SignoffTrust) -> Verified:
    try:
        files = unpack(path)
    except RecordError as error:
        found = Verified(str(path))
        found.add(Mark.WRONG, "archive", error.fact)
        return found
    return verify_files(files, trust)


def verify_files(files: Files, trust: SignoffTrust, name: str = "") -> Verified:
    """Verify the files of one run. ``name`` is that of its folder, which is the run's id.

    Raises UsageError where OpenSSH is missing. Evidence at which the verification itself fails is not
    verified, and says so.
    """
    found = Verified(files.source)
    try:
        _verify(files, trust, name, found)
    except RecordError as error:
        found.add(Mark.WRONG, "evidence", error.fact)
    # Missing OpenSSH or signers is the reader's to fix; it says nothing of the evidence.
    except KisaanError:
        raise
    except (
        Exception
    ) as error:  # hostile evidence must not end the verification of others, nor be taken for verified
        found.add(Mark.OPEN, "evidence", f"verifying it failed: {type(error).__name__}: {error}")
    return found


def _verify(files: Files, trust: SignoffTrust, name: str, found: Verified) -> None:
    if files.bundle is not None:
        _sums(files, found)
    run = _run(files, found)
    if run is None:
        return
    # It may have been copied under another name; the id in it decides.
    if name and name != run.id:
        found.add(Mark.NOTE, "run.json", f"the folder is named {name}, but the run is {run.id}")
    _suite(files, run, found)
    _strays(files, found)
    judged = found.judged = _judged(files, run, found)
    signed = signoffs_of(
        files,
        run,
        judged.verdict if judged is not None else None,
        # The reader's own keys decide; only without any those that lie beside the run.
        trust if trust.signers else _own(files, trust),
    )
    found.standing = standing_of(run, signed, trust.approvals)
    # Whole seconds, as a statement's time has no more.
    _signatures(found, found.standing, files, trust, run.finished_at.replace(microsecond=0))
    if judged is not None:
        _expired(found, judged)
        _page(files, found, judged)
    else:
        found.add(Mark.OPEN, "report.html", "not compared, because the facts cannot be judged again")
    _approved(found, found.standing, trust)


def faults_of(files: Files, run: Run) -> list[VerifyFinding]:
    """What is wrong with the files of a run's folder, apart from its sign-offs: nobody should sign beside
    that.
    """
    found = Verified(files.source)
    _suite(files, run, found)
    _strays(files, found)
    # Sign-offs are judged apart: a damaged one must not keep people from signing again.
    return [f for f in found.of(Mark.WRONG) if not f.subject.startswith(f"{FOLDER}/")]


def own_standing(files: Files, judged: Judgement) -> SignoffStanding:
    """Where a run stands by the keys that lie beside it: what its page shows."""
    return standing_of(
        judged.run, signoffs_of(files, judged.run, judged.verdict, _own(files, SignoffTrust()))
    )


def _own(files: Files, trust: SignoffTrust) -> SignoffTrust:
    allowed = files.get(SIGNERS)
    return replace(trust, signers=None if allowed is None else Signers(allowed, files.get(REVOKED) or b""))


def _sums(files: Files, found: Verified) -> None:
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


def _run(files: Files, found: Verified) -> Run | None:
    try:
        run = run_from_json(files.text("run.json"), "run.json")
    except RecordError as error:
        # Another version's record is open, not wrong.
        found.add(Mark.OPEN if isinstance(error, OtherFormat) else Mark.WRONG, "run.json", error.fact)
        return None
    found.add(Mark.PROVED, "run.json", f"it is complete: run {run.id}, SHA-256 {sha256(files['run.json'])}")
    return run


def _suite(files: Files, run: Run, found: Verified) -> None:
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


def _judged(files: Files, run: Run, found: Verified) -> Judgement | None:
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


def _signatures(
    found: Verified, standing: SignoffStanding, files: Files, trust: SignoffTrust, ended: datetime
) -> None:
    whose = trust.source or "the copy in the run's folder"
    for signed in standing.signed:
        for reason in signed.wrong:
            found.add(Mark.WRONG, signed.path, reason)
        if signed.unchecked:
            found.add(Mark.OPEN, signed.path, signed.unchecked)
        if signed.holds and signed.statement is not None:
            s = signed.statement
            of = f" {s.criterion} ({s.criterion_text})" if s.criterion else ""
            accepted = f", accepting {', '.join(s.accepted)}" if s.accepted else ""
            found.add(
                # By the copy in the run's own folder a signature proves only that somebody made both.
                Mark.PROVED if trust.signers else Mark.NOTE,
                signed.path,
                f"{s.signer} signed {s.decision.value}{of}{accepted} with {signed.key}, by {whose}: "
                f"{s.reason}",
            )
            # Clocks differ; this is no proof of anything, and worth knowing.
            if s.at < ended:
                found.add(
                    Mark.NOTE,
                    signed.path,
                    f"signed at {s.at:%Y-%m-%d %H:%M:%S} UTC by the signer's clock, before the run ended",
                )
        _stamped(found, signed)
    for path in standing.lost:
        found.add(Mark.WRONG, path, "it existed when others signed and is now missing or different")
    kept = files.get(SIGNERS)
    # The reader's file decides; a difference is reported.
    if trust.signers is not None and kept is not None and kept != trust.signers.allowed:
        found.add(Mark.NOTE, SIGNERS, f"the copy differs from {whose}, which decides here")


_STAMP_MARKS = {
    StampState.PROVED: Mark.PROVED,
    StampState.UNVERIFIED: Mark.OPEN,
    StampState.WRONG: Mark.WRONG,
}


def _stamped(found: Verified, signed: Signed) -> None:
    if signed.stamp is not None:
        found.add(_STAMP_MARKS[signed.stamp.state], f"{signed.path}.sig.tsr", signed.stamp.words)


def _strays(files: Files, found: Verified) -> None:
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


def _page(files: Files, found: Verified, judged: Judgement) -> None:
    """What a bundle holds that is made of the rest is made again; so is the page of a folder."""
    # Another version renders another page from the same facts.
    if judged.run.tool_version != VERSION:
        found.add(
            Mark.OPEN,
            "report.html",
            f"made by version {judged.run.tool_version}, this is {VERSION}: not compared. "
            "`kisaan-validate report` renders it again from these facts",
        )
        return
    own = own_standing(files, judged)
    # What is derived is made again, so it cannot be among what it is made of.
    kept = {name: data for name, data in files.files.items() if name not in DERIVED}
    made = derived(kept, judged, own)  # by the keys beside the run: it shows what its makers saw
    if files.bundle is None:
        made = {"report.html": made["report.html"]}
    # Compared already, against the files themselves.
    made.pop(SUMS, None)
    for name, data in made.items():
        if name not in files:
            # A folder's page can be rendered at any time; a bundle was made with one.
            found.add(Mark.WRONG if files.bundle is not None else Mark.NOTE, name, "it is missing")
        elif files[name] != data:
            found.add(Mark.WRONG, name, "it differs from what these facts and sign-offs render")
        else:
            found.add(Mark.PROVED, name, "it is what these facts and sign-offs render, byte for byte")


def _expired(found: Verified, judged: Judgement) -> None:
    """Waivers that held when the run was made and do not any more: no fault of the run, and news to its
    reader.
    """
    for check, used in judged.waived.items():
        # By today's date: at the run's it was valid, and its reader looks today.
        if used.use is Use.HOLDS and used.waiver.expires < datetime.now(UTC).date():
            found.add(
                Mark.NOTE,
                "waivers.toml",
                f"the waiver of {check} was valid at the run and expired on {used.waiver.expires}",
            )


ONLY_A_SIGNATURE = (
    "Its facts agree with each other. Only a signature by a trusted key could show that they are "
    "the ones measured."
)
"""What is said of a run that nobody whose key counts has signed: another consistent run could stand in its
place.
"""


NOBODY_CHECKED = "no signature could be checked: no allowed signers file given"
"""What is said of a signed run where nothing says whose keys count: nothing is wrong with it, and nothing
is proved.
"""


def _approved(found: Verified, standing: SignoffStanding, trust: SignoffTrust) -> None:
    if standing.state is SignoffState.APPROVED and standing.unattested:
        found.add(
            Mark.NOTE,
            "criteria",
            f"not attested: {', '.join(c.id for c in standing.unattested)}; the approvals accepted that",
        )
    if any(signed.unchecked for signed in standing.signed):
        found.add(
            Mark.OPEN,
            "sign-off",
            f"{NOBODY_CHECKED}; name your own with --allowed-signers. {ONLY_A_SIGNATURE}",
        )
        return
    # The copy of keys came with the evidence and can vouch for nobody.
    if trust.signers is None and standing.state is not SignoffState.UNSIGNED:
        found.add(
            Mark.OPEN,
            "sign-off",
            "whose keys count was not said: name your own file with --allowed-signers. By the "
            f"copy in the run's folder: {standing.sentence} {ONLY_A_SIGNATURE}",
        )
        return
    mark = {SignoffState.APPROVED: Mark.PROVED, SignoffState.REJECTED: Mark.WRONG}.get(
        standing.state, Mark.OPEN
    )
    unsigned = not any(signed.holds for signed in standing.signed)
    found.add(mark, "sign-off", f"{standing.sentence} {ONLY_A_SIGNATURE}" if unsigned else standing.sentence)
