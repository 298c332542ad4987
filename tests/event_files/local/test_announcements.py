"""Keys of any characters and media, announced by the events of the buckets."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.local.deployed_cloud import Cloud
from tests.support.sample_events import dated, illustration

NOW = datetime(2024, 2, 29, 23, tzinfo=UTC)
KEYS = ["a b", "a+b", "a%2Bb", "été/é", "date=2024-01-01/hour=3/x", "a&b=c;d", "100%"]


@pytest.fixture(scope="module")
def odd_keys(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("keys")
    for key in KEYS:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dated(illustration(0), f"id of {key}", NOW))
    cloud.run("ingest", folder)
    cloud.run("convert")


@pytest.mark.usefixtures("odd_keys")
@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_read_as_it_was_written(cloud: Cloud, key: str) -> None:
    assert [row["id"] for row in cloud.rows("MICROTHREE_EVENT", key)] == [f"id of {key}"]


def test_media_are_found_at_any_depth(cloud: Cloud, tmp_path: Path) -> None:
    media = cloud.output("MediaBucket")
    for key in ("MYLIB/m-1.png", "private/user/MYLIB/m-2.png", "private/user/MYLIB/m-2-small.png"):
        cloud.deployment.s3.put_object(Bucket=media, Key=key, Body=b"-")
    cloud.run("media", "index")  # does not wait for the bucket's own events
    cases = {"m-1": "MYLIB/m-1.png", "m-2": "private/user/MYLIB/m-2-small.png", "m-3": None}
    events = {medium: illustration(0, media_id=medium, medialib="MYLIB", media_type="IMAGE") for medium in cases}
    body = b"".join(dated(event, medium, NOW) for medium, event in events.items())
    (tmp_path / "media-file").write_bytes(body)
    cloud.run("ingest", tmp_path / "media-file")
    cloud.run("convert")
    found = {row["id"]: row["payload_media_id"] for row in cloud.rows("MICROTHREE_EVENT", "media-file")}
    assert found == {medium: f"s3://{media}/{key}" if key else medium for medium, key in cases.items()}
