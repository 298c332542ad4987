"""Files of Iceberg tables on S3: each is written once, or not at all."""

import gc

import pytest

from sluice.lake.file_io_s3 import CLIENT, S3FileIO
from tests.support.moto.aws_calls import AwsUnavailableError, CallFailure
from tests.support.moto.stage import LAKE, MotoStage


def test_a_file_that_s3_refused_or_that_was_abandoned_is_never_written_later(moto_stage: MotoStage) -> None:
    files = S3FileIO({CLIENT: moto_stage.s3})
    refused, broken, abandoned = (files.new_output(f"s3://{LAKE}/{name}").create() for name in "abc")
    with moto_stage.calls.intercept(CallFailure(1)), pytest.raises(AwsUnavailableError), refused:
        refused.write(b"refused")
    with pytest.raises(KeyError), broken:  # noqa: PT012 - the file is being written when it is abandoned
        broken.write(b"bro")
        raise KeyError
    abandoned.write(b"aban")
    del refused, broken, abandoned
    gc.collect()
    assert list(moto_stage.lake.list("")) == []


def test_a_file_is_written_when_its_block_ends(moto_stage: MotoStage) -> None:
    file = S3FileIO({CLIENT: moto_stage.s3}).new_output(f"s3://{LAKE}/a")
    with moto_stage.calls.record() as operations, file.create() as output:
        output.write(b"whole")
    assert operations == ["PutObject"]
    assert moto_stage.lake.read("a") == b"whole"
