"""DDL of every kind and what of the catalogue must differ after it, and nothing else: the cases of
test_schema_objects.
"""

from __future__ import annotations

from schema_cases.columns import COLUMNS
from schema_cases.comments import COMMENTS
from schema_cases.constraints import CONSTRAINTS, INDEXES
from schema_cases.datatypes import TYPES
from schema_cases.facts import FACTS
from schema_cases.functions import FUNCTIONS, TRIGGERS
from schema_cases.parts import Case
from schema_cases.rights import GRANTS, OWNERS, POLICIES
from schema_cases.sequences import SEQUENCES
from schema_cases.tables import TABLES, VIEWS

CASES: dict[str, Case] = {
    **COLUMNS,
    **FACTS,
    **CONSTRAINTS,
    **INDEXES,
    **SEQUENCES,
    **TABLES,
    **VIEWS,
    **FUNCTIONS,
    **TRIGGERS,
    **TYPES,
    **POLICIES,
    **GRANTS,
    **OWNERS,
    **COMMENTS,
}
"""Read with the schemas public and shop."""
