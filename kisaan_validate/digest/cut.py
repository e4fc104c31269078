"""Long values are cut where they are: SQL for what travels of them. Pure.

The expressions stand over columns of a subquery that is not pulled up (``rows.staged``), so that each
value is made once.
"""

from __future__ import annotations

from kisaan_validate.digest.forms import CanonicalForm
from kisaan_validate.text.cutting import KEPT, LONGEST

_SHORT = frozenset(
    {
        "integer",
        "numeric",
        "float",
        "boolean",
        "timestamp",
        "timestamptz",
        "date",
        "time",
        "timetz",
        "interval",
        "uuid",
        "inet",
        "money",
    }
)
"""Forms whose values are never long. A number has at most 147,456 digits, and is compared as a number."""


def cut_sql(form: CanonicalForm, text: str) -> str:
    """What travels of a value, whose text (of bytea: the value) is ``text``."""
    # Numbers are compared as numbers, so a cut one would be another number.
    if form.name in _SHORT:
        return text
    if form.name == "bytea":
        start = f"'\\x' || encode(substr({text}, 1, {KEPT // 2}), 'hex')"
        # The value is cut before it is printed: two characters for each byte would double what is held.
        said = _said(start, f"octet_length({text})", f"sha256({text})")
        return f"CASE WHEN octet_length({text}) > {LONGEST // 2} THEN {said} ELSE {text}::text END"
    # The number of bytes is known without reading the value; that of characters is the same in every
    # encoding.
    said = _said(f"left({text}, {KEPT})", f"octet_length(textsend({text}))", f"sha256(textsend({text}))")
    # Both: many bytes may be few characters, and the cut is counted in characters.
    return (
        f"CASE WHEN octet_length({text}) > {LONGEST} AND length({text}) > {LONGEST} THEN {said} ELSE "
        f"{text} END"
    )


def _said(start: str, size: str, digest: str) -> str:
    return (
        f"{start} || ' ... (cut: ' || ({size})::text || ' bytes, SHA-256 ' || encode({digest}, 'hex') || ')'"
    )


def proof_cut_sql(proof: str) -> str:
    """What travels of a proof: itself, or its digest where it is long."""
    return (
        f"CASE WHEN octet_length({proof}) > {LONGEST} THEN 'SHA-256 ' || "
        # A proof is only compared, never shown, so a digest of it does as well.
        f"encode(sha256(textsend({proof})), 'hex') ELSE {proof} END"
    )
