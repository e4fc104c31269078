"""What was seen of those at work, and how a session is called and shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.preflight import BlockersSeen, EvidenceRow, PreflightTopic, SessionSeen
from kisaan_validate.preflight.ages import age_words
from kisaan_validate.preflight.asked import Answers
from kisaan_validate.preflight.rules import PreflightRules
from kisaan_validate.text.numbers import some_of

SAY = Answers(PreflightTopic.BLOCKERS)

NAMED = 3
"""How many sessions a sentence names; the rows have all."""


@dataclass(frozen=True)
class Scene:
    """What was seen, the bounds that judge it, and the names of relations by their oids."""

    seen: BlockersSeen
    rules: PreflightRules
    names: Mapping[int, str]
    queries: bool = False

    def relation(self, oid: int) -> str:
        """The name of a relation for people."""
        return self.names.get(oid, f"relation {oid}")

    @property
    def sessions(self) -> tuple[SessionSeen, ...]:
        """The sessions whose activity is known."""
        return tuple(one for one in self.seen.sessions or () if not one.hidden)

    def who(self, one: SessionSeen) -> EvidenceRow:
        """A session as a row: who, since when, doing what."""
        held = sorted(
            {
                self.relation(lock.relation)
                for lock in self.seen.locks or ()
                if lock.pid == one.pid and lock.granted and lock.relation in self.names
            }
        )
        row = [
            ("pid", str(one.pid)),
            ("user", one.user),
            ("application", one.application),
            ("client", one.client or ("hidden" if one.hidden else "local")),
            ("state", one.state or one.hidden),
            ("since", one.since or "not known"),
            ("open for", "not known" if one.open_seconds is None else age_words(one.open_seconds)),
            ("locks", ", ".join(held) or "none on tables of the suite"),
            ("maintenance", self.command(one)),
        ]
        return (*row, *((("query", one.query),) if self.queries and one.query else ()))

    def command(self, one: SessionSeen) -> str:
        """The maintenance command that a session runs, and its relation; "" for none."""
        on = f" on {self.relation(one.relation)}" if one.relation else ""
        return f"{one.command}{on}"


def sessions_named(sessions: Sequence[SessionSeen]) -> str:
    """Sessions in a sentence: who they are, a few by name."""
    return some_of([_person(one) for one in sessions], NAMED)


def _person(one: SessionSeen) -> str:
    by = f" ({one.application})" if one.application else ""
    at = f" from {one.client}" if one.client else ""
    return f"pid {one.pid} of {one.user or 'the server'}{by}{at}"
