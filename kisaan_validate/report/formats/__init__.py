"""Forms of a judged run for machines: one small function a file, found by name here, and more by entry
points.

An installed package adds one with an entry point of the group ``kisaan_validate.formats``: its name is the
format's, it loads a function ``(judged: kisaan_validate.verdict.judgement.Judgement) -> str``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.text.nearest import did_you_mean
from kisaan_validate.verdict.judgement import Judgement

Renderer = Callable[[Judgement], str]

GROUP = "kisaan_validate.formats"
"""The group of entry points."""

BUILT_IN = {
    "json": "run.json and its judgement (docs/schemas/judged.schema.json)",
    "junit": "JUnit XML: one test case per check; a check without an answer is an error",
    "github": "annotations of a GitHub workflow, at the lines that declare the checks",
    "markdown": "a comment on a pull request, or a job summary",
    "csv": "one line per check, safe to open in a spreadsheet",
}
"""The formats of this package, and what each is for."""


@dataclass(frozen=True)
class Format:
    """An output format. ``origin`` names the package that brought it, "" for one of our own."""

    name: str
    renderer: Renderer = field(repr=False)
    origin: str = ""

    def render(self, judged: Judgement) -> str:
        """The judged run in this form: text that is surely UTF-8. Raises UsageError if a foreign format
        fails.
        """
        if not self.origin:
            return _text(self.renderer(judged))
        try:
            made = self.renderer(judged)
        except (
            Exception,
            SystemExit,
        ) as error:  # a format that ends the process must not look like a verdict
            raise UsageError(
                f"format {self.name!r} of {self.origin} failed: {type(error).__name__}: {error}", _ASK
            ) from error
        if not isinstance(made, str):
            raise UsageError(
                f"format {self.name!r} of {self.origin} returned {type(made).__name__}, not text", _ASK
            )
        return _text(made)


_ASK = "report it to the authors of the package, or choose another format"


def _text(made: str) -> str:
    """Half a surrogate pair cannot be written as UTF-8: it is written as its escape."""
    # One odd value must not lose the whole output.
    return made.encode("utf-8", "backslashreplace").decode()


def format_names() -> list[str]:
    """The names of all formats: our own, then those of installed packages."""
    # A foreign format may shadow one of our names; find_format refuses it, the list names it once.
    return list(dict.fromkeys([*BUILT_IN, *sorted(point.name for point in entry_points(group=GROUP))]))


def find_format(name: str) -> Format:
    """The format of this name. Raises UsageError if there is none, more than one, or it cannot be loaded."""
    points = [point for point in entry_points(group=GROUP) if point.name == name]
    # Taking either would let an installed package silently replace a format that CI relies on.
    if len(points) + (name in BUILT_IN) > 1:
        homes = [*(["kisaan-validate"] if name in BUILT_IN else []), *map(_origin, points)]
        raise UsageError(f"{' and '.join(homes)} each define a format {name!r}", "uninstall one of them")
    if name in BUILT_IN:
        renderer: Renderer = import_module(f"{__name__}.{name}").render
        return Format(name, renderer)
    if not points:
        raise UsageError(f"there is no format {name!r}", did_you_mean(name, format_names()))
    return Format(name, _load(points[0]), _origin(points[0]))


def _origin(point: EntryPoint) -> str:
    if point.dist is not None:
        return f"{point.dist.name} {point.dist.version} ({point.value})"
    return point.value


def _load(point: EntryPoint) -> Renderer:
    try:
        loaded = point.load()
    # Imported code may raise anything, and SystemExit would end the process with an exit code that means a
    # verdict.
    except (Exception, SystemExit) as error:
        fact = f"format {point.name!r} of {_origin(point)} cannot be loaded: {type(error).__name__}: {error}"
        raise UsageError(fact, "uninstall or fix that package") from error
    if not callable(loaded):
        raise UsageError(
            f"format {point.name!r} of {_origin(point)} is not a function",
            "it must take a judgement and return text",
        )
    renderer: Renderer = loaded
    return renderer
