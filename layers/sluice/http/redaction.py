"""The one place that takes secrets out of text: whatever the vendor says passes it before anything else reads it.

A secret is found in every form it travels in: as it is, in any case; percent-encoded or as escapes of JSON or HTML, in
part or whole and one in the other; in hexadecimal; in base64 of any alignment and alphabet, broken into lines or not,
and in base64 of that.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from html.entities import html5
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

GONE = "***"
"""Text that stands for a secret."""

LONGEST = 20_000
"""Characters of a text that are looked at; hundreds of them are shown."""

_LAYERS = 20  # ways of reading a text with codings in one another; one that has more is taken for a secret
_KNOWN = 64  # secrets and tokens that a process remembers; the vendor's tokens live for an hour
_SHORTEST = 6  # characters of a secret that is told from words in coded text, too
_SHORTEST_SIGNATURE = 16
_FEWEST = 4  # characters of a coded secret that are told from chance

_ADDRESS = re.compile(r"\w{1,20}://\S+")
_NAMES = (
    r"signature|\bsig\b|credential|security[-_]?token|access_?key(?:_?id)?|client_?secret|api_?key|api_?token"
    r"|access_?token|refresh_?token|\btoken\b|password"
)
_NAMED = re.compile(rf"(?:{_NAMES})[\"']?\s*[=:]\s*[\"']?(?!\*\*\*)([^\s&\"',;]+)", re.IGNORECASE)
_AUTHORIZATION = re.compile(r"\b(bearer|basic)[\s+]+(?!\*\*\*)[\w.~+/=-]{6,}", re.IGNORECASE)
_WORD = re.compile(r"(\s+)")
_ESCAPES = tuple(
    re.compile(escape, re.IGNORECASE)
    for escape in (
        rb"(?P<octet>(?:%[0-9a-f]{2})+)",
        rb"\\(?P<octal>[0-3][0-7]{2})|\\u\{0*(?P<braced>[0-9a-f]{1,6})\}",
        rb"\\u(?P<high>d[89ab][0-9a-f]{2})\\u(?P<low>d[c-f][0-9a-f]{2})|[%\\]u(?P<code>[0-9a-f]{4})|\\x(?P<byte>[0-9a-f]{2})",
        rb"\\(?P<sign>[/\\\"'bfnrt])",
        rb"&(?:#x0*(?P<hex>[0-9a-f]{1,6});?|#0*(?P<decimal>[0-9]{1,7});?|(?P<name>[a-z][a-z0-9]{1,31});)",
    )
)
_CONTROLS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_LAST_CODE_POINT = 0x10FFFF
_ALIKE = bytes.maketrans(b"_", b"/")  # of the two alphabets of base64
_IGNORED = bytes(range(33)) + b"+-="  # line breaks, NULs of UTF-16; a plus is a blank in forms, a minus in base64


class Redactor:
    """Knows the secrets of a process, and takes them out of text; safe to use from many threads."""

    def __init__(self, *secrets: str) -> None:
        self._known: dict[str, frozenset[bytes]] = {}
        self.learn(*secrets)

    def learn(self, *secrets: str) -> None:
        """Add secrets; the oldest of very many are forgotten."""
        known = dict(self._known)
        for secret in filter(None, secrets):
            known[secret] = known.pop(secret) if secret in known else frozenset(_needles(secret))
        self._known = dict(list(known.items())[-_KNOWN:])

    def knowing(self, *secrets: str) -> "Redactor":
        """Return one that knows further secrets."""
        return Redactor(*self._known, *secrets)

    def holds(self, text: str) -> bool:
        """Tell whether a text holds a secret in any form; very short ones are words, and do not count."""
        needles, layers = frozenset().union(*self._known.values()), _layers(text)
        return len(layers) == _LAYERS or any(needle in plain for plain in map(_plain, layers) for needle in needles)

    def redacted(self, text: str) -> str:
        """Return the begin of a text without secrets, addresses, and values of what is named like a credential."""
        text = text[:LONGEST]
        for secret in sorted(self._known, key=len, reverse=True):
            for written in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret)):
                text = text.replace(written, GONE)
        text = _AUTHORIZATION.sub(rf"\1 {GONE}", _ADDRESS.sub(GONE, text))
        text = _NAMED.sub(lambda found: found[0].removesuffix(found[1]) + GONE, text)
        if self._leaks(text):  # in another form: the words that hold it go, or all of them
            text = "".join(GONE if self._leaks(word) else word for word in _WORD.split(text))
        return GONE if self._leaks(text) else text

    def _leaks(self, text: str) -> bool:
        return self.holds(text) or any(map(_names_credential, _layers(text)))


def secrets_in(url: str) -> tuple[str, ...]:
    """Return what makes a presigned URL a key: its query, and the values in it that are as long as signatures are."""
    query = urlsplit(url).query
    values = [value for _, value in parse_qsl(query)] if query.count("&") < _KNOWN else []
    return tuple(value for value in (query, *values) if len(value) >= _SHORTEST_SIGNATURE)


def _names_credential(layer: bytes) -> bool:
    text = layer.decode("utf-8", "replace")
    return any(pattern.search(text) for pattern in (_NAMED, _AUTHORIZATION, _ADDRESS))


def _layers(text: str) -> list[bytes]:
    """Return a text as it is, and with its escapes undone, kind by kind in any order, until none is left."""
    found = [text.encode("utf-8", "surrogatepass")]
    for layer in found:  # which grows meanwhile
        undone = (escape.sub(_unescaped, layer) for escape in _ESCAPES)
        found += [each for each in dict.fromkeys(undone) if each not in found][: _LAYERS - len(found)]
    return found


def _unescaped(found: re.Match[bytes]) -> bytes:
    part = {name: value.decode() for name, value in found.groupdict().items() if value}
    if "octet" in part:
        return bytes.fromhex(part["octet"].replace("%", ""))
    if "high" in part:
        return bytes.fromhex(part["high"] + part["low"]).decode("utf-16-be").encode()
    if "octal" in part:
        return bytes([int(part["octal"], 8)])
    if "sign" in part:
        return _CONTROLS.get(found["sign"], found["sign"])
    if "name" in part:
        return html5.get(f"{part['name']};", found[0].decode()).encode()
    (kind, digits), *_ = part.items()
    point = int(digits, 10 if kind == "decimal" else 16)
    return chr(point).encode("utf-8", "surrogatepass") if point <= _LAST_CODE_POINT else found[0]


def _plain(text: bytes) -> bytes:
    """Return a text without what differs between forms: case, white space, the alphabet of base64."""
    return text.lower().translate(_ALIKE, _IGNORED)


def _needles(secret: str) -> Iterator[bytes]:
    """Yield every form of a secret that is looked for in a text whose escapes are undone."""
    if len(secret) < _SHORTEST:
        return
    whole = secret.encode("utf-8", "surrogatepass")
    coded = {whole, *(form(whole).encode() for form in (quote, quote_plus)), quote(whole, safe="").encode()}
    forms = [*_layers(secret), *(form.hex().encode() for form in coded)]
    inner = [_base64(form, before) for form in coded for before in range(3)]
    forms += [*inner, *(_base64(form, before) for form in inner for before in range(3))]
    yield from (needle for needle in map(_plain, forms) if len(needle) >= _FEWEST)


def _base64(secret: bytes, before: int) -> bytes:
    """Return the characters of a base64 that come from a secret alone, which so many bytes stand before."""
    last = 8 * (before + len(secret)) // 6
    return b64encode(bytes(before) + secret)[-(-8 * before // 6) : last]
