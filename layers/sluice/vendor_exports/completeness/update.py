"""The hourly update: what is settled and not yet known is looked at, and every output follows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sluice.lake.object_store import ObjectStore
from sluice.vendor_exports.completeness.keys import state_key
from sluice.vendor_exports.completeness.model import Observation
from sluice.vendor_exports.completeness.observe import observe
from sluice.vendor_exports.completeness.publish import Publishing
from sluice.vendor_exports.completeness.recording import known, record
from sluice.vendor_exports.delivery.slots import Environment, Slot, newest_settled, place_of, slots_between


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update did.

    Attributes:
        observed: Slots that were looked at, in order.
        waiting: Number of settled slots left for the next update.
    """

    observed: tuple[Slot, ...]
    waiting: int


class Updating:
    """Updates the histories."""

    def __init__(self, folders: ObjectStore, files: ObjectStore, publishing: Publishing, max_slots: int) -> None:
        """Bind the adapters; one update looks at no more than `max_slots` slots it does not know."""
        self._folders = folders
        self._files = files
        self._publishing = publishing
        self._max_slots = max_slots

    def update(self, environment: Environment, now: datetime, again: Iterable[Slot] = ()) -> Updated:
        """Look at the slots that nobody has looked at and that are over by 30 minutes, oldest first, then publish.

        A history begins at the first folder in the bucket, and is left alone while there is none. What lies between
        its beginning and now and is not known is made up for, whatever the reason.

        Args:
            environment: The flow.
            now: The time, UTC.
            again: Known slots whose folder has changed since; those not known have their turn anyway.

        Raises:
            HistoryBusyError: Others wrote the same objects each time.
            ObjectStoreError: The bucket did not do what was asked.
        """
        last = newest_settled(now)
        observations = known(self._files.find(state_key(environment)))
        seen = {observation.slot for observation in observations}
        unseen = [slot for slot in self._history(environment, observations, last) if slot not in seen]
        changed = {slot for slot in again if slot in seen and slot <= last}
        due = sorted(changed.union(unseen[: self._max_slots]))
        record(self._files, environment, observe(self._folders, environment, due, now))
        self._publishing.publish(environment)
        return Updated(tuple(due), len(unseen[self._max_slots :]))

    def _history(self, environment: Environment, observations: list[Observation], last: Slot) -> Iterable[Slot]:
        first = observations[0].slot if observations else self._first_slot(environment)
        return () if first is None else slots_between(first, last)

    def _first_slot(self, environment: Environment) -> Slot | None:
        places = (place_of(found.key, environment) for found in self._folders.list(environment.hourly))
        return next((place[0] for place in places if place), None)
