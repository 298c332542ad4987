"""Large files are copied in the memory of production."""

import sys

import pytest

from cli.simulator.exports import Exports
from cli.simulator.vendor_faults import hostile_keys
from infra.vendor_exports.settings import VendorExports
from tests.support.local.deployed_exports import DeployedExports, contents
from tests.support.local.function_process import call
from tests.support.stages import stage_named

MEMORY_MB = stage_named("prd").settings(VendorExports).copy_files.memory_mb
BIG = "Document_0.bin"
_MEGABYTE = 1 << 20


@pytest.mark.parametrize(
    ("megabytes", "others"),
    [pytest.param(256, (), id="one"), pytest.param(60, ("a/Big_1", "a/Big_2", "a/Big_3"), id="as many as at a time")],
)
def test_large_files_are_copied_in_memory(exports: DeployedExports, megabytes: int, others: tuple[str, ...]) -> None:
    faults = [hostile_keys(*others, file=BIG)] if others else []
    with exports.vendor(*faults, exports=Exports(files=4, big_bytes=megabytes * _MEGABYTE + 1)) as vendor:
        export = exports.step_by_step(vendor)
        export.trigger_job()
        export.check_job()
        export.list_files()
        environment = exports.functions.environment("copy_files")
        copied = [call("copy_files", event, environment) for event in export.batches()]
        assert [each["result"]["failed"] for each in copied] == [0] * len(copied)
        assert export.check_delivery() == {
            "next_step": "over",
            "promised": 5 + len(others),
            "copied": 5 + len(others),
            "missing": 0,
            "round": 1,
            "wait_seconds": 0,
            "waited_seconds": 0,
        }
        landed = exports.landed(export.folder)
        assert {landed[name] for name in landed if name not in contents(vendor)} <= {landed[BIG]}
        assert contents(vendor).items() <= landed.items()
    peak = max(each["peak_mb"] for each in copied)
    sys.stdout.write(f"peak MB: {peak} copying {1 + len(others)} of {megabytes} MB\n")
    assert peak < MEMORY_MB * 0.75
