from collections.abc import Iterator

import pytest

from cli.simulator.exports import Exports
from tests.vendor_exports.unit.simulator.vendor_client import VendorClient, simulated


@pytest.fixture
def client() -> Iterator[VendorClient]:
    with simulated(Exports(files=20)) as client:
        yield client
