"""The tampering gallery: each way to change the evidence of a run, and what ``verify`` must say of it.

``python tests/tampering.py`` writes it as a list into docs/tampering.md.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from exhibits import exhibits  # noqa: E402
from exhibits.scene import Exhibit, Scene, scene_of  # noqa: E402
from house import build  # noqa: E402

PAGE = ROOT / "docs" / "tampering.md"
BEGIN, END = "<!-- gallery: made by python tests/tampering.py -->", "<!-- end of the gallery -->"


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
