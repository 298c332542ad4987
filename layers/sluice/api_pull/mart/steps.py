"""The loading of a pull into the mart, as the machine does it: endpoint by endpoint, part by part."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from sluice.api_pull.contracts import ENDPOINTS
from sluice.api_pull.mart.tables import NotReadyError, Part, cut_files
from sluice.api_pull.model import PULLS_PREFIX, Pull
from sluice.lake.object_store import ObjectStore

LOAD, PUBLISH = "load", "publish"
"""The next step: the parts of an endpoint, or the day."""

PLAN, FAILURE = "load.json", "load-failure.json"
"""Objects of an endpoint beside its list of files."""


@dataclass(frozen=True, slots=True)
class NextLoad:
    """The load that was begun, by its plan's key; `turn` counts the endpoints that were looked at."""

    next_step: str
    turn: int
    plan_key: str = ""


def begin_next(pull: Pull, turn: int, lake: ObjectStore, begin: Callable[[str, int], int]) -> NextLoad:
    """Begin the load of the next endpoint that the lake has good files of, and write its plan.

    `begin` takes an endpoint and the number of its parts, and returns the id of the load. An endpoint that refers to
    what the mart has not is passed over, with a note.
    """
    for place, endpoint in enumerate(ENDPOINTS[turn:], turn + 1):
        listed = lake.find(pull.files_key(endpoint))
        if listed is None:
            continue
        cuts = cut_files([(file["key"], file["rows"]) for file in orjson.loads(listed.body)["files"]])
        try:
            load = begin(endpoint, len(cuts))
        except NotReadyError as error:
            note_failure(lake, pull.pull_id, endpoint, error)
            continue
        parts = [Part(pull.pull_id, load, endpoint, number, *cut) for number, cut in enumerate(cuts)]
        plan_key = _key(pull.pull_id, endpoint, PLAN)
        lake.write(plan_key, orjson.dumps({"parts": parts}))
        return NextLoad(LOAD, place, plan_key)
    return NextLoad(PUBLISH, len(ENDPOINTS))


def note_failure(lake: ObjectStore, run: str, endpoint: str, error: Exception) -> None:
    """Write down why an endpoint is not loaded; it counts only while it is not visible."""
    lake.write(_key(run, endpoint, FAILURE), orjson.dumps({"cause": str(error)}))


def causes_of(lake: ObjectStore, run: str, published: Sequence[str]) -> dict[str, str]:
    """Return why endpoints of a run are not visible, of those that say so."""
    notes = {endpoint: lake.find(_key(run, endpoint, FAILURE)) for endpoint in ENDPOINTS if endpoint not in published}
    return {endpoint: orjson.loads(note.body)["cause"] for endpoint, note in notes.items() if note}


def _key(run: str, endpoint: str, name: str) -> str:
    return f"{PULLS_PREFIX}{run}/{endpoint}/{name}"
