"""Bundles: the same bytes for the same run, verified with stock tools by the very lines that are printed,
time stamps, nothing secret, nothing hostile unpacked."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from conftest import ROOT, Server, needs
from house import ASHA, BINOD, House, build, line_of

from kisaan_validate.errors import RecordError
from kisaan_validate.signoff.archive import SUMS, pack, unpack
from kisaan_validate.signoff.intoto import INTOTO
from kisaan_validate.signoff.secrets import secrets_in
from kisaan_validate.signoff.statement import sha256

PERSONAL = "ramesh 98123 45678"


@pytest.fixture(scope="module")
def house(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose notes, which are personal, are equal."""
    needs("ssh-keygen")
    made = build(server, tmp_path_factory.mktemp("house"))
    server.sql(f"UPDATE orders SET note = '{PERSONAL}' WHERE id < 3", made.database)
    yield made
    server.drop(made.database)
    server.sql(f"DROP ROLE reader_{made.database}")


@pytest.fixture(scope="module")
def approved(house: House) -> Path:
    """An approved run. Not to be changed."""
    run = house.run("--baseline", "pre.json", "--contract", "contract.toml")
    for said in (
        house.attest(run),
        house.sign(run, ASHA, "--accept-verdict"),
        house.sign(run, BINOD, "--accept-verdict"),
    ):
        assert said.code == 0, said
    return run


@pytest.fixture
def run(house: House, approved: Path, tmp_path: Path) -> Path:
    """A copy of the approved run."""
    return house.copied(approved, tmp_path)


def bundled(house: House, run: Path, *words: str) -> Path:
    """The bundle of a run, made now."""
    said = house.cli("bundle", str(run), "--force", *words)
    assert said.code == 0, said
    return run.parent / f"{run.name}.zip"


def unzipped(bundle: Path, to: Path) -> Path:
    """The folder of a bundle, unpacked by the system's unzip."""
    to.mkdir()
    subprocess.run([needs("unzip"), "-q", str(bundle), "-d", str(to)], check=True)
    return to / bundle.stem


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A line as somebody types it, in a shell without this program."""
    return subprocess.run(["sh", "-euc", line], cwd=folder, capture_output=True, text=True, timeout=60)


def test_the_same_run_gives_the_same_bytes(house: House, run: Path, tmp_path: Path) -> None:
    """Whatever the day, the folder's place, the times and modes of its files, and how often it is done."""
    first = bundled(house, run).read_bytes()
    other = house.copied(run, tmp_path / "elsewhere")
    for number, path in enumerate(sorted(other.rglob("*"))):
        os.utime(path, (number, number))
        path.chmod(0o755 if path.is_dir() else 0o640)
    (other / "notes-of-mine.txt").write_text("no part of it")
    assert bundled(house, other).read_bytes() == first
    assert bundled(house, other).read_bytes() == first
    files = unpack(run.parent / f"{run.name}.zip").files
    assert pack(run.name, files) == first
    assert "notes-of-mine.txt" not in files
    wanted = {
        "run.json",
        "report.html",
        "baseline.json",
        "contract.toml",
        "waivers.toml",
        "suite/orders.py",
        "suite/suite.toml",
        SUMS,
        INTOTO,
        "VERIFY.txt",
    }
    assert wanted <= files.keys()
    again = house.cli("bundle", str(run))
    assert again.code == 2
    assert "already exists" in again.err


def test_stock_tools_verify_it_by_the_lines_that_it_prints(house: House, run: Path, tmp_path: Path) -> None:
    """Each line of VERIFY.txt does what it says, with the reader's own allowed signers; each fails where
    it should.

    The page shows the same lines."""
    folder = unzipped(bundled(house, run), tmp_path / "out")
    shutil.copy(house.folder / "allowed_signers", folder / "allowed_signers")
    how = (folder / "VERIFY.txt").read_text()
    lines = [
        line.strip()
        for line in how.splitlines()
        if line.strip().startswith(("sha256sum", "ssh-keygen", "sed"))
    ]
    assert len(lines) == 1 + 2 * 3
    for line in lines:
        done = shell(line, folder)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    shown = html.unescape(re.sub(r"<[^>]+>", "", (folder / "report.html").read_text()))
    assert all(line in shown for line in lines[1:])
    assert sha256((folder / "run.json").read_bytes()) in how
    (folder / "contract.toml").write_text("format = 1\n")
    assert [shell(line, folder).returncode != 0 for line in lines] == [True, *[False, True] * 3]
    (folder / "allowed_signers").write_text(line_of(house.folder, BINOD))
    assert [shell(line, folder).returncode != 0 for line in lines[1::2]] == [True, True, False]


