"""The result of a pull: what became of each endpoint, and why, from what its steps left in the lake."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from sluice.api_pull.contracts import ENDPOINTS
from sluice.api_pull.history import Day, History
from sluice.api_pull.model import COMPLETE, FAILED, HELD, PARTIAL, Pull
from sluice.api_pull.progress import CHECK, EXTRACT, GOOD, CheckProgress, ExtractProgress
from sluice.api_pull.pulls import StepProgress
from sluice.lake.object_store import ObjectStore
from sluice.runs.execution_events import plain_cause

_LONGEST_CAUSE = 1000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointResult:
    """Result of an endpoint.

    Attributes:
        status: ``complete``; ``held``: in the lake, not in the mart; ``failed``.
        pages: Pages that were read, also those of attempts that were started over.
        rows: Rows that the endpoint delivered.
        clean: Rows of its table.
        dirty: Rows, or items of them, by reason.
        restarts: How often it was started over because its rows moved.
        retries: Requests that were sent again.
        seconds: What extraction and check took.
        cause: Why it is not complete, or what is to be known of it.
    """

    status: str
    pages: int = 0
    rows: int = 0
    clean: int = 0
    dirty: Mapping[str, int] = field(default_factory=dict)
    restarts: int = 0
    retries: int = 0
    seconds: float = 0
    cause: str = ""
    bytes: int = 0
    nulls: Mapping[str, int] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)
    updated_before_created: int = 0
    schema_changes: tuple[str, ...] = ()
    dirty_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PullResult:
    """Result of a pull, the document of `sluice pull --json`; `mart` has the rows that its views show."""

    snapshot: str
    status: str
    endpoints: Mapping[str, EndpointResult]
    mart: Mapping[str, int]
    pull_id: str
    cause: str = ""


def result_of(pull: Pull, state: Mapping[str, Any], lake: ObjectStore) -> PullResult:
    """Return the result of a pull; `state` is what the machine's steps left."""
    published = state.get("mart", {})
    endpoints = {name: _endpoint(pull, name, state, lake) for name in ENDPOINTS}
    statuses = [each.status for each in endpoints.values()]
    whole = COMPLETE if {*statuses} == {COMPLETE} else PARTIAL if COMPLETE in statuses else FAILED
    causes = {name: each.cause for name, each in endpoints.items() if each.status != COMPLETE}
    shared = {*causes.values()} if len(causes) == len(endpoints) else set()
    named = [*shared] if len(shared) == 1 else [f"{name}: {cause}" for name, cause in causes.items()]
    return PullResult(
        snapshot=pull.snapshot_date,
        status=whole,
        endpoints=endpoints,
        mart={name: int(published.get(name, 0)) for name in ("tracks", "users", "listens")},
        pull_id=pull.pull_id,
        cause="; ".join(named)[:_LONGEST_CAUSE],
    )


def _endpoint(pull: Pull, name: str, state: Mapping[str, Any], lake: ObjectStore) -> EndpointResult:
    steps = state[name]
    found = StepProgress(lake, pull, name, EXTRACT).read(steps["extract"]["turn"])
    extracted = ExtractProgress.from_json(found) if found else ExtractProgress()
    found = StepProgress(lake, pull, name, CHECK).read(steps["check"]["turn"])
    checked = CheckProgress.from_json(found) if found else CheckProgress()
    status, cause = _status(name, state, checked)
    note = f"its rows never held still ({extracted.note}): those of all attempts count, once each"
    counts = checked.counts
    return EndpointResult(
        status=status,
        pages=extracted.pages,
        rows=counts.rows,
        clean=counts.clean,
        dirty=counts.dirty,
        restarts=extracted.restarts,
        retries=extracted.retries,
        seconds=round(extracted.seconds + checked.seconds, 3),
        cause=". ".join(filter(None, [cause, note if extracted.is_union else ""])),
        bytes=extracted.bytes,
        nulls=counts.nulls,
        unknown=counts.unknown,
        updated_before_created=counts.updated_before_created,
        schema_changes=checked.schema_changes,
        dirty_keys=checked.dirty,
    )


def _status(name: str, state: Mapping[str, Any], checked: CheckProgress) -> tuple[str, str]:
    """Return the status of an endpoint, and why it is not complete."""
    steps, mart = state[name], state.get("mart", {})
    failure = _sentence(steps.get("failure", {}))
    if not failure and checked.next_step == GOOD and name in mart.get("published", ()):
        return COMPLETE, ""
    if not failure and checked.cause:
        return HELD, f"{checked.cause}. It is kept in the lake and not loaded into the mart, which shows what it had"
    if steps.get("kept"):
        why = failure or mart.get("causes", {}).get(name) or _sentence(state.get("failure", {}))
        return HELD, f"it is kept in the lake and not loaded into the mart: {why or 'the mart did not take it'}"
    return FAILED, failure or _sentence(state.get("failure", {})) or "it was not reached"


def _sentence(failure: Mapping[str, Any]) -> str:
    return plain_cause(str(failure.get("Cause") or failure.get("Error") or ""))


def remember(history: History, pull: Pull, result: PullResult) -> History:
    """Return the history with this pull; an endpoint that failed leaves its day as it was."""
    for name, each in result.endpoints.items():
        if each.status != FAILED:
            history = history.having(name, Day(pull.snapshot_date, pull.pull_id, each.status, each.clean))
    return history


def document_of(result: PullResult) -> dict[str, Any]:
    """Return the JSON document of a result."""
    document: dict[str, Any] = orjson.loads(orjson.dumps(result))  # asdict would copy a Counter by counting its items
    return document
