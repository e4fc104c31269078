"""Keeps the key of digests where only the holder of the dump finds it.

A column with few distinct values must not be digested under a key that lies beside the digest: whoever reads
both can try all values. The holder of the dump has the values anyway. So the key is kept as the exclusive or
of itself and a digest of the dump's bytes that is published nowhere (a one-time pad: the key is random, and
each dump has its own).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from kisaan_validate.facts.certificate import BackupTaken
from kisaan_validate.plan.keyed import SECRET_BYTES, SealedDigests

_PURPOSE = b"kisaan-validate backup"


def sealed_key(secret: str, dump: Path) -> str:
    """The key as it is kept, in hex; the same function gives it back. Raises OSError."""
    pad = _pad(dump)[:SECRET_BYTES]
    return bytes(a ^ b for a, b in zip(bytes.fromhex(secret), pad, strict=True)).hex()


def unsealed(taken: BackupTaken, dump: Path) -> SealedDigests | None:
    """The digests of a record with their key, None where it has none. Raises OSError."""
    if not taken.sealed or len(taken.sealed_key) != 2 * SECRET_BYTES:
        return None
    made = SealedDigests(sealed_key(taken.sealed_key, dump))
    made.keep(taken.sealed)
    return made


def shown_of(taken: BackupTaken | None) -> BackupTaken | None:
    """A record as a certificate repeats it."""
    return replace(taken, sealed=(), sealed_key="") if taken is not None else None


def _pad(dump: Path) -> bytes:
    """SHA-256 over the dump's bytes behind words of our own, so that it is none of the digests that records
    and certificates show.
    """
    whole = hashlib.sha256(_PURPOSE)
    for path in sorted(p for p in dump.rglob("*") if p.is_file()) if dump.is_dir() else [dump]:
        one = hashlib.sha256(_PURPOSE)
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                one.update(block)
        # A file may be renamed; in a folder the names say which part is which.
        whole.update(str(path.relative_to(dump)).encode())
        whole.update(one.digest())
    return whole.digest()
