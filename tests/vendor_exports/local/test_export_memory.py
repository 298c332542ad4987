"""Large files of vendors: copied inside the memory the stages give, and gone on with where a killed copy stopped."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cli.simulator.content import Content
from cli.simulator.exports import Exports
from cli.simulator.http_messages import Call
from cli.simulator.simulator import Simulator
from cli.simulator.transport_faults import Target
from cli.simulator.vendor_faults import content_replaced, hostile_keys
from infra.stage import stage_named
from sluice.vendor_exports.delivery.file_copy import PART_BYTES
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.stored_files_s3 import S3StoredFiles
from tests.support.deployed_exports import DeployedExports, StepwiseExport, contents
from tests.support.function_process import answer, start

STAGE = stage_named("prd")
BIG = "Document_0.bin"
_MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Slow:
    """A content that takes its time."""

    whole: Content

    @property
    def size(self) -> int:
        return self.whole.size

    @property
    def md5(self) -> str:
        return self.whole.md5

    def chunks(self, begin: int, end: int) -> Iterator[bytes]:
        for chunk in self.whole.chunks(begin, end):
            time.sleep(0.02)
            yield chunk


def _listed(deployed_exports: DeployedExports, vendor: Simulator) -> StepwiseExport:
    export = deployed_exports.by_hand(vendor)
    export.trigger()
    export.check()
    export.list_files()
    return export


def _copy(deployed_exports: DeployedExports, event: dict[str, Any]) -> subprocess.Popen[str]:
    return start(deployed_exports.cloud, "copy_files", event, deployed_exports.functions.environment("copy_files"))


@pytest.mark.parametrize(
    ("megabytes", "others"),
    [pytest.param(256, (), id="one"), pytest.param(60, ("a/Big_1", "a/Big_2", "a/Big_3"), id="as many as at a time")],
)
def test_large_files_are_copied_in_memory(
    deployed_exports: DeployedExports, megabytes: int, others: tuple[str, ...]
) -> None:
    faults = [hostile_keys(*others, file=BIG)] if others else []
    exports = Exports(files=4, big_bytes=megabytes * _MEGABYTE + 1)
    with deployed_exports.vendor(*faults, exports=exports) as vendor:
        export = _listed(deployed_exports, vendor)
        copied = [answer(_copy(deployed_exports, event)) for event in export.copies()]
        assert [each["result"]["failed"] for each in copied] == [0] * len(copied)
        assert export.prove() == {"turn": "over", "promised": 5 + len(others), "copied": 5 + len(others), "missing": 0}
        landed = deployed_exports.landed(export.folder)
        assert {landed[name] for name in landed if name not in contents(vendor)} <= {landed[BIG]}
        assert contents(vendor).items() <= landed.items()
    peak = max(each["peak_mb"] for each in copied)
    sys.stdout.write(f"peak MB: {peak} copying {1 + len(others)} of {megabytes} MB\n")
    assert peak < STAGE.exports.copy_files.memory_mb * 0.75


def test_a_killed_copy_goes_on_where_it_stopped(deployed_exports: DeployedExports) -> None:
    slow = content_replaced(Target(Call.FILE, BIG, times=1), Slow)
    with deployed_exports.vendor(slow, exports=Exports(files=4, big_bytes=5 * PART_BYTES - 1)) as vendor:
        export = _listed(deployed_exports, vendor)
        (event,) = export.copies()
        killed = _copy(deployed_exports, event)
        while _arrived(deployed_exports, export) < 2:
            assert killed.poll() is None, killed.communicate()
            time.sleep(0.05)
        killed.kill()
        killed.communicate()
        time.sleep(1)  # a part may have been on its way
        arrived = _arrived(deployed_exports, export)
        assert 2 <= arrived < 5
        assert answer(_copy(deployed_exports, event))["result"]["failed"] == 0
        ranges = [request.headers.get("Range") for request in vendor.requests(Call.FILE) if request.file == BIG]
        assert ranges == [None, f"bytes={arrived * PART_BYTES}-"]
        assert export.prove()["missing"] == 0
        assert deployed_exports.landed(export.folder) == contents(vendor)
    assert _uploads(deployed_exports).begun(f"{export.folder}{BIG}") is None


def _uploads(deployed_exports: DeployedExports) -> DynamoSlots:
    return DynamoSlots(deployed_exports.cloud.deployment.dynamodb, deployed_exports.cloud.output("SlotsTable"))


def _arrived(deployed_exports: DeployedExports, export: StepwiseExport) -> int:
    """How many parts of the large file have arrived."""
    key = f"{export.folder}{BIG}"
    begun = _uploads(deployed_exports).begun(key)
    landing = S3StoredFiles(deployed_exports.cloud.deployment.s3, deployed_exports.cloud.output("LakeBucket"))
    return len(landing.parts(key, begun[0]) or ()) if begun else 0
