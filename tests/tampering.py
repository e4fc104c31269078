"""The tampering gallery: each way to change the evidence of a run, and what ``verify`` must say of it.

``python tests/tampering.py`` writes it as a list into docs/tampering.md.
"""

from __future__ import annotations

import io
import re
import shutil
import stat
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from house import ASHA, BINOD, MALLORY, House, build, line_of  # noqa: E402

from kisaan_validate.signoff.archive import SUMS, pack, sums, unpack  # noqa: E402
from kisaan_validate.signoff.keys import sign  # noqa: E402
from kisaan_validate.signoff.statement import (  # noqa: E402
    Caution,
    Statement,
    path_of,
    read_statement,
    sha256,
    statement_text,
)

PAGE = ROOT / "docs" / "tampering.md"
BEGIN, END = "<!-- gallery: made by python tests/tampering.py -->", "<!-- end of the gallery -->"
Contents = dict[str, bytes]


@dataclass
class Scene:
    """Three recorded, approved and bundled runs of one house. The second is tampered with."""

    house: House
    first: Path
    second: Path
    bundle: Contents
    other: Contents

    @property
    def id(self) -> str:
        """The run that is tampered with."""
        return self.second.name

    def statements(self) -> list[str]:
        """The paths of its statements, in order."""
        return sorted(name for name in self.bundle if name.startswith("signoffs/") and name.endswith(".json"))

    def statement(self, at: int) -> Statement:
        """One of its statements."""
        path = self.statements()[at]
        return read_statement(self.bundle[path], path)

    def signature(self, text: bytes, name: str) -> bytes:
        """A signature by somebody's key."""
        return sign(text, Path(self.house.key(name)))


@dataclass(frozen=True)
class Exhibit:
    """One way to tamper. ``make`` gets the scene and an empty folder, and returns what is to be verified;
    ``says`` must stand in the answer, ``code`` be its exit code."""

    title: str
    make: Callable[[Scene, Path], Path]
    says: str
    code: int = 1


@contextmanager
def scene_of(house: House) -> Iterator[Scene]:
    """Three runs, approved by two people and attested, and their bundles."""
    folders, bundles = [], []
    for _ in range(3):
        run = house.run("--baseline", "pre.json", "--contract", "contract.toml")
        for said in (
            house.attest(run),
            house.sign(run, ASHA, "--accept-verdict"),
            house.sign(run, BINOD, "--accept-verdict"),
            house.cli("bundle", str(run)),
        ):
            assert said.code == 0, said
        folders.append(run)
        bundles.append(dict(unpack(run.parent / f"{run.name}.zip").files))
    yield Scene(house, folders[0], folders[1], bundles[1], bundles[0])


def _amended(scene: Scene, folder: Path, files: Contents) -> Path:
    """A bundle of changed files whose SHA256SUMS was made again, as whoever tampers on purpose would."""
    return _packed(scene, folder, {**files, SUMS: sums(files)})


def _packed(scene: Scene, folder: Path, files: Contents) -> Path:
    path = folder / f"{scene.id}.zip"
    path.write_bytes(pack(scene.id, files))
    return path


def _flipped(data: bytes) -> bytes:
    """A byte changed to another that leaves text text and numbers numbers: of a count, of a reason, else
    the middle one.
    """
    marks = [m for m in (b'"violations": ', b'"reason": "') if m in data]
    at = data.index(marks[0]) + len(marks[0]) if marks else len(data) // 2
    while not chr(data[at]).isalnum():
        at += 1
    return data[:at] + (b"1" if data[at : at + 1] != b"1" else b"2") + data[at + 1 :]


def flips(scene: Scene) -> list[Exhibit]:
    """A byte of each file of the bundle, without and with SHA256SUMS amended."""
    found = []
    for name in scene.bundle:
        about = name.removesuffix(".sig")

        def careless(s: Scene, folder: Path, name: str = name) -> Path:
            return _packed(s, folder, {**s.bundle, name: _flipped(s.bundle[name])})

        def careful(s: Scene, folder: Path, name: str = name) -> Path:
            return _amended(s, folder, {**s.bundle, name: _flipped(s.bundle[name])})

        found.append(Exhibit(f"a byte of `{name}`", careless, name))
        if name != SUMS:
            found.append(Exhibit(f"a byte of `{name}`, SHA256SUMS recomputed", careful, about))
    return found


