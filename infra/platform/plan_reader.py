"""Reads the items of a plan file into a Distributed Map."""

from __future__ import annotations

from typing import Any

import jsii
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn


@jsii.implements(sfn.IItemReader)
class PlanReader:
    """Reads the items under `items_pointer` of the JSON object whose key stands at `key_path` of the state's input.

    The CDK's own JSON reader takes only files that are one array and nothing else.
    """

    def __init__(self, *, bucket: s3.IBucket, key_path: str, items_pointer: str) -> None:
        """Say where the plan is found and what of it is read."""
        self._bucket = bucket
        self._key_path = key_path
        self._items_pointer = items_pointer

    @property
    def bucket(self) -> s3.IBucket:
        """The bucket the plan lies in."""
        return self._bucket

    @property
    def bucket_name_path(self) -> str | None:
        """None: the bucket is known at deployment."""
        return None

    @property
    def max_items(self) -> int | None:
        """None: every item of the plan."""
        return None

    @property
    def resource(self) -> str:
        """The integration that reads the object."""
        return f"arn:{Aws.PARTITION}:states:::s3:getObject"

    def render(self, _query_language: sfn.QueryLanguage | None = None) -> dict[str, Any]:
        """Return the ItemReader of the state."""
        return {
            "Resource": self.resource,
            "ReaderConfig": {"InputType": "JSON", "ItemsPointer": self._items_pointer},
            "Parameters": {"Bucket": self._bucket.bucket_name, "Key.$": self._key_path},
        }

    def provide_policy_statements(self) -> list[iam.PolicyStatement]:
        """Return nothing: the machine's role is granted what it needs where the machine is built."""
        return []

    def validate_item_reader(self) -> list[str]:
        """Return no complaint."""
        return []
