"""A stand-in for the pipeline behind the source bucket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cli.platform.session import Deployment

Attributes = dict[str, Any]
Validate = Callable[[str, bytes], Attributes | None]


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
