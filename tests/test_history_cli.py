"""``history`` over real runs: listed, followed check by check, made again from the files, whatever becomes
of the index.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from shop import Shop

GREATER = "orders.total.greater_than_or_equal_to"


def _nights(shop: Shop, *words: str) -> list[str]:
    done = shop.cli("history", *words, dsn=False)
    assert done.returncode == 0, done.stderr
    return [re.sub(r"^\S+ \S+ UTC  ", "", line) for line in done.stdout.splitlines()]


@pytest.fixture
def nights(shop: Shop) -> Shop:
    """Four runs: all hold, three rows fail, five do, fixed."""
    for sql in ("SELECT 1", *(f"INSERT INTO orders SELECT n, -n FROM generate_series({n}, {n + 2}) n" for n in (10, 20)),
                "DELETE FROM orders WHERE id >= 10"):  # fmt: skip
        shop.sql(sql)
        assert shop.cli("run").returncode in {0, 1}
    return shop


def test_nights_are_listed_and_followed(nights: Shop) -> None:
    """Verdict and states of each night, the newest first; one check with its counts and what changed."""
    listed = _nights(nights)
    assert [re.sub(r"\d+ hold", "n hold", line) for line in listed] == [
        "PASS          n hold, 2 fixed", "FAIL          2 grown", "FAIL          2 new", "PASS          n hold",
    ]  # fmt: skip
    assert _nights(nights, "--verdict", "fail", "--last", "1") == [listed[1]]
    assert _nights(nights, "--database", "elsewhere") == ["no run fits"]
    assert _nights(nights, "--since", "2099-01-01") == ["no run fits"]
    assert len(_nights(nights, "--since", "2020-01-01")) == 4
    head, *rest = _nights(nights, "show", GREATER)
    assert re.fullmatch(rf"{GREATER}: fixed, after it failed since .* UTC, on 2 nights", head)
    said = [re.sub(r"^ +\S+ \S+ UTC +", "", line) for line in rest]
    assert [re.sub(" +", " ", line) for line in said] == [
        "fixed 0 violations (−6)", "grown 6 violations (+3)", "new 3 violations (+3)", "holds 0 violations",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_renamed_check_keeps_its_past(nights: Shop) -> None:
    """By [history.renamed]; without it the new name has no past, and a misspelt name gets the nearest one."""
    source = nights.folder / "checks" / "orders.py"
    renamed = "orders.total.at_least"
    nights.sql("INSERT INTO orders VALUES (10, -1)")
    source.write_text(source.read_text() + f"\ndeclare.holds('orders', 'total >= -9', id='{renamed}')\n")
    assert nights.cli("run").returncode == 1
    assert len(_nights(nights, "show", renamed)) == 2
    # Another meaning is another line: each is shown.
    (nights.folder / "kisaan.toml").write_text(f'[history.renamed]\n"{GREATER}" = "{renamed}"\n')
    assert sum(renamed in line or GREATER in line for line in _nights(nights, "show", renamed)) == 2
    slip = nights.cli("history", "show", "orders.total.at_lest", dsn=False)
    assert (slip.returncode, f"did you mean '{renamed}'?" in slip.stderr) == (2, True)


@pytest.mark.slow
def test_marks_stand_between_the_nights(nights: Shop) -> None:
    """In the order of time, also after the index was made again; a line that was cut is said, and costs no
    other.
    """
    assert nights.cli("history", "mark", "release 1.4", dsn=False).returncode == 0
    with (nights.folder / "reports" / "history-marks.jsonl").open("a") as file:
        file.write('{"at": "2020-01-')
    assert nights.cli("history", "mark", "before all", "--at", "2020-01-01", dsn=False).returncode == 0
    assert nights.cli("history", "rebuild", dsn=False).returncode == 0
    done = nights.cli("history", dsn=False)
    assert done.stdout.splitlines()[0].endswith("-- release 1.4")
    assert "1 line of history-marks.jsonl cannot be read" in done.stderr
    assert nights.cli("history", "mark", " ", dsn=False).returncode == 2
    assert nights.cli("history", "mark", "x" * 501, dsn=False).returncode == 2


def test_the_index_follows_the_files(nights: Shop) -> None:
    """A run that is removed is gone, a copied one is there, a damaged one is named; a lost or damaged index
    is made again and says the same.
    """
    reports, before = nights.folder / "reports", _nights(nights)
    index = reports / ".kisaan-history.sqlite"
    index.unlink()
    assert _nights(nights) == before
    index.write_bytes(b"x" * 5_000)
    damaged = nights.cli("history", dsn=False)
    assert (damaged.returncode, "history rebuild" in damaged.stderr) == (2, True)
    assert nights.cli("history", "rebuild", dsn=False).stdout == "history 4 runs\n"
    assert _nights(nights) == before
    # By their time: the names of two runs of one second say nothing of their order.
    times = {json.loads(p.read_text())["place"]["at"]: p.parent for p in reports.glob("*/run.json")}
    oldest, newest = times[min(times)], times[max(times)]
    shutil.rmtree(oldest)
    assert _nights(nights) == before[:3]
    (newest / "run.json").write_text("{}")
    broken = nights.cli("history", dsn=False)
    assert broken.returncode == 3
    assert "is not in the history" in broken.stderr
    assert len(broken.stdout.splitlines()) == 2, "what can no longer be read is not shown as it was"


@pytest.mark.slow
def test_a_database_remembers_as_well(nights: Shop) -> None:
    """[history] url: the same lists; a password in it is not printed when it cannot be reached."""
    before, server = _nights(nights), nights.server
    # As libpq writes it: the driver is the one that is installed with us.
    url = f"postgresql://postgres@:{server.port}/{server.create()}?host={server.host}"
    config = nights.folder / "kisaan.toml"
    config.write_text(f'[history]\nurl = "{url}"\n')
    assert _nights(nights) == before
    assert nights.cli("history", "rebuild", dsn=False).returncode == 0
    assert _nights(nights) == before
    for url in (
        "postgresql://u:s3cret@127.0.0.1:1/x",
        "mysql+not_there://u:s3cret@h/x",
        "mysql://u:s3cret@h/x",
        "nonsense://u:s3cret@h/x",
        "s3cret",
    ):
        config.write_text(f'[history]\nurl = "{url}"\n')
        refused = nights.cli("history", dsn=False)
        assert refused.returncode == 2, refused.stderr
        assert "s3cret" not in refused.stderr
        assert "Traceback" not in refused.stderr


@pytest.mark.slow
def test_an_index_that_cannot_be_used_is_named_and_what_to_do(nights: Shop) -> None:
    """Whatever stands in its place; and a folder of reports that is none is no matter of rights."""
    before, index = _nights(nights), nights.folder / "reports" / ".kisaan-history.sqlite"
    index.unlink()
    index.mkdir()
    broken = nights.cli("history", dsn=False)
    assert (broken.returncode, "history rebuild" in broken.stderr) == (2, True), broken.stderr
    assert "url" not in broken.stderr, "none is configured that could be corrected"
    rebuilt = nights.cli("history", "rebuild", dsn=False)
    assert rebuilt.returncode == 2, rebuilt.stderr
    assert f"cannot remove reports/{index.name}: Is a directory" in rebuilt.stderr
    assert "remove it by hand" in rebuilt.stderr
    index.rmdir()
    assert _nights(nights) == before
    (nights.folder / "file").touch()
    refused = nights.cli("run", "--lock", "--reports", "file")
    assert (refused.returncode, "file is not a folder" in refused.stderr) == (2, True), refused.stderr


def test_without_runs(shop: Shop, tmp_path: Path) -> None:
    """No folder is exit 2; an empty one is said."""
    assert shop.cli("history", "--reports", "nowhere", dsn=False).returncode == 2
    (shop.folder / "reports").mkdir(exist_ok=True)
    assert _nights(shop) == ["no run is recorded yet"]
    assert shop.cli("history", "show", GREATER, dsn=False).returncode == 2
