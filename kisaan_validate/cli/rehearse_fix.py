"""``rehearse --fix``: fix kits proved on a copy, their repair and their way back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kisaan_validate.errors import UsageError

if TYPE_CHECKING:
    from kisaan_validate.facts.dump import DumpFacts
    from kisaan_validate.facts.repair import FixKit, FixProof, KitProof
    from kisaan_validate.facts.result import Verdict
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.scratch.server import Scratch


def rehearse_fix(given: Mapping[str, Any]) -> int:
    """Prove the kits of a folder on a dump; writes ``fix-proof.json``. Returns the exit code. Raises
    UsageError, DatabaseError.
    """
    from kisaan_validate.cli.exits import rehearse_exit_code
    from kisaan_validate.cli.job import attended
    from kisaan_validate.cli.output import kept
    from kisaan_validate.facts.repair import judge_fix_proof
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.record.files import write_file
    from kisaan_validate.record.repair import fix_proof_to_json

    place = _place(given)
    stop = Stop()
    proof = attended(lambda stop: _proved(given, stop), stop)
    verdict = judge_fix_proof(proof)
    written = kept(lambda: write_file(place, fix_proof_to_json(proof)))
    _print(proof, verdict, place if written else None, quiet=given["quiet"])
    return rehearse_exit_code(verdict, interrupted=stop.requested, kept=written)


def _place(given: Mapping[str, Any]) -> Path:
    """The record to write. Raises UsageError for what does not go together, and RecordError where no file
    could be written there: that is said before hours of restoring.
    """
    from kisaan_validate.record.files import check_place
    from kisaan_validate.record.repair import FIX_PROOF_FILE

    if given["dump"] is None:
        raise UsageError(
            "no dump was named", "name one: kisaan-validate rehearse --dump backup.dump --fix fix-kit"
        )
    if given["migrations"] or given["cmd"]:
        raise UsageError(
            "kits are proved without a migration",
            "leave --migrations and --cmd out; rehearse these by themselves",
        )
    output: Path = given["output"] or Path("rehearsal")
    if (output / FIX_PROOF_FILE).exists():
        raise UsageError(f"{output} holds a proof already", "name another folder with --output")
    check_place(output / FIX_PROOF_FILE)
    return output / FIX_PROOF_FILE


def _proved(given: Mapping[str, Any], stop: Stop) -> FixProof:
    from kisaan_validate.cli.options import the_config, the_suite
    from kisaan_validate.cli.output import say
    from kisaan_validate.cli.rehearse_inputs import room_for
    from kisaan_validate.dumps.read import read_dump
    from kisaan_validate.record.repair import FIX_KIT_FILE, read_fix_kit
    from kisaan_validate.rehearse.fixing import FixRequest, prove_kits, refuse_changed
    from kisaan_validate.rehearse.proving import ProvedBy
    from kisaan_validate.rehearse.rehearsal import SOURCE
    from kisaan_validate.scratch.installation import choose
    from kisaan_validate.scratch.server import scratch_server

    # All that is named is read before anything is restored.
    folder: Path = given["fix"]
    kit = read_fix_kit(folder / FIX_KIT_FILE)
    if not kit.kits:
        raise UsageError(f"{folder} has no kit to prove", "see why with kisaan-validate fix-kit")
    refuse_changed(kit, folder)
    suite = the_suite(the_config(given["config"], suite=given["suite"]))
    facts = read_dump(given["dump"])
    named = given["scratch_bin"]
    installation = None if given["scratch_dsn"] else choose(None if named else facts.server_major, named)

    def tell(words: str) -> None:
        if not given["quiet"]:
            say(f"step     {words}")

    with scratch_server(
        installation,
        dsn=given["scratch_dsn"],
        need_bytes=0 if given["scratch_dsn"] else room_for(facts),
        parent=given["scratch_dir"],
    ) as scratch:
        tell("restore the dump")
        _restored(given["dump"], facts, scratch, stop)
        proofs = prove_kits(FixRequest(scratch, SOURCE, kit, folder, ProvedBy(suite), stop, tell))
        version = scratch.execute("SHOW server_version")[0][0].split()[0]
    return _proof(kit, facts, version, suite.digest, proofs, stop)


def _restored(dump: Path, facts: DumpFacts, scratch: Scratch, stop: Stop) -> None:
    from kisaan_validate.rehearse.doors import DumpDoors
    from kisaan_validate.rehearse.rehearsal import SOURCE

    DumpDoors(dump, facts, scratch, stop).make(SOURCE)
    scratch.execute("ANALYZE", SOURCE)


def _proof(
    kit: FixKit, facts: DumpFacts, version: str, suite: str, proofs: tuple[KitProof, ...], stop: Stop
) -> FixProof:
    from datetime import UTC, datetime

    from kisaan_validate.facts.receipt import ReceiptFile
    from kisaan_validate.facts.repair import FixProof
    from kisaan_validate.record.codec import digest_of
    from kisaan_validate.record.repair import FIX_KIT_FILE, fix_kit_to_json
    from kisaan_validate.version import VERSION

    return FixProof(
        datetime.now(UTC).replace(microsecond=0),
        VERSION,
        ReceiptFile(FIX_KIT_FILE, digest_of(fix_kit_to_json(kit))),
        kit.run,
        ReceiptFile(facts.name, facts.sha256),
        version,
        suite,
        proofs,
        stop.reason if stop.requested else "",
    )


def _print(proof: FixProof, verdict: Verdict, path: Path | None, *, quiet: bool) -> None:
    """First what is wrong, then each kit in a line, then the verdict."""
    from kisaan_validate.cli.output import say
    from kisaan_validate.facts.repair import ItemState
    from kisaan_validate.report.text import flat, shortened

    words = {ItemState.PASS: "go", ItemState.FAIL: "no-go", ItemState.UNKNOWN: "open", ItemState.WORK: "work"}
    for one in proof.proofs:
        for step in one.steps:
            if step.state is not ItemState.PASS or not quiet:
                said = shortened(flat(f"{one.check}: {step.name}: {step.fact}"), 400)
                say(f"{words[step.state]:<8} {said}")
    if path is not None:
        say(f"record   {path}")
    say(f"verdict  {verdict.value}")
