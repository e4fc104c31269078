"""Asks all questions in order, each by itself: one without an answer hides no other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain

from kisaan_validate.errors import Interrupted
from kisaan_validate.facts.preflight import (
    PreflightItem,
    PreflightLeftOut,
    PreflightPlace,
    PreflightRecord,
    PreflightTopic,
)
from kisaan_validate.postgres.session import Session
from kisaan_validate.preflight.asked import BRIEF, Answers, Inquiry, PreflightAsked, Question
from kisaan_validate.preflight.backups import backup_good
from kisaan_validate.preflight.baselines import baseline_fits
from kisaan_validate.preflight.blockers import judged_blockers
from kisaan_validate.preflight.clocks import clocks_agree
from kisaan_validate.preflight.health import server_read, server_well
from kisaan_validate.preflight.judge import judge_preflight
from kisaan_validate.preflight.pending import migrations_pending
from kisaan_validate.preflight.rehearsals import rehearsal_fits
from kisaan_validate.preflight.replication import replication_close
from kisaan_validate.preflight.scene import Scene
from kisaan_validate.preflight.sessions import blockers_seen
from kisaan_validate.preflight.space import disk_enough
from kisaan_validate.preflight.tables import tables_there, types_fit
from kisaan_validate.preflight.target import catalogue_read, rights_enough, target_right, version_known
from kisaan_validate.preflight.uniques import uniques_hold
from kisaan_validate.preflight.work import work_to_do
from kisaan_validate.process.stopping import Stop
from kisaan_validate.version import VERSION


def _blockers(inquiry: Inquiry) -> Iterator[PreflightItem]:
    asked = inquiry.asked
    seen = blockers_seen(inquiry)
    yield from judged_blockers(Scene(seen, asked.rules, inquiry.relations, asked.show_queries))
    if inquiry.place is not None and inquiry.place.in_recovery:
        yield Answers(PreflightTopic.BLOCKERS).unknown(
            "primary", "who is at work on the primary is not seen from a standby", "ask the primary"
        )


QUESTIONS = (
    Question(PreflightTopic.TARGET, "target", target_right),
    Question(PreflightTopic.TARGET, "version", version_known),
    Question(PreflightTopic.TABLES, "catalogue", catalogue_read),
    Question(PreflightTopic.TARGET, "rights", rights_enough),
    Question(PreflightTopic.BLOCKERS, "blockers", _blockers),
    Question(PreflightTopic.TABLES, "tables", tables_there),
    Question(PreflightTopic.TABLES, "types", types_fit),
    Question(PreflightTopic.MIGRATIONS, "pending", migrations_pending),
    Question(PreflightTopic.BACKUP, "backup", backup_good),
    Question(PreflightTopic.REHEARSAL, "rehearsal", rehearsal_fits),
    Question(PreflightTopic.BASELINE, "baseline", baseline_fits),
    Question(PreflightTopic.DISK, "disk", disk_enough),
    Question(PreflightTopic.HEALTH, "server", server_read),
    Question(PreflightTopic.HEALTH, "health", server_well),
    Question(PreflightTopic.REPLICATION, "lag", replication_close),
    Question(PreflightTopic.CLOCKS, "clocks", clocks_agree),
    Question(PreflightTopic.WORK, "rows", work_to_do),
    Question(PreflightTopic.INDEXES, "unique", uniques_hold),
)
"""In the order in which they are asked: what reads rows comes last."""


def preflight(asked: PreflightAsked, stop: Stop | None = None) -> PreflightRecord:
    """Ask everything. Raises TargetError where nobody answers, or the database is not the expected one, and
    Interrupted; nothing else of a server's.
    """
    start, stop = time.monotonic(), stop or Stop()
    schemas = asked.suite.settings.schemas if asked.suite is not None else ("public",)
    session = Session(asked.target, BRIEF, schemas, stop)
    try:
        inquiry = Inquiry(asked, session, stop)
        items = tuple(chain.from_iterable(question.answers(inquiry) for question in QUESTIONS))
        place = _place(inquiry)
    finally:
        session.close()
    # A stop ends statements just as a server's failure does: then nothing was found out.
    if stop.requested:
        raise Interrupted(stop.reason, "nothing was written; ask again")
    order = list(PreflightTopic)
    return PreflightRecord(
        asked.at,
        VERSION,
        judge_preflight(items),
        place,
        tuple(sorted(items, key=lambda item: order.index(item.topic))),
        tuple(PreflightLeftOut(name, why) for name, why in asked.without.items()),
        asked.given.files,
        time.monotonic() - start,
        asked.deep,
        tuple(inquiry.not_proved),
    )


def _place(inquiry: Inquiry) -> PreflightPlace:
    place, target = inquiry.place, inquiry.asked.target
    host, port = inquiry.session.address
    if place is None:
        return PreflightPlace(target.source, host, port)
    return PreflightPlace(
        target.source,
        place.host,
        place.port,
        place.database,
        place.role,
        place.server,
        place.system_identifier,
        place.in_recovery,
    )
