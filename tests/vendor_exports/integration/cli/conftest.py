import pytest

from cli.platform.session import Deployment
from tests.support.cli_environment import stage
from tests.vendor_exports.integration.cli.conditional_s3 import ConditionalS3

__all__ = ["stage"]


@pytest.fixture
def s3(stage: Deployment) -> ConditionalS3:
    """The stage's S3, with another bucket beside the lake."""
    stage.s3.create_bucket(Bucket="the-other")
    stage.__dict__["s3"] = s3 = ConditionalS3(stage.s3)
    return s3
