"""The gate of one contract: what passes becomes a line of its table, what does not comes back with its reasons.

A line is the event as delivered, with a few members of ours behind its own: copying bytes is the cheapest way to change
none of them. Only an event with something to mend in it is written anew.
"""

from typing import Any

import orjson

from sluice.contracts.model import Contract
from sluice.event_files.ledger.model import Counts
from sluice.event_files.validate.corrections import Corrections, FindMedia
from sluice.event_files.validate.rules import TOO_DEEP, RuleBreak, Rules
from sluice.event_files.validate.unknown_members import Drift, TooDeepError
from sluice.event_files.validate.whole_numbers import InexactError, WholeNumbers

_INEXACT = "a whole number of 2^53 or more is exact only when it is written without point and exponent"


class Gate:
    """One contract, ready to take events."""

    def __init__(self, contract: Contract, find_media: FindMedia) -> None:
        """Compile the contract."""
        self._rules = Rules(contract)
        self._drift = Drift(contract)
        self._corrections = Corrections(contract, find_media)
        self._whole_numbers = WholeNumbers(contract)

    def admit(self, event: dict[str, Any], raw: memoryview, lineage: bytes, counts: Counts) -> bytes | list[RuleBreak]:
        """Check an event and make its line, or return every rule it breaks.

        Args:
            event: The parsed event; corrected in place.
            raw: The event as delivered, from its opening to its closing brace.
            lineage: How its line ends, as `lineage_of` its object and its offset say.
            counts: Where unknown members and missing media of a clean event are counted.
        """
        rescued, drift, mended = None, 0, False
        try:
            if not self._rules.hold(event):
                if breaks := self._rules.breaks(event, len(raw)):
                    return breaks
                rescued, drift = self._drift.rescue(event, raw)
                mended = self._whole_numbers.mend(event)
            corrected, missing = self._corrections.apply(event)
            text = memoryview(orjson.dumps(event)) if corrected or mended else raw
        except (TooDeepError, orjson.JSONEncodeError):
            return [TOO_DEEP]
        except InexactError as error:
            return [RuleBreak("integer", error.pointer, _INEXACT)]
        if drift or missing:
            counts.drift += drift
            counts.media_missing += missing
        return _line(text, lineage, rescued)


def lineage_of(key: str) -> bytes:
    """Return how lines of events out of the object `key` end; the event's byte offset is put in by ``%``."""
    return b',"_source_key":%b,"_source_offset":%%d}\n' % orjson.dumps(key).replace(b"%", b"%%")


def _line(text: memoryview, lineage: bytes, rescued: str | None) -> bytes:
    """Put our members behind the event's own: where a name is there twice, the last one holds."""
    ours = lineage if rescued is None else b',"_rescued":%b%b' % (orjson.dumps(rescued), lineage)
    line = b"".join((text[:-1], ours))
    if line.find(b"\n") < len(line) - 1:  # between members, for texts have them escaped
        return line[:-1].replace(b"\n", b" ") + b"\n"
    return line
