"""`sluice media index` against S3 and DynamoDB."""

import pytest

from tests.support.cli_environment import connect_commands, deployment, sluice_json
from tests.support.moto.stage import MEDIA, MEDIA_INDEX, MotoStage

OUTPUTS = {"MediaBucket": MEDIA, "MediaOwner": "123456789012", "MediaPrefixes": "[]", "MediaTable": MEDIA_INDEX}


def test_every_object_of_the_bucket_is_found_afterwards(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    connect_commands(deployment(outputs=OUTPUTS), monkeypatch)
    for number in range(3):
        moto_stage.s3.put_object(Bucket=MEDIA, Key=f"a/MYLIB/{number}.jpg", Body=b"x")
    assert sluice_json("media", "index") == {"objects": 3}
    assert moto_stage.find_medium("MYLIB", "2") == f"s3://{MEDIA}/a/MYLIB/2.jpg"
