"""Faults that an export survives, its own death included: every file arrives."""

from dataclasses import dataclass, replace

import pytest

from cli.http_server import transport_faults
from cli.http_server.faults import Target
from cli.simulator import habit_faults, vendor_faults
from cli.simulator.fault_catalogue import CATALOGUE
from cli.simulator.http_messages import Call
from cli.simulator.jobs import Timing
from cli.simulator.vendor import Vendor, VendorFault
from sluice.vendor_exports.delivery.model import Slot
from tests.support.local.deployed_cloud import wait_until
from tests.support.local.deployed_exports import (
    AT_ONCE,
    TWO_POLLS,
    VOYAGE,
    DeployedExports,
    Faults,
    assert_delivered,
    everywhere,
    first_of,
    once_at,
)

HABITS = ("accepted-with-202", "camel-case", "byte-order-mark", "sizes-as-decimals", "urls-padded", "folder-markers")


@dataclass(frozen=True)
class Survived:
    """Faults after which everything arrives."""

    faults: Faults
    timing: Timing = AT_ONCE
    refetches: bool = False


SURVIVED = {
    "server errors at each call": Survived(lambda: everywhere(transport_faults.http_error)),
    "resets at each call": Survived(lambda: everywhere(transport_faults.reset)),
    "answers lost at each call": Survived(lambda: everywhere(transport_faults.answer_lost)),
    "truncated bodies at each call": Survived(lambda: everywhere(transport_faults.truncated)),
    "a token that expires mid-run": Survived(lambda: [vendor_faults.tokens_expire(after=1)], TWO_POLLS),
    "a token that expires mid-run, told by 403": Survived(
        lambda: [vendor_faults.tokens_expire(after=1), habit_faults.denied_with(403)], TWO_POLLS
    ),
    "the habits of other servers and writers": Survived(lambda: [CATALOGUE[name].make() for name in HABITS]),
    "URLs that expire mid-copy": Survived(lambda: [vendor_faults.urls_expire()], refetches=True),
    "a file that is short at first": Survived(lambda: [vendor_faults.file_shortened(VOYAGE, times=1)], refetches=True),
    "a list that is empty the first time": Survived(lambda: [listed_late()], refetches=True),
}


def listed_late() -> VendorFault:
    target = Target(Call.LIST, times=1)
    return VendorFault(entries=lambda request, entries: [] if target.hits(request) else entries)


@pytest.mark.parametrize("case", SURVIVED.values(), ids=SURVIVED)
def test_survived(exports: DeployedExports, case: Survived) -> None:
    with exports.vendor(*case.faults(), timing=case.timing) as vendor:
        result = exports.export(vendor)
        assert_delivered(exports, vendor, result)
    assert (result.document["refetched"] > 0) == case.refetches


def test_the_machine_waits_for_a_busy_vendor(exports: DeployedExports) -> None:
    """As long as the list asks for, and between rounds of copying."""
    with exports.vendor(transport_faults.busy(first_of(Call.LIST), 600), habit_faults.slow_down(5)) as vendor:
        result = exports.export(vendor)
        assert_delivered(exports, vendor, result)
    assert exports.output(result.document["execution"])["delivery"]["waited_seconds"] == 601 + 602


@pytest.mark.parametrize("ahead", [7200, -7200], ids=lambda seconds: f"vendor's clock {seconds} s ahead")
def test_another_client_triggered_a_job(exports: DeployedExports, ahead: float) -> None:
    """The export waits until the vendor accepts a job, by the vendor's clock."""
    faults = [
        vendor_faults.triggered_elsewhere(),
        vendor_faults.clock_skewed(ahead),
        transport_faults.too_many_requests_until(first_of(Call.STATUS)),
    ]
    with exports.vendor(*faults, timing=Timing(init=0, replication=0, hour=1.5)) as vendor:
        result = exports.export(vendor)
        assert_delivered(exports, vendor, result)
    assert 15 <= exports.output(result.document["execution"])["trigger"]["waited_seconds"] < 300


def test_the_secret_is_rotated_mid_run(exports: DeployedExports) -> None:
    credentials = exports.credentials

    def rotate(vendor: Vendor) -> None:
        vendor.faults = (vendor_faults.secret_rotated(),)
        exports.write_secret(replace(credentials, client_secret=credentials.next_secret))

    with exports.secret(credentials), exports.vendor(once_at(Call.LIST, rotate)) as vendor:
        assert_delivered(exports, vendor, exports.export(vendor))


def test_a_run_keeps_its_slot_until_it_dies(exports: DeployedExports) -> None:
    stepfunctions = exports.cloud.deployment.stepfunctions
    with exports.vendor(vendor_faults.job_hangs()) as vendor:
        first = exports.start(vendor)
        wait_until(lambda: vendor.requests(Call.STATUS))
        slot = str(Slot.of(stepfunctions.describe_execution(executionArn=first)["startDate"]))
        second = exports.export(vendor, slot)
        assert (second.exit_code, second.document["status"]) == (1, "skipped")
        assert f"Slot {slot}: another run has the slot" in second.stderr
        stepfunctions.stop_execution(executionArn=first)
        vendor.vendor.faults = ()
        assert_delivered(exports, vendor, exports.export(vendor, slot))
        assert len(vendor.requests(Call.EXPORT)) == 1
