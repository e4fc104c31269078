"""Write the page of the rules of migrations from the rules, their documented migrations and the list of
commands that no event trigger sees: ``python tests/make_rule_docs.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kisaan_validate.facts.check import Severity  # noqa: E402
from kisaan_validate.rehearse.rules import RULES, MigrationRule  # noqa: E402
from kisaan_validate.rehearse.rules.again import AGAIN_RULES, AgainRule  # noqa: E402

PAGE = ROOT / "docs" / "migration-rules.md"
CASES = ROOT / "tests" / "rehearsals"
GOLDEN = ROOT / "tests" / "golden"

HEAD = """# Rules of migrations

A rehearsal records each statement's locks, rewrites and changes of the catalogue. Rules are judged on that
record, never on how long something took: a lock of 2 ms on a small copy lasts minutes on a large table. Each
finding names its statement, file and line.

A **blocking** rule fails the rehearsal, unless it is [waived](rehearsal.md#what-is-measured); a **warning** fails
nothing. `suite.toml` can change that:

```toml
[rehearsal.severity]
no-lock-timeout = "blocking"
```

Tests run the migrations below, each statement by itself as `psql -f` sends it, on
[these two tables](../tests/rehearsals/setup.sql): the first of each pair breaks its rule and no other, the
second breaks none.
"""

UNSEEN = """## What no event trigger sees

Event triggers read locks exactly. These commands fire none: their locks are sampled every few milliseconds and
marked "sampled". A very short one may be missing, unless a later statement of the transaction shows it.

| command | PostgreSQL 15 | PostgreSQL 18 |
| --- | --- | --- |
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for rule in RULES:
        bad, good = (
            (CASES / rule.id / f"{name}.sql").read_text(encoding="utf-8") for name in ("bad", "good")
        )
        parts.append(
            f"## {rule.title}\n\n`{rule.id}`, {severity(rule)}\n\n```sql\n{bad}```\n\n{rule.advice}\n\n```sql\n{good}```\n"
        )
    for again in AGAIN_RULES.values():
        parts.append(f"## {again.title}\n\n`{again.id}`, {severity(again)}\n\n{again.advice}\n")
    return "\n".join([*parts, UNSEEN + unseen()])


def severity(rule: MigrationRule | AgainRule) -> str:
    """A rule's own severity in words."""
    return "a warning" if rule.severity is Severity.WARNING else "blocking"


def unseen() -> str:
    """The rows of commands that are sampled on one of the versions."""
    seen = {
        version: [
            (line[15:], line[:14].strip())
            for line in (GOLDEN / f"unseen_commands_{version}.txt").read_text(encoding="utf-8").splitlines()
        ]
        for version in (15, 18)
    }
    rows = zip(seen[15], seen[18], strict=True)
    return "".join(
        f"| `{command}` | {old.replace('samples', 'sampled')} | {new.replace('samples', 'sampled')} |\n"
        for (command, old), (_, new) in rows
        if "samples" in (old, new)
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
