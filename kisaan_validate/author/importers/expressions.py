"""SQL for checks that come from elsewhere: names quoted, values literals, and authors' conditions looked
at one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from kisaan_validate.author.importers.outcome import NoCounterpart
from kisaan_validate.author.source import dotted, remark, sql_name
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.titles import split_name
from kisaan_validate.sql.assertion import plain_expression, row_condition
from kisaan_validate.sql.expressions import literal, to_sql
from kisaan_validate.sql.reading import columns_of
from kisaan_validate.sql.scrubbing import scrubbed


def value_sql(value: Any) -> str:
    """A text, number or truth value as a literal of SQL. Raises NoCounterpart for anything else."""
    if isinstance(value, dict):
        raise NoCounterpart(f"a value that is only known when it runs: {remark(str(value))}")
    if not isinstance(value, (str, bool, int, Decimal)):
        raise NoCounterpart(f"{remark(repr(value))} is not a text, number or truth value")
    try:
        return to_sql(literal(value))
    except (TypeError, ValueError) as error:
        raise NoCounterpart(str(error)) from None


def in_list(subject: str, values: Any) -> str:
    """``subject IN (…)``; NULL among the values counts for nothing."""
    items = [value_sql(v) for v in as_list(values, "a set of values") if v is not None]
    # Without values nothing is in the set, and only NULL passes.
    return f"{subject} IN ({', '.join(items)})" if items else f"{subject} IS NULL"


def as_list(value: Any, what: str) -> list[Any]:
    """A list. Raises NoCounterpart for anything else."""
    if not isinstance(value, list):
        raise NoCounterpart(f"{what} is expected, not {remark(repr(value))}")
    return value


def as_text(value: Any, what: str) -> str:
    """A text with something in it. Raises NoCounterpart for anything else."""
    # A NUL cannot stand in a text of PostgreSQL.
    if not isinstance(value, str) or not value.strip() or "\x00" in value:
        raise NoCounterpart(f"{what} is expected, not {remark(repr(value))}")
    return value


_NO_BOUNDS = re.compile(r"[+-]?\.?(?:nan|inf|infinity)", re.I)


def bound_sql(value: Any, what: str) -> str:
    """A bound as a literal. Raises NoCounterpart for NaN and infinity, in whatever notation: such a bound
    decides nothing.
    """
    if isinstance(value, str) and _NO_BOUNDS.fullmatch(value.strip()):
        raise NoCounterpart(f"{what} is {remark(value.strip())}, which is not a bound")
    return value_sql(value)


def refuse_empty(low: Any, high: Any, *, strict: bool = False) -> None:
    """Raises NoCounterpart for two bounds between which nothing lies; ``strict``: one of them is left out
    itself.

    Texts are compared as numbers or as ISO dates where both are such; of others only the server knows the
    order.
    """
    ends = (low, high) if _numbers(low, high) else _comparable(low, high)
    # Strict bounds that are equal leave nothing between them.
    if ends is not None and (ends[0] > ends[1] or (strict and ends[0] == ends[1])):
        raise NoCounterpart(f"nothing is between {remark(str(low))} and {remark(str(high))}")


def _numbers(*values: Any) -> bool:
    return all(isinstance(v, (int, Decimal)) and not isinstance(v, bool) for v in values)


def _comparable(low: Any, high: Any) -> tuple[Any, Any] | None:
    """Two texts, or a text and a number, as what they are compared as; None where that is not known."""
    texts = [
        str(v).strip() for v in (low, high) if isinstance(v, (str, int, Decimal)) and not isinstance(v, bool)
    ]
    # ISO dates of one length sort as texts.
    if len(texts) == 2 and all(_ISO_DATE.match(t) for t in texts) and len(texts[0]) == len(texts[1]):
        return texts[0], texts[1]
    try:
        ends = [Decimal(t) for t in texts]
    except InvalidOperation:
        return None
    if len(ends) < 2 or not all(e.is_finite() for e in ends):
        return None
    # As texts "9" comes after "10": what is empty is so in either order.
    as_texts = (
        isinstance(low, str) and isinstance(high, str) and (texts[0] > texts[1]) is not (ends[0] > ends[1])
    )
    return None if as_texts else (ends[0], ends[1])


_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def nan_sql(value: str) -> str:
    """SQL that is true where a value of whatever type is a NaN or holds one, and not for the text 'NaN'.

    An import knows no types, so the server is asked; beside NULL a domain counts as the type below it.
    """
    # The type is asked of the server: 'NaN' as a text is a word. coalesce makes a domain its base type.
    types = ", ".join(f"'{name}{array}'" for name in _NUMBERS for array in ("", "[]"))
    return f"(pg_typeof(coalesce({value}, NULL))::text IN ({types}) AND strpos(({value})::text, 'NaN') > 0)"


_NUMBERS = ("numeric", "real", "double precision", "numrange", "nummultirange")


def bounded(
    subject: str, low: str | None, high: str | None, strict_low: bool = False, strict_high: bool = False
) -> str:
    """A subject within bounds, given as SQL. Raises NoCounterpart without any: it could not fail."""
    parts = [f"{subject} {'>' if strict_low else '>='} {low}"] if low is not None else []
    parts += [f"{subject} {'<' if strict_high else '<='} {high}"] if high is not None else []
    if not parts:
        raise NoCounterpart("it has no bounds: it can never fail")
    return " AND ".join(parts)


_OTHER_REGEX = re.compile(
    # Constructs that Python's regular expressions have and PostgreSQL's read differently: \b is a backspace.
    r"(?<!\\)(?:\\\\)*(\\[bBAZzGhHKRXQE]|\\p\{|\(\?P|\(\?<[=!A-Za-z]|\(\?>|\(\?#|[*+?}]\+)"
)


def matches(subject: str, pattern: Any) -> str:
    """A match anywhere in the text, by the server's regular expressions. Raises NoCounterpart for what these
    read differently.
    """
    text = as_text(pattern, "a regular expression")
    if found := _OTHER_REGEX.search(text):
        raise NoCounterpart(
            f"PostgreSQL's regular expressions read {found[1]} differently or not at all: rewrite it"
        )
    return f"{subject} ~ {value_sql(text)}"


def like(subject: str, pattern: Any) -> str:
    """``subject LIKE pattern``."""
    return f"{subject} LIKE {value_sql(as_text(pattern, 'a pattern'))}"


def enclosed(sql: str) -> str:
    """An author's SQL in parentheses."""
    # A comment that ends it would swallow the parenthesis; the line break ends the comment.
    return f"({sql}\n)" if "--" in sql else f"({sql})"


