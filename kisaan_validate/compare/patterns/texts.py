"""What happens to texts: cut, trimmed, recoded, normalised, escaped; zeros lost in front."""

from __future__ import annotations

import html
import json
import unicodedata
from collections.abc import Iterator, Mapping

from kisaan_validate.compare.patterns.base import Pair, Parameter, Pattern, Sort

TEXTS = frozenset({Sort.TEXT})


class Truncated(Pattern):
    """'Pomegranate' became 'Pomeg': cut after n characters."""

    name = "truncated"
    sorts = TEXTS

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """The new value begins the old one."""
        if pair.texts and pair.texts[1] and pair.texts[0].startswith(pair.texts[1]):
            yield (str(len(pair.texts[1])),)

    def order(self, parameter: Parameter) -> tuple[object, ...]:
        """By number."""
        return (int(parameter[0]),)

    def says(self, parameter: Parameter) -> str:
        """After how many characters."""
        return f"cut off after {int(parameter[0]):,} character{'s' if parameter[0] != '1' else ''}"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``characters`` that are left."""
        return {"characters": parameter[0]}


class Trimmed(Pattern):
    """' Onion ' became 'Onion', or the other way."""

    name = "trimmed"
    sorts = TEXTS

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """They differ in white space around them, or within."""
        if not pair.texts:
            return
        before, after = pair.texts
        # Stripped to nothing, any two blank texts would be alike.
        if after.strip() and before.strip() == after.strip():
            yield ("lost" if len(after) < len(before) else "gained", "around")
        elif after and before.split() == after.split():
            yield ("changed", "within")

    def says(self, parameter: Parameter) -> str:
        """Lost, gained or changed; where."""
        return f"white space {parameter[0]} {parameter[1]} the text"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``space`` and ``where``."""
        return {"space": parameter[0], "where": parameter[1]}


class CaseChanged(Pattern):
    """'Onion' became 'ONION'."""

    name = "letter case"
    sorts = TEXTS

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """They differ in nothing but the case of letters."""
        # casefold, as ß and SS differ by more than lower().
        if not pair.texts or pair.texts[0].casefold() != pair.texts[1].casefold():
            return
        before, after = pair.texts
        made = {"upper": before.upper(), "lower": before.lower(), "initial capitals": before.title()}
        yield (next((case for case, text in made.items() if text == after), "mixed"),)

    def says(self, parameter: Parameter) -> str:
        """To which case."""
        if parameter[0] == "mixed":
            return "only the case of letters changed"
        return f"changed to {parameter[0]} case"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``case``."""
        return {"case": parameter[0]}


def _mistaken(raw: bytes, encoding: str) -> str:
    """Bytes read under a one-byte encoding. What cp1252 leaves undefined is read as latin-1 has it, as
    everybody does.
    """
    if encoding == "latin-1":
        return raw.decode("latin-1")
    return "".join(_CP1252[byte] for byte in raw)


def _cp1252() -> tuple[str, ...]:
    return tuple(
        # cp1252 leaves these five bytes undefined; browsers and PostgreSQL's clients read them as latin-1.
        bytes([n]).decode("cp1252") if n not in {0x81, 0x8D, 0x8F, 0x90, 0x9D} else chr(n)
        for n in range(256)
    )


_CP1252 = _cp1252()


class DoubleEncoded(Pattern):
    """'é' became 'Ã©': UTF-8 was taken for latin-1 or cp1252 and encoded again, once or twice. Or the
    other way: repaired.
    """

    name = "double-encoded UTF-8"
    group = 0
    sorts = frozenset({Sort.TEXT, Sort.DOCUMENT})

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """The old text's bytes read wrongly are the new text, or the reverse."""
        # ASCII is the same in all of these encodings.
        if not pair.texts or (pair.texts[0].isascii() and pair.texts[1].isascii()):
            return
        before, after = pair.texts
        for way, good, bad in (("broken", before, after), ("repaired", after, before)):
            # cp1252 first: what it and latin-1 make alike is mostly its doing.
            for encoding in ("cp1252", "latin-1"):
                once = _mistaken(good.encode("utf-8", "surrogatepass"), encoding)
                if once == bad:
                    yield way, encoding, "once"
                elif (
                    # Encoding again only makes it longer, so a shorter target need not be tried.
                    len(once) < len(bad) and _mistaken(once.encode("utf-8", "surrogatepass"), encoding) == bad
                ):
                    yield way, encoding, "twice"

    def says(self, parameter: Parameter) -> str:
        """Through which encoding."""
        way, encoding, times = parameter
        return (
            f"UTF-8 read as {encoding}"
            + (" twice" if times == "twice" else "")
            + (", repaired" if way == "repaired" else "")
        )

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``way``, ``encoding`` and ``times``."""
        return {"way": parameter[0], "encoding": parameter[1], "times": parameter[2]}


class CharactersLost(Pattern):
    """'José' became 'Jos?': what an encoding does not have was replaced, or dropped."""

    name = "characters lost"
    group = 0
    sorts = TEXTS

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """Encoding the old text with replacement gives the new one."""
        if not pair.texts or pair.texts[0].isascii():
            return
        before, after = pair.texts
        for encoding in ("ascii", "latin-1", "cp1252"):
            for how, errors in (("replaced by ?", "replace"), ("dropped", "ignore")):
                if before.encode(encoding, errors).decode(encoding) == after:
                    yield encoding, how
        # Only what NFD takes apart loses an accent; ø and ß stay as they are.
        if "".join(c for c in unicodedata.normalize("NFD", before) if not unicodedata.combining(c)) == after:
            yield "ascii", "lost their accents"

    def says(self, parameter: Parameter) -> str:
        """Which characters, and what happened to them."""
        if parameter[1] == "lost their accents":
            return "letters lost their accents"
        return f"characters missing in {parameter[0]} were {parameter[1]}"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``encoding`` and ``how``."""
        return {"encoding": parameter[0], "how": parameter[1]}


