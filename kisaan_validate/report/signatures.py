"""What the page shows of sign-offs and attestations. Plain facts: who verified them is no concern of the
page.
"""

from __future__ import annotations

from datetime import datetime

from kisaan_validate.dataclass import dataclass


@dataclass(frozen=True)
class ShownSignature:
    """One sign-off. ``decision`` is ``approve`` or ``reject``; ``problem`` says why it does not hold (""
    if it does).

    ``accepts`` names what it accepts with open eyes (a partial run, a FAIL, …); ``digest`` is the SHA-256
    of its statement, ``file`` where that lies beside the run, ``key`` the fingerprint of the key.
    ``replaced`` tells that the same person said something else later, which counts instead; ``stamp`` what
    a time stamp says of when it existed.
    """

    signer: str
    decision: str
    reason: str
    at: datetime
    problem: str = ""
    accepts: tuple[str, ...] = ()
    digest: str = ""
    file: str = ""
    key: str = ""
    replaced: bool = False
    stamp: str = ""


@dataclass(frozen=True)
class Attested:
    """One manual criterion as a person attested it: ``met`` or not. See Signed for the rest."""

    criterion: str
    signer: str
    met: bool
    remark: str
    at: datetime
    problem: str = ""
    digest: str = ""
    file: str = ""
    key: str = ""
    replaced: bool = False
    stamp: str = ""


@dataclass(frozen=True)
class Signatures:
    """All sign-offs and attestations of a run, in order of time, and what they come to.

    ``state`` is a key of SIGNS, ``sentence`` the same in words; ``needed`` is how many people must
    approve. Without any this is the state of a run that nobody signed. ``lines`` say what can be verified
    with stock tools, and how.
    """

    state: str = "unsigned"
    sentence: str = "Not signed yet."
    signed: tuple[ShownSignature, ...] = ()
    attested: tuple[Attested, ...] = ()
    needed: int = 1
    lines: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def sign(self) -> str:
        """The status under whose sign and colour it is shown."""
        return SIGNS[self.state]

    @property
    def problems(self) -> int:
        """How many sign-offs and attestations do not hold."""
        return sum(bool(s.problem) for s in self.signed) + sum(bool(a.problem) for a in self.attested)


SIGNS = {
    "unsigned": "error",
    "waiting": "error",
    "rejected": "fail",
    "approved": "pass",
    "accepted": "tolerated",
}
"""A state is drawn and coloured as the status of a check of this name. An approval that accepts what
speaks against it is not green.
"""
