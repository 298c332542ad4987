"""Members of an event that its contract does not know: rescued into the row, never lost, counted as drift."""

import json
import re
from typing import Any

import orjson

from sluice.contracts.model import Contract
from sluice.event_files.validate.rules import pointer
from sluice.event_files.validate.schema_members import Known, known_of

_LARGE_FLOAT = re.compile(r"[0-9]e\+")  # orjson reads integers beyond 64 bits as floats and writes them like this


class TooDeepError(Exception):
    """The event nests deeper than its unknown members can be written (254 levels, at most)."""


class Drift:
    """Finds what one contract does not know."""

    def __init__(self, contract: Contract) -> None:
        """Collect the members that the contract's schema names."""
        self._known = known_of(contract.schema)

    def rescue(self, event: dict[str, Any], raw: memoryview) -> tuple[str | None, int]:
        """Return the unknown members as one JSON object, value by JSON pointer, and their count.

        `raw` is the event as delivered. Raises TooDeepError.
        """
        unknown: dict[str, Any] = {}
        _collect(self._known, event, [], unknown)
        if not unknown:
            return None, 0
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


def _collect(known: Known, value: Any, path: list[str | int], unknown: dict[str, Any]) -> None:  # noqa: ANN401
    if isinstance(value, dict):
        if known.names and not value.keys() <= known.names:
            unknown.update({pointer([*path, name]): value[name] for name in value if name not in known.names})
        for name, child in known.nested:
            if member := value.get(name):
                _collect(child, member, [*path, name], unknown)
    elif known.items and isinstance(value, list):
        for index, item in enumerate(value):
            _collect(known.items, item, [*path, index], unknown)
