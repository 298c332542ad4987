"""Starting of trainings by an inference that found the model in production wanting."""

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sluice.aws.runtime import error_code

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def start_training(client: "SFNClient", machine: str, name: str, reason: str) -> bool:
    """Start the machine Retrain, once for a name; return whether it was started now.

    A stage that does not retrain by itself gives no machine ("").
    """
    if not machine:
        return False
    started_by = json.dumps({"started_by": f"inference {name}", "reason": reason})
    try:
        client.start_execution(stateMachineArn=machine, name=name, input=started_by)
    except ClientError as error:
        if error_code(error) != "ExecutionAlreadyExists":
            raise
        return False
    return True
