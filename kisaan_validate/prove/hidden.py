"""Which outputs of a statement must not be shown, because they are, are made of, or could be made of a
personal column.
"""

from __future__ import annotations

from kisaan_validate.errors import SuiteError
from kisaan_validate.plan.statements import Query
from kisaan_validate.sql.assertion import Calls, calls_of
from kisaan_validate.sql.qualify import unmarked
from kisaan_validate.sql.reading import computed_outputs
from kisaan_validate.suite.load import SuiteSettings

_OPAQUE = (
    "pg_stat",
    "pg_largeobject",
    "pg_prepared",
    "pg_cursors",
    "pg_read",
    "lo_get",
    "loread",
    "ts_stat",
    "dblink",
    "crosstab",
    "connectby",
    "xpath_table",
)
"""What names begin with that show values of any table, whatever a statement seems to read."""


def masked_outputs(query: Query, settings: SuiteSettings) -> frozenset[str]:
    """Output columns that have a personal column's name, are made of one, or could be: what cannot be
    traced is masked.
    """
    secret = {column for table, column in query.columns if settings.is_personal(table, column)}
    outputs, hidden = query.sample_columns(), settings.followed
    # The engine's own SELECT names its outputs; only an author's text can hide where a value comes from.
    written = unmarked(query.violations.sql) if query.reads.authored and hidden.relations else ""
    calls = _calls(written) if written else None
    # Text that cannot be read, or that can show any table, hides everything rather than guess.
    if written and (calls is None or _shows_anything(calls)):
        return frozenset(outputs)
    # A function of somebody's that reads a personal column shows it under any name.
    own = calls is not None and bool(calls.words & hidden.functions)
    if not secret and not own:
        return frozenset()
    real = {column for _, column in query.columns}
    made_of = query.violations.made_of
    computed = computed_outputs(written) if own else frozenset[str]()

    def masked(output: str) -> bool:
        # A name that is no column of a table (``u.to_jsonb``) is a function of the row, and may show all of
        # it.
        origins = made_of.get(output, () if output in query.violations.safe else (output,))
        return output in secret | computed or any(name in secret or name not in real for name in origins)

    return frozenset(c for c in outputs if masked(c))


def _calls(sql: str) -> Calls | None:
    """The names in a statement; None where they cannot be read."""
    try:
        return calls_of(sql, "")
    # Unparsed is untrusted: the caller masks all outputs.
    except SuiteError:
        return None


def _shows_anything(calls: Calls) -> bool:
    # ``table_to_xml``, ``query_to_xml`` and similar functions take the name of a table, or SQL, as a text.
    return any(word.startswith(_OPAQUE) or "_to_xml" in word for word in calls.words)