def author_condition(text: Any, what: str = "a condition") -> str:
    """An author's SQL condition on a row, in parentheses that it cannot close. Raises NoCounterpart."""
    sql = as_text(text, what).strip().rstrip(";").strip()
    _refuse_templates(sql)
    try:
        row_condition(sql, "")
    except SuiteError as error:
        raise NoCounterpart(f"{what} is not accepted: {remark(error.fact)}: {remark(sql)}") from None
    return enclosed(sql)


def author_value(text: Any, what: str = "an expression") -> str:
    """An author's SQL for a value, in parentheses. Raises NoCounterpart."""
    sql = as_text(text, what).strip()
    _refuse_templates(sql)
    try:
        plain_expression(f"{sql}\n", "")
    except SuiteError as error:
        raise NoCounterpart(f"{what} is not accepted: {remark(error.fact)}: {remark(sql)}") from None
    return enclosed(sql)


def author_constant(text: Any, what: str) -> str:
    """An author's SQL for a value that is the same for all rows. Raises NoCounterpart for one that reads a
    column.
    """
    sql = author_value(text, what)
    if columns_of(plain_expression(sql, "")):
        raise NoCounterpart(f"{what} of a figure over all rows reads a column: {remark(str(text))}")
    return sql


def _refuse_templates(sql: str) -> None:
    # Jinja and Soda's variables: what stands there is known only when the tool runs.
    if found := re.search(r"\{\{.*?\}\}|\{%.*?%\}|\$\{\w*\}|\{\w+\}", sql, re.S):
        raise NoCounterpart(f"a template that is only known when it runs: {remark(found[0])}")