class Normalised(Pattern):
    """The same text to the eye, other code points: NFC, NFD, NFKC, NFKD."""

    name = "Unicode normalisation"
    group = 0
    sorts = TEXTS

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """The first form that makes the new text."""
        if not pair.texts or (pair.texts[0].isascii() and pair.texts[1].isascii()):
            return
        before, after = pair.texts
        for form in ("NFC", "NFD", "NFKC", "NFKD"):
            if unicodedata.normalize(form, before) == after:
                yield (form,)
                return

    def says(self, parameter: Parameter) -> str:
        """To which form."""
        return f"Unicode normalised to {parameter[0]}"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``form``."""
        return {"form": parameter[0]}


class ZerosLost(Pattern):
    """'00421' became '421': a code was taken for a number."""

    name = "leading zeros lost"
    group = 0
    sorts = TEXTS

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """The same digits but for the zeros in front; or the other way, gained."""
        if not pair.texts:
            return
        before, after = pair.texts
        if (
            before.isdecimal()
            and after.isdecimal()
            and (before.lstrip("0") or "0") == (after.lstrip("0") or "0")
        ):
            # Zeros that are left would not be what reading as a number gives.
            if len(after) < len(before) and after == (after.lstrip("0") or "0"):
                yield ("lost",)
            elif len(after) > len(before):
                yield ("gained",)

    def says(self, parameter: Parameter) -> str:
        """Lost or gained."""
        return f"leading zeros {parameter[0]}"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``zeros``."""
        return {"zeros": parameter[0]}


class Escaped(Pattern):
    """'Gupta & Sons' became 'Gupta &amp; Sons': escaped for another language once too often, or unescaped."""

    name = "escaped"
    group = 0
    sorts = frozenset({Sort.TEXT, Sort.DOCUMENT})

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """HTML, JSON, doubled backslashes, doubled single quotes, quotes around."""
        if not pair.texts:
            return
        for way, plain, escaped in (("escaped", *pair.texts), ("unescaped", *reversed(pair.texts))):
            # Escaping only lengthens.
            if len(escaped) > len(plain):
                yield from ((way, language) for language in self._languages(plain, escaped))

    def _languages(self, plain: str, escaped: str) -> Iterator[str]:
        if escaped in (html.escape(plain, quote=False), html.escape(plain)):
            yield "HTML"
        # JSON before plain quotes: a text without signs to escape is both.
        if escaped[0] == '"' and escaped in (json.dumps(plain), json.dumps(plain, ensure_ascii=False)):
            yield "JSON"
        elif escaped in (f'"{plain}"', f"'{plain}'"):
            yield "quotes"
        if escaped == plain.replace("\\", "\\\\"):
            yield "backslash"
        if escaped == plain.replace("'", "''"):
            yield "SQL"

    def says(self, parameter: Parameter) -> str:
        """Which way, for which language."""
        way, language = parameter
        words = {
            "HTML": "{} for HTML (& and &amp;)",
            "JSON": "{} as a JSON string",
            "quotes": "{} by quotes around",
            "backslash": "{}: backslashes doubled",
            "SQL": "{} for SQL (' and '')",
        }
        return words[language].format(way)

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``way`` and ``language``."""
        return {"way": parameter[0], "language": parameter[1]}


PATTERNS: tuple[Pattern, ...] = (
    DoubleEncoded(),
    Normalised(),
    CharactersLost(),
    ZerosLost(),
    Escaped(),
    Trimmed(),
    CaseChanged(),
    Truncated(),
)
