"""A stage in moto: buckets and ledger, with a stand-in for the pipeline behind the source bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cli.session import Deployment

Attributes = dict[str, Any]
Validate = Callable[[str, bytes], Attributes | None]

OUTPUTS = {"SourceBucket": "the-source", "LedgerTable": "the-ledger", "LakeBucket": "the-lake"}


class Pipeline:
    """The source bucket's client; whatever is put into it gets the record that `validate` makes up."""

    def __init__(self, deployment: Deployment) -> None:
        self.s3, self.dynamodb = deployment.s3, deployment.dynamodb
        self.validate: Validate = lambda _, body: {"status": {"S": "validated"}, "events": {"N": str(len(body))}}
        self.puts: list[str] = []

    def put_object(self, **request: Any) -> Any:
        answer = self.s3.put_object(**request)
        self.puts.append(request["Key"])
        body = self.s3.get_object(Bucket=request["Bucket"], Key=request["Key"])["Body"].read()
        if record := self.validate(request["Key"], body):
            self.record(request["Key"], answer["ETag"].strip('"'), **record)
        return answer

    def record(self, key: str, etag: str, **attributes: Any) -> None:
        item = {"pk": {"S": f"source#the-source/{key}"}, "sk": {"S": etag}, **attributes}
        self.dynamodb.put_item(TableName="the-ledger", Item=item)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.s3, name)


@pytest.fixture
def stage() -> Iterator[Deployment]:
    with mock_aws():
        deployment = Deployment("x", boto3.Session("test", "test", region_name="us-east-1"))
        deployment.__dict__["outputs"] = dict(OUTPUTS)
        for bucket in ("the-source", "the-lake"):
            deployment.s3.create_bucket(Bucket=bucket)
        keys = ("pk", "sk")
        deployment.dynamodb.create_table(
            TableName="the-ledger",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        yield deployment


@pytest.fixture
def pipeline(stage: Deployment) -> Pipeline:
    pipeline = Pipeline(stage)
    stage.__dict__["s3"] = pipeline
    return pipeline
