"""`sluice media index` against S3 and DynamoDB."""

from __future__ import annotations

import json

import boto3
import pytest
from typer.testing import CliRunner

from cli.event_files import media
from cli.main import app
from cli.platform.session import Deployment
from tests.support.moto_stage import MEDIA, MEDIA_INDEX, MotoStage


def test_every_object_of_the_bucket_is_found_afterwards(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Deployment("x", boto3.Session("test", "test", region_name="us-east-1"))
    stage.__dict__["outputs"] = {"MediaBucket": MEDIA, "MediaTable": MEDIA_INDEX}
    monkeypatch.setattr(media, "connect", lambda _: stage)
    for number in range(3):
        moto_stage.s3.put_object(Bucket=MEDIA, Key=f"a/MYLIB/{number}.jpg", Body=b"x")
    result = CliRunner().invoke(app, ["media", "index", "--json"])
    assert json.loads(result.stdout) == {"objects": 3}
    assert moto_stage.media.find("MYLIB", "2") == f"s3://{MEDIA}/a/MYLIB/2.jpg"
