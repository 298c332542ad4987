"""Secrets stay where they belong: after exports with marked secrets, the marks are in Secrets Manager only."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pytest

from cli.http_server import transport_faults
from cli.http_server.faults import Fault, Target
from cli.http_server.messages import Response, api_error, json_response
from cli.platform.local_cloud import running_cloud
from cli.simulator import vendor_faults
from cli.simulator.access import Credentials
from cli.simulator.http_messages import Call, Request
from tests.support.local.deployed_cloud import Cloud, CommandResult
from tests.support.local.deployed_exports import DeployedExports

MARKS = ("MARKEDSECRET", "MARKEDTOKEN", "MARKEDSIGNATURE")
PROBE = "a message for the test to find"
# Characters that every encoding of a URL writes differently.
ODD = "-a+b/c=d&e f%g~'(!)\"\\*"


@dataclass(frozen=True)
class Runs:
    """Outputs of the commands, the slot, and the requests that the vendor received."""

    said: tuple[str, ...]
    slot: str
    shown: str


def echo(call: Call, answer: Callable[[str], Response]) -> Fault:
    """Return a fault: the vendor answers with the secrets that it was sent."""

    def after(request: Request, response: Response) -> Response:
        if request.call != call:
            return response
        return answer(f"{request.headers.get('Authorization')} {request.target} {request.query.get('apiToken')}")

    return Fault(after=after)


@pytest.fixture
def runs(exports: DeployedExports) -> Iterator[Runs]:
    """Run exports that recover, refuse URLs, fail in a step, and give up."""
    marked = Credentials("marked-client", f"MARKEDSECRET{ODD}", "MARKEDSECRET-next", *MARKS[1:])
    with exports.secret(marked):
        recovered, shown = _recover(exports, marked)
        failed = _fail(exports, marked)
        _give_up(exports, marked)
        said = tuple(json.dumps(result.document) + result.stderr for result in (recovered, failed))
        yield Runs(said, recovered.document["slot"], shown)


def _recover(exports: DeployedExports, marked: Credentials) -> tuple[CommandResult, str]:
    first = [Target(call, times=1) for call in Call]
    faults: list[Fault] = [
        *(transport_faults.http_error(target) for target in first),
        transport_faults.truncated(Target(Call.STATUS, after=1, times=1)),
        transport_faults.reset(Target(Call.LIST, after=1, times=1)),
        vendor_faults.tokens_expire(after=0),
        vendor_faults.urls_expire(),
        vendor_faults.listed_elsewhere(f"https://evil.example/x?signature={MARKS[2]}-1&token={MARKS[1]}"),
        vendor_faults.listed_elsewhere(f"http://127.0.0.1:1/{MARKS[2]}-2", "Vessel_1.json.gz"),
        transport_faults.redirected(Target(Call.FILE, "Invoice_3.json.gz"), f"http://127.0.0.1:1/{MARKS[2]}"),
        vendor_faults.file_missing("CargoBook_2.json.gz"),
    ]
    with exports.vendor(*faults, credentials=marked) as vendor:
        result = exports.export(vendor)
        shown = "".join(f"{seen.headers} {seen.target} {seen.body!r}" for seen in vendor.journal)
    assert result.document["refetched"]
    assert len(result.document["missing"]) == 4
    return result, shown


def _fail(exports: DeployedExports, marked: Credentials) -> CommandResult:
    with exports.vendor(echo(Call.LIST, lambda text: api_error(400, text)), credentials=marked) as vendor:
        result = exports.export(vendor)
    assert f"export {result.document['slot']}, files: the vendor answered 400" in result.document["cause"]
    return result


def _give_up(exports: DeployedExports, marked: Credentials) -> None:
    """Let the vendor's own words, which a cause repeats, hold the secrets."""
    refusing = echo(Call.EXPORT, lambda text: api_error(400, f"{text}: allowed at 9999-12-31 00:00"))
    running = echo(Call.STATUS, lambda text: json_response({"JobStatus": text}))
    with exports.vendor(running, credentials=replace(marked)) as vendor:
        export = exports.step_by_step(vendor)
        export.trigger_job()
        assert "its last status was" in export.check_job(waited_seconds=5400)["cause"]
        vendor.vendor.faults = (refusing,)
        assert "the vendor said" in export.trigger_job(waited_seconds=4400)["cause"]
        export.record_result()


def test_marks_are_nowhere_but_in_the_secret(exports: DeployedExports, runs: Runs) -> None:
    cloud = exports.cloud
    assert all(mark in runs.shown for mark in MARKS[:2])  # the vendor was shown them
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=cloud.output("VendorSecret"))
    assert _is_marked(secret["SecretString"])
    marked = set()
    for place in _places(cloud, runs):
        texts = list(place.texts)
        assert any(place.sign in text for text in texts), f"{place.name} is not looked into"
        marked |= {place.name for text in texts if _is_marked(text)}
    assert marked == set()


