"""The sign-offs of a run as its page shows them."""

from __future__ import annotations

from kisaan_validate.report.signatures import Attested, Signatures
from kisaan_validate.report.signatures import ShownSignature as Shown
from kisaan_validate.signoff.lines import lines_of
from kisaan_validate.signoff.standing import Signed, SignoffStanding, SignoffState
from kisaan_validate.signoff.statement import Decision, Statement

_STATES = {
    SignoffState.UNSIGNED: "unsigned",
    SignoffState.WAITING: "waiting",
    SignoffState.APPROVED: "approved",
    SignoffState.REJECTED: "rejected",
}


def _stamp_words(one: Signed) -> str:
    return one.stamp.words if one.stamp is not None else ""


def signatures_of(standing: SignoffStanding) -> Signatures:
    """A standing as plain facts for the page. An approval that accepts a caution has a state of its own."""
    if not standing.signed:
        return Signatures(needed=standing.needed)
    signed, attested = [], []
    for one in standing.signed:
        s = one.statement
        if s is None:
            signed.append(_unread(one))
        elif s.criterion:
            met, about = (
                s.decision is Decision.ATTEST,
                (_problem(one), one.digest, one.path, one.key, standing.replaced(one), _stamp_words(one)),
            )
            attested.append(Attested(s.criterion, s.signer, met, s.reason, s.at, *about))
        else:
            signed.append(_shown(one, s, standing))
    # Green only where nothing speaks against it.
    state = (
        "accepted"
        if standing.state is SignoffState.APPROVED and standing.accepted
        else _STATES[standing.state]
    )
    return Signatures(
        state, standing.sentence, tuple(signed), tuple(attested), standing.needed, tuple(lines_of(standing))
    )


def _shown(one: Signed, s: Statement, standing: SignoffStanding) -> Shown:
    accepted = tuple(caution.value for caution in s.accepted)
    about = (
        _problem(one),
        accepted,
        one.digest,
        one.path,
        one.key,
        standing.replaced(one),
        _stamp_words(one),
    )
    return Shown(s.signer, s.decision.value, s.reason, s.at, *about)


def _unread(one: Signed) -> Shown:
    from datetime import UTC, datetime

    return Shown(
        "unknown signer",
        "unreadable",
        "",
        # It must have some time; the problem says that it is unknown.
        datetime.fromtimestamp(0, UTC),
        _problem(one),
        (),
        one.digest,
        one.path,
    )


def _problem(one: Signed) -> str:
    return "; ".join((*one.wrong, *filter(None, [one.unchecked])))
