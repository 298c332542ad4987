"""What is mended in a valid event before it becomes a row.

Each rule gets an object, the name of one of its members, and that member's value, where it is of a type that the rule
is about. It changes the event in place and says what it did.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

import orjson

from sluice.contracts.model import Contract, Correction
from sluice.event_files.validate.rules import pointer
from sluice.event_files.validate.whole_numbers import InexactError, whole

Event = dict[str, Any]
FindMedia = Callable[[str, str], str | None]
"""Gives the ``s3://`` URI of a medium by media library and media id, None when there is none."""

_ADD_TAG = "ADD_TAG"


class Corrected(NamedTuple):
    """Whether an event was changed, and how many media were looked for in vain."""

    changed: bool
    media_missing: int

    def and_then(self, other: "Corrected") -> "Corrected":
        """Add up what was done to one event."""
        return Corrected(self.changed or other.changed, self.media_missing + other.media_missing)


_Correct = Callable[[Event, str, Any], Corrected]
_Rule = Mapping[type, _Correct]
"""What it does with values of the types it is about: there is nothing to do for most."""

_KEPT = Corrected(changed=False, media_missing=0)
_CHANGED = Corrected(changed=True, media_missing=0)
_MISSING = Corrected(changed=False, media_missing=1)


class Corrections:
    """The corrections of one contract, in order."""

    def __init__(self, contract: Contract, find_media: FindMedia) -> None:
        """Bind the contract's corrections to the media look-up, and put those of one object together."""
        rules: dict[str, _Rule] = {**_RULES, "media_uri": {dict: partial(_media_uri, find_media)}}
        self._groups = [
            (path, [(each.member[-1], rules[each.rule]) for each in group])
            for path, group in groupby(contract.corrections, key=_parent_path)
        ]

    def apply(self, event: Event) -> Corrected:
        """Correct `event` in place; say what was done. Raises InexactError."""
        all_done = _KEPT
        for path, corrections in self._groups:
            parent: Any = event
            for member in path:
                parent = parent.get(member) if isinstance(parent, dict) else None
            if isinstance(parent, dict):
                for member, rule in corrections:
                    value = parent.get(member)
                    if correct := rule.get(type(value)):
                        try:
                            done = correct(parent, member, value)
                        except InexactError:
                            raise InexactError(pointer([*path, member])) from None
                        if done is not _KEPT:
                            all_done = done if all_done is _KEPT else all_done.and_then(done)
        return all_done


def _parent_path(correction: Correction) -> tuple[str, ...]:
    return correction.member[:-1]


def _integer_to_string(parent: Event, member: str, value: float) -> Corrected:
    parent[member] = str(whole(value))
    return _CHANGED


def _list_of_string(parent: Event, member: str, value: str) -> Corrected:
    parent[member] = [] if value == "null" else [value]
    return _CHANGED


def _json_text(parent: Event, member: str, value: Any) -> Corrected:  # noqa: ANN401
    parent[member] = orjson.dumps(value).decode()
    return _CHANGED


def _null_media_of_add_tag(parent: Event, _: str, value: Event) -> Corrected:
    if parent.get("type") != _ADD_TAG:
        return _KEPT
    value.update(media_id=None, media_type=None, medialib=None)
    return _CHANGED


def _media_uri(find_media: FindMedia, parent: Event, _: str, value: Event) -> Corrected:
    media_id, medialib = value.get("media_id"), value.get("medialib")
    if parent.get("type") == _ADD_TAG or media_id is None or not isinstance(medialib, str):
        return _KEPT
    uri = find_media(medialib, str(media_id))
    if uri is None:
        return _MISSING
    value["media_id"] = uri
    return _CHANGED


_RULES: dict[str, _Rule] = {
    "integer_to_string": dict.fromkeys((int, float), _integer_to_string),
    "list_of_string": {str: _list_of_string},
    "json_text": dict.fromkeys((bool, int, float, list, dict), _json_text),
    "null_media_of_add_tag": {dict: _null_media_of_add_tag},
}
