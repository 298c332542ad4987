"""A resource of the stack: index templates and boards in the search cluster."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.environment import read_settings
from sluice.contracts.load import load_registry
from sluice.observability.metrics_cloudwatch import MetricsEmitter
from sluice.search.cluster_opensearch import OpenSearchBoards, OpenSearchCluster, SearchSettings, signature
from sluice.search.indices import Indices
from sluice.search.installing import install
from sluice.search.patience import Patience
from sluice.search.stack_answers import answer_stack

_ATTEMPTS = 20  # rights on a collection that was just made take their time
_SECONDS_TO_ANSWER = 95  # after the last attempt: it may take as long as a request may


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack tells this function."""

    stage: str
    search_roles: str


logger = Logger()
emitter = MetricsEmitter()
settings = read_settings(Settings)
search = read_settings(SearchSettings)
indices = Indices(load_registry(), settings.stage)


@logger.inject_lambda_context
@emitter.publish
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Do what CloudFormation asks for and tell it how that ended; what is installed stays when the stack goes."""
    resource = f"sluice-{settings.stage}-search"
    try:
        if event["RequestType"] != "Delete":
            _install(context)
    except Exception as error:  # without an answer, CloudFormation waits for an hour
        logger.exception("not installed")
        answer_stack(event, "FAILED", resource, _reason(error))
    else:
        answer_stack(event, "SUCCESS", resource, "installed")


def _install(context: LambdaContext) -> None:
    sign = signature(search)

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000 - _SECONDS_TO_ANSWER

    patience = Patience(seconds_left, time.sleep, attempts=_ATTEMPTS)
    cluster = OpenSearchCluster(search.search_url, sign)
    boards = OpenSearchBoards(search.boards_url, sign)
    install(cluster, boards, indices, settings.stage, patience, datetime.now(UTC))


def _reason(error: Exception) -> str:
    return (
        f"The search cluster at {search.search_url} did not take index templates and boards: {error}. "
        f"See that it answers, and that its owner lets the roles {settings.search_roles} in; then deploy again."
    )
