"""Any side effect of any Export step fails or kills its function: a retry ends as if nothing had happened."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from cli.http_server import transport_faults
from cli.http_server.faults import Fault, Target
from cli.simulator import vendor_faults
from cli.simulator.exports import files_of
from cli.simulator.http_messages import Call
from cli.simulator.jobs import Jobs
from sluice.lake.lease import LeaseLostError
from sluice.vendor_exports.delivery.model import ExportResult
from tests.support.moto.aws_calls import READS, CallFailure, KilledError
from tests.support.moto.backend import items_of, objects_of
from tests.support.moto.stage import LAKE
from tests.vendor_exports.integration.exporting import (
    ENVIRONMENT,
    EXPORTS,
    FOLDER,
    PART,
    SLOTS_TABLE,
    STEPS,
    Exporting,
    export,
)

# Powertools says so of functions that died before they measured anything.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

__all__ = ["export"]

NAMES = set(files_of(EXPORTS))
BIG = next(name for name, file in files_of(EXPORTS).items() if file.size == EXPORTS.big_bytes)
SOME = 3  # of the crashes that a new execution follows: each takes two runs
VOYAGE, VESSEL = "Voyage_0.json.gz", "Vessel_1.json.gz"
HARMLESS = READS | {"GetSecretValue", "DescribeExecution", "ListParts"}


def assert_copied(export: Exporting) -> Any:
    """All files are there and no others; return the manifest."""
    lake = export.lake()
    manifest = json.loads(lake.pop(f"{FOLDER}_PresignedUrls.json"))
    assert lake == {FOLDER + name: file.read() for name, file in files_of(EXPORTS).items()}
    return manifest


def assert_delivered(export: Exporting) -> None:
    manifest = assert_copied(export)
    sizes = {name: file.size for name, file in files_of(EXPORTS).items()}
    assert {entry["key"].removeprefix("ACME/GUID/"): entry["size"] for entry in manifest} == sizes
    delivered = ExportResult("20260301-12", "delivered", FOLDER, len(sizes), len(sizes), bytes=sum(sizes.values()))
    assert export.result() == asdict(delivered)


def undisturbed(export: Exporting) -> list[str]:
    with export.moto_stage.calls.record() as operations:
        export.run()
    assert_delivered(export)
    return operations


DYNAMODB = {"UpdateItem", "PutItem", "DeleteItem"}
S3 = {"PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"}
EFFECTS = DYNAMODB | S3 | {"vendor connect", "vendor api", "vendor v1", "vendor files"}


def ways(operations: list[str]) -> Iterator[CallFailure]:
    """Yield every way in which a side effect may go wrong: dying between two of them is dying before the second."""
    for at, operation in enumerate(operations, start=1):
        if operation in HARMLESS:
            continue
        yield CallFailure(at, killed=True)
        if not operation.startswith("vendor"):  # its lost answer is no AWS error; dying after it comes next
            yield CallFailure(at, after=True)
    yield CallFailure(len(operations), after=True, killed=True)


def test_every_crash_then_a_retry_of_the_step(export: Exporting) -> None:
    operations = undisturbed(export)
    assert set(operations) - HARMLESS == EFFECTS, "the scenario must take every kind of side effect"
    for failure in ways(operations):
        export.reset()
        export.run(failure=failure)
        assert export.crashes == 1, (failure, operations[failure.at - 1])
        assert_delivered(export)


def test_a_killed_copy_is_resumed_behind_the_part_that_arrived(export: Exporting) -> None:
    before_the_second_part = undisturbed(export).index("UploadPart") + 2
    export.reset()
    export.run(failure=CallFailure(before_the_second_part, killed=True))
    asked = [request for request in export.simulator.requests(Call.FILE) if request.file == BIG]
    assert [request.headers.get("Range") for request in asked] == [None, f"bytes={PART}-"]
    assert_delivered(export)


def test_every_crash_then_a_new_execution(export: Exporting) -> None:
    """The machine gives up and no result is recorded; the next execution takes the slot from the dead one."""
    deaths = [failure for failure in ways(undisturbed(export)) if failure.killed]
    for failure in deaths[::SOME]:
        export.reset()
        with suppress(KilledError):
            export.run("dead", failure=failure, gives_up=True)
        export.start(*STEPS)
        export.run("next")
        result = export.result()
        assert (result["status"], result["missing"], result["promised"]) == ("delivered", [], len(NAMES)), failure
        assert_copied(export)


def test_a_running_execution_keeps_the_slot_and_a_dead_one_does_not(export: Exporting) -> None:
    first, second = executions("first", "second")
    begun_at, begun = time.time(), export.claim(first)
    assert begun["decision"] == "trigger"
    (item,) = items_of(SLOTS_TABLE)
    assert item["lease_until"] > begun_at + 60 * int(ENVIRONMENT["LEASE_MINUTES"]) - 1, "longer than an execution takes"
    assert export.claim(second)["decision"] == "busy"
    assert export.claim(first) == begun, "its own step, tried again"
    export.call("trigger_job", {"export": begun["export"], **begun["trigger"]})
    boto3.client("stepfunctions").stop_execution(executionArn=first)
    end = export.run(second)
    assert end["decision"] == "resume", "the vendor gives no second job this hour"
    assert len(export.simulator.requests(Call.EXPORT)) == 1
    assert_delivered(export)
    with pytest.raises(LeaseLostError):
        export.call("check_job", {"export": begun["export"], "triggered": "accepted", **begun["check"]})
    with pytest.raises(LeaseLostError):
        export.call("record_result", begun)
    assert_delivered(export)


def test_a_second_run_of_a_delivered_slot_copies_what_differs(export: Exporting) -> None:
    export.run("first")
    export.clock.advance(hours=5)
    s3 = export.moto_stage.s3
    s3.delete_object(Bucket=LAKE, Key=FOLDER + VOYAGE)
    s3.put_object(Bucket=LAKE, Key=FOLDER + VESSEL, Body=objects_of(LAKE)[FOLDER + VESSEL][:-1] + b"!")
    s3.put_object(
        Bucket=LAKE, Key=FOLDER + BIG, Body=b"short", Metadata=s3.head_object(Bucket=LAKE, Key=FOLDER + BIG)["Metadata"]
    )
    export.simulator.journal.clear()
    end = export.run("second", slot="20260301-12")
    assert end["decision"] == "resume"
    assert sorted(request.file for request in export.simulator.requests(Call.FILE)) == sorted([VOYAGE, VESSEL, BIG])
    assert export.simulator.requests(Call.EXPORT) == []
    assert_copied(export)
    result = export.result()
    assert (result["status"], result["promised"], result["copied"]) == ("delivered", len(NAMES), 3)
    export.simulator.journal.clear()
    export.run("third", slot="20260301-12")
    assert export.simulator.requests(Call.FILE) == []
    assert export.result()["copied"] == 0


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (
            vendor_faults.job_hangs(),
            'the job was not complete after 90 minutes: its last status was "Running", 0 were unknown',
        ),
        (
            transport_faults.http_error(Target(Call.TOKEN)),
            "the vendor took no job within 75 minutes of waiting: export 20260301-12, token: the vendor answered 503",
        ),
    ],
)
def test_a_vendor_is_waited_for_as_long_as_the_stage_says(export: Exporting, fault: Fault, cause: str) -> None:
    export.simulator.vendor.faults = (fault,)
    export.run()
    assert (export.result()["status"], export.result()["copied"]) == ("incomplete", 0)
    assert export.result()["cause"].startswith(cause)


@pytest.mark.parametrize(("own", "hours_ago", "next_step"), [("accepted", 0, "wait"), ("", 0, "lost"), ("", 3, "wait")])
def test_a_job_that_the_vendor_forgot_is_replaced_within_its_hour_unless_this_execution_triggered_it(
    export: Exporting, own: str, hours_ago: int, next_step: str
) -> None:
    export.clock.now = datetime.now(UTC) - timedelta(hours=hours_ago)
    begun = export.claim("run")
    export.call("trigger_job", {"export": begun["export"], **begun["trigger"]})
    export.simulator.vendor.jobs = Jobs()
    checked = export.call(
        "check_job", {"export": begun["export"], **begun["check"], "triggered": own or begun["trigger"]["next_step"]}
    )
    assert checked["next_step"] == next_step


def executions(*names: str) -> list[str]:
    """Begin executions of a machine that does nothing, which go on."""
    states = boto3.client("stepfunctions")
    wait = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 9999, "End": True}}}
    machine = states.create_state_machine(
        name="export", definition=json.dumps(wait), roleArn="arn:aws:iam::123456789012:role/x"
    )["stateMachineArn"]
    return [states.start_execution(stateMachineArn=machine, name=name)["executionArn"] for name in names]
