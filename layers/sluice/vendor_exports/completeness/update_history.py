"""The hourly update of the histories: observe new slots, then publish every file that people and Athena read."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from sluice.contracts.model import Table
from sluice.lake.object_store import ObjectStore, StoredObject
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.completeness.history_files import (
    HISTORY_TABLES,
    REPORT,
    observability_key,
    state_key,
)
from sluice.vendor_exports.completeness.history_formats import CSV_NAMES, arrow_table, history_csv
from sluice.vendor_exports.completeness.observations import (
    ATTEMPTS,
    busy_error,
    observations_of,
    observe,
    record,
    state_of,
)
from sluice.vendor_exports.completeness.slot_history import Observation, SlotHistory, derive
from sluice.vendor_exports.delivery.model import Slot, newest_settled, place_of, slots_between

Report = Callable[[Environment, Sequence[SlotHistory], Sequence[str]], bytes]
"""Makes the report of an environment's rows; the last argument is the tables out of scope. Same rows, same bytes."""


class Tables(Protocol):
    """Tables of which partitions are replaced."""

    def publish(self, table: str, made: Callable[[], Mapping[tuple[int, ...], pa.Table]]) -> None:
        """Let the rows of partitions be what is made of their source now. Raises CommitError."""


@dataclass(frozen=True, slots=True)
class HistoryPublisher:
    """Publishes the outputs of an environment; none gets older than it was. Tables `out_of_scope` are not expected."""

    lake: ObjectStore
    tables: Tables
    report: Report
    out_of_scope: Collection[str]

    def publish(self, environment: Environment) -> None:
        """Derive every output from the state; do nothing where there is no state.

        Raises:
            HistoryBusyError: Others wrote the outputs or the state at every attempt.
            CommitError: A table refused its rows; the next update publishes them.
        """
        for _ in range(ATTEMPTS):
            # The outputs are read before the state: a writer that replaces one meanwhile may have a newer state.
            standing = {key: self.lake.find(key) for key in output_keys(environment)}
            state = self.lake.find(state_key(environment))
            if state is None:
                return
            rows = derive(observations_of(state), self.out_of_scope)
            written = self._replace(standing, self._outputs(environment, rows))
            # Equal bytes have equal ETags; only an unchanged state proves that these outputs are the newest.
            if written and self.lake.find(state_key(environment)) == state:
                for table in HISTORY_TABLES:
                    self._publish_table(environment, table, state, rows)
                return
        raise busy_error(f"the state or an output of {environment}")

    def _publish_table(
        self, environment: Environment, table: Table, known: StoredObject, rows: Sequence[SlotHistory]
    ) -> None:
        """Publish a table; `rows` are those of the state that is `known`, which others may have replaced since."""

        def made() -> dict[tuple[int, ...], pa.Table]:
            state = self.lake.find(state_key(environment))
            newest = rows if state == known else derive(observations_of(state), self.out_of_scope)
            return {(): arrow_table(table, newest)}

        self.tables.publish(table.name, made)

    def _outputs(self, environment: Environment, rows: Sequence[SlotHistory]) -> dict[str, bytes]:
        """Return every output that is an object, by its key."""
        return {
            **{observability_key(environment, name): history_csv(name, rows) for name in CSV_NAMES},
            observability_key(environment, REPORT): self.report(environment, rows, sorted(self.out_of_scope)),
        }

    def _replace(self, standing: Mapping[str, StoredObject | None], outputs: Mapping[str, bytes]) -> bool:
        """Write the outputs that differ; return False if another writer replaced one meanwhile."""
        for key, body in outputs.items():
            stored = standing[key]
            is_changed = stored is None or stored.body != body
            if is_changed and not self.lake.replace(key, body, stored.etag if stored else None):
                return False
        return True


def output_keys(environment: Environment) -> list[str]:
    """Return the keys of the outputs that are objects."""
    return [observability_key(environment, name) for name in (*CSV_NAMES, REPORT)]


@dataclass(frozen=True, slots=True)
class Updated:
    """Slots that an update observed, in order, and the number of settled slots left for the next one.

    Slots `beyond_limits` were so in the state until now: tables and schema that a hostile export left are dropped.
    """

    observed: tuple[Slot, ...]
    waiting: int
    beyond_limits: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryUpdater:
    """Updates the histories; one update observes at most `max_slots` new slots."""

    lake: ObjectStore
    publisher: HistoryPublisher
    max_slots: int

    def update(self, environment: Environment, now: datetime, again: Iterable[Slot] = ()) -> Updated:
        """Observe the new slots that are over by 30 minutes, oldest first, then publish.

        A history begins with the first folder in the bucket; there is none before. Slots between its begin and now
        that are not known are observed, whatever the reason.

        Slots `again` are known ones whose folder has changed since; unknown ones are new anyway.

        Raises:
            HistoryBusyError: Others wrote the same objects at every attempt.
        """
        last = newest_settled(now)
        state = state_of(self.lake.find(state_key(environment)))
        observations = state.observations
        seen = {observation.slot for observation in observations}
        unseen = [slot for slot in self._history(environment, observations, last) if slot not in seen]
        changed = {slot for slot in again if slot in seen and slot <= last}
        due = sorted(changed.union(unseen[: self.max_slots]))
        record(self.lake, environment, observe(self.lake, environment, due, now))
        self.publisher.publish(environment)
        return Updated(tuple(due), len(unseen[self.max_slots :]), state.beyond_limits)

    def _history(self, environment: Environment, observations: list[Observation], last: Slot) -> Iterable[Slot]:
        first = observations[0].slot if observations else self._first_slot(environment)
        return () if first is None else slots_between(first, last)

    def _first_slot(self, environment: Environment) -> Slot | None:
        places = (place_of(found.key, environment.hourly) for found in self.lake.list(environment.hourly))
        return next((place[0] for place in places if place), None)
