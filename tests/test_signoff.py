"""Signing a run: who may approve what, what a sign-off covers, and when it no longer holds. Real OpenSSH,
a real database.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import axe
import pytest
from browser import Browser, chromium
from conftest import ROOT, Server, needs
from house import ASHA, BINOD, MALLORY, House, Said, build, git, line_of

from kisaan_validate.cli.main import main
from kisaan_validate.facts.run import Provenance
from kisaan_validate.record.codec import run_from_json
from kisaan_validate.signoff.chain import HEAD, chain_lock, find_head, links_of, walk
from kisaan_validate.signoff.standing import same_person
from kisaan_validate.signoff.statement import sha256


@pytest.fixture(scope="module")
def house(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with one recorded run that passes."""
    needs("ssh-keygen")
    made = build(server, tmp_path_factory.mktemp("house"))
    yield made
    server.drop(made.database)
    server.sql(f"DROP ROLE reader_{made.database}")


@pytest.fixture(scope="module")
def passed(house: House) -> Path:
    """A run that passes, compared with a baseline; nobody signed it. Not to be changed."""
    return house.run("--baseline", "pre.json")


@pytest.fixture
def run(house: House, passed: Path, tmp_path: Path) -> Path:
    """A copy of the run that a test may change and sign."""
    return house.copied(passed, tmp_path)


def statement(run: Path, part: str) -> dict[str, object]:
    """The statement whose file name has this part."""
    (path,) = run.glob(f"signoffs/*{part}*.json")
    return dict(json.loads(path.read_text()))


def test_a_run_says_who_ran_it_and_of_what(passed: Path) -> None:
    """Operator as configured, sources as run; outside a repository that is said, not guessed."""
    run = run_from_json((passed / "run.json").read_text())
    assert run.provenance == Provenance(
        "olga",
        "kisaan.toml",
        "",
        None,
        "not in a Git repository",
        run.provenance.previous_run,
        run.provenance.previous_digest,
        2,
    )
    assert sorted(p.name for p in (passed / "suite").iterdir()) == ["orders.py", "suite.toml"]


def test_two_people_approve_and_it_is_verified(house: House, run: Path) -> None:
    """One approval of two is not enough; with both, and the criterion attested, verify is exit 0."""
    assert house.verify(run).code == 3
    assert house.attest(run).code == 0
    first = house.sign(run, ASHA)
    assert first.code == 0, first
    assert "Not approved: has 1 of 2 approvals" in first.out
    assert house.verify(run).code == 3
    second = house.sign(run, BINOD)
    assert "Approved by asha@example.org, binod@example.org" in second.out
    verified = house.verify(run)
    assert verified.code == 0, verified.out
    assert "VERIFIED: genuine, and approved as required." in verified.out
    assert "What no verification of files can prove:" in verified.out
    for path in (run / "signoffs").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nobody_signs_a_run_while_a_rule_removes_it(house: House, run: Path) -> None:
    """Signing waits for the lock of the chain, under which runs are pruned; of a run that is gone by then
    nothing is signed. A copy elsewhere needs no lock.
    """
    (run.parent / HEAD).write_text("{}")
    signed: list[Said] = []
    with chain_lock(run.parent):
        signing = threading.Thread(target=lambda: signed.append(house.sign(run, ASHA, decision="reject")))
        signing.start()
        signing.join(3)
        assert signing.is_alive(), signed
        assert not (run / "signoffs").exists()
        (run / "run.json").rename(run / "run.gone")
    signing.join(60)
    (said,) = signed
    assert (said.code, "not signed: the run was removed meanwhile" in said.err) == (2, True), said
    assert not (run / "signoffs").exists()
    (run / "run.gone").rename(run / "run.json")
    assert house.sign(run, ASHA, decision="reject").code == 0
    (run.parent / HEAD).unlink()
    with chain_lock(run.parent):
        assert house.sign(run, BINOD, decision="reject").code == 0


