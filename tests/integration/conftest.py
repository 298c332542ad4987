"""The world every test starts in: empty buckets and tables, credentials that open nothing."""

import os
from collections.abc import Iterator

import pytest

from tests.integration.world import World, moto_world

os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
)


@pytest.fixture
def world() -> Iterator[World]:
    with moto_world() as world:
        yield world
