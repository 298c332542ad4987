"""Runs of the machine Pull: what one did, and how long its steps took."""

from collections.abc import Mapping, Sequence
from typing import Any

from sluice.api_pull.contracts import ENDPOINTS, contracts
from sluice.api_pull.metrics import CHECK_SECONDS, EXTRACT_SECONDS
from sluice.api_pull.model import COMPLETE, PARTIAL
from sluice.api_pull.pulls import BUSY, NOT_SET_UP
from sluice.observability.metrics import Metric
from sluice.runs.model import FinishedExecution, Result, RunKind, RunRecord, RunSummary, sum_counts

PULL = "pull"

# States of Pull that functions run in, some of them for each endpoint.
BEGIN = "Begin"
HEALTH = "Ask after the source"
BEGIN_LOAD = "Begin the next load"
LOAD_PARTS = "Load the parts"
PUBLISH = "Publish the day"
SWEEP = "Delete what is old"
RECORD = "Record the result"


def shown(endpoint: str) -> str:
    """Return the name of an endpoint as it stands in the names of states."""
    return endpoint.replace("_", " ")


def extract_state(endpoint: str) -> str:
    """Return the name of the state that reads the pages of an endpoint."""
    return f"Extract {shown(endpoint)}"


def wait_state(endpoint: str) -> str:
    """Return the name of the state that waits for the API."""
    return f"Wait to extract {shown(endpoint)}"


def check_state(endpoint: str) -> str:
    """Return the name of the state that checks the rows of an endpoint."""
    return f"Check {shown(endpoint)}"


def keep_state(endpoint: str) -> str:
    """Return the name of the state that keeps an endpoint's rows in the lake."""
    return f"Keep {shown(endpoint)}"


_ENDED_AT_ONCE = {BUSY: "skipped", NOT_SET_UP: "not_set_up"}
"""Outcomes of pulls that did not begin, by the decision."""

_COUNTS = {
    "endpoints_complete": "Endpoints of a pull that are in lake and mart.",
    "endpoints_held": "Endpoints that are kept in the lake and not loaded into the mart.",
    "endpoints_failed": "Endpoints that could not be pulled.",
    "pages": "Pages that were read.",
    "raw_bytes": "Bytes of these.",
    "delivered_rows": "Rows that the endpoints delivered.",
    "clean_tracks": "Rows of TRACKS.",
    "clean_users": "Rows of USERS.",
    "clean_listens": "Rows of LISTENS.",
    "dirty_rows": "Rows, or items of them, that are dirty, by reason.",
    "null_values": "Nulls in the rows.",
    "unknown_members": "Members that the contracts do not know.",
    "schema_changes": "Members that are gone or of another type.",
    "updated_before_created": "Rows whose change is before their making.",
    "endpoint_restarts": "Endpoints started over because their rows moved.",
    "requests_retried": "Requests that were sent again.",
    "memory_mb": "The most memory that a function used, in MB.",
}
_CLEAN = dict(zip(ENDPOINTS, ("clean_tracks", "clean_users", "clean_listens"), strict=True))


def counts_of(result: Mapping[str, Any]) -> dict[str, int]:
    """Return the figures of a pull's result, a JSON document."""
    endpoints = result["endpoints"]

    def total(name: str) -> int:
        return sum(each[name] for each in endpoints.values())

    def added(name: str) -> int:
        return sum(sum(each[name].values()) for each in endpoints.values())

    statuses = [each["status"] for each in endpoints.values()]
    return {
        **{f"endpoints_{status}": statuses.count(status) for status in ("complete", "held", "failed")},
        **{name: endpoints[endpoint]["clean"] for endpoint, name in _CLEAN.items()},
        "pages": total("pages"),
        "raw_bytes": total("bytes"),
        "delivered_rows": total("rows"),
        "dirty_rows": added("dirty"),
        "null_values": added("nulls"),
        "unknown_members": added("unknown"),
        "schema_changes": sum(len(each["schema_changes"]) for each in endpoints.values()),
        "updated_before_created": total("updated_before_created"),
        "endpoint_restarts": total("restarts"),
        "requests_retried": total("retries"),
    }


def summarise(execution: FinishedExecution) -> RunSummary:
    """Return what an execution of Pull did."""
    output = execution.output
    pull_id = str(output.get("pull", {}).get("pull_id", ""))
    result = output.get("result")
    if not result:
        return RunSummary(pull_id, _ENDED_AT_ONCE.get(str(output.get("decision", "")), ""))
    tables = {name: contracts()[name].table for name in ENDPOINTS}
    return RunSummary(
        pull_id,
        str(result["status"]),
        result["counts"],
        rows={tables[name]: rows for name, rows in result["clean"].items()},
        dirty={tables[name]: dirty for name, dirty in result["dirty"].items()},
        places={"result": str(result["key"])},
    )


def add_up(runs: Sequence[RunRecord]) -> Mapping[str, int]:
    """Add up pulls; of memory, the most counts."""
    return {**sum_counts(runs), "memory_mb": max((run.counts.get("memory_mb", 0) for run in runs), default=0)}


def measure(record: RunRecord) -> dict[Metric, float]:
    """Return how long the steps of a pull took, all endpoints together."""
    seconds = {step.name: step.seconds for step in record.steps}
    extracting = [
        seconds[each] for name in ENDPOINTS for each in (extract_state(name), wait_state(name)) if each in seconds
    ]
    checking = [seconds[each] for each in map(check_state, ENDPOINTS) if each in seconds]
    phases = ((EXTRACT_SECONDS, extracting), (CHECK_SECONDS, checking))
    return {metric: round(sum(phase), 3) for metric, phase in phases if phase}


PULLS = RunKind(
    name=PULL,
    title="pulls",
    outcomes={
        COMPLETE: Result.WORKED,
        PARTIAL: Result.FAILED,
        "skipped": Result.IDLE,
        "not_set_up": Result.IDLE,
    },
    counts=_COUNTS,
    summarise=summarise,
    add_up=add_up,
)
