"""New files of tables that no event trigger told of: VACUUM FULL, CLUSTER and TRUNCATE make them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from kisaan_validate.facts.tape import StatementOutcome, TableRewrite, TapeStatement
from kisaan_validate.rehearse.known import KnownCatalogue
from kisaan_validate.sql.splitting import SqlPiece, lexemes

TABLES = frozenset({"table", "materialized view"})


def with_new_files(
    statements: tuple[TapeStatement, ...], changed: Collection[int], catalogue: KnownCatalogue
) -> tuple[tuple[TapeStatement, ...], list[str]]:
    """The statements with the rewrites that no trigger told of, and in words the new files that none of
    them explains. ``changed`` are the oids of relations that have another file than before the tape.
    """
    told = {rewrite.relation for s in statements for rewrite in s.rewrites}
    relations = [catalogue.relations[oid] for oid in changed]
    made = list(statements)
    gaps = []
    for name in sorted(r.name for r in relations if r.kind in TABLES):
        makers = [n for n, s in enumerate(made) if _makes_file(s) and _about(s, name)]
        if not makers and name not in told:
            gaps.append(f"{name} got a new file, and no statement of the tape explains it")
        for n in makers:
            if made[n].tag in {"VACUUM", "CLUSTER", "REPACK"}:
                words = "VACUUM FULL" if made[n].tag == "VACUUM" else made[n].tag
                rewrite = TableRewrite(name, (words,), None, sampled=True)
                made[n] = replace(made[n], rewrites=(*made[n].rewrites, rewrite))
    return tuple(made), gaps


def _makes_file(statement: TapeStatement) -> bool:
    """Whether a statement is one of those that give a table a new file and that no trigger sees do it."""
    if statement.outcome is not StatementOutcome.COMMITTED:
        return False
    words = SqlPiece(statement.text, 0, 1).first_words
    full = statement.tag == "VACUUM" and "FULL" in words
    return (
        full
        or statement.tag in {"CLUSTER", "REPACK", "TRUNCATE TABLE", "REFRESH MATERIALIZED VIEW"}
        or (
            # What a function or DO block does is not told by its own text alone.
            statement.tag in {"DO", "SELECT", "CALL"} and "truncate" in statement.text.lower()
        )
    )


def _about(statement: TapeStatement, relation: str) -> bool:
    """Whether a statement names a relation, or none, which means all."""
    bare = relation.rpartition(".")[2]
    texts = {text.strip('"').lower() for _, text, _ in lexemes(statement.text)}
    named = bare.lower() in texts or bare.lower() in statement.text.lower()
    return named or len(texts - {"vacuum", "full", "cluster", "verbose", "analyze", "(", ")", ","}) == 0