def both(*conditions: str) -> str:
    """Conditions that must all be true; empty ones say nothing."""
    said = [c for c in conditions if c]
    return " AND ".join(c if _binds(c) else enclosed(c) for c in said)


def _binds(condition: str) -> bool:
    """Whether a condition may stand beside AND as it is."""
    try:
        code = re.sub(r"'[^']*'|\"(?:[^\"]|\"\")*\"", " ", scrubbed(condition, ""))
    # What is not understood may be anything.
    except SuiteError:
        return False
    # From within outwards: what is left then stands in no parentheses.
    while (bare := re.sub(r"\([^()]*\)", " ", code)) != code:
        code = bare
    # Only OR binds less than AND; a comment at the end would hide what follows.
    return not re.search(r"(?i)\bor\b|[()]", code) and "--" not in condition.rpartition("\n")[2]


def share_of(value: Any) -> Fraction:
    """A share from 0 to 1, exact. Raises NoCounterpart."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not 0 <= value <= 1:
        raise NoCounterpart(f"{remark(repr(value))} is not a share between 0 and 1")
    return Fraction(value)


def tolerance_of(share: Fraction) -> str | None:
    """A tolerated share as declarations take it; None for none. Raises NoCounterpart for all rows."""
    if share >= 1:
        raise NoCounterpart("it accepts everything, so it can never fail")
    return f"{share.numerator}/{share.denominator}" if share else None


def fraction_sql(value: Fraction) -> str:
    """A whole number as SQL. Raises NoCounterpart for a fraction (cross-multiply first)."""
    return str(value.numerator) if value.numerator >= 0 else f"({value.numerator})"


def table_ref(table: str) -> str:
    """A declared table's name as SQL of an assertion."""
    schema, name = split_name(table)
    return f"{sql_name(schema)}.{sql_name(name)}" if schema else sql_name(name)


_NAME = re.compile(r'(?:[^\W\d]|_)[\w$]*|"(?:[^"\x00]|"")+"')


def is_name(text: Any) -> bool:
    """Whether a text of SQL is the name of a column, plain or quoted, and no expression."""
    return isinstance(text, str) and _NAME.fullmatch(text.strip()) is not None


def column_name(text: Any, what: str = "a column's name") -> str:
    """The column that a text of SQL names. Raises NoCounterpart for an expression, and for what is no
    text.
    """
    said = as_text(text, what).strip()
    if not is_name(said):
        raise NoCounterpart(f"an expression where {what} is expected: {remark(said)}")
    return folded(said)


def folded(name: str) -> str:
    """A name as PostgreSQL reads it in SQL text: quoted as it stands, else in lower case (of ASCII letters
    only).
    """
    text = name.strip()
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        return _cut(text[1:-1].replace('""', '"'))
    # PostgreSQL folds ASCII letters only where the encoding has several bytes.
    return _cut("".join(c.lower() if c.isascii() else c for c in text))


def _cut(name: str) -> str:
    """Its first 63 bytes, which is all that PostgreSQL takes of a name."""
    # NAMEDATALEN - 1 bytes; a character cut in the middle is dropped, as the server does.
    return name.encode()[:63].decode(errors="ignore")


def folded_table(name: str) -> str:
    """A table's name out of SQL text, schema and all, as declarations write it."""
    parts = re.findall(r'"(?:[^"]|"")*"|[^."]+', name.strip())
    # What was left out by the pattern would be a part of a name.
    if not 1 <= len(parts) <= 3 or ".".join(parts) != name.strip():
        raise NoCounterpart(f"{remark(name)} is not a table name")
    # Of three parts the first is the database; a run sees only one.
    names = [folded(part) for part in parts[-2:]]
    return dotted(names[0] if len(names) > 1 else "", names[-1])


def listed(names: Iterable[str]) -> str:
    """Columns as SQL."""
    return ", ".join(sql_name(name) for name in names)


def none_null(columns: Sequence[str]) -> str:
    """None of the columns is NULL."""
    return " AND ".join(f"{sql_name(c)} IS NOT NULL" for c in columns)


def all_null(columns: Sequence[str]) -> str:
    """All of the columns are NULL."""
    return " AND ".join(f"{sql_name(c)} IS NULL" for c in columns)
