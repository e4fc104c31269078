"""Time stamps by RFC 3161, through OpenSSL: an authority's word that a signature existed at a time.

What is stamped is the signature's file. Nothing is sent anywhere unless an address is given.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from kisaan_validate.errors import RecordError, UsageError
from kisaan_validate.signoff.evidence import Files
from kisaan_validate.signoff.standing import Stamp, StampState

_LIMIT = 30
_LARGEST = 1 << 20


def query_of(signature: bytes) -> bytes:
    """The request (DER) for a stamp of a signature, which asks for the authority's certificate. Raises
    UsageError.
    """
    with tempfile.TemporaryDirectory(prefix="kisaan-stamp-") as folder:
        data = Path(folder, "data")
        data.write_bytes(signature)
        out = Path(folder, "tsq")
        code, said = _openssl("ts", "-query", "-data", str(data), "-sha256", "-cert", "-out", str(out))
        if code:
            raise UsageError(f"openssl created no request: {said}", "check the version of openssl")
        return out.read_bytes()


def ask(url: str, query: bytes) -> bytes:
    """Send a request to an authority and return its reply. Raises UsageError."""
    # A scheme such as file: would read from this machine and send nothing.
    if urlsplit(url).scheme not in ("http", "https"):
        raise UsageError(
            f"{url} is not the URL of a timestamp authority", "use one that begins with https://"
        )
    request = urllib.request.Request(url, query, {"Content-Type": "application/timestamp-query"})
    try:
        with urllib.request.urlopen(request, timeout=_LIMIT) as answer:
            # A reply is a few kilobytes: a stranger's server must not fill the memory.
            reply: bytes = answer.read(_LARGEST)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{url} returned no timestamp: {error}",
            "try again, or send the request another way: --timestamp-query",
        ) from None
    return reply


def belongs(reply: bytes, signature: bytes) -> bool:
    """Whether a reply is a stamp of this signature, by any maker: its digest is the signature's."""
    told = _told(reply)
    match = re.search(r"Message data:\n((?: +[0-9a-f]+ - .*\n)+)", told)
    # From OpenSSL's text, as nothing else gives the digest without parsing ASN.1.
    if match is None or "Status: Granted" not in told:
        return False
    found = "".join(
        "".join(re.findall(r"\b[0-9a-f]{2}\b", line.split(" - ", 1)[1][:48]))
        for line in match[1].splitlines()
    )
    return found == hashlib.sha256(signature).hexdigest()


def check_stamp(files: Files, path: str, authorities: Path | None) -> Stamp | None:
    """What the time stamp of a sign-off says; None where there is none. Never raises for a stamp
    that is bad.
    """
    reply, signature = files.get(f"{path}.sig.tsr"), files.get(f"{path}.sig")
    if reply is None or signature is None:
        return None
    # First whose it is: a good stamp of something else proves nothing here.
    if not belongs(reply, signature):
        return Stamp(StampState.WRONG, "its timestamp is not for this signature")
    at = time_of(reply)
    if authorities is None:
        words = f"it has a timestamp that no configured authority verifies (it says {at})"
        return Stamp(StampState.UNVERIFIED, words)
    if verified(reply, signature, authorities):
        return Stamp(StampState.PROVED, f"existed at {at}")
    return Stamp(StampState.WRONG, "its timestamp is not from a trusted authority")


def verified(reply: bytes, signature: bytes, authorities: Path) -> bool:
    """Whether an authority of these certificates stamped the signature. Raises RecordError if they cannot
    be read.
    """
    # A missing file is a fault of the configuration, not of the stamp.
    if not authorities.is_file():
        raise RecordError(
            f"cannot read {authorities}", "name the certificates of the timestamp authority with --tsa-ca"
        )
    with tempfile.TemporaryDirectory(prefix="kisaan-stamp-") as folder:
        Path(folder, "data").write_bytes(signature)
        Path(folder, "tsr").write_bytes(reply)
        code, said = _openssl(
            "ts", "-verify", "-data", f"{folder}/data", "-in", f"{folder}/tsr", "-CAfile", str(authorities)
        )
    # Both must say so: no version's exit code alone decides.
    return code == 0 and "Verification: OK" in said


def time_of(reply: bytes) -> str:
    """The time in a reply, as OpenSSL shows it; "" if there is none."""
    match = re.search(r"Time stamp: (.+)", _told(reply))
    return match[1].strip() if match else ""


def _told(reply: bytes) -> str:
    with tempfile.TemporaryDirectory(prefix="kisaan-stamp-") as folder:
        Path(folder, "tsr").write_bytes(reply)
        return _openssl("ts", "-reply", "-in", f"{folder}/tsr", "-text")[1]


def _openssl(*words: str) -> tuple[int, str]:
    found = shutil.which("openssl")
    if found is None:
        raise UsageError("openssl is missing", "install it: apt-get install openssl")
    # No standard input, so that nothing can wait for somebody to type.
    done = subprocess.run(
        [found, *words], capture_output=True, timeout=_LIMIT, check=False, stdin=subprocess.DEVNULL
    )
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")
