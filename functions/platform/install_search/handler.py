"""A resource of the stack: index templates and boards in the search cluster."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.custom_resource import answer
from sluice.aws.runtime import setting
from sluice.contracts.load import load_registry
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.search.cluster import RetryPolicy
from sluice.search.cluster_opensearch import OpenSearchCluster
from sluice.search.indices import Indices, install

_ATTEMPTS = 20  # rights on a collection that was just made take their time
_SECONDS_TO_ANSWER = 95  # after the last attempt: it may take as long as a request may

function = LambdaFunction()
logger = function.logger
stage, search_url, search_roles = setting("STAGE"), setting("SEARCH_URL"), setting("SEARCH_ROLES")
boards_url, search_service = setting("BOARDS_URL"), setting("SEARCH_SERVICE")
indices = Indices(load_registry(), stage)


@function.observe
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Do what CloudFormation asks for and answer it; what is installed stays when the stack is deleted."""
    try:
        if event["RequestType"] != "Delete":
            _install(context)
    except Exception as error:  # without an answer, CloudFormation waits for an hour
        logger.exception("not installed")
        reason = (
            f"The search cluster at {search_url} did not take index templates and boards: {error}. "
            f"See that it answers, and that its owner lets the roles {search_roles} in; then deploy again."
        )
        answer(event, f"sluice-{stage}-search", "FAILED", reason)
    else:
        answer(event, f"sluice-{stage}-search", "SUCCESS", "installed")


def _install(context: LambdaContext) -> None:
    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000 - _SECONDS_TO_ANSWER

    policy = RetryPolicy(seconds_left, attempts=_ATTEMPTS)
    install(OpenSearchCluster(search_url, boards_url, search_service), indices, stage, policy, datetime.now(UTC))
