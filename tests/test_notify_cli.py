"""``notify`` as its users meet it: after real runs on a real database, with real receivers; and what a wrong
configuration gets to hear.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from receivers import Hook, Sink, free_port, mail_server, web_server
from shop import Shop

from kisaan_validate.errors import SuiteError
from kisaan_validate.notify.smtp import Encryption
from kisaan_validate.ops.config import load_config
from kisaan_validate.ops.notifying import channels_of


@pytest.fixture
def mail() -> Iterator[Sink]:
    """A mail server."""
    with mail_server() as sink:
        yield sink


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A web server."""
    with web_server() as running:
        yield running


def _configure(shop: Shop, mail: int, hook: int) -> None:
    (shop.folder / "kisaan.toml").write_text(f"""
[notify]
base_url = "https://validate.example.org/reports"

[[notify.smtp]]
name = "ops mail"
host = "localhost"
port = {mail}
tls = "none"
from = "validate@example.org"
to = ["ops@example.org"]

[[notify.webhook]]
name = "hook"
url = "http://localhost:{hook}/in"
""")


def _notify(shop: Shop, *words: str, code: int = 0) -> str:
    done = shop.cli("notify", *words, dsn=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
def test_from_a_run_to_the_mail(shop: Shop, mail: Sink, hook: Hook) -> None:
    """Three nights: silence, a failure, its end; each told once, with counts, and without a key of a row."""
    _configure(shop, mail.port, hook.port)
    shop.cli("run")
    assert _notify(shop) == "quiet   nothing is news\n"
    shop.sql("INSERT INTO orders SELECT n, -n, 'KEY-' || n FROM generate_series(900001, 900003) n")
    assert shop.cli("run").returncode == 1
    said = _notify(shop)
    (told,) = mail.mails
    body = told.get_content()
    assert told["subject"] in said
    assert "sent    ops mail: SMTP 250 2.0.0 Ok: queued as 4F1B2" in said
    assert "sent    hook: HTTP 200 id evt-77" in said
    assert re.search(r"NEW \(blocking\): orders: 3 rows break “.*”", body)
    assert re.search(r"page   https://validate\.example\.org/reports/\S+/report\.html", body)
    assert "90000" not in body + hook.bodies[0].decode()
    assert "KEY-" not in body + hook.bodies[0].decode()
    assert _notify(shop) == "quiet   this run was told already\n"
    shop.sql("DELETE FROM orders WHERE id > 900000")
    assert shop.cli("run").returncode == 0
    assert "1 fixed" in _notify(shop, "--dry-run")
    assert len(mail.raw) == 1, "it was a dry run"
    assert "told    [PASS] checks on " in _notify(shop)
    assert "FIXED" in mail.mails[1].get_content()
    assert len(hook.bodies) == len(mail.raw) == 2
    listed = {path.name for path in (shop.folder / "reports").iterdir()}
    assert ".kisaan-spool" in listed
    assert shop.cli("verify", "reports", "--chain", dsn=False).returncode == 0


def test_what_did_not_arrive_is_seen_and_changes_no_verdict(shop: Shop, mail: Sink) -> None:
    """Exit 3 of notify alone; the next run passes, and its output, record and page say what did not arrive
    and how the last drill went.
    """
    _configure(shop, mail.port, free_port())
    shop.sql("INSERT INTO orders VALUES (9, -1)")
    shop.cli("run")
    said = _notify(shop, code=3)
    assert "failed  hook: Connection refused" in said
    assert "note    1 message did not reach 'hook'" in said
    shop.sql("DELETE FROM orders WHERE id = 9")
    before = {path.name for path in (shop.folder / "reports").iterdir()}
    run = shop.cli("run")
    assert run.returncode == 0
    assert "1 message did not reach 'hook'" in run.stdout
    (name,) = {path.name for path in (shop.folder / "reports").glob("2*")} - before
    folder = shop.folder / "reports" / name
    assert "did not reach" in (folder / "report.html").read_text()
    codes = [n["code"] for n in json.loads((folder / "run.json").read_text())["notices"]]
    assert "undelivered" in codes
    with web_server() as late:
        _configure(shop, mail.port, late.port)
        assert "sent    hook: HTTP 200" in _notify(shop, "--retry")
        assert _notify(shop, "--retry") == "quiet   nothing waits\n"
    assert "FAILED  hook: Connection refused" in _notify(shop, "--drill", code=3)
    assert mail.mails[-1]["X-Kisaan-Drill"] == "yes"
    assert "last alarm drill" in shop.cli("run").stdout
    with web_server() as late:
        _configure(shop, mail.port, late.port)
        said = _notify(shop, "--drill")
        assert (
            said == "receipt ops mail: SMTP 250 2.0.0 Ok: queued as 4F1B2\nreceipt hook: HTTP 200 id evt-77\n"
        )
    # One that went well is a line among the circumstances, and no reason to look up.
    before = {path.name for path in (shop.folder / "reports").iterdir()}
    assert "drill" not in shop.cli("run").stdout
    (name,) = {path.name for path in (shop.folder / "reports").glob("2*")} - before
    page = (shop.folder / "reports" / name / "report.html").read_text()
    assert page.count("last alarm drill") == 1


def test_one_recipient_that_is_refused_is_tried_again_alone(shop: Shop, mail: Sink, hook: Hook) -> None:
    """The others have the mail, and get it no second time; until that one has it the next run says so."""
    _configure(shop, mail.port, hook.port)
    config = shop.folder / "kisaan.toml"
    config.write_text(config.read_text().replace('to = ["', 'to = ["asha@example.org", "'))
    mail.refuse = "asha@example.org"
    shop.sql("INSERT INTO orders VALUES (9, -1)")
    shop.cli("run")
    said = _notify(shop, code=3)
    assert "failed  ops mail: SMTP 250 2.0.0 Ok: queued as 4F1B2; it refused 1 of 2 recipients" in said
    (others,) = mail.to
    (waiting,) = (shop.folder / "reports" / ".kisaan-spool").glob("*Z-*.json")
    assert "asha" not in json.dumps(json.loads(waiting.read_text())["waiting"])
    assert "1 message did not reach 'ops mail'" in shop.cli("run").stdout
    assert "refused all recipients" in _notify(shop, "--retry", code=3)
    mail.refuse = ""
    assert "sent    ops mail: SMTP 250" in _notify(shop, "--retry")
    assert mail.to == [others, ["asha@example.org"]]
    assert _notify(shop, "--retry") == "quiet   nothing waits\n"


def test_without_runs_or_people(shop: Shop, mail: Sink) -> None:
    """Each is said with what to do, and exit 2."""
    (shop.folder / "reports").mkdir()
    assert "names nobody to tell" in _notify(shop, code=2)
    assert "names nobody to tell" in _notify(shop, "--drill", code=2)
    _configure(shop, mail.port, free_port())
    assert "holds no run" in _notify(shop, code=2)
    assert "cannot read nowhere" in _notify(shop, "nowhere", code=2)
    assert "exclude each other" in _notify(shop, "--drill", "--retry", code=2)
    assert "exclude each other" in _notify(shop, "x", "--drill", code=2)
    assert "no such folder" in _notify(shop, "--reports", "nowhere", code=2)


SMTP = 'name = "m"\nhost = "h"\nfrom = "a@b"\nto = ["c@d"]\n'
WEB = 'name = "w"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[notify]\nnudge = '8 d'", "has no channel"),
        ("[notify]\nbase_ur = 'https://h'", "did you mean 'base_url'?"),
        ("[notify]\nnudge = 7", "must be a duration"),
        ("[notify]\nnudge = '3 h'", "must be 1 d to 400 d"),
        ("[notify]\nsmtp = 3", "[[notify.smtp]]"),
        ("[[notify.smtp]]\nname = 'm'", "needs 'host'"),
        (f"[[notify.smtp]]\n{SMTP}tls = 'no'", "tls"),
        (f"[[notify.smtp]]\n{SMTP}timeout = '1 h'", "must be 1 s to 10 min"),
        (f"[[notify.smtp]]\n{SMTP}user = 'u'", "needs both user and password_env"),
        (f"[[notify.smtp]]\n{SMTP}user = 'u'\npassword_env = 'P'\ntls = 'none'", "password in the clear"),
        (f"[[notify.smtp]]\n{SMTP}user = 'u'\npassword_env = 'hunter2!'", "the name of an environment variable"),
        (f"[[notify.smtp]]\n{SMTP}password = 'hunter2!'", "unknown key 'password'"),
        (f"[[notify.smtp]]\n{SMTP.replace('c@d', 'c@d, e@f')}", "must be a mail address"),
        (f"[[notify.smtp]]\n{SMTP.replace('a@b', chr(92) + 'nBcc: x@y')}", "must be a mail address"),
        (f"[[notify.smtp]]\n{SMTP.replace('[', '[  ').replace('c@d', 'c@d' + chr(92) + 'n')}", "must be a mail address"),
        (f"[[notify.webhook]]\n{WEB}", "needs one of url and url_env"),
        (f"[[notify.webhook]]\n{WEB}url = 'ftp://h/hunter2'", "http:// or https:// address"),
        (f"[[notify.webhook]]\n{WEB}url = 'https://u:hunter2@h/'", "must hold no user and no password"),
        (f"[[notify.webhook]]\n{WEB}url = 'http://h/'\ntoken_env = 'T'", "token in the clear"),
        ("[[notify.apprise]]\nname = 'x'\nurl_env = 'slack://hunter2'", "the name of an environment variable"),
        (f"[[notify.smtp]]\n{SMTP}\n[[notify.webhook]]\nname = 'm'\nurl_env = 'U'", "two channels named 'm'"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """By place and fact; nothing of it that could be a secret is repeated."""
    path = tmp_path / "kisaan.toml"
    path.write_text(text)
    with pytest.raises(SuiteError) as error:
        load_config(path)
    assert words in str(error.value)
    assert "hunter2" not in str(error.value)


def test_channels_are_as_written(tmp_path: Path) -> None:
    """Ports follow the encryption, certificates lie beside the file."""
    path = tmp_path / "kisaan.toml"
    more = SMTP.replace('"m"', '"n"') + 'tls = "tls"\nca = "own.pem"\ntimeout = "5 s"\n'
    path.write_text(f"[[notify.smtp]]\n{SMTP}[[notify.smtp]]\n{more}[[notify.webhook]]\n{WEB}url_env = 'U'\n")
    config = load_config(path).notify
    assert config is not None
    one, other, web = channels_of(config)
    assert (one.name, one.port, one.encryption, one.seconds) == ("m", 587, Encryption.STARTTLS, 30)  # type: ignore[attr-defined]
    assert (other.port, other.seconds, other.trust.ca) == (465, 5, tmp_path / "own.pem")  # type: ignore[attr-defined]
    assert (web.name, web.url_env) == ("w", "U")  # type: ignore[attr-defined]
