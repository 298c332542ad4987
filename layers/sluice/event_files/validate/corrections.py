"""Corrections of a valid event before it becomes a row: those its contract names, and whole numbers written as such.

JSON Schema takes 1.0 and 1e3 for integers, an int64 column does not. Each rule of a contract gets an object, the name
of one of its members and that member's value, if it is of a type of the rule; it changes the object in place.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import orjson

from sluice.contracts.model import Contract, Correction, HiveType, event_type
from sluice.event_files.validate.rules import pointer

Event = dict[str, Any]
FindMedia = Callable[[str, str], str | None]
"""Finds the ``s3://`` URI of a medium by media library and media id, None when there is none."""

_ADD_TAG = "ADD_TAG"

_Correct = Callable[[Event, str, Any], int]
_Rule = Mapping[type, _Correct]
"""A rule's correction by type of value; most types need none."""

_KEPT, _CHANGED, _MISSING = range(3)
"""Result of a correction: nothing was to be changed, the event was changed, its medium was not found."""


class Corrections:
    """The corrections of one contract, in order."""

    def __init__(self, contract: Contract, find_media: FindMedia) -> None:
        rules: dict[str, _Rule] = {**_RULES, "media_uri": {dict: partial(_media_uri, find_media)}}
        self._groups = [
            (path, [(each.member[-1], rules[each.rule]) for each in group])
            for path, group in groupby(contract.corrections, key=_parent_path)
        ]

    def apply(self, event: Event) -> tuple[bool, int]:
        """Correct `event` in place; return whether it was changed, and how many of its media were not found.

        Raises InexactError.
        """
        changed, media_missing = False, 0
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
                        if done is _CHANGED:
                            changed = True
                        elif done is _MISSING:
                            media_missing += 1
        return changed, media_missing


def _parent_path(correction: Correction) -> tuple[str, ...]:
    return correction.member[:-1]


def _integer_to_string(parent: Event, member: str, value: float) -> int:
    parent[member] = str(whole(value))
    return _CHANGED


def _list_of_string(parent: Event, member: str, value: str) -> int:
    parent[member] = [] if value == "null" else [value]
    return _CHANGED


def _json_text(parent: Event, member: str, value: Any) -> int:  # noqa: ANN401
    parent[member] = orjson.dumps(value).decode()
    return _CHANGED


def _null_media_of_add_tag(parent: Event, _: str, value: Event) -> int:
    if parent.get("type") != _ADD_TAG:
        return _KEPT
    value.update(media_id=None, media_type=None, medialib=None)
    return _CHANGED


def _media_uri(find_media: FindMedia, parent: Event, _: str, value: Event) -> int:
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


_EXACT = 2**53
"""From this number on, two whole numbers may be parsed as the same float."""

_Mend = Callable[[Any], bool]


class InexactError(Exception):
    """A whole number of 2^53 or more, at `pointer`, is written with point or exponent: parsing may have rounded it."""

    def __init__(self, pointer: str = "") -> None:
        super().__init__(pointer)
        self.pointer = pointer


def whole(number: float) -> int:
    """Return a valid integer as an int. Raises InexactError."""
    if type(number) is int:
        return number
    if abs(number) >= _EXACT:
        raise InexactError
    return int(number)


def mending_whole_numbers(contract: Contract) -> Callable[[Event], bool]:
    """Return the function that writes the whole numbers of a contract's columns as such.

    It changes a valid event in place, and returns whether it did. It raises InexactError.
    """
    return _mending(event_type(contract.columns)) or (lambda _: False)


def _mending(type_: HiveType) -> _Mend | None:
    """Return the function that changes values of a type in place; None if the type has no whole numbers."""
    if type_.kind == "array":
        return _mend_numbers if type_.element.kind == "bigint" else _mending_items(type_.element)
    if type_.kind == "struct":
        return _mending_members(type_.fields)
    return None


def _mend_numbers(items: list[Any]) -> bool:
    if float not in map(type, items):
        return False
    items[:] = [whole(item) if type(item) is float else item for item in items]
    return True


def _mending_items(type_: HiveType) -> _Mend | None:
    mend = _mending(type_)
    if mend is None:
        return None
    return lambda items: any([mend(item) for item in items if item is not None])  # noqa: C419 - each, not up to one


def _mending_members(fields: Sequence[tuple[str, HiveType]]) -> _Mend | None:
    numbers = [name for name, member in fields if member.kind == "bigint"]
    others = [(name, mend) for name, member in fields if (mend := _mending(member))]

    def mend_members(value: dict[str, Any]) -> bool:
        mended = False
        name = ""
        try:
            for name in numbers:
                if type(value.get(name)) is float:
                    value[name] = whole(value[name])
                    mended = True
            for name, mend in others:
                member = value.get(name)
                if member is not None and mend(member):
                    mended = True
        except InexactError as error:
            raise InexactError(f"/{name}{error.pointer}") from None
        return mended

    return mend_members if numbers or others else None
