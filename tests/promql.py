"""As much of PromQL as alert rules need, evaluated over the samples of one moment. Parsed by promql_parser.

Source of the semantics: https://prometheus.io/docs/prometheus/latest/querying/operators/
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import promql_parser as p


@dataclass(frozen=True)
class Sample:
    """One sample; the name is "" where an operation has dropped it."""

    name: str
    labels: dict[str, str]
    value: float


def walk(node: Any) -> Iterator[Any]:
    """A node and all below it."""
    yield node
    for name in ("lhs", "rhs", "expr", "args"):
        below = getattr(node, name, None)
        if name == "args" and below is not None:
            for one in below:
                yield from walk(one)
        elif below is not None:
            yield from walk(below)


def metrics_of(text: str) -> set[str]:
    """The names of the metrics that an expression reads."""
    return {n.name for n in walk(p.parse(text)) if isinstance(n, p.VectorSelector)}


def matchers_of(text: str) -> Iterator[tuple[str, Any, str]]:
    """The matchers of labels: name, operator, value."""
    for node in walk(p.parse(text)):
        if isinstance(node, p.VectorSelector):
            for m in node.matchers.matchers:
                yield m.name, m.op, m.value


def matches(op: Any, value: str, wanted: str) -> bool:
    """Whether a label fits; regular expressions are anchored."""
    if op == p.MatchOp.Equal:
        return value == wanted
    if op == p.MatchOp.NotEqual:
        return value != wanted
    assert op == p.MatchOp.Re, op
    return re.fullmatch(wanted, value) is not None


def evaluate(text: str, samples: Sequence[Sample], at: float) -> list[Sample]:
    """The samples of the result at a time: an alert rings for each."""
    found = _of(p.parse(text), samples, at)
    assert isinstance(found, list)
    return found


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt, ">=": operator.ge, "==": operator.eq, "<": operator.lt, "<=": operator.le, "!=": operator.ne,
}  # fmt: skip


def _of(node: Any, samples: Sequence[Sample], at: float) -> Any:
    if isinstance(node, p.NumberLiteral):
        return node.val
    if isinstance(node, p.ParenExpr):
        return _of(node.expr, samples, at)
    if isinstance(node, p.VectorSelector):
        return [
            s
            for s in samples
            if s.name == node.name
            and all(matches(m.op, s.labels.get(m.name, ""), m.value) for m in node.matchers.matchers)
        ]
    if isinstance(node, p.Call):
        if node.func.name == "time":
            return at
        assert node.func.name == "absent", node.func.name
        return [] if _of(node.args[0], samples, at) else [Sample("", {}, 1)]
    if isinstance(node, p.AggregateExpr):
        return _aggregate(node, _of(node.expr, samples, at))
    assert isinstance(node, p.BinaryExpr), node
    return _binary(node, _of(node.lhs, samples, at), _of(node.rhs, samples, at))


def _aggregate(node: Any, given: list[Sample]) -> list[Sample]:
    assert node.modifier.type == p.AggModifierType.By
    groups: dict[tuple[tuple[str, str], ...], list[float]] = {}
    for s in given:
        key = tuple((name, s.labels[name]) for name in sorted(node.modifier.labels) if name in s.labels)
        groups.setdefault(key, []).append(s.value)
    how: Callable[[list[float]], float] = {"sum": sum, "max": max, "min": min}[
        str(node.op).removeprefix("T_").lower()
    ]
    return [Sample("", dict(key), how(values)) for key, values in groups.items()]


def _binary(node: Any, left: Any, right: Any) -> Any:
    op = str(node.op)
    on = list(node.modifier.matching.labels) if node.modifier and node.modifier.matching else None

    def key(s: Sample) -> tuple[tuple[str, str], ...]:
        names = sorted(s.labels) if on is None else sorted(on)
        return tuple((n, s.labels.get(n, "")) for n in names)

    if op in {"or", "unless"}:
        keys = {key(s) for s in (left if op == "or" else right)}
        if op == "or":
            return left + [s for s in right if key(s) not in keys]
        return [s for s in left if key(s) not in keys]
    one = left if isinstance(left, list) else right
    value = (lambda s: (s.value, right)) if isinstance(left, list) else (lambda s: (left, s.value))
    assert isinstance(one, list)
    assert not (isinstance(left, list) and isinstance(right, list)), "vectors are matched by no rule here"
    if op in _COMPARE:
        return [s for s in one if _COMPARE[op](*value(s))]
    assert op == "-", op
    return [replace(s, name="", value=value(s)[0] - value(s)[1]) for s in one]
