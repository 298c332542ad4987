"""Settings for every test: it ends, it calls nobody, its examples are the same in each run; which run side by side."""

import faulthandler
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.support import loopback

_PATIENT = (HealthCheck.too_slow,)  # the machine may be busy

settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None, max_examples=60, suppress_health_check=_PATIENT
)
settings.register_profile("search", deadline=None, database=None, max_examples=2_000, suppress_health_check=_PATIENT)
settings.load_profile("repeatable")

pytest_plugins = [
    "tests.support.moto_stage",
    "tests.support.roles",
    "tests.support.local.deployed_cloud",
    "tests.support.local.deployed_exports",
    "tests.support.synthesised_stages",
]

# Tests that share something expensive, a deployed cloud or a synthesis, stay in one process; the slowest begin.
# Vendor exports have a cloud of their own: two clouds at a time wait half as long.
_TOGETHER = {
    "vendor_exports/local": "cloud of the exports",
    "platform/local": "cloud",
    "event_files/local": "cloud",
    "platform/infra": "synthesis",
    "event_files/infra": "synthesis",
    "vendor_exports/infra": "synthesis",
}
_LOCAL_SECONDS = 1800  # of the first test of a cloud, which builds the layers and deploys the stage
_EXIT_SECONDS = 120
_SLOWEST_FIRST = list(dict.fromkeys(_TOGETHER.values()))
_HERE = Path(__file__).parent


# Where a script starts the tests in the background they ignore interrupts, and so would every process they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"  # of the children, too
loopback.guard()


def pytest_unconfigure() -> None:
    """End this process even where a thread that a test has left does not."""
    faulthandler.dump_traceback_later(_EXIT_SECONDS, exit=True)


@pytest.fixture(autouse=True)
def _calls_nobody() -> Iterator[None]:
    """Fail a test in which something asked for an address beyond this machine, whatever became of the question."""
    loopback.asked.clear()
    yield
    assert not loopback.asked, "tests call nothing beyond this machine"


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
