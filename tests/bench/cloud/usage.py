"""Usage of the local cloud in the units that bills count."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from cli.platform.session import Deployment
from sluice.observability import prices
from sluice.observability.prices import Price

Usage = dict[Price, float]


class Call(NamedTuple):
    """Begin and end of a function's call, in seconds since 1970."""

    begun: float
    ended: float


_BUCKET, _KEY = "_bench", "usage"  # an object of tests/bench/cloud/counted_emulator.py: asked for like others
_COUNTED = {
    "s3 GET": prices.OBJECT_GET,
    "s3 HEAD": prices.OBJECT_GET,
    "s3 PUT": prices.OBJECT_PUT,
    "s3 POST": prices.OBJECT_PUT,
    "s3 LIST": prices.OBJECT_PUT,
    "write units": prices.TABLE_WRITE,
    "read units": prices.TABLE_READ,
}
_LOG_OVERHEAD = 26  # bytes that an event counts beside its text
_STEP_LOGGED = 400  # bytes that a machine logs of an event of its history, data left out; the local cloud logs none
_CHILD = ("ChildStateEntered", "TaskStateEntered", "TaskStateExited")  # what the local cloud leaves out
_REPORT = re.compile(r"^REPORT .*\tBilled Duration: (\d+) ms\tMemory Size: (\d+) MB")


def used(deployment: Deployment) -> Usage:
    """Return all that was used; what only arrives, such as announcements, is not seen here."""
    usage: defaultdict[Price, float] = defaultdict(float)
    for name, count in requests(deployment).items():
        if price := prices.CATALOG_REQUEST if name.startswith("glue ") else _COUNTED.get(name):
            usage[price] += count
    for _, _, message in _logged(deployment):
        usage[prices.LOG_INTAKE] += len(message.encode()) + _LOG_OVERHEAD
        if report := _REPORT.match(message):
            usage[prices.FUNCTION_CALL] += 1
            usage[prices.FUNCTION_TIME] += int(report[1]) / 1000 * int(report[2]) / 1024
    for events in _histories(deployment):
        usage[prices.TRANSITION] += sum(event.endswith("StateEntered") for event in events)
        usage[prices.LOG_INTAKE] += len(events) * _STEP_LOGGED
    return usage


def calls(deployment: Deployment, function: str) -> list[Call]:
    """Return the calls of the function whose log has `function` in its name."""
    return [
        Call(ended - int(report[1]) / 1000, ended)
        for group, ended, message in _logged(deployment)
        if function in group and (report := _REPORT.match(message))
    ]


def requests(deployment: Deployment) -> Counter[str]:
    """Return the requests of functions, by service and operation, and the units that the ledger took."""
    return Counter(json.load(deployment.s3.get_object(Bucket=_BUCKET, Key=_KEY)["Body"]))


def _logged(deployment: Deployment) -> Iterator[tuple[str, float, str]]:
    """Yield every event of every log group: the group's name, when it was, its text."""
    for groups in deployment.logs.get_paginator("describe_log_groups").paginate():
        for group in groups["logGroups"]:
            name = group["logGroupName"]
            for page in deployment.logs.get_paginator("filter_log_events").paginate(logGroupName=name):
                yield from ((name, event["timestamp"] / 1000, event["message"]) for event in page["events"])


def _histories(deployment: Deployment) -> Iterator[list[str]]:
    """Yield the types of each conversion's events; of a map's child there are its start and its one step to add."""
    client, machine = deployment.stepfunctions, deployment.output("ConvertMachine")
    for page in client.get_paginator("list_executions").paginate(stateMachineArn=machine):
        for execution in page["executions"]:
            yield _events(deployment, execution["executionArn"])
            for child in _children(deployment, execution["executionArn"]):
                yield [*_CHILD, *_events(deployment, child)]


def _events(deployment: Deployment, execution: str) -> list[str]:
    pages = deployment.stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution)
    return [event["type"] for page in pages for event in page["events"]]


def _children(deployment: Deployment, execution: str) -> Iterator[str]:
    client = deployment.stepfunctions
    for run in client.list_map_runs(executionArn=execution)["mapRuns"]:
        for page in client.get_paginator("list_executions").paginate(mapRunArn=run["mapRunArn"]):
            yield from (child["executionArn"] for child in page["executions"])
