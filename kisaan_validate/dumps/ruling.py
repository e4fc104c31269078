"""What is done with one statement of a dump, and by what it is decided."""

from __future__ import annotations

from enum import Enum, auto

from kisaan_validate.dataclass import dataclass
from kisaan_validate.dumps.events import Sentence
from kisaan_validate.dumps.titles import title_of
from kisaan_validate.facts.dump import LeftOut


class RulingAction(Enum):
    """What is done with a statement."""

    PASS = auto()
    SKIP = auto()
    """Left out with all of its kind, which is said once."""
    OUT = auto()
    STOP = auto()


@dataclass(frozen=True)
class Ruling:
    """What is done with one statement; ``left`` names it if it is left out or stops the restore. ``kind`` is
    the kind of what is skipped.
    """

    action: RulingAction
    kind: str = ""
    left: LeftOut | None = None


PASSES = Ruling(RulingAction.PASS)


@dataclass(frozen=True)
class DumpGround:
    """What the server has that a dump is restored into. None: not known, so nothing is left out for it."""

    major: int | None = None
    settings: frozenset[str] | None = None
    extensions: frozenset[str] | None = None
    """Those that may be created, or are there."""
    present: frozenset[str] = frozenset()
    """Extensions that are there already, of another owner."""
    access_methods: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    """Roles of ours, for which default privileges may be set."""


def stop(kind: str, name: str, why: str, sentence: Sentence) -> Ruling:
    """The end of a restore, by its kind and name."""
    return Ruling(RulingAction.STOP, kind, LeftOut(kind, name, why, stops=True, line=sentence.line))


def left_out(sentence: Sentence, why: str, kind: str = "", name: str = "") -> Ruling:
    """Left out by its kind and name."""
    found, called = title_of(sentence.tokens)
    left = LeftOut(kind or found, name or called, why, line=sentence.line)
    return Ruling(RulingAction.OUT, left.kind, left)
