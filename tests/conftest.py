"""Settings for every test: which run side by side, and the same examples in each run."""

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

# Tests that share something expensive, a deployed cloud or a synthesis, stay in one process; the slowest begin.
# Those of the exports have a cloud of their own: two clouds at a time wait half as long.
_EXPORTS = "local/test_export"
_TOGETHER = (_EXPORTS, "local", "infra")
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first."""
    items.sort(key=lambda item: _rank(_group(str(item.path.relative_to(_HERE)))))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Deal the tests out to the processes of `pytest -n 3`."""
    return _ByFolder(config, log)


class _ByFolder(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """A group of `_TOGETHER` is dealt out as one, of all others each file."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid.partition("::")[0].removeprefix("tests/"))


def _group(path: str) -> str:
    """What a file belongs to, by its path within the tests: the first of `_TOGETHER` it begins with, or itself."""
    return next((group for group in _TOGETHER if path.startswith(group)), path)


def _rank(group: str) -> int:
    return _TOGETHER.index(group) if group in _TOGETHER else len(_TOGETHER)
