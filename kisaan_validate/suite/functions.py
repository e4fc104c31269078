"""What identifies a function: its source, or its bytecode, and the values that it refers to."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import json
import linecache
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError

_SIMPLE = (bool, int, float, complex, str, bytes, type(None), type(...))


def meaning_of(function: Callable[..., Any]) -> str:
    """A canonical text of what a function does: equal text, equal meaning as far as anybody can tell.

    It covers the source without decorators (the bytecode and constants where there is no source), default
    arguments, and what its names stand for: constants by value, functions of the author's by their own
    meaning, all else by name. What is reached through attributes of objects (``cls.LIMIT``) is not looked
    into.
    """
    return json.dumps(_meaning(function, set()), sort_keys=True)


def source_of(function: Callable[..., Any]) -> tuple[str, Definition] | None:
    """The source text of a function or lambda alone, and its syntax tree; None where that is unknown."""
    code = getattr(function, "__code__", None)
    text = _text(code.co_filename, function) if code is not None else ""
    if code is None or not text:
        return None
    source = _parsed(text)
    # The definition alone: what stands around it does not change what the function does.
    node = _node(source.definitions, code)
    segment = source.segment(node) if node is not None else ""
    return (inspect.cleandoc(segment), node) if node is not None and segment else None


Definition = ast.Lambda | ast.FunctionDef
# Python's own line ends; str.splitlines would also split at form feeds.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@dataclass(frozen=True)
class _Source:
    """The text of a file as lines of bytes, by which Python counts columns, and its definitions."""

    lines: tuple[bytes, ...]
    definitions: tuple[Definition, ...]

    def segment(self, node: Definition) -> str:
        """What :func:`ast.get_source_segment` returns, which splits the whole text for each call."""
        lines = list(self.lines[node.lineno - 1 : node.end_lineno])
        # From the end: the first line may also be the last.
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        # Columns of a syntax tree count bytes of UTF-8, not characters.
        return b"".join(lines).decode()


@functools.lru_cache(maxsize=16)
def _parsed(text: str) -> _Source:
    """A file is parsed once, however many functions stand in it. What is no Python defines nothing."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return _Source((), ())
    definitions = tuple(node for node in ast.walk(tree) if isinstance(node, Definition))
    return _Source(tuple(line.encode() for line in _LINE.findall(text)), definitions)


def _text(filename: str, function: Callable[..., Any]) -> str:
    # A file may have been edited since this process read it.
    linecache.checkcache(filename)
    return "".join(linecache.getlines(filename, getattr(function, "__globals__", None)))


def _node(definitions: Iterable[Definition], code: types.CodeType) -> Definition | None:
    """The definition that was compiled to ``code``; of several on one line the one whose positions are
    those of the code.
    """
    found = [node for node in definitions if _may_be(node, code)]
    if len(found) <= 1:
        return found[0] if found else None
    extent = _extent(code)
    # Two lambdas on one line have the same name and first line; only their columns differ.
    return next((node for node in found if isinstance(node, ast.Lambda) and _span(node.body) == extent), None)


def _may_be(node: Definition, code: types.CodeType) -> bool:
    if isinstance(node, ast.Lambda):
        return code.co_name == "<lambda>" and node.lineno == code.co_firstlineno
    return node.name == code.co_name and code.co_firstlineno in _lines(node)


def _lines(node: ast.FunctionDef) -> set[int]:
    """Where a definition may be said to begin: at its first decorator, or at its name."""
    return {node.lineno, *(d.lineno for d in node.decorator_list)}


Span = tuple[tuple[int, int], tuple[int, int]]


def _span(node: ast.expr) -> Span:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)


def _extent(code: types.CodeType) -> Span:
    """From where to where instructions come: the expression that a lambda returns. Raises SuiteError where
    Python was told to forget it.
    """
    known = [
        ((a, c), (b, d))
        # Instructions that Python added itself (RESUME, for instance) have no place in the text.
        for a, b, c, d in code.co_positions()
        if a and b and d is not None and c is not None and d
    ]
    if not known:
        raise SuiteError(
            f"line {code.co_firstlineno} has several lambdas, and Python does not say which one this is",
            "unset PYTHONNODEBUGRANGES (and leave out -X no_debug_ranges), or write one lambda a line",
            f"{code.co_filename}:{code.co_firstlineno}",
        )
    return min(start for start, _ in known), max(end for _, end in known)


