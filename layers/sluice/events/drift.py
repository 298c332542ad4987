"""Members of an event that its contract does not know: rescued into the row, never lost, counted as drift."""

import json
import re
from dataclasses import dataclass
from typing import Any

import orjson

from sluice.contracts.model import Contract
from sluice.events.rules import pointer

_LARGE_FLOAT = re.compile(r"[0-9]e\+")  # orjson reads integers beyond 64 bits as floats and writes them like this


@dataclass(frozen=True, slots=True)
class _Known:
    """The members a schema names, with those among them that have members of their own."""

    names: frozenset[str]
    nested: tuple[tuple[str, "_Known"], ...]
    items: "_Known | None" = None


class TooDeepError(Exception):
    """The event nests deeper than its unknown members can be written (254 levels, at most)."""


class Drift:
    """Finds what one contract does not know."""

    def __init__(self, contract: Contract) -> None:
        """Collect the members that the contract's schema names."""
        self._known = _known(contract.schema)

    def rescue(self, event: dict[str, Any], raw: memoryview) -> tuple[str | None, int]:
        """Return the unknown members as one JSON object, value by JSON pointer, and their count.

        `raw` is the event as delivered. Raises TooDeepError.
        """
        if _knows(self._known, event):
            return None, 0
        unknown: dict[str, Any] = {}
        _collect(self._known, event, [], unknown)
        try:
            text = orjson.dumps(unknown).decode()
        except orjson.JSONEncodeError as error:
            raise TooDeepError from error
        return self._exact(raw) if _LARGE_FLOAT.search(text) else text, len(unknown)

    def _exact(self, raw: memoryview) -> str:
        """Write the unknown members with integers of any size."""
        unknown: dict[str, Any] = {}
        try:
            _collect(self._known, json.loads(bytes(raw)), [], unknown)
        except RecursionError as error:  # of a known member of any shape
            raise TooDeepError from error
        return json.dumps(unknown, ensure_ascii=False, separators=(",", ":"))


_OPAQUE = _Known(frozenset(), ())


def _known(*schemas: Any) -> _Known:  # noqa: ANN401
    """Return what `schemas`, which all apply to the same value, name."""
    members: dict[str, list[Any]] = {}
    items: list[Any] = []
    for schema in schemas:
        _gather(schema, members, items)
    nested = tuple((name, known) for name, parts in members.items() if (known := _known(*parts)) != _OPAQUE)
    of_items = _known(*items) if items else _OPAQUE
    return _Known(frozenset(members), nested, None if of_items == _OPAQUE else of_items)


def _gather(schema: Any, members: dict[str, list[Any]], items: list[Any]) -> None:  # noqa: ANN401
    """Add up what a schema and the schemas that apply beside it say of an object's members and a list's items."""
    if not isinstance(schema, dict):
        return
    for name, member in schema.get("properties", {}).items():
        members.setdefault(name, []).append(member)
    if "items" in schema:
        items.append(schema["items"])
    beside = [schema[key] for key in ("if", "then", "else") if key in schema]
    for part in [*beside, *(part for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key, ()))]:
        _gather(part, members, items)


def _knows(known: _Known, value: Any) -> bool:  # noqa: ANN401
    """Tell whether every member of `value` is known; this is the common case, so it builds nothing."""
    if isinstance(value, dict):
        if known.names and not value.keys() <= known.names:
            return False
        for name, child in known.nested:
            member = value.get(name)
            if member and not _knows(child, member):
                return False
    elif known.items and isinstance(value, list):
        for item in value:
            if not _knows(known.items, item):
                return False
    return True


def _collect(known: _Known, value: Any, path: list[str | int], unknown: dict[str, Any]) -> None:  # noqa: ANN401
    if isinstance(value, dict):
        if known.names:
            unknown.update({pointer([*path, name]): value[name] for name in value if name not in known.names})
        for name, child in known.nested:
            if name in value:
                _collect(child, value[name], [*path, name], unknown)
    elif known.items and isinstance(value, list):
        for index, item in enumerate(value):
            _collect(known.items, item, [*path, index], unknown)
