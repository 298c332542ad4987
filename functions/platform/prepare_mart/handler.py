"""A resource of the stack: the mart's tables and database roles, as the stack's pipelines say."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.custom_resource import answer
from sluice.aws.runtime import setting
from sluice.mart.connection_postgres import Mart, MartAddress, connector
from sluice.mart.migrations_postgres import migrate
from sluice.mart.model import ADMIN, Migration, Role
from sluice.mart.roles_postgres import grant
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger = function.logger
mart = Mart(connector(setting("MART_ENDPOINT", MartAddress.parse), ADMIN))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Do what CloudFormation asks for and answer it; tables go with the cluster only."""
    try:
        done = [] if event["RequestType"] == "Delete" else _prepare(event["ResourceProperties"])
    except Exception as error:  # without an answer, CloudFormation waits for an hour
        logger.exception("not prepared")
        answer(event, "mart", "FAILED", f"the mart: {error}")
    else:
        logger.info("prepared", extra={"migrations": done})
        answer(event, "mart", "SUCCESS", "; ".join(done))


def _prepare(properties: dict[str, Any]) -> list[str]:
    done = migrate(mart, [Migration(each["Name"], each["Sql"]) for each in properties["Migrations"]])
    grant(mart, [_role(each) for each in properties["Roles"]])
    return done


def _role(role: dict[str, Any]) -> Role:
    return Role(role["Name"], role["Arn"], frozenset((privilege, table) for privilege, table in role["Privileges"]))
