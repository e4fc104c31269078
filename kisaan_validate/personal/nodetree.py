"""Which columns each output of a view is made of, read from the tree that the server keeps of it
(``pg_rewrite.ev_action``).

``pg_depend`` says only which columns a view touches, not by which output, and of a whole row
(``to_jsonb(t)``) not even that. The tree says it. What is not understood here is :data:`UNTRACED`, which
stands for everything that the view reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from typing import Any

from kisaan_validate.dataclass import dataclass

NodePlace = tuple[int, int]
"""(relation, number of the column); the number 0 is the whole row."""


@dataclass(frozen=True)
class Origins:
    """What an output is made of. ``copied``: it is this one column, unchanged. ``traced``: ``places`` are
    all of it.

    ``functions`` are those that it calls, operators' and aggregates' among them, by their oids.
    """

    places: frozenset[NodePlace] = frozenset()
    functions: frozenset[int] = frozenset()
    traced: bool = True
    copied: bool = False

    def with_(self, other: Origins) -> Origins:
        """Both together."""
        return Origins(
            self.places | other.places, self.functions | other.functions, self.traced and other.traced
        )


UNTRACED = Origins(traced=False)

# Blanks part the tokens, and a backslash escapes what would part or close.
_TOKEN = re.compile(r"[(){}]|(?:\\.|[^\s(){}\\])+", re.DOTALL)
_CALLS = ("funcid", "opfuncid", "aggfnoid", "winfnoid")


@dataclass
class _Node:
    label: str
    fields: dict[str, Any] = field(default_factory=dict)


def outputs_of(tree: str) -> dict[int, Origins] | None:
    """The origins of each output of a view, by its number; None if the tree is not understood."""
    try:
        (query,) = _read(tree)
        return _outputs(query)
    # The tree is internal to a version of PostgreSQL: whatever is unexpected counts as not understood.
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return None


def _read(tree: str) -> Any:
    tokens = _TOKEN.findall(tree)
    value, end = _value(tokens, 0)
    if end != len(tokens):
        raise ValueError("more than one tree")
    return value


def _value(tokens: list[str], at: int) -> tuple[Any, int]:
    token = tokens[at]
    if token == "{":
        return _node(tokens, at + 1)
    if token == "(":
        items, at = [], at + 1
        while tokens[at] != ")":
            item, at = _value(tokens, at)
            items.append(item)
        return items, at + 1
    if token in ")}":
        raise ValueError("a bracket that nothing opened")
    return token, at + 1


def _node(tokens: list[str], at: int) -> tuple[_Node, int]:
    node = _Node(tokens[at])
    at += 1
    while tokens[at] != "}":
        if not tokens[at].startswith(":"):
            raise ValueError("no field")
        name = tokens[at][1:]
        # The first token is the value whatever it looks like: a column may be called ":x". Bytes take
        # several.
        node.fields[name], at = _value(tokens, at + 1)
        while not tokens[at].startswith(":") and tokens[at] != "}":
            _, at = _value(tokens, at)
    return node, at + 1


def _outputs(query: _Node) -> dict[int, Origins]:
    listed = [target.fields for target in query.fields["targetList"]]
    # Outputs of a set operation come from several queries, which the tree does not follow here.
    plain = query.fields.get("setOperations", "<>") == "<>"
    return {
        int(f["resno"]): _output(f, query) if plain else UNTRACED for f in listed if f["resjunk"] == "false"
    }


def _output(target: dict[str, Any], query: _Node) -> Origins:
    relation, number = int(target["resorigtbl"]), int(target["resorigcol"])
    # The parser itself recorded the column, so nothing has to be followed.
    if relation:
        return Origins(frozenset({(relation, number)}), copied=number > 0)
    return _trace(target["expr"], query)


def _trace(expression: Any, query: _Node) -> Origins:
    found = Origins()
    for node in _nodes(expression):
        # A query inside an expression may read anything.
        if node.label == "QUERY":
            return UNTRACED
        found = found.with_(
            Origins(functions=frozenset(int(node.fields[name]) for name in _CALLS if name in node.fields))
        )
        if node.label == "VAR":
            found = found.with_(_variable(node, query))
    return found


def _variable(node: _Node, query: _Node) -> Origins:
    number = int(node.fields["varattno"])
    # A variable of an outer query is out of sight here.
    if node.fields["varlevelsup"] != "0":
        return UNTRACED
    entry = query.fields["rtable"][int(node.fields["varno"]) - 1].fields
    if entry["rtekind"] == "0":
        return Origins(frozenset({(int(entry["relid"]), number)}))
    # The whole row of a subquery is all of its outputs.
    if number < 1:
        return UNTRACED
    # Grouped and joined columns have an entry of their own, which points at the expression.
    if isinstance(expressions := entry.get("groupexprs") or entry.get("joinaliasvars"), list) and expressions:
        return _trace(expressions[number - 1], query)
    inner = entry.get("subquery")
    if not isinstance(inner, _Node):
        return UNTRACED
    return _outputs(inner).get(number, UNTRACED)


def _nodes(value: Any) -> Iterator[_Node]:
    """Every node of an expression, but of a query within it only the query itself."""
    waiting = [value]
    # A stack instead of recursion: views of generated SQL are deep.
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, _Node):
            yield one
            waiting += one.fields.values() if one.label != "QUERY" else ()