def test_a_statement_names_all_that_it_covers(house: House, run: Path) -> None:
    """run.json, baseline, waivers and every source by its own digest, suite and previous run by theirs;
    sorted, canonical.
    """
    assert house.attest(run).code == 0
    assert house.sign(run, ASHA).code == 0
    said = statement(run, "approve")
    covers = said["covers"]
    assert isinstance(covers, dict)
    for name in ("run.json", "baseline.json", "waivers.toml", "suite/orders.py", "suite/suite.toml"):
        assert covers[name] == sha256((run / name).read_bytes())
    facts = run_from_json((run / "run.json").read_text())
    assert covers["suite"] == f"sha256:{facts.suite.digest}"
    assert covers["previous run"] == (
        f"sha256:{facts.provenance.previous_digest}" if facts.provenance.previous_digest else ""
    )
    assert (said["signer"], said["decision"], said["reason"], said["verdict"]) == (
        ASHA,
        "approve",
        "looked at it",
        "PASS",
    )
    assert list(said["seen"]) == [next(run.glob("signoffs/*attest*.json")).relative_to(run).as_posix()]  # type: ignore[call-overload]
    (path,) = run.glob("signoffs/*approve*.json")
    assert path.read_text() == json.dumps(said, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("run.json", "run.json differs from what was signed"),
        ("waivers.toml", "waivers.toml differs from what was signed"),
        ("baseline.json", "baseline.json differs from what was signed"),
        ("suite/orders.py", "suite/orders.py differs from what was signed"),
    ],
)
def test_what_changed_is_named(house: House, run: Path, name: str, said: str) -> None:
    """When something that a sign-off covers changes, with everything that names it amended, it no longer
    holds and says which.
    """
    assert house.sign(run, ASHA, "--accept-unattested").code == 0
    before = (run / name).read_bytes()
    after = (
        before.replace(b'"operator":"olga"', b'"operator":"vera"') if name == "run.json" else before + b"\n"
    )
    (run / name).write_bytes(after)
    facts = (run / "run.json").read_bytes()
    (run / "run.json").write_bytes(facts.replace(sha256(before).encode(), sha256(after).encode()))
    found = house.verify(run)
    assert found.code == 1
    assert said in found.out
    shown = house.cli("report", str(run))
    if name.startswith("suite/") or name == "run.json" or shown.code == 0:
        assert said in (run / "report.html").read_text()


def test_the_one_who_ran_it_is_not_its_only_approver(house: House, run: Path, tmp_path: Path) -> None:
    """With one approval required, the operator's own does not do; a name is compared with or without its
    domain.
    """
    assert same_person("olga", "Olga@example.org")
    assert same_person("Olga@example.org", "olga@example.org")
    assert not same_person("olga", "asha@example.org")
    assert not same_person("", "asha@example.org")
    run = _as_operator(run, "asha", approvals=1)
    signed = house.sign(run, ASHA, "--accept-unattested")
    assert signed.code == 0
    assert "asha ran it, so another person must approve too" in signed.out
    assert "now requires 2 approvals" in signed.out
    assert "asha ran it and cannot be the only approver" in signed.out
    assert house.sign(run, BINOD, "--accept-unattested").code == 0
    assert "Approved by" in house.verify(run).out


def _as_operator(run: Path, name: str, approvals: int) -> Path:
    """The run as if somebody else had run it."""
    text = (
        (run / "run.json")
        .read_text()
        .replace('"operator":"olga",', f'"operator":"{name}",' if name else "")
        # One is the default, which is not written.
        .replace(',"approvals":2', f',"approvals":{approvals}' if approvals > 1 else "")
    )
    (run / "run.json").write_text(text)
    return run


def test_a_run_of_nobody_is_not_approved(house: House, run: Path) -> None:
    """Where who ran it is not recorded, nobody can tell that somebody else approved."""
    run = _as_operator(run, "", approvals=1)
    assert "who ran it is not recorded" in house.sign(run, ASHA, "--accept-unattested").out.lower()


