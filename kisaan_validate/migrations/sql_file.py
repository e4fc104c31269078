"""What is odd about a migration written in SQL, by its text alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kisaan_validate.facts.migrations import FileRemark, Oddity
from kisaan_validate.migrations.alone import refuses_company
from kisaan_validate.sql.splitting import SqlPiece, lexemes, split_statements

_READS = frozenset({"SELECT", "VALUES", "TABLE", "SHOW", "EXPLAIN", "WITH", "("})
_NEUTRAL = frozenset({"SET", "RESET", "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT"})
"""Words that change nothing lasting: settings of the session, and transactions."""

_WRITES = frozenset({"insert", "update", "delete", "merge", "into", "analyze", "analyse"})
"""Words within a query by which it writes. EXPLAIN ANALYZE runs what it explains."""

_WORDS = """
abs all and any array_agg array_length as avg between bool_and bool_or by cardinality case cast ceil
char char_length character coalesce concat concat_ws count current_setting date date_part date_trunc
decimal dense_rank else every except exists extract filter first_value floor format format_type from
generate_series greatest has_table_privilege having in intersect interval is json_agg json_build_object
jsonb_agg jsonb_build_object jsonb_each jsonb_typeof lag last_value lateral lead least left length like
limit lower materialized max md min mod not now ntile nullif numeric obj_description octet_length offset
on or over partition percent_rank percentile_cont percentile_disc pg_get_constraintdef pg_get_indexdef
pg_get_viewdef pg_relation_size pg_size_pretty pg_table_size pg_total_relation_size pg_typeof position
quote_ident quote_literal rank regexp_matches regexp_replace repeat replace right round row row_number
row_to_json select some split_part starts_with string_agg strpos substr substring sum then time
timestamp timestamptz to_char to_date to_json to_jsonb to_number to_regclass to_timestamp trim trunc
union unnest upper using values varchar version when where within
"""
_HARMLESS = frozenset(_WORDS.split())
"""Words before a parenthesis that are not a function, or a function that changes nothing."""


def sql_remarks(text: str) -> tuple[int, tuple[FileRemark, ...]]:
    """How many statements a file has, and what is odd about it, taken as one batch that a runner sends."""
    pieces = split_statements(text)
    if not pieces:
        return 0, (FileRemark(Oddity.EMPTY, "has no statement"),)
    return len(pieces), (*_only_reads(pieces), *_transactions(pieces), *_not_together(pieces))


def _only_reads(pieces: Sequence[SqlPiece]) -> Iterator[FileRemark]:
    words = [_first(piece) for piece in pieces]
    if not all(word in _READS | _NEUTRAL for word in words) or not _READS & set(words):
        return
    # Somebody's own function may do anything, so a file that calls one may change something.
    if any(_changes(piece) for piece, word in zip(pieces, words, strict=True) if word in _READS):
        return
    yield FileRemark(
        Oddity.ONLY_READS,
        "has only queries: a runner discards what they answer, and records the file as applied",
    )


def _first(piece: SqlPiece) -> str:
    return (*piece.first_words, "")[0]


def _changes(piece: SqlPiece) -> bool:
    """Whether a query writes, or calls a function that might."""
    last = ("", "")
    for kind, text, _ in lexemes(piece.text):
        word = text.lower()
        if kind == "word" and word in _WRITES:
            return True
        if kind == "other" and text == "(" and _may_write(last):
            return True
        last = kind, word
    return False


def _may_write(before: tuple[str, str]) -> bool:
    """Whether a parenthesis behind this calls a function that is not known to be harmless."""
    kind, word = before
    return kind == "name" or (kind == "word" and word not in _HARMLESS)


def _transactions(pieces: Sequence[SqlPiece]) -> Iterator[FileRemark]:
    """BEGIN without COMMIT; COMMIT or ROLLBACK of what the file did not begin, or with more behind it."""
    begun: SqlPiece | None = None
    for number, piece in enumerate(pieces):
        what = _transaction_word(piece)
        if what == "begin":
            begun = begun or piece
        elif what:
            if begun is None:
                yield _ends(piece, what, "of the runner's own transaction")
            elif number + 1 < len(pieces):
                yield _ends(piece, what, "and more statements follow")
            begun = piece if what == "chain" else None
    if begun is not None:
        yield FileRemark(
            Oddity.OPEN_TRANSACTION,
            f"line {begun.line} begins a transaction that no statement ends",
            begun.line,
        )


def _ends(piece: SqlPiece, what: str, how: str) -> FileRemark:
    word = "a ROLLBACK" if what == "rollback" else "a COMMIT"
    return FileRemark(
        Oddity.ENDS_TRANSACTION,
        f"line {piece.line} is {word} {how}: if the file fails, a part of it stays",
        piece.line,
    )


def _transaction_word(piece: SqlPiece) -> str:
    """ "begin", "commit", "rollback", "chain" (which ends one and begins another), "" for anything else."""
    words = piece.first_words
    first = words[0] if words else ""
    if first in {"BEGIN", "START"}:
        return "begin" if first == "BEGIN" or words[1:2] == ("TRANSACTION",) else ""
    # ROLLBACK TO goes back within the transaction, … PREPARED is about another one.
    if first not in {"COMMIT", "END", "ROLLBACK", "ABORT"} or {"TO", "PREPARED"} & set(words):
        return ""
    if "CHAIN" in words and "NO" not in words:
        return "chain"
    return "rollback" if first in {"ROLLBACK", "ABORT"} else "commit"


def _not_together(pieces: Sequence[SqlPiece]) -> Iterator[FileRemark]:
    if len(pieces) < 2:
        return
    for piece in pieces:
        if what := refuses_company(piece.text):
            yield FileRemark(
                Oddity.NOT_TOGETHER,
                f"line {piece.line}: {what} cannot run in a transaction, and a batch of statements is one",
                piece.line,
            )
