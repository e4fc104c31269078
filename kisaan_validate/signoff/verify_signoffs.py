"""What the sign-offs of a run prove to the reader, by whose keys count."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from kisaan_validate.signoff.check import SignoffTrust, signoffs_of
from kisaan_validate.signoff.evidence import Files
from kisaan_validate.signoff.findings import Mark, Verified
from kisaan_validate.signoff.keys import Signers
from kisaan_validate.signoff.standing import Signed, SignoffStanding, SignoffState, StampState, standing_of
from kisaan_validate.signoff.statement import REVOKED, SIGNERS
from kisaan_validate.verdict.judgement import Judgement


def own_standing(files: Files, judged: Judgement) -> SignoffStanding:
    """Where a run stands by the keys that lie beside it: what its page shows."""
    return standing_of(
        judged.run, signoffs_of(files, judged.run, judged.verdict, own_trust(files, SignoffTrust()))
    )


def own_trust(files: Files, trust: SignoffTrust) -> SignoffTrust:
    """The same trust, by the keys that lie beside the run."""
    allowed = files.get(SIGNERS)
    return replace(trust, signers=None if allowed is None else Signers(allowed, files.get(REVOKED) or b""))


def report_signatures(
    found: Verified, standing: SignoffStanding, files: Files, trust: SignoffTrust, ended: datetime
) -> None:
    """Say of each sign-off whether it holds, by whose key. ``ended`` is when the run ended."""
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


def report_approval(found: Verified, standing: SignoffStanding, trust: SignoffTrust) -> None:
    """Say what the sign-offs of the run amount to."""
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