def test_one_key_under_two_names_is_one_person(house: House, run: Path, tmp_path: Path) -> None:
    """Two principals that share a key approve once; so does one principal with two keys."""
    keys = tmp_path / "allowed"
    keys.write_text(
        line_of(house.folder, ASHA)
        + line_of(house.folder, BINOD, "asha")
        + line_of(house.folder, ASHA, "binod")
    )
    more = ("--accept-unattested", "--allowed-signers", str(keys))
    assert house.sign(run, ASHA, *more).code == 0
    assert "1 of 2" in house.sign(run, BINOD, *more, key=house.key(ASHA)).out
    assert "1 of 2" in house.sign(run, ASHA, *more, key=house.key(BINOD)).out


def test_a_rejection_stands_until_the_same_person_approves(house: House, run: Path) -> None:
    """One rejection outweighs all approvals; only whoever rejected can take it back."""
    for name in (ASHA, BINOD):
        assert house.sign(run, name, "--accept-unattested").code == 0
    rejected = house.sign(run, BINOD, decision="reject")
    assert "Rejected by binod@example.org" in rejected.out
    assert house.verify(run).code == 1
    assert "Rejected" in house.sign(run, ASHA, "--accept-unattested").out
    assert "Approved by" in house.sign(run, BINOD, "--accept-unattested").out
    assert house.verify(run).code == 0


def test_attestations_are_signed_words_and_can_be_denied(house: House, run: Path) -> None:
    """A manual criterion is attested by name and time; a denial by anybody makes it not met; unknown ones
    are refused.
    """
    unknown = house.attest(run, ASHA, "tole")
    assert unknown.code == 2
    assert "did you mean 'told'?" in unknown.err
    assert house.attest(run, ASHA, "money").code == 2, "what checks prove is not attested"
    assert house.attest(run).code == 0
    assert (statement(run, "attest")["criterion"], statement(run, "attest")["criterion_text"]) == (
        "told",
        "Everybody was told",
    )
    assert house.sign(run, ASHA).code == 0
    assert house.attest(run, BINOD, "told", "--not-met").code == 0
    refused = house.sign(run, BINOD)
    assert refused.code == 2
    assert "not attested: told" in refused.err
    assert house.sign(run, BINOD, "--accept-unattested").code == 0
    shown = house.verify(run)
    assert shown.code == 0, shown.out
    assert "not attested: told; the approvals accepted that" in shown.out


def test_an_attestation_that_does_not_count_is_named_where_it_is_missed(
    house: House, run: Path, tmp_path: Path
) -> None:
    """Who just attested must not read "not attested" alone: by whom it was, and why it does not count."""
    assert house.attest(run).code == 0
    others, nobody = tmp_path / "others", tmp_path / "kisaan.toml"
    others.write_text(line_of(house.folder, BINOD))
    nobody.write_text("")
    for option, file, why in (("--allowed-signers", others, "asha"), ("--config", nobody, "allowed signers")):
        refused = house.sign(run, BINOD, option, str(file))
        assert refused.code == 2
        assert f"not attested: told; {ASHA} attested told, which does not count: " in refused.err, refused
        assert why in refused.err.rpartition("does not count: ")[2], refused


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_cautions_must_be_accepted_to_approve_but_not_to_reject(
    house: House, tmp_path: Path, decision: str
) -> None:
    """A partial run, a verdict that is not PASS, and uncommitted changes are approved only by saying so,
    each by name.
    """
    house.server.sql("UPDATE orders SET total = -1 WHERE id = 3", house.database)
    try:
        run = house.copied(house.run("--select", "orders.total.*"), tmp_path)
    finally:
        house.server.sql("UPDATE orders SET total = 30 WHERE id = 3", house.database)
    text = (
        (run / "run.json").read_text().replace('"provenance":{', '"provenance":{"uncommitted":["orders.py"],')
    )
    (run / "run.json").write_text(text)
    plain = house.sign(run, ASHA, decision=decision)
    if decision == "reject":
        assert plain.code == 0
        return
    assert plain.code == 2
    for word in ("the run is partial", "verdict is FAIL", "uncommitted changes: orders.py", "not attested"):
        assert word in plain.err
    options = ["--accept-partial", "--accept-verdict", "--accept-uncommitted", "--accept-unattested"]
    for left in options:
        assert house.sign(run, ASHA, *[o for o in options if o != left]).code == 2
    assert not list(run.glob("signoffs/*.json"))
    assert house.sign(run, ASHA, *options).code == 0
    assert statement(run, "approve")["accepted"] == ["partial", "unattested", "uncommitted", "verdict"]