def _edited(scene: Scene, at: int, name: str, **changes: object) -> Contents:
    """One statement changed, and signed again by somebody."""
    old = scene.statement(at)
    new = replace(old, **changes)  # type: ignore[arg-type]
    text = statement_text(new)
    files = {k: v for k, v in scene.bundle.items() if not k.startswith(path_of(old))}
    return {**files, path_of(new): text, f"{path_of(new)}.sig": scene.signature(text, name)}


def _edit_reason(scene: Scene, folder: Path) -> Path:
    path = scene.statements()[1]
    return _amended(
        scene, folder, {**scene.bundle, path: scene.bundle[path].replace(b"looked at it", b"looked away")}
    )


def _wrong_key(scene: Scene, folder: Path) -> Path:
    return _amended(scene, folder, _edited(scene, 1, MALLORY))


def _own_keys(scene: Scene, folder: Path) -> Path:
    files = _edited(scene, 1, MALLORY)
    files["signoffs/allowed_signers"] = (
        line_of(scene.house.folder, ASHA, "mallory") + line_of(scene.house.folder, BINOD)
    ).encode()
    return _amended(scene, folder, files)


def _unsaid(scene: Scene, folder: Path) -> Path:
    accepted: tuple[Caution, ...] = ()
    return _amended(scene, folder, _edited(scene, 2, BINOD, accepted=accepted))


def _other_signature(scene: Scene, folder: Path) -> Path:
    one, other = scene.statements()[1:3]
    return _amended(scene, folder, {**scene.bundle, f"{one}.sig": scene.bundle[f"{other}.sig"]})


def _no_signature(scene: Scene, folder: Path) -> Path:
    return _amended(
        scene, folder, {k: v for k, v in scene.bundle.items() if k != f"{scene.statements()[1]}.sig"}
    )


def _foreign_namespace(scene: Scene, folder: Path) -> Path:
    import subprocess

    path = scene.statements()[1]
    command = ["ssh-keygen", "-Y", "sign", "-f", scene.house.key(ASHA), "-n", "file"]
    signature = subprocess.run(command, input=scene.bundle[path], capture_output=True, check=True).stdout
    return _amended(scene, folder, {**scene.bundle, f"{path}.sig": signature})


def _gone(at: int) -> Callable[[Scene, Path], Path]:
    def make(scene: Scene, folder: Path) -> Path:
        path = scene.statements()[at]
        return _amended(scene, folder, {k: v for k, v in scene.bundle.items() if not k.startswith(path)})

    return make


def _newest_gone(scene: Scene, folder: Path) -> Path:
    run = Path(shutil.copytree(scene.second, folder / scene.id))
    for path in run.glob("signoffs/0003-*"):
        path.unlink()
    assert scene.house.cli("bundle", str(run)).code == 0
    return folder / f"{scene.id}.zip"


def _renumbered(scene: Scene, folder: Path) -> Path:
    path = scene.statements()[2]
    new = path.replace("/0003-", "/0001-")
    files = {k.replace(path, new): v for k, v in scene.bundle.items()}
    return _amended(scene, folder, files)


def _of_another_run(scene: Scene, folder: Path) -> Path:
    files = {k: v for k, v in scene.bundle.items() if not k.startswith("signoffs/0")}
    return _amended(
        scene, folder, files | {k: v for k, v in scene.other.items() if k.startswith("signoffs/0")}
    )


def _other_facts(scene: Scene, folder: Path) -> Path:
    return _amended(scene, folder, {**scene.bundle, "run.json": scene.other["run.json"]})


def _other_contract(scene: Scene, folder: Path) -> Path:
    return _contract(scene, folder, amend=False)


def _other_contract_amended(scene: Scene, folder: Path) -> Path:
    return _contract(scene, folder, amend=True)


def _contract(scene: Scene, folder: Path, *, amend: bool) -> Path:
    old = scene.bundle["contract.toml"]
    new = old.replace(b"one note", b"two notes")
    assert new != old
    run = scene.bundle["run.json"]
    if amend:
        run = run.replace(sha256(old).encode(), sha256(new).encode())
    return _amended(scene, folder, {**scene.bundle, "contract.toml": new, "run.json": run})


def _waiver(expires: bytes, *, amend: bool) -> Callable[[Scene, Path], Path]:
    def make(scene: Scene, folder: Path) -> Path:
        old = scene.bundle["waivers.toml"]
        new = old.replace(b"2999-12-31", expires)
        run = scene.bundle["run.json"]
        if amend:
            run = run.replace(sha256(old).encode(), sha256(new).encode())
        return _amended(scene, folder, {**scene.bundle, "waivers.toml": new, "run.json": run})

    return make


