"""Large files are copied in the memory of production, and resumed where a killed copy stopped."""

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cli.simulator.content import Content
from cli.simulator.exports import Exports
from cli.simulator.http_messages import Call
from cli.simulator.simulator import Simulator
from cli.simulator.vendor import Target
from cli.simulator.vendor_faults import content_replaced, hostile_keys
from infra.stage import stage_named
from infra.vendor_exports.settings import VendorExports
from sluice.vendor_exports.delivery.copy_files import PART_BYTES
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.stored_files_s3 import S3StoredFiles
from tests.support.local.deployed_exports import DeployedExports, StepwiseExport, contents
from tests.support.local.function_process import answer, start

MEMORY_MB = stage_named("prd").settings(VendorExports).copy_files.memory_mb
BIG = "Document_0.bin"
_MEGABYTE = 1 << 20


def slowed(whole: Content) -> Content:
    """A content that is sent slowly."""

    def chunks(start: int, stop: int) -> Iterator[bytes]:
        for chunk in whole.chunks(start, stop):
            time.sleep(0.02)
            yield chunk

    return whole.sent_as(whole.size, chunks)


def _listed(exports: DeployedExports, vendor: Simulator) -> StepwiseExport:
    export = exports.step_by_step(vendor)
    export.trigger_job()
    export.check_job()
    export.list_files()
    return export


def _copy(exports: DeployedExports, event: dict[str, Any]) -> subprocess.Popen[str]:
    return start(exports.cloud, "copy_files", event, exports.functions.environment("copy_files"))


@pytest.mark.parametrize(
    ("megabytes", "others"),
    [pytest.param(256, (), id="one"), pytest.param(60, ("a/Big_1", "a/Big_2", "a/Big_3"), id="as many as at a time")],
)
def test_large_files_are_copied_in_memory(exports: DeployedExports, megabytes: int, others: tuple[str, ...]) -> None:
    faults = [hostile_keys(*others, file=BIG)] if others else []
    with exports.vendor(*faults, exports=Exports(files=4, big_bytes=megabytes * _MEGABYTE + 1)) as vendor:
        export = _listed(exports, vendor)
        copied = [answer(_copy(exports, event)) for event in export.batches()]
        assert [each["result"]["failed"] for each in copied] == [0] * len(copied)
        assert export.check_delivery() == {
            "next_step": "over",
            "promised": 5 + len(others),
            "copied": 5 + len(others),
            "missing": 0,
        }
        landed = exports.landed(export.folder)
        assert {landed[name] for name in landed if name not in contents(vendor)} <= {landed[BIG]}
        assert contents(vendor).items() <= landed.items()
    peak = max(each["peak_mb"] for each in copied)
    sys.stdout.write(f"peak MB: {peak} copying {1 + len(others)} of {megabytes} MB\n")
    assert peak < MEMORY_MB * 0.75


def test_a_killed_copy_is_resumed(exports: DeployedExports) -> None:
    slow = content_replaced(Target(Call.FILE, BIG, times=1), slowed)
    with exports.vendor(slow, exports=Exports(files=4, big_bytes=5 * PART_BYTES - 1)) as vendor:
        export = _listed(exports, vendor)
        (event,) = export.batches()
        killed = _copy(exports, event)
        while _arrived(exports, export) < 2:
            assert killed.poll() is None, killed.communicate()
            time.sleep(0.05)
        killed.kill()
        killed.communicate()
        time.sleep(1)  # a part may have been on its way
        arrived = _arrived(exports, export)
        assert 2 <= arrived < 5
        assert answer(_copy(exports, event))["result"]["failed"] == 0
        ranges = [request.headers.get("Range") for request in vendor.requests(Call.FILE) if request.file == BIG]
        assert ranges == [None, f"bytes={arrived * PART_BYTES}-"]
        assert export.check_delivery()["missing"] == 0
        assert exports.landed(export.folder) == contents(vendor)
    assert _uploads(exports).begun(f"{export.folder}{BIG}") is None


def _uploads(exports: DeployedExports) -> DynamoSlots:
    return DynamoSlots(exports.cloud.deployment.dynamodb, exports.cloud.output("SlotsTable"))


def _arrived(exports: DeployedExports, export: StepwiseExport) -> int:
    """Return the number of uploaded parts of the large file."""
    key = f"{export.folder}{BIG}"
    begun = _uploads(exports).begun(key)
    landing = S3StoredFiles(exports.cloud.deployment.s3, exports.cloud.output("LakeBucket"))
    return len(landing.parts(key, begun.upload_id)) if begun else 0
