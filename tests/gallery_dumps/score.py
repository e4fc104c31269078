"""Scores ``backup verify`` on the gallery of damaged dumps: is each damage found, and nothing else?

python tests/gallery_dumps/score.py [--only WORDS] [--system]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from conftest import Server, embedded_server, system_server

from gallery_dumps.damages import Damage, damages, made
from gallery_dumps.material import Material, material
from kisaan_validate.backup.verifying import VerifyWish, verify
from kisaan_validate.facts.certificate import BackupAsked, Certificate
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.options import Options

DAY = 86_400


def certificate_of(damage: Damage, m: Material, folder: Path) -> Certificate:
    """What a verification says of one damage."""
    with contextmanager(made)(damage, m, folder) as dump:
        log = None
        if damage.log:
            log = folder / "pg_dump.log"
            log.write_text(damage.log, encoding="utf-8")
        # A plain dump does not say when it was taken, so only the stale one is asked for its age.
        limit = 2 * DAY if damage.days else None
        asked = BackupAsked(datetime.now(UTC) + timedelta(days=damage.days), 7, limit)
        wish = VerifyWish(
            dump, asked, m.baseline if damage.baseline else None, same_snapshot=damage.baseline, log=log
        )
        return verify(wish, None, Options(), lambda _: None, Stop())


def missed(damage: Damage, certificate: Certificate) -> str:
    """How the certificate differs from what must be said, "" if it does not."""
    codes = {reason.code for reason in certificate.reasons}
    if (certificate.verdict, codes) == (damage.verdict, damage.codes):
        return ""
    said = "; ".join(f"{r.code}: {r.words}" for r in certificate.reasons)
    return f"{certificate.verdict.value} by {sorted(codes)}, not {damage.verdict.value} by {sorted(damage.codes)}: {said}"


def scored(server: Server, only: str) -> tuple[int, int]:
    """(right, all), each printed."""
    chosen = [d for d in damages() if only in d.name]
    right = 0
    with tempfile.TemporaryDirectory(prefix="kisaan-gallery-") as name:
        folder = Path(name)
        m = material(server, folder)
        for damage in chosen:
            began = time.monotonic()
            wrong = missed(damage, certificate_of(damage, m, folder / "case"))
            right += not wrong
            took = time.monotonic() - began
            print(
                f"{'right' if not wrong else 'WRONG'}  {damage.name}  ({took:.1f} s)  {wrong}".rstrip(),
                flush=True,
            )
    return right, len(chosen)


def main() -> int:
    """Print the score of each server that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="damages whose name has these words")
    parser.add_argument("--system", action="store_true", help="on the system's PostgreSQL too")
    given = parser.parse_args()
    total = [0, 0]
    for start in (embedded_server, system_server) if given.system else (embedded_server,):
        with start() as server:
            print(server.sql("SHOW server_version")[0][0])
            right, every = scored(server, given.only)
            total = [total[0] + right, total[1] + every]
    print(f"{total[0]} of {total[1]} right")
    return total[0] != total[1]


if __name__ == "__main__":
    sys.exit(main())
