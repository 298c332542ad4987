"""Every fault of the simulated application ends in a complete pull, or in an account: what, where, what to do."""

import re
from collections.abc import Iterator
from itertools import zip_longest

import pytest

from cli.api_simulator.application import Application, Endpoint
from cli.api_simulator.fault_catalogue import CATALOGUE, fault_named
from cli.http_server.fault_catalogue import ON_THE_WIRE
from sluice.api_pull.contracts import contracts
from sluice.api_pull.results import EndpointResult
from tests.api_pull.integration.pulling import Pulling
from tests.api_pull.integration.simulated import KEY, simulated

YESTERDAY, TODAY = "2026-11-29", "2026-11-30"
ROWS = {Endpoint.TRACKS: 310, Endpoint.USERS: 220, Endpoint.LISTEN_HISTORY: 220}
OF_OTHERS = {
    "unknown_track",
    "unknown_user",
}  # listens are dirty where another endpoint's fault took what they refer to

REFUSED = {"packed", "packed-twice", "packed-otherwise", "huge", "redirected", "busy"}
"""Of the connection's faults those that asking again within a function does not help against."""

RECOVERED = {
    *("page-twice", "page-short", "page-long", "page-empty", "size-capped", "flaky", "slow"),
    *("total-too-high", "total-too-low", "total-zero", "page-mislabelled", "order-restless", "updated-before-created"),
    *(ON_THE_WIRE.keys() - REFUSED - {"odd"}),
}
"""After these an endpoint has the rows that it would have without; of `order-restless`, nearly all."""

MOVED = {"rows-added": 5, "rows-removed": -5, "rows-replaced": 0}
"""After these an endpoint has the rows that there are at the end."""

NOT_LOADED = {
    *("endless", "endless-same", "page-ignored", "few-rows", "no-rows", "column-renamed", "column-gone"),
    *("column-retyped", "total-negative", "total-text", "total-null", "total-absurd", "members-missing", "gone"),
    *("denied", "key-refused", "key-echoed", "key-rotated", *REFUSED),
}
"""These end with an account, and yesterday's rows stay."""

ADVICE = re.compile(r"Ask who runs|The next pull|the next pull|raise max_|not loaded into the mart")


@pytest.fixture(scope="module")
def pulled() -> Iterator[tuple[Pulling, Application]]:
    """A stage that pulled the day before, when nothing went wrong."""
    with simulated() as (stage, application):
        result = stage.pull(YESTERDAY)
        assert result is not None
        assert {name: each.rows for name, each in result.endpoints.items()} == ROWS
        assert result.status == "complete"
        yield stage, application


def assert_right(name: str, found: EndpointResult) -> None:
    """Check what an endpoint came to, whatever happened."""
    endpoint, fault = CATALOGUE[name].endpoint, name.removeprefix(f"{CATALOGUE[name].endpoint}-")
    assert KEY not in found.cause, name
    if fault in NOT_LOADED:
        assert found.status in {"failed", "held"}, f"{name}: {found}"
    if fault in RECOVERED:
        assert found.status == "complete", f"{name}: {found}"
        least = 0.9 if fault == "order-restless" else 1
        assert ROWS[endpoint] * least <= found.rows <= ROWS[endpoint], f"{name}: {found}"
        assert set(found.dirty) <= OF_OTHERS, f"{name}: {found}"
    if found.status != "complete":
        assert ADVICE.search(found.cause), f"{name} does not say what to do: {found.cause}"
    elif endpoint is not Endpoint.LISTEN_HISTORY:
        if fault in MOVED:
            assert (found.clean, found.restarts) == (ROWS[endpoint] + MOVED[fault], 1), f"{name}: {found}"
        if "key-" in fault or "row-" in fault:
            assert sum(found.dirty.values()) > 0, f"{name}: {found}"


def pull_with(pulled: tuple[Pulling, Application], *names: str) -> None:
    stage, application = pulled
    application.faults = [fault_named(name) for name in names]
    result = stage.pull(TODAY)
    assert result is not None
    for name in names:
        endpoint = CATALOGUE[name].endpoint
        found = result.endpoints[endpoint]
        assert_right(name, found)
        assert found.status == "complete" or f"{endpoint}: {found.cause[:40]}" in result.cause, f"{name}: where?"
    for contract in contracts().values():
        rows = [row for row in stage.rows(contract.table) if f"{row['snapshot_date']}" == TODAY]
        key = ("user_id", "position") if contract.table == "LISTENS" else ("id",)
        assert len({tuple(row[name] for name in key) for row in rows}) == len(rows), f"{names}: rows come once"


USUAL = (
    ("tracks-rows-added", "users-rows-removed", "listen_history-too-many-requests"),
    ("tracks-rows-replaced", "users-page-short", "listen_history-html"),
    ("tracks-endless", "users-key-twice", "listen_history-tracks-unknown"),
    ("tracks-endless-same", "users-total-too-low", "listen_history-user-unknown"),
    ("tracks-page-ignored", "users-column-renamed", "listen_history-tracks-none"),
    ("tracks-size-capped", "users-key-null", "listen_history-tracks-nested"),
    ("tracks-order-restless", "users-reset", "listen_history-truncated"),
    ("tracks-page-huge", "users-denied", "listen_history-column-added"),
    ("tracks-duration-wrong", "users-text-hostile", "listen_history-key-echoed"),
)


@pytest.mark.parametrize("names", USUAL, ids="+".join)
def test_usual_faults(pulled: tuple[Pulling, Application], names: tuple[str, ...]) -> None:
    pull_with(pulled, *names)


def in_threes() -> list[tuple[str, ...]]:
    """Return all faults, of each endpoint another one."""
    by_endpoint = [[name for name, each in CATALOGUE.items() if each.endpoint is endpoint] for endpoint in Endpoint]
    shifted = [names[20 * at :] + names[: 20 * at] for at, names in enumerate(by_endpoint)]
    return [tuple(filter(None, names)) for names in zip_longest(*shifted)]


@pytest.mark.attack
@pytest.mark.parametrize("names", in_threes(), ids="+".join)
def test_every_fault(pulled: tuple[Pulling, Application], names: tuple[str, ...]) -> None:
    pull_with(pulled, *names)
