"""The vendor's JSON, read leniently where its meaning is plain: codings, styles of member names, numbers as text."""

import json
import re
from typing import Any

import orjson

_WHOLE = re.compile(r"\+?([0-9]{1,30})(?:\.0*)?")
MAX_VALUES = 200_000
"""Values of a document that is read: a list of 10,000 files has a third. What they are made of fills memory."""

_ONE_BYTE = frozenset({"iso-8859-1", "latin-1", "latin1", "windows-1252", "cp1252"})


def parsed(body: bytes, charset: str = "") -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON document; it may begin with a byte order mark, be UTF-16 or UTF-32, or be a JSON text of JSON.

    `charset` is the coding that the answer says it has.

    Raises:
        ValueError: It is no JSON.
    """
    try:
        document = loads(body, MAX_VALUES)
    except ValueError:
        shown = json.detect_encoding(body)
        is_one_byte = shown == "utf-8" and charset.lower() in _ONE_BYTE
        document = loads(body.decode("cp1252" if is_one_byte else shown).encode(), MAX_VALUES)
    return _unwrapped(document) if isinstance(document, str) else document


def loads(body: bytes, max_values: int, refused: type[Exception] = ValueError) -> Any:  # noqa: ANN401 - any JSON
    """Return a JSON document, however deep.

    Raises:
        refused: It could have more values than so many: before each of them stands one of these signs.
        ValueError: It is no JSON.
    """
    if sum(map(body.count, (b"{", b"[", b","))) > max_values:
        raise refused(f"it has more than {max_values} values")
    return orjson.loads(body)


def _unwrapped(text: str) -> object:
    try:
        inner = loads(text.encode(), MAX_VALUES)
    except ValueError:
        return text
    return inner if isinstance(inner, dict | list) else text


def spelled(document: object, name: str) -> str | None:
    """Return the name of a member as the document spells it: ``JobGuid``, ``jobGuid``, ``job_guid``, ``JOB-GUID``."""
    if not isinstance(document, dict):
        return None
    if name in document:
        return name
    plain = _plain(name)
    return next((each for each in document if _plain(each) == plain), None)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def member(document: object, name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a member, however the document spells its name; None if there is none."""
    found = spelled(document, name)
    return document[found] if found is not None and isinstance(document, dict) else None


def whole_number(value: object) -> int | None:
    """Return a whole number that may be written ``123.0``, or as text; None if the value is anything else."""
    if isinstance(value, str):
        found = _WHOLE.fullmatch(value.strip())
        return int(found[1]) if found else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
