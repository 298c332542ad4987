"""Keys and media as real S3 events announce them."""

import json
from pathlib import Path

import pytest

from sluice.contracts.load import load_registry
from tests.support.deployed_cloud import Cloud

CONTRACT = load_registry().contract("MICROTHREE_EVENT")
KEYS = ["a b", "a+b", "a%2Bb", "été/é", "date=2024-01-01/hour=3/x", "a&b=c;d", "100%"]


def _event(identifier: str, **payload: object) -> bytes:
    return json.dumps(
        {
            "version": "0",
            "id": identifier,
            "detail-type": "EFEvaluationEvent",
            "source": "App.Event.File",
            "account": "123456789012",
            "time": "2024-02-29T23:59:59Z",
            "region": "eu-west-1",
            "resources": [],
            "detail": {
                "id": identifier,
                "type": "EFEvaluationEvent",
                "timestamp": 1709251199000,
                "partitionKey": "p",
                "evaluation": {
                    "template_ef_version": "1.0",
                    "id": identifier,
                    "shape_id": "s",
                    "timestamp": 1709251199000,
                    "prediction_id": "p#microthree",
                    "reporter": "user",
                    "type": "PUBLISH",
                    "payload": {"text": "t", "query": None, "medialib": None, **payload},
                },
            },
        }
    ).encode()


@pytest.fixture(scope="module")
def odd_keys(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("keys")
    for key in KEYS:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_event(f"id of {key}"))
    cloud.run("ingest", folder)
    cloud.run("convert")


@pytest.mark.usefixtures("odd_keys")
@pytest.mark.parametrize("key", KEYS)
def test_a_key_stays_what_it_is(cloud: Cloud, key: str) -> None:
    assert [row["id"] for row in cloud.rows("MICROTHREE_EVENT", key)] == [f"id of {key}"]


def test_media_are_found_at_any_depth(cloud: Cloud, tmp_path: Path) -> None:
    media = cloud.output("MediaBucket")
    for key in ("MYLIB/m-1.png", "private/user/MYLIB/m-2.png", "private/user/MYLIB/m-2-small.png"):
        cloud.deployment.s3.put_object(Bucket=media, Key=key, Body=b"-")
    cloud.run("media", "index")  # does not wait for the bucket's own events
    cases = {"m-1": "MYLIB/m-1.png", "m-2": "private/user/MYLIB/m-2-small.png", "m-3": None}
    body = b"".join(_event(medium, media_id=medium, medialib="MYLIB", media_type="IMAGE") for medium in cases)
    (tmp_path / "media-file").write_bytes(body)
    cloud.run("ingest", tmp_path / "media-file")
    cloud.run("convert")
    found = {row["id"]: row["payload_media_id"] for row in cloud.rows("MICROTHREE_EVENT", "media-file")}
    assert found == {medium: f"s3://{media}/{key}" if key else medium for medium, key in cases.items()}