def test_a_suite_in_git_says_its_commit_and_what_is_not_committed(house: House, tmp_path: Path) -> None:
    """Commit, changed, untracked and ignored files of the suite's folder; what changes elsewhere is of no
    account.
    """
    from kisaan_validate.signoff.provenance import provenance_of

    needs("git")
    repository = tmp_path / "repository"
    suite = repository / "deep" / "checks"
    shutil.copytree(house.folder / "checks", suite)
    git(repository, "init", "-q")
    assert provenance_of(suite, ["orders.py"]).unversioned.startswith("git: ")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "x")
    (repository / "elsewhere").write_text("x")
    clean = provenance_of(suite, ["orders.py", "suite.toml"])
    assert (clean.commit, clean.uncommitted, clean.unversioned) == (
        git(repository, "rev-parse", "HEAD").strip(),
        (),
        "",
    )
    (suite / "orders.py").write_text("# changed\n")
    (suite / "new.py").write_text("# new\n")
    (suite / "hidden.py").write_text("# ignored\n")
    (repository / ".git" / "info" / "exclude").write_text("hidden.py\n")
    dirty = provenance_of(suite, ["orders.py", "hidden.py", "new.py"])
    assert dirty.uncommitted == ("hidden.py", "new.py", "orders.py")
    git(repository, "config", "core.fsmonitor", f"touch {tmp_path}/started; false")
    assert provenance_of(suite, []).uncommitted
    assert not (tmp_path / "started").exists(), "no monitor of the repository's choice is started"


def test_only_allowed_keys_sign_and_nothing_is_left_behind(house: House, run: Path) -> None:
    """A key that is not allowed, another's name, a missing key, no reason, an odd name: exit 2 and no
    file.
    """
    tries = [
        house.sign(run, MALLORY, "--accept-unattested"),
        house.sign(run, ASHA, "--accept-unattested", key=house.key(BINOD)),
        house.sign(run, ASHA, "--accept-unattested", key="nowhere"),
        house.sign(run, "a\nb", "--accept-unattested", key=house.key(ASHA)),
        house.cli(
            "sign", str(run), "--as", ASHA, "--decision", "approve", "--reason", " ", "--key", house.key(ASHA)
        ),
        house.cli(
            "sign", "no-run", "--as", ASHA, "--decision", "approve", "--reason", "x", "--key", house.key(ASHA)
        ),
    ]
    assert [t.code for t in tries] == [2] * len(tries)
    assert all("HINT" in t.err for t in tries)
    assert not list(run.glob("signoffs/*"))


def test_revoked_and_expired_keys(house: House, run: Path, tmp_path: Path) -> None:
    """A revoked key no longer counts; a key counts at the time of the statement, whatever the day of the
    verification.
    """
    assert house.sign(run, ASHA, "--accept-unattested").code == 0
    revoked = tmp_path / "revoked"
    revoked.write_text(Path(house.key(ASHA) + ".pub").read_text())
    assert "may not sign for 'asha@example.org'" in house.verify(run, "--revoked-signers", str(revoked)).out
    for window, good in (
        ('valid-before="20200101"', False),
        ('valid-after="20990101"', False),
        ('valid-after="20200101",valid-before="20990101"', True),
    ):
        keys = tmp_path / "allowed"
        keys.write_text(line_of(house.folder, ASHA).replace("namespaces", f"{window},namespaces"))
        assert ("may not sign" not in house.verify(run, "--allowed-signers", str(keys)).out) is good, window


def test_without_a_file_of_ones_own_nothing_is_green(house: House, run: Path, tmp_path: Path) -> None:
    """Whoever makes a bundle chooses the keys in it: without the verifier's own the answer is
    inconclusive, however it looks.
    """
    for name in (ASHA, BINOD):
        assert house.sign(run, name, "--accept-unattested").code == 0
    where = os.getcwd()
    os.chdir(tmp_path)  # no kisaan.toml here
    try:
        assert main(["verify", str(run)]) == 3
    finally:
        os.chdir(where)


