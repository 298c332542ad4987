"""A stage in moto: buckets and ledger, with a stand-in for the pipeline behind the source bucket."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from cli.platform.session import Deployment
from tests.support.stand_in import Pipeline

OUTPUTS = {
    "SourceBucket": "the-source",
    "LedgerTable": "the-ledger",
    "SlotsTable": "the-slots",
    "LakeBucket": "the-lake",
    "ExportEnvironment": "Test",
}


@pytest.fixture
def stage() -> Iterator[Deployment]:
    with mock_aws():
        deployment = Deployment("x", boto3.Session("test", "test", region_name="us-east-1"))
        deployment.__dict__["outputs"] = dict(OUTPUTS)
        for bucket in ("the-source", "the-lake"):
            deployment.s3.create_bucket(Bucket=bucket)
        for table in ("the-ledger", "the-slots"):
            _create_table(deployment, table)
        yield deployment


@pytest.fixture
def pipeline(stage: Deployment) -> Pipeline:
    pipeline = Pipeline(stage)
    stage.__dict__["s3"] = pipeline
    return pipeline


def _create_table(stage: Deployment, name: str) -> None:
    stage.dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