def _verdict(scene: Scene, folder: Path) -> Path:
    page = scene.bundle["report.html"]
    return _amended(scene, folder, {**scene.bundle, "report.html": page.replace(b"FAIL", b"PASS")})


def _added(scene: Scene, folder: Path) -> Path:
    return _packed(scene, folder, {**scene.bundle, "more.txt": b"x"})


def _added_amended(scene: Scene, folder: Path) -> Path:
    return _amended(scene, folder, {**scene.bundle, "suite/more.py": b"x"})


def _removed(name: str) -> Callable[[Scene, Path], Path]:
    def make(scene: Scene, folder: Path) -> Path:
        return _amended(scene, folder, {k: v for k, v in scene.bundle.items() if k != name})

    return make


def _cut(share: float) -> Callable[[Scene, Path], Path]:
    def make(scene: Scene, folder: Path) -> Path:
        path = _packed(scene, folder, scene.bundle)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share) or 0] if share < 1 else data[:-1])
        return path

    return make


def _behind(scene: Scene, folder: Path) -> Path:
    path = _packed(scene, folder, scene.bundle)
    path.write_bytes(path.read_bytes() + b"x")
    return path


def _before(scene: Scene, folder: Path) -> Path:
    path = _packed(scene, folder, scene.bundle)
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    return path


