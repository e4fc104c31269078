"""Text files as people's editors leave them: with a byte order mark, with the line ends of any system, in
the wrong encoding.

What can only mean one thing is taken; what would have to be guessed is refused, in words that say what to
do about it.
"""

from __future__ import annotations

from pathlib import Path

MARK = "\ufeff"
"""The byte order mark, as it reads in a decoded text."""

# In this order, because the mark of UTF-16 begins that of UTF-32.
_OTHER_ENCODINGS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
"""The marks by which files in other encodings begin, the longer ones first."""


def exact_text(data: bytes) -> str:
    """The text of a file's bytes, every one of them kept, a byte order mark too. Raises ValueError, saying
    what is wrong.
    """
    for mark, name in _OTHER_ENCODINGS.items():
        if data.startswith(mark):
            raise ValueError(f"it is {name} text: save it as UTF-8")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"it is not UTF-8 text: line {line} contains the byte 0x{data[error.start]:02X}: save it as UTF-8"
        ) from None


def read_exact(path: Path) -> str:
    """The text of a file, as :func:`exact_text`. Raises OSError and ValueError."""
    return exact_text(path.read_bytes())


def plain(text: str) -> str:
    """A text without the byte order mark that an editor put before it, its lines ended by a line feed alone.

    Raises ValueError for a NUL character: no editor writes one, but a file that was cut off by a crash is
    filled with them.
    """
    found = text.lstrip(MARK).replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in found:
        line = found.count("\n", 0, found.index("\0")) + 1
        raise ValueError(f"line {line} contains a NUL character: the file may be damaged")
    return found


def read_plain(path: Path) -> str:
    """The text of a file that people write: :func:`plain`. Raises OSError and ValueError."""
    return plain(read_exact(path))


def reason_of(error: OSError | ValueError) -> str:
    """Why a file could not be read, in words: of what :func:`read_exact` and :func:`read_plain` raise."""
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