def test_a_key_of_the_agent_signs(house: House, run: Path) -> None:
    """The public key is named, the private one is in the agent alone."""
    needs("ssh-agent")
    agent = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    env = dict(line.split(";")[0].split("=", 1) for line in agent.splitlines() if "=" in line)
    alone = run.parent / "alone"
    alone.mkdir()
    try:
        subprocess.run(
            ["ssh-add", "-q", house.key(ASHA)], env={**os.environ, **env}, check=True, capture_output=True
        )
        shutil.copy(house.key(ASHA) + ".pub", alone / "key.pub")
        words = (
            "--as",
            ASHA,
            "--decision",
            "approve",
            "--reason",
            "x",
            "--key",
            str(alone / "key.pub"),
            "--accept-unattested",
        )
        assert house.cli("sign", str(run), *words, **env).code == 0
    finally:
        os.kill(int(env["SSH_AGENT_PID"]), 15)


def test_missing_openssh_is_said(house: House, run: Path, tmp_path: Path) -> None:
    """Without ssh-keygen signing and verifying sign-offs is exit 2, with the command that fixes it; never
    a pass.
    """
    assert house.sign(run, ASHA, "--accept-unattested").code == 0
    for said in (house.sign(run, BINOD, "--accept-unattested"), house.verify(run)):
        assert said.code in (0, 3)
    empty = str(tmp_path / "nothing")
    for words in (["verify", str(run)], ["report", str(run)]):
        said = house.cli(*words, PATH=empty)
        assert said.code == 2
        assert "openssh-client" in said.err


def test_the_page_shows_sign_offs_and_names_them(house: House, run: Path) -> None:
    """An unsigned page says so; afterwards names, reasons, keys and digests stand on it, escaped."""
    assert "Not signed yet" in (run / "report.html").read_text()
    signed = house.cli(
        "sign",
        str(run),
        "--as",
        ASHA,
        "--decision",
        "reject",
        "--reason",
        "</script><img onerror=x>",
        "--key",
        house.key(ASHA),
    )
    assert signed.code == 0
    page = (run / "report.html").read_text()
    (path,) = run.glob("signoffs/*.json")
    assert "<img onerror" not in page
    assert "&lt;/script&gt;&lt;img onerror=x&gt;" in page
    for word in (
        ASHA,
        "Rejected by asha@example.org",
        sha256(path.read_bytes()),
        path.name,
        "ssh-keygen -Y verify",
    ):
        assert word in page, word


def test_nobody_signs_beside_what_was_changed(house: House, run: Path) -> None:
    """A source that is not the run's, one more, a link: refused by name before anything is signed."""
    (run / "suite" / "orders.py").write_text("# another\n")
    said = house.sign(run, ASHA, "--accept-unattested")
    assert said.code == 2
    assert "suite: its sources differ from those that were run" in said.err
    assert not list(run.glob("signoffs/*"))


def test_what_a_reader_should_know_is_noted(house: House, run: Path, tmp_path: Path) -> None:
    """The suite changed since; a waiver expired since; a clock before the run's end: notes, for the
    evidence is whole.
    """
    other = tmp_path / "elsewhere"
    shutil.copytree(house.folder / "checks", other / "checks")
    (other / "kisaan.toml").write_text("")
    noted = "now contains a different suite: this run and its sign-offs say nothing about it"
    config = str(other / "kisaan.toml")
    assert noted not in house.verify(run, "--config", config).out
    (other / "checks" / "orders.py").write_text("# changed since\n")
    assert noted in house.verify(run, "--config", config).out
    old = (run / "waivers.toml").read_bytes()
    new = old.replace(b"2999-12-31", b"2026-11-20")
    (run / "waivers.toml").write_bytes(new)
    text = (run / "run.json").read_text().replace(sha256(old), sha256(new))
    for name in ("at", "started_at", "finished_at"):
        text = re.sub(rf'"{name}":"20[^T]*T', f'"{name}":"2026-11-01T', text)
    (run / "run.json").write_text(text)
    assert house.sign(run, ASHA, "--accept-unattested").code == 0
    assert ("was valid at the run and expired on 2026-11-20" in house.verify(run).out) is (
        date.today() > date(2026, 11, 20)
    )
    (run / "run.json").write_text(text.replace('"finished_at":"2026', '"finished_at":"2126'))
    shutil.rmtree(run / "signoffs")
    assert house.sign(run, ASHA, "--accept-unattested").code == 0
    assert "by the signer's clock, before the run ended" in house.verify(run).out


