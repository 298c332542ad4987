"""The digest of the deployed stage: sums of run records, in the report and in the message."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.event_files.file_generation import event_files
from sluice.contracts.load import load_registry
from tests.support.local.deployed_cloud import Cloud, wait_until
from tests.support.local.deployed_functions import Functions


@pytest.fixture
def inbox(cloud: Cloud) -> Iterator[str]:
    """Return the URL of a queue that is subscribed to the stage's topic."""
    sqs, sns = cloud.client("sqs"), cloud.client("sns")
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sender = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**sender, "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    subscribed = sns.subscribe(TopicArn=cloud.output("Topic"), Protocol="sqs", Endpoint=arn)
    yield url
    sns.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])
    sqs.delete_queue(QueueUrl=url)


def test_what_was_converted_is_in_the_report_and_in_the_message(cloud: Cloud, tmp_path: Path, inbox: str) -> None:
    before = volumes(cloud)
    files = event_files(load_registry(), files=6, events=120, seed=23)
    for number, file in enumerate(files):
        (tmp_path / f"digest-{number}-{file.name}").write_bytes(file.body)
    totals = cloud.run("ingest", tmp_path)["totals"]
    assert cloud.run("convert")["files"] >= 6
    wanted = {
        "clean": before["clean"] + sum(totals["clean"].values()),
        "dirty": before["dirty"] + sum(totals["dirty"].values()),
        "rows": before["rows"] + sum(totals["clean"].values()),
    }
    wait_until(lambda: volumes(cloud)["clean"] >= wanted["clean"])  # records follow the ends of executions
    found = volumes(cloud)
    assert {name: found[name] for name in wanted} == wanted

    answer = send(cloud)
    assert answer["key"] == f"data/reports/day-{datetime.now(UTC):%Y-%m-%d}.html"
    page = cloud.read(answer["key"]).decode()
    assert page.startswith("<!DOCTYPE html>")
    assert f'<td>Clean events</td><td class="number">{wanted["clean"]:,}</td>' in page
    message = received(cloud, inbox)
    assert message["Subject"] == answer["subject"]
    assert re.search(rf"Clean events: +{wanted['clean']:,}\n", message["Message"])


def volumes(cloud: Cloud) -> dict[str, int]:
    """Return the volumes of the day so far."""
    found = cloud.run("report", "--span", "day")
    return {name: volume["value"] for name, volume in found["volumes"].items()}


def send(cloud: Cloud) -> dict[str, Any]:
    """Let the stage send the digest of the day so far."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    event = {"span": "day", "until": end.isoformat()}
    return dict(Functions(cloud, "Observability").call("send_digest", event))


def received(cloud: Cloud, inbox: str) -> dict[str, str]:
    """Return the one message that was sent."""
    (message,) = cloud.client("sqs").receive_message(QueueUrl=inbox, WaitTimeSeconds=10)["Messages"]
    body: dict[str, str] = json.loads(message["Body"])
    return body
