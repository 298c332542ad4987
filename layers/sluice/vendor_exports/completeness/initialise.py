"""Initialising a history over months of folders: cut into parts, observed side by side, merged at the end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Self

import orjson

from sluice.lake.object_store import ObjectStore
from sluice.vendor_exports.completeness.keys import history_plan_key, part_key
from sluice.vendor_exports.completeness.observe import observe
from sluice.vendor_exports.completeness.publish import Publishing
from sluice.vendor_exports.completeness.recording import record
from sluice.vendor_exports.completeness.state import decode, encode
from sluice.vendor_exports.delivery.slots import Environment, Slot, newest_settled, slots_between

DAYS_PER_PART = 7
"""At 300 files an hour, a part lists some 50,000 files and reads 168 schemas."""


class InitialisationError(Exception):
    """A history cannot be initialised so; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some days of an initialisation, looked at by one function at once.

    Attributes:
        run_id: The initialisation.
        part: Name of the part in it; names sort as the parts do.
        environment: The flow.
        first: First slot.
        last: Last slot, included.
    """

    run_id: str
    part: str
    environment: Environment
    first: Slot
    last: Slot

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        environment, first, last = Environment(value["environment"]), value["first"], value["last"]
        return cls(value["run_id"], value["part"], environment, Slot.parse(first), Slot.parse(last))

    def to_json(self) -> dict[str, str]:
        """Give the part as it stands in the plan, an item of a Distributed Map."""
        return {
            "run_id": self.run_id,
            "part": self.part,
            "environment": str(self.environment),
            "first": str(self.first),
            "last": str(self.last),
        }


def cut(run_id: str, environment: Environment, first: Slot, last: Slot) -> Iterator[Part]:
    """Yield the parts from `first` to `last`, both included."""
    numbered = groupby(
        slots_between(first, last), lambda slot: (slot.hour.date() - first.hour.date()).days // DAYS_PER_PART
    )
    for number, group in numbered:
        slots = list(group)
        yield Part(run_id, f"{number:05}", environment, slots[0], slots[-1])


def write_plan(
    files: ObjectStore, run_id: str, environment: Environment, first: Slot, last: Slot, now: datetime
) -> list[Part]:
    """Write the plan of the settled slots from `first` to `last`; its ``/parts`` are the items of a Distributed Map.

    Raises:
        InitialisationError: No slot of the range is settled.
        ObjectStoreError: The bucket did not do what was asked.
    """
    parts = list(cut(run_id, environment, first, min(last, newest_settled(now))))
    if not parts:
        raise InitialisationError(f"no hour from {first} to {last} is over by 30 minutes; give a range in the past")
    files.write(history_plan_key(run_id), orjson.dumps({"parts": [part.to_json() for part in parts]}))
    return parts


def observe_part(folders: ObjectStore, files: ObjectStore, part: Part, now: datetime) -> None:
    """Look at the slots of a part and leave their observations for the merge.

    Raises:
        ObjectStoreError: The bucket did not do what was asked.
    """
    slots = list(slots_between(part.first, part.last))
    files.write(part_key(part.run_id, part.part), encode(observe(folders, part.environment, slots, now)))


def merge_parts(files: ObjectStore, publishing: Publishing, run_id: str) -> int:
    """Merge what all parts observed into the state, publish, and return the number of slots.

    Raises:
        InitialisationError: There is no such plan, or a part of it was not observed; nothing was merged.
        HistoryBusyError: Others wrote the same objects each time.
        ObjectStoreError: The bucket did not do what was asked.
    """
    plan = orjson.loads(_read(files, history_plan_key(run_id)))
    parts = [Part.from_json(part) for part in plan["parts"]]
    observations = [seen for part in parts for seen in decode(_read(files, part_key(run_id, part.part)))]
    record(files, parts[0].environment, observations)
    publishing.publish(parts[0].environment)
    return len(observations)


def _read(files: ObjectStore, key: str) -> bytes:
    stored = files.find(key)
    if stored is None:
        raise InitialisationError(f"{key} is missing: a step of this initialisation failed; start a new one")
    return stored.body