def test_a_hostile_name_or_reason_is_text_on_the_terminal(house: House, run: Path, tmp_path: Path) -> None:
    """Escape sequences and right-to-left marks of a statement reach no terminal as such."""
    said = house.cli(
        "sign",
        str(run),
        "--as",
        ASHA,
        "--decision",
        "reject",
        "--reason",
        "a\x1b[2Jb\u202ec",
        "--key",
        house.key(ASHA),
    )
    assert said.code == 0
    shown = house.verify(run).out
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"check_id":"orders.total.not_null"', '"check_id":"nobody"'),
        ('"finished_at":"([^"]*)Z"', '"finished_at":"\\1"'),
        ('"rows":3', '"rows":-3'),
        ('"system_identifier":"[0-9]*",', ""),
        ('"examined":3,', ""),
    ],
)
def test_facts_that_make_no_sense_are_no_pass_and_no_crash(
    house: House, run: Path, old: str, new: str
) -> None:
    """Whatever a run.json is made to say, the answer is exit 1 or 3 with a finding, and no traceback."""
    for name in (ASHA, BINOD):
        assert house.sign(run, name, "--accept-unattested").code == 0
    text = (run / "run.json").read_text()
    changed = re.sub(old, new, text)
    assert changed != text
    (run / "run.json").write_text(changed)
    said = house.verify(run)
    assert said.code in (1, 3), said
    assert "Traceback" not in said.out + said.err
    assert "VERIFIED" not in said.out


