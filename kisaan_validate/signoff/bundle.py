"""One archive with all that is needed to judge a run again, years later and offline: facts, sources, page,
signatures.
"""

from __future__ import annotations

from collections.abc import Mapping

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import RecordError, UsageError
from kisaan_validate.report.html import render_html
from kisaan_validate.signoff.archive import SUMS, pack, sums
from kisaan_validate.signoff.evidence import Files
from kisaan_validate.signoff.intoto import INTOTO, intoto_of
from kisaan_validate.signoff.lines import how_to
from kisaan_validate.signoff.page import signatures_of
from kisaan_validate.signoff.secrets import secrets_in
from kisaan_validate.signoff.standing import SignoffStanding
from kisaan_validate.signoff.statement import FOLDER, is_fact, sha256
from kisaan_validate.verdict.judgement import Judgement

HOW = "VERIFY.txt"
PAGE = "report.html"
BASELINE = "baseline.json"
DERIVED = (PAGE, INTOTO, HOW, SUMS)
"""Files of a bundle that are made from its other files."""

_BESIDE = (".json", ".json.sig", ".json.sig.tsr")


@dataclass(frozen=True)
class Bundle:
    """An archive and what it holds by name."""

    data: bytes
    files: Mapping[str, bytes]


def bundle_of(files: Files, judged: Judgement, standing: SignoffStanding, *, baseline: bool = True) -> Bundle:
    """The bundle of a run's folder. The same folder gives the same bytes.

    Raises RecordError where the suite's sources are missing, and UsageError for what looks like a secret.
    """
    if not any(name.startswith("suite/") for name in files.files) and judged.run.suite.sources:
        raise RecordError(
            f"{files.source} has no copy of the suite's sources",
            "only runs recorded with their sources can be bundled; run again",
        )
    # What else somebody keeps in the folder may be private.
    kept = {
        name: data for name, data in files.files.items() if _belongs(name) and (baseline or name != BASELINE)
    }
    whole = {**kept, **derived(kept, judged, standing)}
    # After the page and the manual are made, as they quote from the rest.
    if found := secrets_in(whole):
        raise UsageError(
            f"not bundled: {'; '.join(found)}",
            "remove the secret from the suite, change the secret, and run again",
        )
    return Bundle(pack(judged.run.id, whole), whole)


def derived(kept: Mapping[str, bytes], judged: Judgement, standing: SignoffStanding) -> dict[str, bytes]:
    """The page, the in-toto statement, the manual and the digests, as the rest of a bundle makes them."""
    left_out = [BASELINE] if judged.run.baseline_digest and BASELINE not in kept else []
    made = {PAGE: render_html(judged, signatures_of(standing)).encode()}
    # Each is made of those before it: the statement lists the page, the sums list everything.
    made[INTOTO] = intoto_of(judged, {**kept, **made})
    made[HOW] = how_to(judged.run.id, standing, sha256(kept["run.json"]), left_out).encode()
    made[SUMS] = sums({**kept, **made})
    return made


def _belongs(name: str) -> bool:
    """Whether a file of a run's folder is evidence: what else somebody keeps there stays there."""
    if is_fact(name) or name in (f"{FOLDER}/allowed_signers", f"{FOLDER}/revoked_signers"):
        return True
    # Only one level below: nothing of ours is in a folder within "signoffs".
    return name.startswith(f"{FOLDER}/") and name.endswith(_BESIDE) and name.count("/") == 1
