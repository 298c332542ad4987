"""The gate of one contract: what passes becomes a line of its table, what does not comes back with its reasons."""

from typing import Any, NamedTuple

import orjson

from sluice.contracts.model import Contract
from sluice.events.corrections import Corrections, FindMedia
from sluice.events.drift import Drift, TooDeepError
from sluice.events.rows import Rows
from sluice.events.rules import RuleBreak, Rules
from sluice.events.whole_numbers import InexactError

_TOO_DEEP = RuleBreak("depth", "", "unknown members are nested deeper than 254 levels")
_INEXACT = "a whole number of 2^53 or more is exact only when it is written without point and exponent"


class Admitted(NamedTuple):
    """A clean event: its row as a line of JSON, its unknown members and missing media counted."""

    line: bytes
    drift: int
    media_missing: int


class Gate:
    """One contract, ready to take events."""

    def __init__(self, contract: Contract, find_media: FindMedia) -> None:
        """Compile the contract."""
        self._rules = Rules(contract)
        self._drift = Drift(contract)
        self._corrections = Corrections(contract, find_media)
        self._rows = Rows(contract)

    def admit(self, event: dict[str, Any], raw: memoryview, key: str, offset: int) -> Admitted | list[RuleBreak]:
        """Check an event and make its row, or return every rule it breaks.

        Args:
            event: The parsed event; corrected in place.
            raw: The event as delivered.
            key: Key of the object it came in.
            offset: Its byte offset there.
        """
        rescued, drift = None, 0
        try:
            if not self._rules.hold(event):
                if breaks := self._rules.breaks(event, len(raw)):
                    return breaks
                rescued, drift = self._drift.rescue(event, raw)
            missing = self._corrections.apply(event)
            row = self._rows.row(event)
            row["_source_key"] = key
            row["_source_offset"] = offset
            if rescued is not None:
                row["_rescued"] = rescued
            return Admitted(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE), drift, missing)
        except (TooDeepError, orjson.JSONEncodeError):  # a struct of the row holds unknown members as well
            return [_TOO_DEEP]
        except InexactError as error:
            return [RuleBreak("integer", error.pointer, _INEXACT)]
