"""What the demo's producers do: put media and files into their buckets, now and then twice."""

from __future__ import annotations

import os
import time
from pathlib import Path

from cli.demo.files import EventFile
from cli.event_files.ingest.command import ingest_files
from cli.event_files.ingest.files import input_files
from cli.event_files.ingest.report import FileReport
from cli.event_files.media import index_bucket
from cli.platform.console import err, plural, say
from cli.platform.health import queue
from cli.platform.machine import waits
from cli.platform.session import Deployment

FOLDER = Path(os.path.relpath(Path(__file__).resolve().parents[2] / "build" / "demo"))
"""Where the demo's files are written: in the repository's folder for what is built, seen from here."""

# Few: in the local cloud every object that arrives costs the index function an invocation.
_MEDIA = 8
_TWICE = 5
# From a bucket to the queue it takes a moment, in which the queue looks empty.
_DELIVERY_SECONDS = 1.0


def put_media(stage: Deployment, files: list[EventFile]) -> None:
    """Put some of the media that the events refer to into the media bucket; the others are missing, as in real life."""
    keys = [key for file in files for key in file.media][:_MEDIA]
    bucket = stage.output("MediaBucket")
    if stage.s3.list_objects_v2(Bucket=bucket, MaxKeys=1).get("KeyCount"):
        return
    with err.status("Uploading media …"):
        for key in keys:
            stage.s3.put_object(Bucket=bucket, Key=key, Body=b"a picture")
    say(f"{plural(index_bucket(stage), 'picture')} in the media bucket, indexed.")


def ingest(stage: Deployment, timeout: float) -> list[FileReport]:
    """Ingest the demo's files, as `sluice ingest` does."""
    return ingest_files(stage, input_files([FOLDER]), timeout)


def announce_again(stage: Deployment, files: list[EventFile]) -> None:
    """Put some files once more, so that each is announced twice, and wait until the pipeline has dealt with it."""
    for file in files[:_TWICE]:
        stage.s3.put_object(Bucket=stage.output("SourceBucket"), Key=file.name, Body=file.body)
    say(f"{_TWICE} of the files were announced a second time.")
    with err.status("Waiting for the queue …"):
        for pause in waits(30):
            time.sleep(max(pause, _DELIVERY_SECONDS))
            depth = queue(stage)
            if not depth.waiting and not depth.in_flight:
                return
