"""Trino, the engine of Athena, reads what the product commits."""

from collections.abc import Iterator

import pytest

from tests.referees.trino.engine import TRINO
from tests.referees.trino.server import Trino, running
from tests.support.local.emulated_lake import DATABASE, HOUR, EmulatedLake

pytestmark = pytest.mark.referee("Trino")


@pytest.fixture(scope="module")
def trino(emulated_lake: EmulatedLake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trino]:
    TRINO.or_skip()
    with running(emulated_lake.cloud, tmp_path_factory.mktemp("trino")) as server:
        yield server


def test_it_sees_every_commit_at_once_and_whole(emulated_lake: EmulatedLake, trino: Trino) -> None:
    lake = emulated_lake
    lake.prepare("MICROONE_EVENT", event_type="string")
    lake.append("MICROONE_EVENT", [{"event_type": "click"}, {"event_type": "view"}])
    found = trino.query("select event_type, count(*) from microone_event group by 1 order by 1", DATABASE)
    assert found == [["click", 1], ["view", 1]]
    assert HOUR
