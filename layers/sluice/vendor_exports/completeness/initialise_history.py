"""Initialisation of a history over months of folders: cut into parts, observed in parallel, merged at the end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import orjson

from sluice.lake.object_store import MissingObjectError, ObjectStore
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.completeness.history_files import history_plan_key, part_key
from sluice.vendor_exports.completeness.observation_file import read_observations, write_observations
from sluice.vendor_exports.completeness.observations import observe, record
from sluice.vendor_exports.completeness.update_history import HistoryPublisher
from sluice.vendor_exports.delivery.model import Slot, newest_settled, slots_between

DAYS_PER_PART = 7
"""At 300 files an hour, a part lists some 50,000 files and reads 168 schemas."""


class InitialisationError(Exception):
    """The history cannot be initialised; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some days of an initialisation, `last` included, observed by one function; names of parts sort as parts do."""

    run_id: str
    part: str
    environment: str
    first: str
    last: str


def parts_of(run_id: str, environment: Environment, first: Slot, last: Slot) -> Iterator[Part]:
    """Yield the parts from `first` to `last`, both included."""
    numbered = groupby(
        slots_between(first, last), lambda slot: (slot.hour.date() - first.hour.date()).days // DAYS_PER_PART
    )
    for number, group in numbered:
        slots = list(group)
        yield Part(run_id, f"{number:05}", environment, str(slots[0]), str(slots[-1]))


def write_plan(
    lake: ObjectStore, run_id: str, environment: Environment, first: Slot, last: Slot, now: datetime
) -> list[Part]:
    """Write the plan of the settled slots from `first` to `last`; its ``/parts`` are the items of a Distributed Map.

    Raises:
        InitialisationError: No slot of the range is settled.
    """
    parts = list(parts_of(run_id, environment, first, min(last, newest_settled(now))))
    if not parts:
        raise InitialisationError(f"no hour from {first} to {last} is over by 30 minutes; give a range in the past")
    lake.write(history_plan_key(run_id), orjson.dumps({"parts": parts}))
    return parts


def observe_part(lake: ObjectStore, part: Part, now: datetime) -> None:
    """Observe the slots of a part and keep the observations for the merge."""
    slots = list(slots_between(Slot.parse(part.first), Slot.parse(part.last)))
    observations = observe(lake, Environment(part.environment), slots, now)
    lake.write(part_key(part.run_id, part.part), write_observations(observations))


def merge_parts(lake: ObjectStore, publisher: HistoryPublisher, run_id: str) -> int:
    """Merge the observations of all parts into the state, publish, and return the number of slots.

    Raises:
        InitialisationError: There is no such plan, or one of its parts was not observed; nothing was merged.
        HistoryBusyError: Others wrote the same objects at every attempt.
    """
    parts = [Part(**part) for part in orjson.loads(_read(lake, history_plan_key(run_id)))["parts"]]
    environment = Environment(parts[0].environment)
    observations = [seen for part in parts for seen in read_observations(_read(lake, part_key(run_id, part.part)))]
    record(lake, environment, observations)
    publisher.publish(environment)
    return len(observations)


def _read(lake: ObjectStore, key: str) -> bytes:
    try:
        return lake.read(key)
    except MissingObjectError:
        raise InitialisationError(f"{key} is missing: a step of this initialisation failed; start a new one") from None
