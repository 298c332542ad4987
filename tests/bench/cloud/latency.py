"""Seconds until a file is in the ledger, and seconds of a conversion beyond its batches, in the warm local cloud.

A stage on AWS waits besides until its queue's window is over (settings of event files); the local cloud does not.

.venv/bin/python -m tests.bench.cloud.latency
"""

import math
import secrets
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from cli.platform import machine
from cli.platform.session import Deployment
from sluice.event_files.ledger.model import SourceObject
from tests.bench.cloud.cost import FILE_BYTES, counted_cloud, recorded, upload
from tests.bench.cloud.usage import Call, calls
from tests.bench.corpus import Shape, make_corpus
from tests.bench.result import Result

FILES_PER_SECOND, SECONDS = 20, 30

_FUNCTION = "ConvertBatch"
_UPLOADERS = 8
_PATIENCE = 60.0
_REPORTED = 2.0  # until the last call has logged what it took


def bench_latency(deployment: Deployment, result: Result) -> None:
    """Measure a steady stream of files, then the conversion of what arrived; what comes first warms both."""
    _stream(deployment, 2)
    _convert(deployment)
    waits = sorted(_stream(deployment, SECONDS))
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        result.figure(f"latency_{name}_s", waits[math.ceil(share * len(waits)) - 1])
    result.figure("convert_overhead_s", _convert(deployment))


def _stream(deployment: Deployment, seconds: int) -> list[float]:
    """Upload at a steady pace; return how long after the begin of its upload each file was recorded."""
    run, files = secrets.token_hex(4), FILES_PER_SECOND * seconds
    bodies = make_corpus(Shape(FILE_BYTES * files, files))
    begun = time.time()
    with ThreadPoolExecutor(_UPLOADERS) as pool:
        uploads = dict(pool.map(partial(_upload, deployment, run, begun), range(files), bodies))
    ends = recorded(deployment, uploads.keys(), _PATIENCE)
    return [ends[source] - began for source, began in uploads.items()]


def _upload(deployment: Deployment, run: str, begun: float, number: int, body: bytes) -> tuple[SourceObject, float]:
    time.sleep(max(0, begun + number / FILES_PER_SECOND - time.time()))
    began = time.time()
    return upload(deployment, f"{run}/{number:05}", body), began


def _convert(deployment: Deployment) -> float:
    """Convert what waits; return for how many seconds of it no batch was at work."""
    outcome = machine.run(deployment.stepfunctions, deployment.output("ConvertMachine"), _PATIENCE)
    if not outcome.succeeded:
        raise AssertionError(f"not converted: {outcome.cause}")
    run = deployment.stepfunctions.describe_execution(executionArn=outcome.execution)
    begun, ended = run["startDate"].timestamp(), run["stopDate"].timestamp()
    time.sleep(_REPORTED)
    return ended - begun - at_work(call for call in calls(deployment, _FUNCTION) if call.begun >= begun)


def at_work(calls: Iterable[Call]) -> float:
    """Return for how many seconds one call at least was at work."""
    total, until = 0.0, 0.0
    for call in sorted(calls):
        total += max(0.0, call.ended - max(call.begun, until))
        until = max(until, call.ended)
    return total


if __name__ == "__main__":
    with counted_cloud() as deployment:
        bench_latency(deployment, Result())
