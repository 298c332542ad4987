"""Pulls from servers: one that shares nothing with the simulator, and a first day on which much is wrong."""

import pytest

from cli.api_simulator.fault_catalogue import fault_named
from tests.api_pull.independent_server import independent_server
from tests.api_pull.integration.pulling import new_pulling
from tests.api_pull.integration.simulated import PEOPLE, Source, simulated


def test_a_server_that_nobody_here_wrote() -> None:
    with independent_server() as url, new_pulling() as stage:
        source = Source(url)
        stage.application = source  # type: ignore[assignment]
        with source.http:
            first, again = stage.pull(), stage.pull()
        assert first is not None
        assert again is not None
        assert first.status == again.status == "complete"
        assert {name: (each.rows, each.clean) for name, each in again.endpoints.items()} == {
            "tracks": (1000, 1000),
            "users": (1000, 1000),
            "listen_history": (1000, 5000),
        }
        assert again.endpoints["users"].updated_before_created == 1000
        assert stage.counts() == {"TRACKS": 1000, "USERS": 1000, "LISTENS": 5000}


@pytest.mark.parametrize("fault", ["tracks-pages-one", "tracks-page-ignored", "tracks-endless-same"])
def test_on_the_first_day_less_than_was_announced_is_not_complete(fault: str) -> None:
    """No earlier day says how many rows are usual."""
    with simulated() as (stage, application):
        application.faults = [fault_named(fault)]
        result = stage.pull()
        assert result is not None
        tracks = result.endpoints["tracks"]
        assert tracks.status != "complete" or tracks.clean == len(PEOPLE.track_ids), tracks
