"""Write the table of docs/performance.md from what the benchmarks measured.

    python benchmarks/table.py FILE

``make bench`` names the file to every benchmark (KISAAN_BENCH); each appends its figures to it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from measure import Spread

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- what make bench measured -->", "<!-- end -->"


def note(where: str, what: str, found: Spread, limit: str = "", *, kept: bool = True) -> None:
    """Append a figure to the file that ``make bench`` names; nothing without one. ``limit`` as people read
    it.
    """
    if path := os.environ.get("KISAAN_BENCH"):
        rounds = len(found.values)
        line = {"where": where, "what": what, "rounds": rounds, "found": str(found)}
        line |= {"limit": limit, "kept": kept}
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def table(lines: list[dict[str, str | int | bool]]) -> str:
    """The figures as a Markdown table, in the order in which they were measured."""
    rows = ["| where | what | rounds | median (min to max) | limit |", "| --- | --- | --- | --- | --- |"]
    for line in lines:
        limit = f"{line['limit']}{'' if line['kept'] else ': **missed**'}"
        rows.append(f"| {line['where']} | {line['what']} | {line['rounds']} | {line['found']} | {limit} |")
    return "\n".join(rows)


def main() -> int:
    """Replace the table between its marks."""
    lines = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table(lines)}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
