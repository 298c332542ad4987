"""One local cloud for the whole run of tests, on a port of its own."""

import socket
from collections.abc import Iterator

import pytest

from cli.platform import local_cloud
from cli.platform.deployment import deploy
from cli.platform.session import connect
from tests.support.cloud import Cloud, environment_for
from tests.support.exporting import Exporting


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Start the cloud, deploy the stage, and leave nothing running."""
    environment_for(tmp_path_factory.mktemp("cloud"))
    local_cloud.up(_free_port())
    try:
        deploy("local")
        yield Cloud(connect("local"))
    finally:
        local_cloud.down()


@pytest.fixture
def exporting(cloud: Cloud) -> Exporting:
    """Vendor exports, with no slot known yet."""
    exporting = Exporting(cloud)
    exporting.clear()
    return exporting


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
