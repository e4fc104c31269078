"""Text for a terminal: names, values and messages of a database cannot move its cursor, recolour it, or
reverse its writing.
"""

from __future__ import annotations

from typing import Any

from rich.text import Text

from kisaan_validate.report.text import plain

KEPT = "\n\t\u200c\u200d"
"""Line breaks and tabs do no harm; the joiners are ordinary spelling in Indian scripts."""


def shown(text: str) -> str:
    """The text with every other hidden character written by its name: ``[U+001B]``."""
    return plain(text, keep=KEPT)


class Shown(Text):
    """Rich's text; no part can be a command to the terminal."""

    def __init__(self, text: str = "", *more: Any, **named: Any) -> None:
        # At the one place where text becomes rich's: a caller cannot forget it.
        super().__init__(shown(text), *more, **named)

    def append(self, text: Text | str, style: Any = None) -> Text:
        """Add to its end, as rich's own does."""
        # A Text of rich's own was made by this class, or by rich, and is clean already.
        return super().append(shown(text) if isinstance(text, str) else text, style)
