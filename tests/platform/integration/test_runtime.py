"""What functions have of AWS at run time: patient clients, and whether an execution is going on."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from statistics import fmean
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from moto import mock_aws

from sluice.aws import runtime
from sluice.aws.runtime import StepFunctionsExecutions

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:export:a"
CALLS: dict[Callable[[], Any], str] = {
    runtime.s3: "list_buckets",
    runtime.dynamodb: "list_tables",
    runtime.glue_reader: "get_databases",
    runtime.secrets_manager: "list_secrets",
    runtime.step_functions: "list_state_machines",
    runtime.sns: "list_topics",
}


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


@contextmanager
def answered(client: Any, *answers: tuple[int, bytes]) -> Iterator[list[str]]:
    """Answer the first requests of a client so, those that follow as moto does; yield the requests' URLs."""
    waiting, asked = list(answers), list[str]()

    def answer(request: Any, **_: object) -> AWSResponse | None:
        asked.append(request.url)
        if not waiting:
            return None
        status, body = waiting.pop(0)
        raw = BytesIO(body)
        raw.stream = lambda **_: iter([body])  # type: ignore[attr-defined]
        return AWSResponse(request.url, status, HTTPHeaders(), raw)

    client.meta.events.register_first("before-send", answer)
    try:
        yield asked
    finally:
        client.meta.events.unregister("before-send", answer)


@pytest.mark.parametrize("client", CALLS, ids=lambda client: client.__name__)
def test_a_service_that_is_busy_is_asked_five_times(client: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with answered(client(), *[(503, b"")] * 4) as asked:
        getattr(client(), CALLS[client])()
    assert len(asked) == 5


def test_a_commit_is_sent_once() -> None:
    """Sent again, one whose answer was lost would be refused, and what it committed be taken for litter."""
    client = runtime.glue()
    with answered(client, (503, b"")) as asked, pytest.raises(ClientError):
        client.update_table(DatabaseName="lake", TableInput={"Name": "t"})
    assert len(asked) == 1


def test_pauses_between_attempts_grow_with_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions that got into each other's way must not meet again."""
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    assert {len(list(runtime.attempts())) for _ in range(50)} == {7}
    by_place = [pauses[place::6] for place in range(6)]
    assert all(len(set(alike)) == 50 for alike in by_place)
    means = [fmean(alike) for alike in by_place]
    assert means == sorted(means)
    assert means[-1] > 0.5


@pytest.mark.parametrize(
    ("status", "running"),
    [
        ("RUNNING", True),
        ("PENDING_REDRIVE", True),  # it may go on: nobody takes over what it has
        *((status, False) for status in ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")),
    ],
)
def test_an_execution_that_may_go_on_is_running(status: str, running: bool) -> None:
    client = runtime.step_functions()
    with answered(client, (200, json.dumps({"status": status}).encode())):
        assert StepFunctionsExecutions(client).is_running(EXECUTION) is running
