"""Any side effect of any Export step fails, or kills its function: tried again, the run ends as if nothing happened."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import boto3
import pytest

from cli.simulator.deliveries import files_of
from cli.simulator.exchange import Call
from cli.simulator.faults import access, files, jobs
from sluice.vendor_exports.delivery.ports import LeaseLostError
from tests.support.storage import items_of, objects_of
from tests.support.tap import READS, KilledError, Trouble
from tests.support.world import LAKE, World
from tests.vendor_exports.integration.exporting import EXPORTS, FOLDER, SLOTS_TABLE, STEPS, Exporting, exporting

# Powertools says so of functions that died before they measured anything.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

NAMES = set(files_of(EXPORTS))
BIG = next(name for name, file in files_of(EXPORTS).items() if file.content.size == EXPORTS.big_bytes)
SOME = 3  # of the crashes that a new execution follows: each takes two runs
VOYAGE, VESSEL = "Voyage_0.json.gz", "Vessel_1.json.gz"
HARMLESS = READS | {"GetSecretValue", "DescribeExecution", "ListParts"}


@pytest.fixture
def scene(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exporting]:
    with exporting(world, monkeypatch) as scene:
        yield scene


def bodies() -> dict[str, bytes]:
    whole = {}
    for name, file in files_of(EXPORTS).items():
        whole[FOLDER + name] = b"".join(file.content.chunks(0, file.content.size))
    return whole


def assert_delivered(scene: Exporting) -> None:
    lake = scene.lake()
    proof = json.loads(lake.pop(f"{FOLDER}_PresignedUrls.json"))
    assert lake == bodies()
    sizes = {name: file.content.size for name, file in files_of(EXPORTS).items()}
    assert {entry["key"].removeprefix("ACME/GUID/"): entry["size"] for entry in proof} == sizes
    assert scene.account() == {
        "slot": "20260301-12",
        "status": "delivered",
        "folder": FOLDER,
        "promised": len(sizes),
        "copied": len(sizes),
        "refetched": 0,
        "bytes": sum(sizes.values()),
        "missing": [],
        "missing_tables": [],
        "reasons": {},
        "cause": "",
    }


def undisturbed(scene: Exporting) -> list[str]:
    with scene.world.tap.listen() as operations:
        scene.run()
    assert_delivered(scene)
    return operations


EFFECTS = {
    "UpdateItem",
    "PutItem",
    "DeleteItem",
    "PutObject",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "vendor connect",
    "vendor api",
    "vendor v1",
    "vendor files",
}


def ways(operations: list[str]) -> Iterator[Trouble]:
    """Yield every way in which a side effect may go wrong: dying between two of them is dying before the second."""
    for at, operation in enumerate(operations, start=1):
        if operation in HARMLESS:
            continue
        yield Trouble(at, killed=True)
        if not operation.startswith(
            "vendor"
        ):  # a lost answer of the vendor's is no AWS error; dying after it comes next
            yield Trouble(at, after=True)
    yield Trouble(len(operations), after=True, killed=True)


def test_every_crash_then_a_retry_of_the_step(scene: Exporting) -> None:
    operations = undisturbed(scene)
    assert set(operations) - HARMLESS == EFFECTS, "the scenario must take every kind of side effect"
    for trouble in ways(operations):
        scene.reset()
        scene.run(trouble=trouble)
        assert scene.crashes == 1, (trouble, operations[trouble.at - 1])
        assert_delivered(scene)


def test_every_crash_then_a_new_execution(scene: Exporting) -> None:
    """The machine gives up and nobody closes; the next execution takes the slot from the dead one."""
    deaths = [trouble for trouble in ways(undisturbed(scene)) if trouble.killed]
    for trouble in deaths[::SOME]:
        scene.reset()
        with suppress(KilledError):
            scene.run("dead", trouble=trouble, gives_up=True)
        scene.start(*STEPS)
        scene.run("next")
        account = scene.account()
        assert (account["status"], account["missing"], account["promised"]) == ("delivered", [], len(NAMES)), trouble
        lake = scene.lake()
        del lake[f"{FOLDER}_PresignedUrls.json"]
        assert lake == bodies(), trouble


def test_an_hour_that_ends_between_any_two_steps(scene: Exporting) -> None:
    steps: list[str] = []
    scene.run(before=steps.append)
    assert len(steps) == 9
    for number in range(1, len(steps)):
        scene.reset()
        seen: list[str] = []

        def before(step: str, seen: list[str] = seen, number: int = number) -> None:
            if len(seen) == number:
                scene.clock.advance(hours=1)
            seen.append(step)

        scene.run(before=before)
        assert seen[number] == steps[number]
        assert_delivered(scene)


def test_a_running_execution_keeps_the_slot_and_a_dead_one_does_not(scene: Exporting) -> None:
    first, second = executions("first", "second")
    begun = scene.begin(first)
    assert begun["decision"] == "trigger"
    assert scene.begin(second)["decision"] == "busy"
    assert scene.begin(first) == begun, "its own step, tried again"
    scene.call("trigger_job", {"export": begun["export"], **begun["trigger"]})
    boto3.client("stepfunctions").stop_execution(executionArn=first)
    end = scene.run(second)
    assert end["decision"] == "resume", "the vendor gives no second job this hour"
    assert len(scene.simulator.requests(Call.EXPORT)) == 1
    assert_delivered(scene)
    with pytest.raises(LeaseLostError):
        scene.call("check_job", {"export": begun["export"], "triggered": "accepted", **begun["check"]})
    with pytest.raises(LeaseLostError):
        scene.call("record_result", begun)
    assert_delivered(scene)


def test_the_next_hour_is_another_slot(scene: Exporting) -> None:
    first, second = executions("first", "second")
    scene.begin(first)
    scene.clock.advance(hours=1)
    begun = scene.begin(second)
    assert (begun["decision"], begun["export"]["slot"]) == ("trigger", "20260301-13")


def test_a_second_run_of_a_delivered_slot_copies_what_differs(scene: Exporting) -> None:
    scene.run("first")
    scene.clock.advance(hours=5)
    s3 = scene.world.s3
    s3.delete_object(Bucket=LAKE, Key=FOLDER + VOYAGE)
    s3.put_object(Bucket=LAKE, Key=FOLDER + VESSEL, Body=objects_of(LAKE)[FOLDER + VESSEL][:-1] + b"!")
    s3.put_object(
        Bucket=LAKE, Key=FOLDER + BIG, Body=b"short", Metadata=s3.head_object(Bucket=LAKE, Key=FOLDER + BIG)["Metadata"]
    )
    scene.simulator.journal.clear()
    end = scene.run("second", slot="20260301-12")
    assert end["decision"] == "resume"
    assert sorted(request.file for request in scene.simulator.requests(Call.FILE)) == sorted([VOYAGE, VESSEL, BIG])
    assert scene.simulator.requests(Call.EXPORT) == []
    lake = scene.lake()
    del lake[f"{FOLDER}_PresignedUrls.json"]
    assert lake == bodies()
    account = scene.account()
    assert (account["status"], account["promised"], account["copied"]) == ("delivered", len(NAMES), 3)
    scene.simulator.journal.clear()
    scene.run("third", slot="20260301-12")
    assert scene.simulator.requests(Call.FILE) == []
    assert scene.account()["copied"] == 0


def test_a_job_that_failed_is_followed_by_another(scene: Exporting) -> None:
    scene.simulator.vendor.faults = (jobs.job_ends("Failed"),)
    assert scene.run("first")["account"]["status"] == "incomplete"
    assert scene.account()["cause"] == 'the vendor\'s job ended as "Failed"'
    scene.simulator.vendor.faults = ()
    begun = scene.clock()
    assert scene.run("second")["decision"] == "trigger"
    assert scene.clock() - begun > timedelta(minutes=50), "the vendor takes one an hour"
    assert_delivered(scene)


def test_addresses_that_die_in_mid_copy(scene: Exporting) -> None:
    scene.simulator.vendor.faults = (access.urls_expire(after=2),)
    scene.run()
    account = scene.account()
    assert (account["status"], account["copied"]) == ("delivered", len(NAMES))
    assert account["refetched"] == 1
    assert len(scene.simulator.requests(Call.LIST)) == 4, "promise, two batches, and one renewed"


def test_tokens_that_die_and_a_secret_that_is_rotated(scene: Exporting) -> None:
    scene.simulator.vendor.faults = (access.tokens_expire(after=1),)
    scene.run()
    assert_delivered(scene)


def test_a_file_that_never_comes_is_told(scene: Exporting) -> None:
    scene.simulator.vendor.faults = (files.file_missing(),)
    end = scene.run()
    assert end["account"]["status"] == "incomplete"
    account = scene.account()
    assert account["missing"] == [VOYAGE]
    assert account["reasons"] == {VOYAGE: "the server answered 404"}
    assert account["cause"] == f"1 of {len(NAMES)} promised files did not arrive whole"
    assert len(scene.simulator.requests(Call.FILE)) == len(NAMES) + 2, "three rounds"


def test_nothing_secret_is_kept(
    scene: Exporting, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    scene.simulator.vendor.faults = (access.urls_expire(after=2), files.file_missing())
    end = scene.run()
    kept = b"\n".join(objects_of(LAKE).values()).decode("latin-1") + repr(items_of(SLOTS_TABLE)) + repr(end)
    logged = repr([vars(record) for record in caplog.records]) + "".join(capfd.readouterr())
    assert VOYAGE in logged
    assert BIG in kept
    known = scene.simulator.vendor.credentials
    for marker in (known.client_secret, known.token_marker, known.signature_marker):
        assert marker not in kept
        assert marker not in logged


def executions(*names: str) -> list[str]:
    """Begin executions of a machine that does nothing, which go on."""
    states = boto3.client("stepfunctions")
    wait = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 9999, "End": True}}}
    machine = states.create_state_machine(
        name="export", definition=json.dumps(wait), roleArn="arn:aws:iam::123456789012:role/x"
    )["stateMachineArn"]
    return [states.start_execution(stateMachineArn=machine, name=name)["executionArn"] for name in names]
