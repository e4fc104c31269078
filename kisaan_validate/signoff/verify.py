"""Verifying a run offline, by its folder or its bundle: what is proved, wrong, and unknown."""

from __future__ import annotations

from pathlib import Path

from kisaan_validate.errors import KisaanError, RecordError
from kisaan_validate.facts.run import Run
from kisaan_validate.signoff.archive import unpack
from kisaan_validate.signoff.chain import links_of, walk
from kisaan_validate.signoff.check import SignoffTrust, signoffs_of
from kisaan_validate.signoff.evidence import Files, read_folder
from kisaan_validate.signoff.findings import Mark, Verified, VerifyFinding
from kisaan_validate.signoff.standing import standing_of
from kisaan_validate.signoff.statement import FOLDER
from kisaan_validate.signoff.tombstones import TOMBSTONE_FILE, read_tombstone
from kisaan_validate.signoff.verify_evidence import compare_sums, find_strays, judged_again, run_of
from kisaan_validate.signoff.verify_page import compare_page, report_expired
from kisaan_validate.signoff.verify_signoffs import own_trust, report_approval, report_signatures
from kisaan_validate.signoff.verify_suite import compare_sources


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
        compare_sums(files, found)
    run = run_of(files, found)
    if run is None:
        return
    # It may have been copied under another name; the id in it decides.
    if name and name != run.id:
        found.add(Mark.NOTE, "run.json", f"the folder is named {name}, but the run is {run.id}")
    compare_sources(files, run, found)
    find_strays(files, found)
    judged = found.judged = judged_again(files, run, found)
    signed = signoffs_of(
        files,
        run,
        judged.verdict if judged is not None else None,
        # The reader's own keys decide; only without any those that lie beside the run.
        trust if trust.signers else own_trust(files, trust),
    )
    found.standing = standing_of(run, signed, trust.approvals)
    # Whole seconds, as a statement's time has no more.
    report_signatures(found, found.standing, files, trust, run.finished_at.replace(microsecond=0))
    if judged is not None:
        report_expired(found, judged)
        compare_page(files, found, judged)
    else:
        found.add(Mark.OPEN, "report.html", "not compared, because the facts cannot be judged again")
    report_approval(found, found.standing, trust)


def faults_of(files: Files, run: Run) -> list[VerifyFinding]:
    """What is wrong with the files of a run's folder, apart from its sign-offs: nobody should sign beside
    that.
    """
    found = Verified(files.source)
    compare_sources(files, run, found)
    find_strays(files, found)
    # Sign-offs are judged apart: a damaged one must not keep people from signing again.
    return [f for f in found.of(Mark.WRONG) if not f.subject.startswith(f"{FOLDER}/")]
