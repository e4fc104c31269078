"""A Run as one self-contained HTML page: no request to anywhere, readable without script, printable."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment
from markupsafe import Markup

from kisaan_validate.contract.promise import State
from kisaan_validate.facts.check import Severity
from kisaan_validate.record.codec import baseline_to_json, digest_of, run_digest
from kisaan_validate.report import changed, psql, rows, summary, text
from kisaan_validate.report.audit import audit_facts
from kisaan_validate.report.cards import Card, cards_of
from kisaan_validate.report.criteria import CriterionStanding, criteria_words, criterion_lines
from kisaan_validate.report.depth import depth_words
from kisaan_validate.report.finding_cards import ON_PAPER, headed_findings, story
from kisaan_validate.report.guarded import guard_words, pause_words
from kisaan_validate.report.marks import marked
from kisaan_validate.report.parts import table_parts
from kisaan_validate.report.past import nights_view, past_sentence, past_words
from kisaan_validate.report.profile_gaps import profile_gaps
from kisaan_validate.report.profiles import profile_views
from kisaan_validate.report.shell import VERDICT_ICONS, css_text, environment, favicon, policy, source
from kisaan_validate.report.signatures import Signatures
from kisaan_validate.report.svg import ICON_PATHS, sign_url, time_bar
from kisaan_validate.report.tables import coverage_gaps, table_lines
from kisaan_validate.verdict.proved import proved_words
from kisaan_validate.verdict.reconciliation import reconciliations
from kisaan_validate.verdict.unproved import unproved_of

if TYPE_CHECKING:
    from kisaan_validate.facts.run import Run
    from kisaan_validate.verdict.judgement import Judgement

MOST_SQL = 250_000
"""So many characters of the statements' SQL a page shows; beyond, it says where it stands. Each check
shows its own anyway.
"""

SLOWEST = 8
"""So many of the longest statements are drawn."""


class PrintedPart(StrEnum):
    """What a page puts on paper by itself."""

    SUMMARY = "summary"
    """Verdict, what was validated, findings, row counts, criteria, places to sign."""
    FULL = "full"
    """Everything, unfolded."""


def render_html(
    judged: Judgement, signatures: Signatures | None = None, printed: PrintedPart = PrintedPart.SUMMARY
) -> str:
    """The page of a run as it was judged; beside a baseline, also what changed; with what people signed of
    it. ``printed`` is what goes to paper by itself.

    The same input gives the same bytes.
    """
    template = _templates().get_template("report.html.j2")
    facts = _facts(judged, signatures or Signatures(needed=judged.run.provenance.approvals))
    # Most pages have no profiles, and each letter of a style is in every page.
    drawn = source("profile.css") if facts["profiles"] else ""
    drawn += source("nights.css") if facts["nights"] else ""
    style, script = _signs() + source("report.css") + drawn + _page_foot(judged), source("report.js")
    return template.render(
        style=Markup(style),
        script=Markup(script),
        # The policy holds the hashes of exactly these texts, so both are made before it.
        policy=policy(style, script),
        printed=printed.value,
        icon_data=favicon(VERDICT_ICONS[judged.verdict]),
        **facts,
    )


def _facts(judged: Judgement, signatures: Signatures) -> dict[str, Any]:
    """Everything that the template shows."""
    run, baseline, known = judged.run, judged.baseline, judged.run.by_id
    moves = {move.check_id: move for move in judged.diff.moves} if judged.diff is not None else {}
    pairs = summary.pairs_of(run)
    ordered = summary.in_order(pairs, moves)
    # A page is limited as its run was; a record without the setting is from before there was one.
    shown = int(run.settings.get("sample", "20"))
    cards = cards_of(ordered, moves, judged.waived, shown, past_words(run))
    return (
        _changed(judged)
        | _tables(judged, cards)
        | _findings(judged, cards)
        | _records(judged)
        | _audit(judged)
        | _people(run, signatures)
        | {
            "run": run,
            "judged": judged,
            "verdict": judged.verdict.value,
            "baseline": baseline,
            "sentence": summary.verdict_sentence(judged),
            "verdict_icon": VERDICT_ICONS[judged.verdict],
            "counts": (counts := summary.counts_of(pairs)),
            "zero": ", ".join(summary.STATUS_WORDS[c.status].lower() for c in counts if not c.total)
            if pairs
            else "",
            "severities": [severity.value for severity in Severity],
            "cards": cards,
            "card": {card.check.id: card for card in cards},
            "movements": summary.movement_counts(moves.values()),
            # A check that is gone has no card that says how it moved.
            "gone": [move.check_id for move in moves.values() if move.check_id not in known],
            "unenforced": summary.unenforced(pairs),
            "uncounted": [table for table in run.tables if table.rows is None],
            "held": summary.held_words(run),
            "nights": nights_view(judged),
            "past_sentence": past_sentence(run),
            "guard": guard_words(run),
            "pauses": [pause_words(pause) for pause in run.pauses],
            "took": text.duration((run.finished_at - run.started_at).total_seconds() * 1_000),
            "local_time": text.local(run.place.at, run.place.time_zone),
        }
    )


def _tables(judged: Judgement, cards: list[Card]) -> dict[str, Any]:
    """What the template shows of tables."""
    lines = rows.row_lines(judged.run, judged.before)
    found = table_parts(judged, cards, table_lines(judged, cards))
    return {
        "rows": lines,
        "row_words": rows.movement_words(lines),
        "depth_words": depth_words(judged),
        "pictured": rows.pictured(lines),
        "parts": found.parts,
        "changed_parts": [part for part in found.parts if part.changes is not None],
        "declarations": found.declarations,
        "brief": found.brief,
        "tables": [part.line for part in found.parts if part.line is not None],
        "profiles": profile_views(judged),
        "profile_gaps": profile_gaps(judged.run.tables),
        "coverage": coverage_gaps(judged.run.coverage),
        "proved_words": proved_words(judged.run),
    }


def _findings(judged: Judgement, cards: list[Card]) -> dict[str, Any]:
    headed = headed_findings(judged, cards)
    number = sum(len(part.cards) for part in headed)
    return {
        "headed": headed,
        "story": story(judged, headed),
        "on_paper": ON_PAPER,
        "titles_only": max(0, number - ON_PAPER),
    }


def _audit(judged: Judgement) -> dict[str, Any]:
    """What the template shows to an auditor."""
    books = reconciliations(judged)
    return audit_facts(judged, books, unproved_of(judged, books))


def _people(run: Run, signatures: Signatures) -> dict[str, Any]:
    """What the template shows of criteria and sign-offs."""
    lines = criterion_lines(run, signatures.attested)
    return {
        "signatures": signatures,
        "criteria": lines,
        "criteria_words": criteria_words(lines),
        "open_criteria": sum(line.standing is not CriterionStanding.PROVED for line in lines),
    }


def _records(judged: Judgement) -> dict[str, Any]:
    """What the template shows of files, statements, and how to do it all again."""
    run, baseline = judged.run, judged.baseline
    recorded = run_digest(run)
    given = digest_of(baseline_to_json(baseline)) if baseline is not None else ""
    length = sum(len(statement.sql) for statement in run.statements)
    # Ties by purpose, so that the same record gives the same bytes.
    slowest = sorted(run.statements, key=lambda s: (-s.milliseconds, s.purpose))[:SLOWEST]
    longest = slowest[0].milliseconds if slowest else 0.0
    # The run's own note of the baseline is preferred: it is what the run read, whatever is beside it now.
    beside = {
        "run.json": recorded,
        "baseline.json": run.baseline_digest or given,
        "contract.toml": run.contract_digest,
        "waivers.toml": run.waivers_digest,
    }
    return {
        "run_digest": recorded,
        "baseline_digest": given,
        # Only where the record names one: earlier runs had no digest to compare it with.
        "baseline_mismatch": bool(given and run.baseline_digest and given != run.baseline_digest),
        "search_path": psql.search_path(run),
        "environment": psql.environment(run),
        "statement_sql": length <= MOST_SQL,
        "statement_length": length,
        "slowest": [(statement, time_bar(statement.milliseconds, longest)) for statement in slowest],
        "digests": "\n".join(f"{digest}  {name}" for name, digest in beside.items() if digest),
    }


def _changed(judged: Judgement) -> dict[str, Any]:
    """What the template shows before and after."""
    return {
        "answers": changed.answer_words(judged),
        "contract": judged.contract,
        "promises": changed.promise_lines(judged),
        "state_words": changed.STATE_WORDS,
        "differences": len(judged.diff.changes) if judged.diff is not None else 0,
        "unexplained": len(judged.unexplained),
        "unkept": len(judged.in_state(State.BROKEN, State.NOT_DONE)),
        "untold": judged.untold,
        "not_compared": judged.diff.not_compared if judged.diff is not None else (),
        "listed": len(judged.listed),
    }


@cache
def _templates() -> Environment:
    made = environment(
        {
            "bare": _bare,
            "value": text.value,
            "sql": text.code,
            "signed": text.signed,
            "marked": marked,
        }
    )
    made.globals |= {"words": summary.STATUS_WORDS, "meaning": summary.STATUS_MEANING}
    made.globals["words_by_value"] = {status.value: word for status, word in summary.STATUS_WORDS.items()}
    return made


def _bare(markup: Markup) -> Markup:
    """The same between tags, where quotes need no escape: on a page of thousands each letter counts."""
    return Markup(str(markup).replace("&#39;", "'").replace("&#34;", '"'))


@cache
def _signs() -> str:
    """The style rules that give each status its sign."""
    return "".join(f'.s-{name}{{--i:url("{sign_url(name)}")}}\n' for name in ICON_PATHS)


def _page_foot(judged: Judgement) -> str:
    """Names the run, its verdict and its digest on every printed sheet, for sheets get separated."""
    run = judged.run
    words = f"{judged.verdict.value} · {run.place.database} · run {run.id}"
    digest = f"SHA-256 of run.json {run_digest(run)}"
    return f'@page{{@bottom-left{{content:"{css_text(words)}\\a {digest}"}}}}\n'
