"""What is mended in a valid event before it becomes a row. Each rule changes the event in place."""

from collections.abc import Callable
from typing import Any

import orjson

from sluice.contracts.model import Contract, Correction
from sluice.events.rules import pointer
from sluice.events.whole_numbers import InexactError, whole

Event = dict[str, Any]
FindMedia = Callable[[str, str], str | None]
"""Gives the ``s3://`` URI of a medium by media library and media id, None when there is none."""

_ADD_TAG = "ADD_TAG"


class Corrections:
    """The corrections of one contract, in order."""

    def __init__(self, contract: Contract, find_media: FindMedia) -> None:
        """Bind the contract's corrections to the media look-up."""
        self._corrections = contract.corrections
        self._find_media = find_media

    def apply(self, event: Event) -> int:
        """Correct `event` in place; return how many media were looked for and not found. Raises InexactError."""
        missing = 0
        for correction in self._corrections:
            parent = _parent(event, correction)
            if parent is None or parent.get(correction.member[-1]) is None:
                continue
            if correction.rule == "media_uri":
                missing += self._media_uri(parent, correction.member[-1])
            else:
                _correct(parent, correction)
        return missing

    def _media_uri(self, parent: Event, member: str) -> int:
        payload = parent[member]
        media_id, medialib = payload.get("media_id"), payload.get("medialib")
        if parent.get("type") == _ADD_TAG or media_id is None or not isinstance(medialib, str):
            return 0
        uri = self._find_media(medialib, str(media_id))
        if uri is None:
            return 1
        payload["media_id"] = uri
        return 0


def _correct(parent: Event, correction: Correction) -> None:
    try:
        _RULES[correction.rule](parent, correction.member[-1])
    except InexactError:
        raise InexactError(pointer([*correction.member])) from None


def _parent(event: Event, correction: Correction) -> Event | None:
    node: Any = event
    for member in correction.member[:-1]:
        node = node.get(member) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else None


def _integer_to_string(parent: Event, member: str) -> None:
    value = parent[member]
    if isinstance(value, int | float):
        parent[member] = str(whole(value))


def _list_of_string(parent: Event, member: str) -> None:
    value = parent[member]
    if isinstance(value, str):
        parent[member] = [] if value == "null" else [value]


def _json_text(parent: Event, member: str) -> None:
    value = parent[member]
    if not isinstance(value, str):
        parent[member] = orjson.dumps(value).decode()


def _null_media_of_add_tag(parent: Event, member: str) -> None:
    if parent.get("type") == _ADD_TAG:
        parent[member].update(media_id=None, media_type=None, medialib=None)


_RULES: dict[str, Callable[[Event, str], None]] = {
    "integer_to_string": _integer_to_string,
    "list_of_string": _list_of_string,
    "json_text": _json_text,
    "null_media_of_add_tag": _null_media_of_add_tag,
}
