"""Answers to CloudFormation, which waits for them at a presigned address."""

import json
import urllib.request
from typing import Any, Literal

_TIMEOUT_SECONDS = 20


def answer_stack(request: dict[str, Any], status: Literal["SUCCESS", "FAILED"], resource_id: str, reason: str) -> None:
    """Tell CloudFormation how a custom resource's request ended; the same `resource_id` keeps the resource."""
    answer = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": resource_id,
        **{name: request[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    # The address is CloudFormation's own; its signature allows no content type.
    put = urllib.request.Request(  # noqa: S310
        request["ResponseURL"], json.dumps(answer).encode(), {"content-type": ""}, method="PUT"
    )
    with urllib.request.urlopen(put, timeout=_TIMEOUT_SECONDS):  # noqa: S310
        pass
