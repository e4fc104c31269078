"""The door to OpenSSH: ``ssh-keygen -Y`` signs and verifies, so that private keys are seen by OpenSSH
alone, and agents, security keys, certificates and revocation lists work as they do everywhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import RecordError, UsageError
from kisaan_validate.signoff.statement import NAMESPACE
from kisaan_validate.text import authored

_LIMIT = 30
"""Seconds that a verification may take; signing waits for people, who type passphrases and touch keys."""


@dataclass(frozen=True)
class Signers:
    """Whose keys count: the bytes of an allowed-signers file (``man ssh-keygen``), and of a list of
    revoked keys if any.
    """

    allowed: bytes
    revoked: bytes = b""


@dataclass(frozen=True)
class Checked:
    """What happened to one signature. ``key`` is the fingerprint of the key that made it, "" where there is
    none to name.

    ``intact`` tells whether the signature fits the text at all, ``good`` whether its key may also speak
    for the signer.
    """

    good: bool
    intact: bool
    key: str = ""
    message: str = ""


def sign(text: bytes, key: Path) -> bytes:
    """The detached signature of ``text`` by ``key`` (a private key, or a public one whose agent is there).

    Raises UsageError if OpenSSH is missing or refuses: it says itself why.
    """
    if not key.exists():
        raise UsageError(
            f"no such key: {key}", "create one with ssh-keygen -t ed25519 -f KEY and name it with --key"
        )
    # No timeout: it may wait for a passphrase, or for somebody to touch a security key.
    done = subprocess.run(
        [program(), "-Y", "sign", "-f", str(key), "-n", NAMESPACE],
        input=text,
        capture_output=True,
        check=False,
    )
    # Without a signature nothing was signed, whatever the exit code says.
    if done.returncode or not done.stdout:
        said = (
            " ".join(done.stderr.decode("utf-8", "replace").split())
            or f"ssh-keygen ended with {done.returncode}"
        )
        raise UsageError(
            f"not signed: {said}", "check the key and its passphrase, or whether ssh-agent has it"
        )
    return done.stdout


def check(text: bytes, signature: bytes, signer: str, signers: Signers, at: datetime) -> Checked:
    """Whether ``signature`` is one of ``text`` by a key that may speak for ``signer`` at that time. Raises
    UsageError where OpenSSH is missing."""
    # Files, as ssh-keygen takes neither signature nor signers from standard input.
    with tempfile.TemporaryDirectory(prefix="kisaan-verify-") as folder:
        place = Path(folder)
        (place / "sig").write_bytes(signature)
        (place / "allowed").write_bytes(signers.allowed)
        words = [
            "-Y",
            "verify",
            "-f",
            str(place / "allowed"),
            "-I",
            signer,
            "-n",
            NAMESPACE,
            "-s",
            str(place / "sig"),
            "-O",
            # At the time that the statement claims: a key that expired later was valid then.
            f"verify-time={at.astimezone(UTC):%Y%m%d%H%M%S}",
        ]
        if signers.revoked:
            (place / "revoked").write_bytes(signers.revoked)
            words += ["-r", str(place / "revoked")]
        # The text on standard input: it is what was signed, byte for byte.
        code, said = _ask(words, text)
        if code == 0:
            return Checked(True, True, _fingerprint(said))
        # Asked apart, to tell a stranger's good signature from one that does not fit.
        intact, told = _ask(["-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(place / "sig")], text)
    if intact == 0:
        key = _fingerprint(told)
        return Checked(
            False,
            True,
            key,
            (
                f"{key or 'its key'} may not sign for {signer!r}: not allowed, not valid at that "
                "time, or revoked"
            ),
        )
    return Checked(False, False, "", "the signature does not match the statement")


def program() -> str:
    """The path of ssh-keygen. Raises UsageError."""
    found = shutil.which("ssh-keygen")
    if found is None:
        raise UsageError("ssh-keygen is missing", "install OpenSSH: apt-get install openssh-client")
    return found


def read_signers(allowed: Path | None, revoked: Path | None) -> Signers | None:
    """The files of a configuration; None if no allowed signers are named. Raises RecordError for what
    cannot be read.
    """
    if allowed is None:
        return None
    try:
        return Signers(_lines(allowed), _lines(revoked) if revoked is not None else b"")
    except OSError as error:
        hint = 'one line per person: NAME namespaces="signoff@kisaan-validate" ssh-ed25519 AAAA…'
        raise RecordError(f"cannot read {error.filename}: {error.strerror}", hint) from None


_MARK = authored.MARK.encode()


def _lines(path: Path) -> bytes:
    """A file of keys as ssh-keygen reads it: a byte order mark would be part of the first name. Raises
    OSError, RecordError.
    """
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise RecordError(f"cannot read {path}: it is UTF-16 text", "save it as UTF-8")
    while data.startswith(_MARK):
        data = data.removeprefix(_MARK)
    # A carriage return would be read as part of a line's last word.
    return data.replace(b"\r\n", b"\n")


def _ask(words: list[str], text: bytes) -> tuple[int, str]:
    env = {
        **os.environ,
        "TZ": "UTC",
        "LC_ALL": "C",
    }  # verify-time is in local time, and Z is not known to older versions
    try:
        done = subprocess.run(
            [program(), *words], input=text, capture_output=True, timeout=_LIMIT, env=env, check=False
        )
    except subprocess.TimeoutExpired:
        # Silence is no proof.
        return 1, ""
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _fingerprint(said: str) -> str:
    match = re.search(r"\b(SHA256:[A-Za-z0-9+/]+)", said)
    return match[1] if match else ""
