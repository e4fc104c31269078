"""JSON and YAML of other tools, read with every digit, and nothing that could hide something or never end.

A key that occurs twice is refused: one of the two would be dropped in silence. Numbers with a point become
Decimals of their text. Dates stay texts.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from kisaan_validate.errors import UsageError
from kisaan_validate.sql.expressions import exact_decimal
from kisaan_validate.text import authored

JSON_BYTES = 16 * 1024**2
YAML_BYTES = 2 * 1024**2
"""Larger files are refused: no suite that people wrote is."""

MOST_NODES = 200_000
"""So many values a YAML file may stand for, its aliases written out: a few lines of aliases can stand for
billions.
"""


def read_text(path: Path, most: int) -> str:
    """The text of a file. Raises UsageError if it cannot be read, is no UTF-8, or is too large."""
    try:
        if path.stat().st_size > most:
            raise UsageError(
                f"{path} is larger than {most // 1024**2} MiB", "split it, or remove what is not a suite"
            )
        return authored.read_plain(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {authored.reason_of(error)}", "check the path") from None


def read_json(path: Path) -> Any:
    """A JSON file, numbers exact. Raises UsageError for what is not JSON, NaN, or a key that occurs twice."""
    text = read_text(path, JSON_BYTES)
    try:
        # Exact, with no constants and no key twice: three ways in which JSON loses something in silence.
        return json.loads(
            text, parse_float=exact_decimal, parse_constant=_refuse_constant, object_pairs_hook=_pairs
        )
    except RecursionError:
        raise UsageError(f"{path} is nested too deeply") from None
    except ValueError as error:
        raise UsageError(f"{path} cannot be read as JSON: {error}") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise ValueError(f"the key {key!r} occurs twice in one object")
        made[key] = value
    return made


class _Loader(yaml.SafeLoader):
    """Plain values only: no tags, no dates, exact numbers, no key twice."""


class _Loader12(_Loader):
    """As YAML 1.2 has it: ``yes`` and ``on`` are words."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _ in node.value:
        # A merge key may repeat names on purpose; what is written beside it wins.
        if key.tag == "tag:yaml.org,2002:merge":
            continue
        name = loader.construct_object(key, deep=True)
        if not isinstance(name, (str, int, bool, Decimal, type(None))):
            raise yaml.constructor.ConstructorError(
                None, None, "a key that is not a plain value", key.start_mark
            )
        if name in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {name!r} occurs twice", key.start_mark
            )
        seen.add(name)
    loader.flatten_mapping(node)
    return {
        loader.construct_object(k, deep=True): loader.construct_object(v, deep=True) for k, v in node.value
    }


_PLAIN_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def _decimal(loader: _Loader, node: yaml.ScalarNode) -> Any:
    text = str(loader.construct_scalar(node)).replace("_", "")
    # .inf, .nan and 1:30 are texts here: nothing that is meant for a bound.
    if not _PLAIN_NUMBER.fullmatch(text):
        return text
    return exact_decimal(text)


def _word(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


for _loader in (_Loader, _Loader12):
    _loader.add_constructor("tag:yaml.org,2002:map", _mapping)
    _loader.add_constructor("tag:yaml.org,2002:float", _decimal)
    # YAML would make dates of these; here they stay as they are written.
    _loader.add_constructor("tag:yaml.org,2002:timestamp", _word)
_Loader12.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader12.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def read_yaml(path: Path, *, version_1_2: bool = False) -> Any:
    """A YAML file of one document, plain values only. ``version_1_2``: ``yes`` and ``no`` are words, not
    truth values.

    Raises UsageError for what is not YAML, tags, a key that occurs twice, and aliases that stand for too
    much.
    """
    text = read_text(path, YAML_BYTES)
    loader = (_Loader12 if version_1_2 else _Loader)(text)
    try:
        # Nodes first: values are built only after their number is known.
        node = loader.get_single_node()
        if node is None:
            return None
        _measure(node, {}, set())
        return loader.construct_document(node)
    except RecursionError:
        raise UsageError(f"{path} is nested too deeply, or contains itself") from None
    except (yaml.YAMLError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from None
    finally:
        loader.dispose()


def _measure(node: yaml.Node, known: dict[int, int], above: set[int]) -> int:
    """How many values a node stands for, its aliases written out. Raises ValueError beyond the limit or
    for a circle.
    """
    # An alias is the same node, met again: its size is known.
    if id(node) in known:
        return known[id(node)]
    if id(node) in above:
        raise ValueError("an alias refers to something that contains it")
    above.add(id(node))
    children: list[yaml.Node] = []
    if isinstance(node, yaml.SequenceNode):
        children = list(node.value)
    elif isinstance(node, yaml.MappingNode):
        children = [part for pair in node.value for part in pair]
    size = 1
    for child in children:
        size += _measure(child, known, above)
        if size > MOST_NODES:
            raise ValueError(f"its aliases expand to more than {MOST_NODES:,} values")
    # Below it is done; met again beside it is no circle.
    above.discard(id(node))
    known[id(node)] = size
    return size
