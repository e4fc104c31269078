"""A page of one template: its style, policy, icon and printed foot, which all such pages make alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from functools import cached_property

from jinja2 import Environment
from markupsafe import Markup

from kisaan_validate.dataclass import dataclass
from kisaan_validate.report import text
from kisaan_validate.report.shell import css_text, environment, favicon, policy, source
from kisaan_validate.report.svg import ICON_PATHS
from kisaan_validate.version import VERSION


@dataclass(frozen=True)
class PageKind:
    """What the pages of one kind share. ``styles`` are files of ``report/templates`` in their order,
    ``filters`` those that only this template uses.
    """

    template: str
    styles: tuple[str, ...]
    filters: Mapping[str, Callable[..., object]] = field(default_factory=dict)

    @cached_property
    def environment(self) -> Environment:
        """The templates with the filters of this kind, made once."""
        return environment(self.filters)

    def render(self, sign: str, foot: str, **facts: object) -> str:
        """The page. ``sign`` is a name in ``ICON_PATHS``, ``foot`` what :func:`printed_foot` made; ``facts``
        are what the template names beside what it gets on every page. The same input gives the same bytes.
        """
        style = "".join(map(source, self.styles)) + foot
        shared: dict[str, object] = {
            "style": Markup(style),
            "policy": policy(style),
            "icon": favicon(sign),
            "sign": sign,
            "path": ICON_PATHS[sign],
            "version": VERSION,
        }
        return self.environment.get_template(self.template).render(shared | facts)


@dataclass(frozen=True)
class PageFigure:
    """One of the figures of the first screen, and the words below it. ``some``: it is not drawn faint."""

    title: str
    figure: str
    words: str
    some: bool = True


def generator(begin: str) -> Markup:
    """The element by which pages of a command are known again. ``begin`` is all of it before the version."""
    return Markup('{}{}">').format(Markup(begin), VERSION)


def printed_foot(words: str, *, most: int = 200, title: str = "", below: str = "") -> str:
    """The rule that names a page on every printed sheet, for sheets get separated: at most ``most``
    characters of ``words`` at the foot and a line ``below``, ``title`` at the head.
    """
    head = f'@top-left{{content:"{css_text(title)}"}}' if title else ""
    more = f"\\a {css_text(below)}" if below else ""
    said = css_text(text.shortened(text.flat(words), most))
    return f'@page{{{head}@bottom-left{{content:"{said}{more}"}}}}\n'
