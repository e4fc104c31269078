"""What loading a suite needs and takes long to import, imported while something else is waited for."""

from __future__ import annotations

import threading
from contextlib import suppress


def pandera_ahead() -> threading.Thread:
    """A thread that imports pandera, not yet started. What goes wrong there is raised where it is needed."""
    # No daemon: a process that ends in the middle of such an import may crash.
    return threading.Thread(target=_import)


def _import() -> None:
    # Nothing of our own: other threads import that at the same time.
    with suppress(Exception):
        import pandera.pandas  # noqa: F401