def test_the_lines_of_the_manual_work(house: House, run: Path, tmp_path: Path) -> None:
    """docs/signoff.md: its lines for stock tools, with this run's id in the place of RUN."""
    page = (ROOT / "docs" / "signoff.md").read_text(encoding="utf-8")
    block = re.search(r"```sh\n(unzip .*?)```", page, re.DOTALL)
    assert block is not None
    assert bundled(house, run).parent == tmp_path
    shutil.copy(house.folder / "allowed_signers", tmp_path / "allowed_signers")
    shutil.rmtree(run)
    done = shell(block[1].replace("RUN", run.name), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('Good "signoff@kisaan-validate" signature') == 1


def test_the_intoto_statement_names_every_file_and_what_came_of_each_check(house: House, run: Path) -> None:
    """Statement v1 with test-result v0.1: subjects by digest, FAILED for whatever is not PASS, warnings
    apart.
    """
    files = unpack(bundled(house, run)).files
    statement = json.loads(files[INTOTO])
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    subjects = {s["name"]: s["digest"]["sha256"] for s in statement["subject"]}
    assert subjects == {
        name: sha256(data) for name, data in files.items() if name not in (SUMS, INTOTO, "VERIFY.txt")
    }
    assert statement["predicate"]["result"] == "FAILED"
    assert "orders.note.unique" in statement["predicate"]["warnedTests"]
    facts = json.loads(files["run.json"])
    listed = [
        id for key in ("passedTests", "warnedTests", "failedTests") for id in statement["predicate"][key]
    ]
    assert sorted(listed) == sorted(r["check_id"] for r in facts["results"])


def test_nothing_personal_and_no_password_is_in_it(house: House, run: Path, tmp_path: Path) -> None:
    """Personal values that fail a check, and the password in the connection string, are in no file."""
    secret = "hunter2hunter2"
    made = house.run(
        "--dsn",
        f"postgresql://reader_{house.database}:{secret}@/{house.database}?host={house.server.host}&port={house.server.port}",
    )
    assert house.sign(made, ASHA, "--accept-unattested").code == 0
    data = bundled(house, made).read_bytes()
    assert b"orders.note.unique" in data
    assert PERSONAL.encode() not in data
    assert secret.encode() not in data
    assert PERSONAL.encode() not in bundled(house, run).read_bytes()


def test_what_looks_like_a_secret_is_refused(house: House, approved: Path, tmp_path: Path) -> None:
    """A password in an address, a private key, this environment's own password: named by file, never
    quoted.
    """
    run = house.copied(approved, tmp_path)
    shutil.rmtree(run / "signoffs")
    said = house.cli("bundle", str(run), PGPASSWORD="two notes are known")
    assert said.code == 2
    assert "waivers.toml contains the database password" in said.err
    assert "two notes" not in said.err + said.out
    dsn = "postgresql://me:s3cr3t%2Fpass@db/x"
    assert secrets_in({"a": b"x = 'postgresql://me:hunter2@db/x'"}, {}) == [
        "a contains a URL with a password"
    ]
    assert secrets_in({"a": b"-----BEGIN OPENSSH PRIVATE KEY-----"}, {}) == ["a contains a private key"]
    assert secrets_in({"a": b"... s3cr3t/pass ..."}, {"KISAAN_DSN": dsn}) == [
        "a contains the database password"
    ]
    assert (
        secrets_in(
            {"a": b"postgresql://me@db/x postgresql://me:...@db https://example.org:80/@x"},
            {"KISAAN_DSN": dsn},
        )
        == []
    )


def test_without_the_baseline_it_is_verified_but_for_the_verdict(house: House, run: Path) -> None:
    """Signatures still verify; what needs the baseline is not proved, and the manual inside says what is
    left out.
    """
    bundle = bundled(house, run, "--without-baseline")
    files = unpack(bundle).files
    assert "baseline.json" not in files
    assert "Not in this bundle, so sha256sum will not find it: baseline.json." in files["VERIFY.txt"].decode()
    said = house.cli("verify", str(bundle))
    assert said.code == 3, said.out
    assert "baseline.json: it is missing, so the run cannot be judged again" in said.out
    assert "Approved by asha@example.org, binod@example.org" in said.out


def test_a_run_without_its_sources_is_not_bundled(house: House, run: Path) -> None:
    """The suite's sources are evidence: where they were not kept, that is said."""
    shutil.rmtree(run / "suite")
    said = house.cli("bundle", str(run))
    assert said.code == 2
    assert "no copy of the suite's sources" in said.err


@pytest.mark.parametrize("cut", [0, 1, 21, 22, 100, 1000, -1, -22])
def test_damaged_archives_are_refused_and_nothing_else(
    house: House, run: Path, tmp_path: Path, cut: int
) -> None:
    """Cut anywhere, or with a byte of its structure changed, a bundle is a RecordError, never another
    exception or a pass.
    """
    data = bundled(house, run).read_bytes()
    broken = tmp_path / "x.zip"
    broken.write_bytes(data[:cut])
    with pytest.raises(RecordError):
        unpack(broken)
    for at in range(len(data) - 1200, len(data), 7):
        broken.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        with pytest.raises(RecordError):
            unpack(broken)


# --- time stamps ------------------------------------------------------------------------------------------

AUTHORITY = """
[tsa]
default_tsa = tsa_config
[tsa_config]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = yes
tsa_name = no
ess_cert_id_chain = no
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/tsa.pem
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A time stamp authority of our own: its certificate is tsa.pem of this folder."""
    needs("openssl")
    folder = tmp_path_factory.mktemp("tsa")
    (folder / "tsa.cnf").write_text(AUTHORITY.format(folder=folder))
    (folder / "serial").write_text("01\n")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "30",
        "-subj",
        "/CN=tests",
        "-addext",
        "extendedKeyUsage=critical,timeStamping",
        "-keyout",
        str(folder / "tsa.key"),
        "-out",
        str(folder / "tsa.pem"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def reply_to(authority: Path, query: bytes) -> bytes:
    """What the authority answers."""
    (authority / "q").write_bytes(query)
    command = [
        "openssl",
        "ts",
        "-reply",
        "-config",
        str(authority / "tsa.cnf"),
        "-queryfile",
        str(authority / "q"),
        "-out",
        str(authority / "r"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return (authority / "r").read_bytes()


def test_stamps_without_a_network(house: House, run: Path, authority: Path, tmp_path: Path) -> None:
    """Requests are written, replies taken for the signature that they are of, and verified by the named
    certificates alone.
    """
    assert house.cli("stamp", str(run), "--timestamp-query").code == 0
    queries = sorted(run.glob("signoffs/*.tsq"))
    assert len(queries) == 3
    replies = []
    for number, query in enumerate(reversed(queries)):
        path = tmp_path / f"{number}.tsr"
        path.write_bytes(reply_to(authority, query.read_bytes()))
        replies += ["--timestamp-reply", str(path)]
    taken = house.cli("stamp", str(run), *replies)
    assert taken.code == 0, taken
    known = house.cli("verify", str(run), "--tsa-ca", str(authority / "tsa.pem"))
    assert known.code == 0, known.out
    assert known.out.count("existed at") == 3
    unknown = house.cli("verify", str(run))
    assert unknown.code == 3
    assert "it has a timestamp that no configured authority verifies" in unknown.out
    assert "it has a timestamp" in (run / "report.html").read_text()
    one, other = sorted(run.glob("signoffs/*.tsr"))[:2]
    other.write_bytes(one.read_bytes())
    swapped = house.cli("verify", str(run), "--tsa-ca", str(authority / "tsa.pem"))
    assert swapped.code == 1
    assert "its timestamp is not for this signature" in swapped.out
    refused = house.cli("stamp", str(run), *replies)
    assert refused.code == 2


def test_another_authority_does_not_count(house: House, run: Path, authority: Path, tmp_path: Path) -> None:
    """A stamp by an authority whose certificate is not named is wrong, not merely unknown."""
    assert house.cli("stamp", str(run), "--timestamp-query").code == 0
    query = sorted(run.glob("signoffs/*.tsq"))[0]
    (tmp_path / "r").write_bytes(reply_to(authority, query.read_bytes()))
    assert house.cli("stamp", str(run), "--timestamp-reply", str(tmp_path / "r")).code == 0
    other = tmp_path / "other.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "30",
        "-subj",
        "/CN=other",
        "-keyout",
        str(tmp_path / "k"),
        "-out",
        str(other),
    ]
    subprocess.run(command, check=True, capture_output=True)
    said = house.cli("verify", str(run), "--tsa-ca", str(other))
    assert said.code == 1
    assert "its timestamp is not from a trusted authority" in said.out


def test_stamps_over_http_and_nothing_but_the_digest_is_sent(
    house: House, run: Path, authority: Path
) -> None:
    """Only where an address is given; what goes there is the request alone, and the bundle carries the
    reply.
    """
    sent: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(reply_to(authority, sent[-1]))

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        signed = house.sign(
            run, ASHA, "--accept-verdict", "--timestamp", url, "--tsa-ca", str(authority / "tsa.pem")
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert signed.code == 0, signed
    assert "stamped" in signed.out
    (path,) = run.glob("signoffs/0004-*.sig")
    assert len(sent) == 1
    assert bytes.fromhex(sha256(path.read_bytes())) in sent[0]
    assert len(sent[0]) < 100
    bundle = bundled(house, run)
    assert f"signoffs/{path.name}.tsr" in unpack(bundle).files
    said = house.cli("verify", str(bundle), "--tsa-ca", str(authority / "tsa.pem"))
    assert said.code == 0, said.out
    signed = house.sign(run, BINOD, "--accept-verdict", "--timestamp", "http://127.0.0.1:9/")
    assert signed.code == 2
    assert house.cli("verify", str(run), "--tsa-ca", str(authority / "tsa.pem")).code == 0, (
        "signed all the same, and on the page"
    )
    for bad in ("file:///etc/passwd", "http://127.0.0.1:9/"):
        answer = house.cli("stamp", str(run), "--timestamp", bad)
        assert answer.code == 2
        assert "HINT" in answer.err
