import pytest

from tests.support.machine_graph import Machine, machine
from tests.support.synthesis import Synthesis


@pytest.fixture
def export(stage: Synthesis) -> Machine:
    return machine(stage.vendor_exports, "Export")
