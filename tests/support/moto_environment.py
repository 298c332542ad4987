"""The world every test starts in: empty buckets and tables, credentials that open nothing."""

from collections.abc import Iterator

import pytest

from tests.support.world import World, moto_world


@pytest.fixture(scope="session", autouse=True)
def _nowhere() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield


@pytest.fixture
def world() -> Iterator[World]:
    with moto_world() as world:
        yield world
