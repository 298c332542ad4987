"""Producers of the demo: event files and media in their buckets, a vendor and an application that make trouble."""

import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.api_pull.pull import run_pull
from cli.api_simulator.application import Application, Endpoint
from cli.api_simulator.fault_catalogue import fault_named
from cli.api_simulator.population import Population
from cli.event_files.file_generation import EventFile
from cli.event_files.media import index_bucket
from cli.event_files.status import queue
from cli.http_server.faults import Target
from cli.http_server.server import Server
from cli.http_server.transport_faults import busy, http_error, truncated
from cli.platform.console import err, plural, say
from cli.platform.machine import polls
from cli.platform.session import Deployment
from cli.simulator.exports import Exports, files_of
from cli.simulator.http_messages import Call
from cli.simulator.jobs import Timing
from cli.simulator.simulator import Simulator
from cli.simulator.vendor import Vendor
from cli.simulator.vendor_faults import urls_expire
from cli.vendor_exports.export import ExportRun, run_export
from cli.vendor_exports.slots import environment_of
from cli.vendor_exports.vendor import simulator_credentials
from sluice.vendor_exports.delivery.model import MASTER_SCHEMA, Slot, newest_settled, slots_between, table_of

FOLDER = Path(os.path.relpath(Path(__file__).resolve().parents[2] / "build" / "demo"))
"""Folder of the demo's files, relative to the working directory."""

APPLICATION = Population(tracks=400, users=300)
"""The application that is pulled."""

_PULL_FAULTS = ("too-many-requests:1", "rows-added", "truncated:1")

_MEDIA = 8  # few: in the local cloud every object that arrives invokes the index function
_TWICE = 5
_DELIVERY_SECONDS = 1.0  # from the bucket to the queue, which looks empty meanwhile

_FILES = 60
_COMPRESSION = 600  # 20 minutes of replication take 2 seconds
_DAYS = 5
_PAST_FILES = 9
_THREADS = 16
_LOST, _LACKING = 0.04, 0.06  # shares of the past hours without a delivery, and without a table


def put_media(stage: Deployment, files: list[EventFile]) -> None:
    """Put some of the media that events refer to into the media bucket; the others are missing."""
    keys = [key for file in files for key in file.media][:_MEDIA]
    bucket = stage.output("MediaBucket")
    if stage.s3.list_objects_v2(Bucket=bucket, MaxKeys=1).get("KeyCount"):
        return
    with err.status("Uploading media …"):
        for key in keys:
            stage.s3.put_object(Bucket=bucket, Key=key, Body=b"a picture")
    say(f"{plural(index_bucket(stage), 'picture')} in the media bucket, indexed.")


def announce_again(stage: Deployment, files: list[EventFile]) -> None:
    """Put some files once more, so that they are announced twice, and wait until the queue is empty."""
    for file in files[:_TWICE]:
        stage.s3.put_object(Bucket=stage.output("SourceBucket"), Key=file.name, Body=file.body)
    say(f"{_TWICE} of the files were announced a second time.")
    with err.status("Waiting for the queue …"):
        time.sleep(_DELIVERY_SECONDS)
        for _ in polls(30):
            depth = queue(stage)
            if not depth.waiting and not depth.in_flight:
                return


def export(stage: Deployment, timeout: float) -> ExportRun:
    """Run an export against a vendor that is busy or fails at times, whose URLs expire, whose files are truncated."""
    trouble = [
        urls_expire(after=20),
        truncated(Target(Call.FILE, file="Vessel_*", times=1)),
        http_error(Target(Call.STATUS, times=2)),
        busy(Target(Call.LIST, times=1)),
    ]
    timing = Timing(compression=_COMPRESSION)
    vendor = Vendor(Exports(files=_FILES), trouble, timing, simulator_credentials(stage))
    with Simulator(vendor) as simulator:
        return run_export(stage, timeout, vendor_url=simulator.url)


def pull(stage: Deployment, timeout: float) -> dict[str, Any]:
    """Pull an application that is busy or fails at times, and whose users change between two pages."""
    faults = [fault_named(f"{endpoint}-{fault}") for endpoint, fault in zip(Endpoint, _PULL_FAULTS, strict=True)]
    with Server(Application(APPLICATION, faults)) as server:
        return run_pull(stage, timeout, server.url)


def put_past_hours(stage: Deployment) -> Slot:
    """Put the deliveries of some days into the lake, with gaps; return their first hour."""
    last = newest_settled(datetime.now(UTC))
    first = last.after(-24 * _DAYS)
    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(lambda slot: _put_hour(stage, slot), slots_between(first, last)))  # raises what failed
    return first


def _put_hour(stage: Deployment, slot: Slot) -> None:
    folder, bucket = slot.folder(environment_of(stage)), stage.output("LakeBucket")
    for name, body in _delivery(slot):
        stage.s3.put_object(Bucket=bucket, Key=f"{folder}{name}", Body=body)


def _delivery(slot: Slot) -> Iterator[tuple[str, bytes]]:
    rng = random.Random(str(slot))  # noqa: S311 - the same hour is the same every time
    chance = rng.random()
    if chance < _LOST:
        return
    files = files_of(Exports(files=_PAST_FILES, seed=1 + slot.hour.hour % 4))
    tables = sorted({table for name in files if (table := table_of(name))})
    lacking = rng.choice(tables) if chance < _LOST + _LACKING else None
    for name, file in files.items():
        if name == MASTER_SCHEMA or table_of(name) != lacking:
            yield name, file.read()
