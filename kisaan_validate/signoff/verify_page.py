"""Whether what is shown of a run is what its facts render, and whether its waivers still hold."""

from __future__ import annotations

from datetime import UTC, datetime

from kisaan_validate.signoff.archive import SUMS
from kisaan_validate.signoff.bundle import DERIVED, derived
from kisaan_validate.signoff.evidence import Files
from kisaan_validate.signoff.findings import Mark, Verified
from kisaan_validate.signoff.verify_signoffs import own_standing
from kisaan_validate.verdict.judgement import Judgement
from kisaan_validate.verdict.waivers import Use
from kisaan_validate.version import VERSION


def compare_page(files: Files, found: Verified, judged: Judgement) -> None:
    """What a bundle holds that is made of the rest is made again; so is the page of a folder."""
    # Another version renders another page from the same facts.
    if judged.run.tool_version != VERSION:
        found.add(
            Mark.OPEN,
            "report.html",
            f"made by version {judged.run.tool_version}, this is {VERSION}: not compared. "
            "`kisaan-validate report` renders it again from these facts",
        )
        return
    own = own_standing(files, judged)
    # What is derived is made again, so it cannot be among what it is made of.
    kept = {name: data for name, data in files.files.items() if name not in DERIVED}
    made = derived(kept, judged, own)  # by the keys beside the run: it shows what its makers saw
    if files.bundle is None:
        made = {"report.html": made["report.html"]}
    # Compared already, against the files themselves.
    made.pop(SUMS, None)
    for name, data in made.items():
        if name not in files:
            # A folder's page can be rendered at any time; a bundle was made with one.
            found.add(Mark.WRONG if files.bundle is not None else Mark.NOTE, name, "it is missing")
        elif files[name] != data:
            found.add(Mark.WRONG, name, "it differs from what these facts and sign-offs render")
        else:
            found.add(Mark.PROVED, name, "it is what these facts and sign-offs render, byte for byte")


def report_expired(found: Verified, judged: Judgement) -> None:
    """Waivers that held when the run was made and do not any more: no fault of the run, and news to its
    reader.
    """
    for check, used in judged.waived.items():
        # By today's date: at the run's it was valid, and its reader looks today.
        if used.use is Use.HOLDS and used.waiver.expires < datetime.now(UTC).date():
            found.add(
                Mark.NOTE,
                "waivers.toml",
                f"the waiver of {check} was valid at the run and expired on {used.waiver.expires}",
            )
