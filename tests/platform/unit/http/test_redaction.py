"""Secrets are found in every form they travel in, in any mixture of forms."""

import html
import json
import random
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sluice.http.answers import quoted
from sluice.http.redaction import Redactor, secrets_in

Form = Callable[[str, random.Random], str]


def some(encode: Callable[[str, random.Random], str]) -> Form:
    """Encode any characters, and leave the others as they are."""
    return lambda text, rng: "".join(encode(letter, rng) if rng.random() < 0.6 else letter for letter in text)


def case(text: str, rng: random.Random) -> str:
    return "".join(rng.choice([letter.lower(), letter.upper()]) for letter in text)


def percent(letter: str, rng: random.Random) -> str:
    return "".join(f"%{case(f'{octet:02x}', rng)}" for octet in letter.encode())


def json_escape(letter: str, rng: random.Random) -> str:
    units = letter.encode("utf-16-be")
    return "".join(f"\\u{case(units[at : at + 2].hex(), rng)}" for at in range(0, len(units), 2))


def html_escape(letter: str, rng: random.Random) -> str:
    return rng.choice([f"&#{ord(letter)};", f"&#x{case(f'{ord(letter):x}', rng)};", html.escape(letter)])


def base64(text: str, rng: random.Random) -> str:
    code = rng.choice([b64encode, urlsafe_b64encode])(f"{'x' * rng.randrange(7)}{text}:".encode()).decode()
    at = rng.randrange(len(code))
    return rng.choice([code, code.rstrip("="), f"{code[:at]}\r\n{code[at:]}"])


def nested(text: str, rng: random.Random) -> str:
    for _ in range(rng.randrange(1, 60)):
        text = quote(text, safe="")
    return text


FORMS: dict[str, Form] = {
    "as it is": lambda text, _: text,
    "percent": some(percent),
    "quote": lambda text, _: quote(text, safe=""),
    "form": lambda text, _: quote_plus(text),
    "JSON": lambda text, _: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON code points": some(json_escape),
    "HTML": some(html_escape),
    "base64": base64,
    "base64 of a form": lambda text, rng: base64(quote_plus(text), rng),
    "base64 of base64": lambda text, rng: base64(b64encode(text.encode()).decode(), rng),
    "percent, again and again": lambda text, rng: nested(percent(text, rng), rng),
    "octal": lambda text, _: "".join(f"\\{octet:03o}" for octet in text.encode()),
    "braces": lambda text, _: "".join(f"\\u{{{ord(letter):x}}}" for letter in text),
    "HTML without semicolons": lambda text, _: "".join(f"&#{ord(letter)}" for letter in text) + ".",
    "NULs between": lambda text, _: "\0".join(text),
    "hexadecimal": lambda text, rng: case(text.encode().hex(), rng),
}
ENVELOPES = ("as it is", "quote", "form", "JSON")
AROUND = st.text(st.characters(codec="utf-8", exclude_characters="%\\&"), max_size=20)
SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=12, max_size=40).filter(
    lambda secret: len(set(secret) - set(" \t\r\n\f\v+-=")) > 6
)


@pytest.mark.parametrize("form", FORMS)
@given(SECRETS, st.integers().map(random.Random), st.sampled_from(ENVELOPES), AROUND)
@example("SECRET/one +&\\\"'é😀%41", random.Random(1), "JSON", "says ")
def test_a_secret_in_every_form(form: str, secret: str, rng: random.Random, envelope: str, around: str) -> None:
    """In words, in another coding, and behind as much as a message shows."""
    written = FORMS[envelope](FORMS[form](secret, rng), rng)
    redactor = Redactor("another secret", secret)
    for said in (f"{around}{written}{around}", f"a {written} b"):
        assert redactor.holds(said)
        shown = redactor.redacted(said)
        assert written not in shown
        assert not redactor.holds(shown)


@given(st.text(max_size=300))
def test_what_holds_no_secret_stays(text: str) -> None:
    said = text.replace("://", "").replace("=", "").replace(":", "").replace("&", "").replace("\\", "").replace("%", "")
    if "bearer" not in said.lower() and "basic" not in said.lower():
        assert Redactor("SECRET/one +").redacted(said) == said


URL = (
    "https://b.s3.amazonaws.com/a/b?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIAEXAMPLEKEY%2F20260301%2Feu"
    "&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE%2F%2F%2F&X-Amz-Signature=0123456789abcdef0123456789abcdef"
)
PIECES = ("EXAMPLEKEY", "IQoJb3JpZ2luX2Vj", "0123456789abcdef")


@pytest.mark.parametrize(
    "written",
    [
        URL,
        URL.partition("://")[2],
        URL.partition("?")[2].lower(),
        quote(URL, safe=""),
        quote(quote(URL.partition("?")[2], safe=""), safe=""),
        json.dumps(URL.partition("?")[2]).replace("=", "\\u003D").replace("&", "\\u0026"),
        html.escape(URL.partition("?")[2]),
        "sig=0123456789abcdef",
        '{"access_token": "0123456789abcdef"}',
        "Authorization: Bearer 0123456789abcdef",
        "Basic+IQoJb3JpZ2luX2Vj",
        "client_secret : '0123456789abcdef'",
    ],
)
def test_what_is_named_like_a_credential(written: str) -> None:
    shown = quoted(f"denied for {written} today", Redactor())
    assert shown.startswith("denied for ")
    assert not [piece for piece in PIECES if piece.lower() in shown.lower()]


def test_a_presigned_url_is_a_key_piece_by_piece() -> None:
    redactor = Redactor().knowing(*secrets_in(URL))
    assert all(redactor.holds(piece) for piece in (PIECES[2] * 2, "ASIAEXAMPLEKEY/20260301/eu", URL))
    assert secrets_in("https://host/a?b=c") == ()
