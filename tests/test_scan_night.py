"""A whole night by ``scan``, with all that belongs to it: pings, the guard, alarms, metrics, the night before."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from receivers import Hook, web_server
from shop import Shop
from test_pings import Receiver

CONFIG = """[scan.nightly]
fail_on = "new"
metrics = "validate.prom"

[scan.nightly.guard]
pause_file = "pause"
give_up_after = "1 s"
every = "1 s"

[pings]
url_env = "PING_URL"

[[notify.webhook]]
name = "on-call"
url_env = "HOOK_URL"
"""


class Night:
    """A shop with a configuration for its nights, and those who hear of them."""

    def __init__(self, shop: Shop, hook: Hook, pings: Receiver, ping_url: str) -> None:
        self.shop, self.hook, self.pings = shop, hook, pings
        self.env = {"PING_URL": ping_url, "HOOK_URL": hook.url}

    def scan(self, *words: str, **env: str) -> tuple[int, str]:
        """Run one; its exit code and all that it printed."""
        done = self.shop.cli("scan", *words, **{**self.env, **env})
        return done.returncode, done.stdout + done.stderr

    def told(self) -> list[str]:
        """The subjects of the messages so far."""
        return [json.loads(body)["subject"] for body in self.hook.bodies]

    def metrics(self) -> str:
        """The textfile."""
        return (self.shop.folder / "validate.prom").read_text()


@pytest.fixture
def night(shop: Shop) -> Iterator[Night]:
    """Nights of a shop, with real receivers."""
    (shop.folder / "kisaan.toml").write_text(CONFIG)
    pings = Receiver()
    with web_server() as hook, pings.running() as url:
        yield Night(shop, hook, pings, url)


def test_a_failure_rings_once_and_fails_the_scan_once(night: Night) -> None:
    """Green: nobody is told, though pings and metrics are there. New: told, exit 1. Known: exit 0, quiet. Fixed:
    told.
    """
    assert night.scan()[0] == 0
    assert night.told() == []
    assert night.pings.signals == ["start", "0"]
    assert "last_success" in night.metrics()
    night.shop.sql("INSERT INTO orders VALUES (9, -1)")
    assert night.scan()[0] == 1
    (subject,) = night.told()
    assert "new" in subject.lower()
    assert night.scan()[0] == 0, "the failure is known"
    assert len(night.told()) == 1
    night.shop.sql("DELETE FROM orders WHERE id = 9")
    assert night.scan()[0] == 0
    assert len(night.told()) == 2
    assert "fixed" in night.told()[1].lower()
    assert night.pings.signals[2:] == ["start", "1", "start", "0", "start", "0"]


def test_a_guard_that_gives_up_makes_no_answer(night: Night) -> None:
    """The pause file keeps the scan from asking anything: inconclusive, said with the first reason, and pinged
    as it ended.
    """
    (night.shop.folder / "pause").touch()
    code, said = night.scan()
    assert code == 3
    assert "pause" in said
    assert night.pings.signals == ["start", "3"]


def test_nobody_who_listens_changes_the_verdict(night: Night) -> None:
    """Receivers that are away are notes; the next run says what did not arrive, and it can be sent then."""
    night.shop.sql("INSERT INTO orders VALUES (9, -1)")
    away = {"PING_URL": "http://127.0.0.1:9/x", "HOOK_URL": "http://127.0.0.1:9/y"}
    code, said = night.scan(**away)
    assert code == 1
    assert "on-call" in said
    assert night.told() == []
    code, said = night.scan("-v")
    assert code == 0, "the failure is known"
    assert "message" in said
    assert night.shop.cli("notify", "--retry", **night.env).returncode == 0
    assert len(night.told()) == 1


def test_metrics_that_cannot_be_written_are_a_note(night: Night) -> None:
    """A file stands where the folder should be."""
    (night.shop.folder / "validate.prom").touch()
    text = CONFIG.replace('"validate.prom"', '"validate.prom/x"')
    (night.shop.folder / "kisaan.toml").write_text(text)
    code, said = night.scan()
    assert code == 0
    assert "no metrics were written" in said


@pytest.mark.slow
def test_instead_of_a_scan(night: Night) -> None:
    """--check-last and --drill scan nothing, and exclude each other."""
    assert night.scan("--check-last", "26 h")[0] == 2, "there is no folder of reports yet"
    assert night.scan()[0] == 0
    code, said = night.scan("--check-last", "26 h")
    assert code == 0
    assert said.startswith("ran ")
    assert night.scan("--check-last", "1 s")[0] in {0, 7}
    code, said = night.scan("--drill")
    assert code == 0
    assert "receipt on-call" in said
    assert len(night.told()) == 1
    assert night.scan("--drill", "--check-last", "26 h")[0] == 2
    assert len(list((night.shop.folder / "reports").glob("*/run.json"))) == 1
