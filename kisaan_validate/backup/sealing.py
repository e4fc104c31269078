"""Keeps the key of digests where only the holder of the dump finds it.

A column with few distinct values must not be digested under a key that lies beside the digest: whoever reads
both can try all values. The holder of the dump has the values anyway. So the key is kept as the exclusive or
of itself and a digest of the dump's bytes that is published nowhere (a one-time pad: the key is random, and
each dump has its own).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.certificate import BackupTaken
from kisaan_validate.facts.table import KeyedDigest
from kisaan_validate.plan.keyed import SealedDigests

_PURPOSE = b"kisaan-validate backup"
_BYTES = 16


def new_sealed() -> SealedDigests:
    """Under a random key."""
    return SealedDigests(secrets.token_hex(_BYTES))


def sealed_key(secret: str, dump: Path) -> str:
    """The key as it is kept, in hex; the same function gives it back. Raises OSError."""
    pad = _pad(dump)[:_BYTES]
    return bytes(a ^ b for a, b in zip(bytes.fromhex(secret), pad, strict=True)).hex()


def unsealed(taken: BackupTaken, dump: Path) -> SealedDigests | None:
    """The digests of a record with their key, None where it has none. Raises OSError."""
    if not taken.sealed or len(taken.sealed_key) != 2 * _BYTES:
        return None
    made = SealedDigests(sealed_key(taken.sealed_key, dump))
    made.keep(taken.sealed)
    return made


def shown_of(taken: BackupTaken | None) -> BackupTaken | None:
    """A record as a certificate repeats it."""
    return replace(taken, sealed=(), sealed_key="") if taken is not None else None


def with_sealed(baseline: Baseline, sealed: SealedDigests | None) -> Baseline:
    """The baseline with these digests in the place of the reasons why it has none."""
    if sealed is None:
        return baseline
    kept: Iterable[KeyedDigest] = (
        sealed.known.get((one.table, one.column), one) if one.message else one for one in baseline.keyed
    )
    return replace(baseline, keyed=tuple(kept))


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