def test_a_flood_of_sign_offs_is_refused(house: House, run: Path) -> None:
    """Each takes a process: a thousand is enough for anybody."""
    (run / "signoffs").mkdir()
    for number in range(1_001):
        (run / "signoffs" / f"{number:04d}-approve-x.json").write_text("{}")
    said = house.verify(run)
    assert said.code == 1
    assert "1,001 sign-offs" in said.out


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the module."""
    with chromium() as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_a_signed_page_is_for_everybody(
    house: House, run: Path, browser: Browser, width: int, scheme: str
) -> None:
    """Approved with a caution, one decision replaced, one that does not hold, one attestation: axe finds
    nothing, nothing is cut off, the policy is kept, and the first screen says what was accepted."""
    assert house.attest(run).code == 0
    assert house.sign(run, ASHA, decision="reject").code == 0
    for name in (ASHA, BINOD):
        assert house.sign(run, name, "--accept-verdict").code == 0
    (path,) = run.glob("signoffs/*reject*.sig")
    path.write_text(path.read_text().replace("U1NI", "U1NJ"))
    assert house.cli("report", str(run)).code == 0
    browser.open(run / "report.html", width=width)
    browser.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    assert axe.findings(browser) == []
    assert browser.requests() == []
    assert browser.complaints() == []
    assert browser.ask("document.documentElement.scrollWidth <= innerWidth")
    shown = str(browser.ask("document.body.innerText"))
    assert (
        "Approved by asha@example.org, binod@example.org (2 approvals, 2 needed), accepting the verdict."
        in shown
    )
    assert "rejected, invalid" in shown
    assert "the signature does not match the statement" in shown


def test_the_list_of_runs_says_where_each_stands(house: House) -> None:
    """Signing brings index.html up; a signature that does not hold is counted there."""
    run = house.run()
    page = house.folder / "reports" / "index.html"
    for name in (ASHA, BINOD):
        assert house.sign(run, name, "--accept-unattested").code == 0
    assert "approved, 2 of 2" in page.read_text()
    (path,) = run.glob("signoffs/*binod*.sig")
    path.unlink()
    assert house.cli("index", "reports").code == 0
    assert "not approved yet, 1 of 2, 1 of 2 signatures are invalid" in page.read_text()
    shutil.rmtree(run / "signoffs")


# --- the chain --------------------------------------------------------------------------------------------


def test_each_run_names_the_one_before(house: House) -> None:
    """Runs of one folder follow each other; the digest is that of the file."""
    first, second = house.run(), house.run()
    facts = run_from_json((second / "run.json").read_text()).provenance
    assert (facts.previous_run, facts.previous_digest) == (
        first.name,
        sha256((first / "run.json").read_bytes()),
    )
    assert house.cli("verify", "reports").out.count("runs follow each other") == 1
    alone = house.cli("verify", "reports", "--chain")
    assert alone.code == 0
    assert "VERIFIED: the chain is complete. The runs themselves" in alone.out
    assert not walk(links_of(house.folder / "reports")).broken


def test_the_head_is_found_again(house: House, tmp_path: Path) -> None:
    """Lost, damaged or behind: the next run still names the newest, and a changed newest run shows."""
    house.run()
    newest = house.run()
    reports = Path(shutil.copytree(house.folder / "reports", tmp_path / "reports"))
    for damage in (None, "{", '{"id": "../x", "sha256": ""}', "[]"):
        (reports / ".chain").unlink()
        if damage is not None:
            (reports / ".chain").write_text(damage)
        found = find_head(reports)
        assert found is not None
        assert found.id == newest.name
        (reports / ".chain").write_text("x")
    names = in_order(reports)
    behind = names[-2]
    (reports / ".chain").write_text(
        json.dumps({"id": behind, "sha256": sha256((reports / behind / "run.json").read_bytes())})
    )
    found = find_head(reports)
    assert found is not None
    assert found.id == newest.name


def test_gaps_swaps_and_changes_of_a_chain_are_named(house: House, tmp_path: Path) -> None:
    """Remove one in the middle, change one, swap two: each is named. The oldest missing is not proved; the
    newest nobody can see.
    """
    while len(list((house.folder / "reports").glob("*/run.json"))) < 4:
        house.run()
    names = in_order(house.folder / "reports")

    def reports(name: str) -> Path:
        return Path(shutil.copytree(house.folder / "reports", tmp_path / name))

    gone = reports("gone")
    shutil.rmtree(gone / names[-2])
    assert any(names[-2] in fault and "is missing" in fault for fault in walk(links_of(gone)).broken)
    changed = reports("changed")
    path = changed / names[-2] / "run.json"
    path.write_text(path.read_text().replace('"olga"', '"vera"'))
    assert any(
        names[-2] in fault and "was changed afterwards" in fault for fault in walk(links_of(changed)).broken
    )
    swapped = reports("swapped")
    (swapped / names[-2]).rename(swapped / "x")
    (swapped / names[-1]).rename(swapped / names[-2])
    (swapped / "x").rename(swapped / names[-1])
    assert len(walk(links_of(swapped)).broken) >= 2
    old = reports("old")
    shutil.rmtree(old / names[0])
    found = walk(links_of(old))
    assert not found.broken
    assert names[0] in found.start
    end = reports("end")
    shutil.rmtree(end / names[-1])
    assert not walk(links_of(end)).broken, "what only a digest kept elsewhere can tell"


def in_order(reports: Path) -> list[str]:
    """The runs of a chain from its first to its newest: two of one second have no order by name."""
    after = {link.previous_run: link.id for link in links_of(reports)}
    names = [after[""]]
    while names[-1] in after:
        names.append(after[names[-1]])
    return names


@pytest.mark.slow
def test_runs_at_once_do_not_fork_the_chain(house: House, tmp_path: Path) -> None:
    """Two processes that record at the same time come one after the other."""
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "KISAAN_DSN": house.server.dsn(house.database, f"reader_{house.database}"),
    }
    import sys

    both = [
        subprocess.Popen(
            [sys.executable, "-m", "kisaan_validate", "run", "-q", "--reports", str(tmp_path / "r")],
            cwd=house.folder,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    assert [(p.wait(), p.stderr.read() if p.stderr else b"") for p in both] == [(0, b"")] * 2
    found = walk(links_of(tmp_path / "r"))
    assert (found.runs, found.broken, found.start) == (2, (), "")
