"""The lines that verify a run with stock tools: one source for the page, the bundle and the manual, and
run by the tests.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from kisaan_validate.signoff.standing import SignoffStanding
from kisaan_validate.signoff.statement import NAMESPACE

SIGNERS_OF_YOURS = "allowed_signers"
"""The reader's own file of keys: one that came with the evidence would let its maker vouch for
themselves.
"""


def digest_line(path: str) -> str:
    """The line that compares the files which a statement covers with its digests of them."""
    return (
        # sed takes the digests out of the statement in the form that sha256sum reads.
        f'sed -n \'s/^ *"\\(.*\\)": "\\([0-9a-f]\\{{64\\}}\\)",\\{{0,1\\}}$/\\2  \\1/p\' '
        f"{shlex.quote(path)} | sha256sum -c"
    )


def signature_line(path: str, signer: str) -> str:
    """The line that verifies one signature."""
    quoted = shlex.quote(path)
    return (
        f"ssh-keygen -Y verify -f {SIGNERS_OF_YOURS} -I {shlex.quote(signer)} -n {NAMESPACE} -s "
        f"{shlex.quote(path + '.sig')} < {quoted}"
    )


def stamp_line(path: str) -> str:
    """The line that verifies a time stamp."""
    return (
        f"openssl ts -verify -data {shlex.quote(path + '.sig')} -in {shlex.quote(path + '.sig.tsr')} "
        f"-CAfile tsa.pem"
    )


def lines_of(standing: SignoffStanding) -> Sequence[tuple[str, tuple[str, ...]]]:
    """(what it proves, lines) for each sign-off of a run, to be typed in its folder."""
    found = []
    for signed in standing.signed:
        # What cannot be read has no signer to verify it by.
        if signed.statement is None:
            continue
        lines = [signature_line(signed.path, signed.statement.signer), digest_line(signed.path)]
        if signed.stamp:
            lines.append(stamp_line(signed.path))
        found.append(
            (
                f"{signed.statement.signer} signed {signed.path}, and these files are what was signed",
                tuple(lines),
            )
        )
    return found


def how_to(run: str, standing: SignoffStanding, digest: str, left_out: Sequence[str] = ()) -> str:
    """The text of VERIFY.txt in a bundle. ``left_out`` are files that statements cover and that are not in
    it.
    """
    parts = [
        f"How to verify run {run} with standard tools, in this folder.",
        "",
        (
            "1. No file was damaged in transit (somebody who changes a file on purpose can change "
            "SHA256SUMS too):"
        ),
        "   sha256sum -c SHA256SUMS",
        "",
        f"2. These are the facts of the right run: run.json has SHA-256 {digest}",
        "",
        (
            f"3. Who signed. Use your own file {SIGNERS_OF_YOURS}: the copy in signoffs/ only "
            "shows what the makers of this bundle used."
        ),
    ]
    for what, lines in lines_of(standing):
        parts += ["", f"   {what}:", *(f"   {line}" for line in lines)]
    if left_out:
        parts += ["", f"   Not in this bundle, so sha256sum will not find it: {', '.join(left_out)}."]
    if not standing.signed:
        parts += ["", "   Nobody signed."]
    parts += ["", "Or do all of this with: kisaan-validate verify BUNDLE --allowed-signers FILE", ""]
    return "\n".join(parts)