def _is_marked(text: str) -> bool:
    return any(mark in text for mark in MARKS)


class Place(NamedTuple):
    """A place that may hold a secret, and a text that it must hold if it is read at all."""

    name: str
    sign: str
    texts: Iterable[str]


def _places(cloud: Cloud, runs: Runs) -> Iterator[Place]:
    states = cloud.client("stepfunctions")
    executions = _listed(states, "list_executions", "executions", stateMachineArn=cloud.output("ExportMachine"))
    arns = [execution["executionArn"] for execution in executions]
    maps = [run["mapRunArn"] for arn in arns for run in states.list_map_runs(executionArn=arn)["mapRuns"]]
    children = [
        child["executionArn"]
        for run in maps
        for child in _listed(states, "list_executions", "executions", mapRunArn=run)
    ]
    yield Place("executions", f'"slot": "{runs.slot}"', _histories(states, arns))
    yield Place("executions of maps", "batch_id", _histories(states, children))
    yield Place("logs", f'"slot":"{runs.slot}"', _logs(cloud))
    yield Place("emulator", "Lambda worker spawned", _emulator())
    yield Place("objects", "the server answered 404", _objects(cloud))
    yield Place("records", runs.slot, _records(cloud))
    yield Place("metrics and alarms", "", _metrics(cloud))
    yield Place("queues", PROBE, _queues(cloud))
    yield Place("functions", "AUTH_URL", map(_text, _listed(cloud.client("lambda"), "list_functions", "Functions")))
    yield Place("stacks", cloud.output("ExportMachine"), _stacks(cloud))
    yield Place("command", runs.slot, runs.said)


def _listed(client: Any, operation: str, member: str, **where: Any) -> Iterator[Any]:
    """Yield the items of all pages that an operation lists."""
    for page in client.get_paginator(operation).paginate(**where):
        yield from page.get(member, ())


def _histories(states: Any, executions: Iterable[str]) -> Iterator[str]:
    for execution in executions:
        yield _text(states.describe_execution(executionArn=execution))
        described = {"executionArn": execution, "includeExecutionData": True}
        for event in _listed(states, "get_execution_history", "events", **described):
            yield from _strings(event)


def _logs(cloud: Cloud) -> Iterator[str]:
    logs = cloud.client("logs")
    for group in _listed(logs, "describe_log_groups", "logGroups"):
        for event in _listed(logs, "filter_log_events", "events", logGroupName=group["logGroupName"]):
            yield event["message"]


def _emulator() -> Iterator[str]:
    running = running_cloud()
    assert running
    yield running.log.read_text(errors="replace")


def _objects(cloud: Cloud) -> Iterator[str]:
    s3 = cloud.client("s3")
    for bucket in (each["Name"] for each in s3.list_buckets()["Buckets"]):
        for item in _listed(s3, "list_objects_v2", "Contents", Bucket=bucket):
            found = s3.get_object(Bucket=bucket, Key=item["Key"])
            yield f"{item['Key']} {found['Metadata']} {found['Body'].read().decode(errors='replace')}"


def _records(cloud: Cloud) -> Iterator[str]:
    dynamodb = cloud.client("dynamodb")
    for table in dynamodb.list_tables()["TableNames"]:
        yield from map(_text, _listed(dynamodb, "scan", "Items", TableName=table))


def _metrics(cloud: Cloud) -> Iterator[str]:
    """Yield metrics and alarms, should the local stage get any; its metrics stay in the log."""
    watch = cloud.client("cloudwatch")
    yield from (_text(answer) for answer in (watch.list_metrics(), watch.describe_alarms(), watch.list_dashboards()))


def _queues(cloud: Cloud) -> Iterator[str]:
    sqs = cloud.client("sqs")
    urls = sqs.list_queues()["QueueUrls"]
    (missed,) = [url for url in urls if "ExportsMissedCalls" in url]
    sqs.send_message(QueueUrl=missed, MessageBody=PROBE)
    for url in urls:
        yield _text(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0))
    sqs.purge_queue(QueueUrl=missed)


def _stacks(cloud: Cloud) -> Iterator[str]:
    stacks = cloud.client("cloudformation")
    for stack in stacks.describe_stacks()["Stacks"]:
        yield _text(stack)
        yield _text(stacks.get_template(StackName=stack["StackName"])["TemplateBody"])
        yield _text(stacks.describe_stack_events(StackName=stack["StackName"]))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _strings(value: Any) -> Iterator[str]:
    """Yield every text in a document: JSON inside of JSON is written with backslashes."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, str):
        yield value