def _entry(name: str, *, link: bool = False, deflate: bool = False) -> Callable[[Scene, Path], Path]:
    """One more entry, as no bundle of ours has it."""

    def make(scene: Scene, folder: Path) -> Path:
        out = io.BytesIO(pack(scene.id, scene.bundle))
        with zipfile.ZipFile(out, "a") as archive:
            entry = zipfile.ZipInfo(name.format(id=scene.id), (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = ((stat.S_IFLNK if link else stat.S_IFREG) | 0o644) << 16
            data = b"/etc/passwd" if link else b"\0" * (50_000_000 if deflate else 10)
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED)
        path = folder / f"{scene.id}.zip"
        path.write_bytes(out.getvalue())
        return path

    return make


def _overlapping(scene: Scene, folder: Path) -> Path:
    """Many names in the directory for the bytes of one file."""
    data = pack(scene.id, scene.bundle)
    new = f"{scene.id}/run.json".encode()
    end = data.rindex(b"PK\x05\x06")
    start = int.from_bytes(data[end + 16 : end + 20], "little")
    entries = data[start:end].split(b"PK\x01\x02")[1:]
    (large,) = [entry for entry in entries if new in entry]
    count = 200
    more = b"".join(b"PK\x01\x02" + large.replace(new, new[:-4] + b"%04d" % n) for n in range(count))
    total = (len(entries) + count).to_bytes(2, "little")
    size = (end - start + len(more)).to_bytes(4, "little")
    path = folder / f"{scene.id}.zip"
    path.write_bytes(data[:end] + more + data[end : end + 8] + total * 2 + size + data[end + 16 :])
    return path


def _twice(scene: Scene, folder: Path) -> Path:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _entry("{id}/run.json")(scene, folder)


def _chain(change: Callable[[Scene, Path], None]) -> Callable[[Scene, Path], Path]:
    def make(scene: Scene, folder: Path) -> Path:
        reports = Path(shutil.copytree(scene.second.parent, folder / "reports"))
        change(scene, reports)
        return reports

    return make


def _swap(scene: Scene, reports: Path) -> None:
    (reports / scene.first.name).rename(reports / "x")
    (reports / scene.second.name).rename(reports / scene.first.name)
    (reports / "x").rename(reports / scene.second.name)


def _take_out(scene: Scene, reports: Path) -> None:
    shutil.rmtree(reports / scene.second.name)


def _take_first(scene: Scene, reports: Path) -> None:
    shutil.rmtree(reports / scene.first.name)


def _redo(scene: Scene, reports: Path) -> None:
    path = reports / scene.first.name / "run.json"
    path.write_text(path.read_text().replace('"olga"', '"vera"'))


def _link(scene: Scene, folder: Path) -> Path:
    run = Path(shutil.copytree(scene.second, folder / scene.id))
    (run / "waivers.toml").rename(run.parent / "elsewhere")
    (run / "waivers.toml").symlink_to(run.parent / "elsewhere")
    return run


def exhibits(scene: Scene) -> list[Exhibit]:
    """Every exhibit of the gallery."""
    a = "signoffs/0002-approve-asha-example-org.json"
    return [
        *flips(scene),
        Exhibit("reason in a statement", _edit_reason, f"{a}: the signature does not match the statement"),
        Exhibit(
            "statement signed by a key not allowed",
            _wrong_key,
            "may not sign for 'asha@example.org'",
        ),
        Exhibit(
            "the same, with that key in the bundle's allowed signers",
            _own_keys,
            "may not sign for 'asha@example.org'",
        ),
        Exhibit(
            "approval that does not accept the verdict",
            _unsaid,
            "it approves without accepting: the verdict is FAIL",
        ),
        Exhibit(
            "another person's signature",
            _other_signature,
            f"{a}: the signature does not match the statement",
        ),
        Exhibit("signature removed", _no_signature, f"{a}: its signature is missing"),
        Exhibit(
            "signature for another namespace",
            _foreign_namespace,
            f"{a}: the signature does not match the statement",
        ),
        Exhibit(
            "sign-off removed that later ones name",
            _gone(0),
            "it existed when others signed and is now missing",
        ),
        Exhibit(
            "newest sign-off removed",
            _gone(2),
            "report.html: it differs from what these facts and sign-offs render",
        ),
        Exhibit(
            "newest sign-off removed, the bundle rebuilt",
            _newest_gone,
            "Not approved: has 1 of 2 approvals",
            3,
        ),
        Exhibit("sign-off renamed", _renumbered, "but was signed as signoffs/0003-approve"),
        Exhibit("sign-offs of another run", _of_another_run, "run.json differs from what was signed"),
        Exhibit(
            "facts of another run",
            _other_facts,
            "run.json differs from what was signed",
        ),
        Exhibit(
            "contract swapped",
            _other_contract,
            "contract.toml: it differs from the file that the run used",
        ),
        Exhibit(
            "contract swapped, and its digest in run.json",
            _other_contract_amended,
            "contract.toml differs from what was signed",
        ),
        Exhibit(
            "waiver that has expired",
            _waiver(b"2020-01-01", amend=False),
            "waivers.toml: it differs from the file that the run used",
        ),
        Exhibit(
            "waiver that has expired, and its digest in run.json",
            _waiver(b"2020-01-01", amend=True),
            "waivers.toml differs from what was signed",
        ),
        Exhibit(
            "word FAIL on the page",
            _verdict,
            "report.html: it differs from what these facts and sign-offs render",
        ),
        Exhibit("file added", _added, "more.txt: it was added"),
        Exhibit(
            "source added to the suite",
            _added_amended,
            "suite/more.py: it was added",
        ),
        Exhibit("baseline removed", _removed("baseline.json"), "baseline.json: it is missing", 3),
        Exhibit("waivers removed", _removed("waivers.toml"), "waivers.toml: it is missing"),
        Exhibit(
            "source of the suite removed",
            _removed("suite/orders.py"),
            "suite/orders.py: the run names it as a source",
        ),
        Exhibit("page removed", _removed("report.html"), "report.html: it is missing"),
        Exhibit("archive cut in half", _cut(0.5), "is not a complete bundle"),
        Exhibit("its last byte missing", _cut(1), "is not a complete bundle"),
        Exhibit("empty archive", _cut(0), "is not a complete bundle"),
        Exhibit("bytes behind the archive", _behind, "it contains more than its files"),
        Exhibit("program before the archive", _before, "it contains more than its files"),
        Exhibit("file twice", _twice, "occurs twice"),
        Exhibit(
            "file that would unpack elsewhere",
            _entry("{id}/../../x"),
            "a file name that points outside",
        ),
        Exhibit("file with an absolute name", _entry("/etc/x"), "a file name that points outside"),
        Exhibit("symbolic link in the archive", _entry("{id}/x", link=True), "is not a regular file"),
        Exhibit("fifty megabytes, compressed", _entry("{id}/x", deflate=True), "is compressed"),
        Exhibit("two hundred names for one file", _overlapping, "unpacks to more than its own size"),
        Exhibit("symbolic link in a run's folder", _link, "waivers.toml: it is a symbolic link"),
        Exhibit(
            "run taken out of the reports",
            _chain(_take_out),
            "is missing",
        ),
        Exhibit(
            "oldest run taken out of the reports",
            _chain(_take_first),
            "older runs are kept elsewhere or were removed",
            3,
        ),
        Exhibit("two runs swapped", _chain(_swap), "chain: "),
        Exhibit("run changed that a later one names", _chain(_redo), "was changed afterwards"),
    ]


def said(scene: Scene, exhibit: Exhibit, folder: Path) -> tuple[int, list[str]]:
    """The exit code, and the lines that say what is wrong, not proved, or worth a note."""
    answer = scene.house.cli("verify", str(exhibit.make(scene, folder)))
    lines = [line for line in answer.out.splitlines() if line.startswith(("wrong ", "not proved ", "note "))]
    return answer.code, lines


def plain(line: str) -> str:
    """A line without what differs from one making to the next."""
    line = re.sub(r"\b[0-9a-f]{64}\b", "…", line)
    line = re.sub(r"SHA256:[A-Za-z0-9+/]{43}", "a key", line)
    line = re.sub(r"\b\d{8}T\d{6}Z-[0-9a-f]{6}\b", "RUN", line)
    line = re.sub(r"/\S*/(RUN|reports)", r"\1", line)
    return re.sub(r"\s+", " ", line).replace("|", "\\|")


def chosen(exhibit: Exhibit, lines: list[str]) -> str:
    """The line that names what was done."""
    return next((line for line in lines if exhibit.says in line), "UNSEEN")


Answers = list[tuple[Exhibit, int, list[str]]]


def answers(scene: Scene) -> Answers:
    """What is said of each exhibit."""
    found = []
    for exhibit in exhibits(scene):
        with tempfile.TemporaryDirectory() as folder:
            found.append((exhibit, *said(scene, exhibit, Path(folder))))
    return found


def table(found: Answers) -> str:
    """The gallery as a list in Markdown: the changes by what their answer begins with and by exit code."""
    bundled = {name for exhibit, *_ in found for name in _byte_of(exhibit.title)}
    rows: dict[tuple[str, int], list[str]] = {}
    for exhibit, code, lines in found:
        begins = re.sub(r"^(note|wrong|not proved) (\S+):.*", r"\1 \2:", plain(chosen(exhibit, lines)))
        answer = re.sub(r" \S+[./]\S+:$", " FILE:", begins)
        rows.setdefault((answer, code), []).append(exhibit.title)
    return "\n".join(
        f"- `{answer}` (exit {code}): {_together(titles, bundled)}" for (answer, code), titles in rows.items()
    )


def _byte_of(title: str) -> list[str]:
    """The file of which a byte was changed, and nothing else."""
    return re.findall(r"^a byte of `(\S+)`$", title)


def _together(titles: Sequence[str], bundled: set[str]) -> str:
    """The titles; those that differ by a file only in one."""
    alike: dict[str, list[str]] = {}
    for title in titles:
        file = re.search(r"`(\S+[./]\S+|SHA256SUMS)`", title)
        alike.setdefault(title.replace(file[0], "{}") if file else title, []).append(file[1] if file else "")
    return "; ".join(title.replace("{}", _of(files, bundled)) for title, files in alike.items())


def _of(files: Sequence[str], bundled: set[str]) -> str:
    """The files in words: all of the bundle, all but a few, or each."""
    missing = sorted(bundled - set(files))
    if len(missing) > 2:
        return ", ".join(_kinds(files))
    return " but ".join(["any file", *([" and ".join(_kinds(missing))] if missing else [])])


def _kinds(files: Sequence[str]) -> list[str]:
    """The files, each statement and each signature said once as such."""
    said = (re.sub(r"^signoffs/\d{4}-\S+\.json(\.sig)?$", _kind, f"{name}") for name in files)
    return list(dict.fromkeys(one if " " in one else f"`{one}`" for one in said))


def _kind(match: re.Match[str]) -> str:
    return "a signature" if match[1] else "a statement"


def written(text: str, gallery: str) -> str:
    """The page with this list in its place."""
    head, rest = text.split(BEGIN)
    return f"{head}{BEGIN}\n{gallery}\n{END}{rest.split(END)[1]}"


def main() -> None:
    """Write the list."""
    from conftest import embedded_server

    with embedded_server() as server, tempfile.TemporaryDirectory() as folder:
        house = build(server, Path(folder))
        with scene_of(house) as scene:
            PAGE.write_text(
                written(PAGE.read_text(encoding="utf-8"), table(answers(scene))), encoding="utf-8"
            )
    print(PAGE.relative_to(ROOT))


if __name__ == "__main__":
    main()
