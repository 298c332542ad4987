"""What is known of an environment, kept in one object that several writers may add to."""

from collections.abc import Sequence

from sluice.lake.object_store import ObjectStore, StoredObject
from sluice.vendor_exports.completeness.keys import state_key
from sluice.vendor_exports.completeness.model import Observation
from sluice.vendor_exports.completeness.state import decode, encode, merge
from sluice.vendor_exports.delivery.slots import Environment


class HistoryBusyError(Exception):
    """Others wrote the same objects each time; nothing is lost, the next update does it."""


ATTEMPTS = 20
"""How often a write is tried when others are faster."""


def known(stored: StoredObject | None) -> list[Observation]:
    """Return the observations of a state, in order of slots; none where there is no state yet."""
    return [] if stored is None else decode(stored.body)


def record(files: ObjectStore, environment: Environment, observations: Sequence[Observation]) -> None:
    """Merge observations into the state.

    Raises:
        HistoryBusyError: Others were faster each time.
    """
    if not observations:
        return
    key = state_key(environment)
    for _ in range(ATTEMPTS):
        stored = files.find(key)
        body = encode(merge(known(stored), observations))
        if stored is not None and stored.body == body:
            return
        if files.replace(key, body, None if stored is None else stored.etag):
            return
    raise busy(key)


def busy(key: str) -> HistoryBusyError:
    """Return the error that says what others kept writing."""
    return HistoryBusyError(f"{key} was written by others {ATTEMPTS} times; run the update again")
