"""Settings for every test: the same examples in each run, time enough; which run side by side."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

_PATIENT = (HealthCheck.too_slow,)  # the machine may be busy

settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None, max_examples=60, suppress_health_check=_PATIENT
)
settings.register_profile("search", deadline=None, database=None, max_examples=2_000, suppress_health_check=_PATIENT)
settings.load_profile("repeatable")

pytest_plugins = [
    "tests.support.bounds",
    "tests.support.mart_server",
    "tests.support.moto.stage",
    "tests.support.roles",
    "tests.support.local.deployed_cloud",
    "tests.support.local.deployed_exports",
    "tests.support.local.emulated_lake",
    "tests.support.synthesised_stages",
    "tests.referees.opensearch.node",
]

# Tests that share something expensive, a deployed cloud or a synthesis, stay in one process; the slowest begin.
# Vendor exports and pulls have a cloud of their own: two clouds at a time wait half as long. So has the story of the
# recommender, whose listeners are others than those of the pulls.
_TOGETHER = {
    "vendor_exports/local": "cloud of the exports",
    "api_pull/local": "cloud of the exports",
    "platform/local": "cloud",
    "event_files/local": "cloud",
    "tables/local": "cloud",
    "platform/infra": "synthesis",
    "event_files/infra": "synthesis",
    "vendor_exports/infra": "synthesis",
    "api_pull/infra": "synthesis",
    "recommender/infra": "synthesis",
    "recommender/local": "cloud of the recommender",
}
_LOCAL_SECONDS = 1800  # of the first test of a cloud, which builds the layers and deploys the stage
_SLOWEST_FIRST = list(dict.fromkeys(_TOGETHER.values()))
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests of a deployed cloud more time, and put what takes longest first."""
    for item in items:
        if "/local/" in item.nodeid or item.get_closest_marker("attack"):
            item.add_marker(pytest.mark.timeout(_LOCAL_SECONDS))
    items.sort(key=lambda item: _rank(_group(str(item.path.relative_to(_HERE)))))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Deal the tests out to the processes of `pytest -n 3`."""
    return _ByFolder(config, log)


class _ByFolder(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """A group of `_TOGETHER` is dealt out as one, of all others each file."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid.partition("::")[0].removeprefix("tests/"))


def _group(path: str) -> str:
    """Return the group a file belongs to, by its path within the tests, or the path itself."""
    return next((group for folder, group in _TOGETHER.items() if path.startswith(folder)), path)


def _rank(group: str) -> int:
    return _SLOWEST_FIRST.index(group) if group in _SLOWEST_FIRST else len(_SLOWEST_FIRST)
