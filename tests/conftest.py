"""Settings for every test: which run side by side, and the same examples in each run."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_PATIENT = (HealthCheck.too_slow,)  # the machine may be busy

settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None, max_examples=60, suppress_health_check=_PATIENT
)
settings.register_profile("search", deadline=None, database=None, max_examples=2_000, suppress_health_check=_PATIENT)
settings.load_profile("repeatable")

# Tests that share something expensive, a deployed cloud or a synthesis, stay in one process; the slowest begin.
_TOGETHER = ("local", "infra")
_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests for `pytest -n 2 --dist loadgroup`."""
    for item in items:
        if (folder := _folder(item)) in _TOGETHER:
            item.add_marker(pytest.mark.xdist_group(folder))
    items.sort(key=lambda item: _TOGETHER.index(_folder(item)) if _folder(item) in _TOGETHER else len(_TOGETHER))


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(_HERE).parts[0]