def _meaning(function: Any, seen: set[int]) -> Any:
    # A function that refers to itself would be described without an end.
    if id(function) in seen:
        return "itself"
    seen.add(id(function))
    if isinstance(function, functools.partial):
        given = [_value(v, seen) for v in function.args]
        return ["partial", _meaning(function.func, seen), given, _values(function.keywords, seen)]
    # A decorator that keeps the original under ``__wrapped__`` is looked through.
    if (wrapped := getattr(function, "__wrapped__", None)) is not None:
        return _meaning(wrapped, seen)
    if isinstance(function, types.MethodType):
        return _meaning(function.__func__, seen)
    if not isinstance(function, types.FunctionType):
        if isinstance(
            function, (types.BuiltinFunctionType, type, types.MethodDescriptorType)
        ) or not callable(function):
            return _title(function)
        # An object with ``__call__`` is its class's code and its own values.
        state = _values(getattr(function, "__dict__", {}), seen)
        return ["object", _meaning(type(function).__call__, seen), state]
    said = source_of(function)
    # Without source (typed at a prompt) the bytecode stands in; it changes with Python's version.
    body = said[0] if said is not None else ["bytecode", *_bytecode(function.__code__)]
    return ["function", body, _values(_defaults(function), seen), _values(_named(function), seen)]


def _bytecode(code: types.CodeType) -> Iterator[Any]:
    """The instructions, names and constants, of inner functions too."""
    yield hashlib.sha256(code.co_code).hexdigest()
    yield [*code.co_names]
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield list(_bytecode(constant))
        else:
            # A set literal is a frozenset among the constants, whose order changes with each process.
            yield sorted(map(repr, constant)) if isinstance(constant, frozenset) else repr(constant)


def _defaults(function: types.FunctionType) -> dict[str, Any]:
    positional = {str(place): value for place, value in enumerate(function.__defaults__ or ())}
    return positional | (function.__kwdefaults__ or {})


def _named(function: types.FunctionType) -> dict[str, Any]:
    """What the names in a function stand for: those of the enclosing function, and those of its module."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            found[name] = "unassigned"
    known = function.__globals__
    # Only names that the code uses, and sorted: a new import elsewhere changes nothing.
    return found | {name: known[name] for name in sorted(_names(function.__code__)) if name in known}


# Inner functions use names of the module too.
def _names(code: types.CodeType) -> set[str]:
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*(_names(c) for c in inner))


def _values(given: Mapping[str, Any], seen: set[int]) -> dict[str, Any]:
    return {name: _value(value, seen) for name, value in given.items()}


def _value(value: Any, seen: set[int]) -> Any:
    if isinstance(value, _SIMPLE):
        return f"{type(value).__name__}:{value!r}"
    if isinstance(value, types.ModuleType):
        return f"module {value.__name__}"
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *(_value(v, seen) for v in value)]
    if isinstance(value, (set, frozenset)):
        # Sorted as texts, because the members may not be comparable with each other.
        return [type(value).__name__, *sorted(json.dumps(_value(v, seen)) for v in value)]
    if isinstance(value, dict):
        return [[_value(k, seen), _value(v, seen)] for k, v in value.items()]
    if isinstance(value, (types.FunctionType, types.MethodType, functools.partial)):
        return _meaning(value, seen)
    if isinstance(value, re.Pattern):
        return ["pattern", repr(value.pattern), value.flags]  # its own repr is cut
    # Types whose repr says all of their value.
    if type(value).__module__ in {"decimal", "datetime", "fractions", "uuid"}:
        return f"{type(value).__qualname__}:{value!r}"
    # Of other objects only the type counts: their repr may hold an address.
    return _title(value) if callable(value) else f"a {_title(type(value))}"


def _title(value: Any) -> str:
    """Where a thing is defined; a suite's module goes by its file's name, wherever the folder is."""
    # The module's name holds a digest of the suite's path, which differs from machine to machine.
    module = re.sub(r"^_kisaan_suite_[0-9a-f]{12}_", "", getattr(value, "__module__", "") or "")
    return f"{module}.{getattr(value, '__qualname__', type(value).__qualname__)}"
