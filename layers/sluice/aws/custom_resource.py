"""Answers to CloudFormation of functions that are resources of the stack."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any, Literal

_TIMEOUT_SECONDS = 20
_REASON_LENGTH = 2000  # an answer has 4,096 bytes at most


def answer(event: Mapping[str, Any], resource_id: str, status: Literal["SUCCESS", "FAILED"], reason: str) -> None:
    """Tell CloudFormation how its request ended; the same id of the resource in every answer keeps it."""
    document = {
        "Status": status,
        "Reason": reason[:_REASON_LENGTH],
        "PhysicalResourceId": resource_id,
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    # The URL is CloudFormation's own; its signature allows no content type.
    put = urllib.request.Request(  # noqa: S310
        event["ResponseURL"], json.dumps(document).encode(), {"content-type": ""}, method="PUT"
    )
    with urllib.request.urlopen(put, timeout=_TIMEOUT_SECONDS):  # noqa: S310
        pass
