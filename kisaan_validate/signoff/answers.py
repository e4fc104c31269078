"""To which names a key can answer: what allowed signers admit by their patterns, by several lines, and by
certificates.

The key says who a person is, not the name that was typed. Everything here is on the cautious side: a key
that might be the operator's is taken for the operator's.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from kisaan_validate.dataclass import dataclass
from kisaan_validate.signoff.keys import Signers
from kisaan_validate.signoff.standing import same_person


@dataclass(frozen=True)
class SignerLine:
    """One line of allowed signers: its number, the principals as they are written, and its key as OpenSSH
    keeps it.
    """

    number: int
    principals: tuple[str, ...]
    key: bytes
    authority: bool

    @property
    def words(self) -> str:
        """The line as people find it."""
        return f"line {self.number} ({','.join(self.principals)})"


def lines_in(signers: Signers) -> tuple[SignerLine, ...]:
    """The lines of allowed signers that have a key; validity times and namespaces make nobody another
    person.
    """
    found = []
    for number, text in enumerate(signers.allowed.decode("utf-8", "replace").splitlines(), 1):
        # Principals may be quoted, and a # begins a comment: ssh-keygen(1), ALLOWED SIGNERS.
        match = re.match(r'\s*(?:"([^"]*)"|([^\s#"]\S*))\s+(.*)', text)
        if match is None:
            continue
        rest = re.sub(r'"(?:\\.|[^"\\])*"', '""', match[3])  # an option may quote what looks like a key
        typed = re.search(r"(?:^|\s)(?:sk-)?(?:ssh|ecdsa)-\S+\s+([A-Za-z0-9+/=]+)", rest)
        key = _decoded(typed[1]) if typed is not None else b""
        if typed is not None and key:
            names = tuple(name for name in (match[1] or match[2] or "").split(",") if name)
            # Only before the key: behind it stands a comment, in which anybody may write anything.
            found.append(SignerLine(number, names, key, "cert-authority" in rest[: typed.start()].lower()))
    return tuple(found)


def answers_to(operator: str, signature: bytes, signers: Signers) -> str:
    """How the key of a signature can also sign for the operator, in words; "" if it cannot.

    ``signature`` is the armoured text of ``ssh-keygen -Y sign``, which holds the key.
    """
    blob = _signing_key(signature)
    if not operator.strip() or not blob:
        return ""
    key, named = _certified(blob)
    # A certificate names its holder whatever the allowed signers say.
    if name := next((n for n in named if same_person(operator, n)), ""):
        return f"its certificate also names {name}"
    lines = lines_in(signers)
    for line in lines:
        # Both the plain key and the certificate as a whole may stand in the file.
        by_key = line.key in (key, blob) and not line.authority
        if by_key and (name := _admitted(line.principals, operator)):
            return f"{line.words} of the allowed signers file gives its key to {name} as well"
    # An authority's key signs certificates and belongs to no person.
    return _through_others(operator, [line for line in lines if not line.authority], key)


def _through_others(operator: str, lines: list[SignerLine], key: bytes) -> str:
    """Names that share a key are one person, and so are keys that share a name, however many lines lie
    between.
    """
    keys = {line.key for line in lines if _spelled(line, operator)}
    names: set[str] = set()
    # To a fixed point: keys give names, and names give keys.
    while True:
        # A pattern names nobody, so it makes no two keys one person's.
        wider = names | {
            n.casefold() for line in lines if line.key in keys for n in line.principals if not _is_pattern(n)
        }
        keys |= {line.key for line in lines if {n.casefold() for n in line.principals} & wider}
        if wider == names:
            break
        names = wider
    if key in keys:
        return f"other lines of the allowed signers file give its key to {operator}"
    return ""


def _spelled(line: SignerLine, operator: str) -> bool:
    return any(not _is_pattern(name) and same_person(operator, name) for name in line.principals)


def _is_pattern(name: str) -> bool:
    return bool(set("*?!") & set(name))


def _admitted(principals: tuple[str, ...], operator: str) -> str:
    """A name by which these principals admit the operator, with any domain or none; "" if there is none."""
    # OpenSSH refuses a name by a negated pattern, whatever the others admit.
    refused = [name[1:].casefold() for name in principals if name.startswith("!")]
    for pattern in (name.casefold() for name in principals if not name.startswith("!")):
        for name in _witnesses(pattern, operator.strip().casefold().partition("@")[0]):
            if not any(fnmatchcase(name, _globbed(other)) for other in refused):
                return name
    return ""


def _witnesses(pattern: str, bare: str) -> Iterator[str]:
    """Names that the pattern admits and that are ``bare``, alone or before an @."""
    if fnmatchcase(bare, _globbed(pattern)):
        yield bare
    for rest in _rests(pattern, f"{bare}@"):
        # Nothing and one sign in the place of each star: what a pattern refuses for one it may admit for the
        # other.
        for filler in ("", "x"):
            yield f"{bare}@{rest.replace('*', filler).replace('?', 'x')}"


def _rests(pattern: str, text: str) -> set[str]:
    """What of a pattern is left to be matched after it took ``text``."""
    states = {pattern}
    for sign in text:
        states = {rest for state in states for rest in _after(state, sign)}
    return states


def _after(pattern: str, sign: str) -> set[str]:
    found = set()
    # A star takes the sign and stays, or takes nothing and is gone.
    while pattern.startswith("*"):
        found.add(pattern)
        pattern = pattern[1:]
    if pattern and pattern[0] in {sign, "?"}:
        found.add(pattern[1:])
    return found


def _globbed(pattern: str) -> str:
    """OpenSSH knows * and ? alone; a bracket is itself."""
    return pattern.replace("[", "[[]")


# --- what a signature holds (PROTOCOL.sshsig and PROTOCOL.certkeys of OpenSSH) ----------------------------


def _signing_key(armoured: bytes) -> bytes:
    text = armoured.decode("ascii", "replace")
    match = re.search(r"-----BEGIN SSH SIGNATURE-----(.*?)-----END SSH SIGNATURE-----", text, re.S)
    data = _decoded("".join(match[1].split())) if match else b""
    # A version of four bytes follows the magic word of six: 10 below.
    if not data.startswith(b"SSHSIG"):
        return b""
    return next(_strings(data[10:]), b"")


_FIELDS = {
    "ssh-rsa": 2,
    "rsa-sha2": 2,
    "ssh-dss": 4,
    "ssh-ed25519": 1,
    "ecdsa": 2,
    "sk-ssh-ed25519": 2,
    "sk-ecdsa": 3,
}
"""How many fields the public key of a certificate has, by its kind."""


def _certified(blob: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The plain key and the names of a certificate; a plain key is itself, and names nobody."""
    parts = list(_strings(blob, 1))
    kind = parts[0].decode("ascii", "replace") if parts else ""
    # "-cert-v0": a plain key has no names of its own.
    if "-cert-v0" not in kind:
        return blob, ()
    plain = re.sub(r"-cert-v0\d", "", kind)
    # A kind that is not known is taken to have one field; a wrong guess finds no names and admits nobody.
    family = next((count for word, count in _FIELDS.items() if plain.startswith(word)), 1)
    # Kind and nonce come before the fields of the key.
    fields = list(_strings(blob, 2 + family))
    rest = blob[sum(4 + len(f) for f in fields) :]
    more = list(_strings(rest[12:]))  # a serial number and the kind of certificate come before
    names = tuple(n.decode("utf-8", "replace") for n in _strings(more[1])) if len(more) > 1 else ()
    # Packed again without nonce and certificate, as it would stand in a file of keys.
    key = b"".join(_packed(f) for f in (plain.encode(), *fields[2:]))
    return key, names


def _packed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _strings(data: bytes, most: int = 100) -> Iterator[bytes]:
    """The length-prefixed strings that data begins with; it ends where what is left is none."""
    at = 0
    for _ in range(most):
        # A length beyond the data ends it: signatures come from strangers.
        size = int.from_bytes(data[at : at + 4], "big")
        if len(data) < at + 4 or len(data) < at + 4 + size:
            return
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
