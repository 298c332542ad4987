"""A resource of the stack: a table of the lake, created and evolved as its columns say."""

from collections.abc import Iterable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.custom_resource import answer
from sluice.aws.runtime import glue, setting
from sluice.contracts.model import Column, Table
from sluice.lake.tables_iceberg import IcebergTables
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger = function.logger
database = setting("DATABASE")
tables = IcebergTables(glue(), database, setting("LAKE_BUCKET"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Do what CloudFormation asks for and answer it."""
    table = _table(event["ResourceProperties"])
    resource = f"{database}.{table.name.lower()}"
    try:
        changes = (tables.drop if event["RequestType"] == "Delete" else tables.prepare)(table)
    except Exception as error:  # without an answer, CloudFormation waits for an hour
        logger.exception("not prepared")
        answer(event, resource, "FAILED", f"table {table.name}: {error}")
    else:
        logger.info("prepared", extra={"table": table.name, "changes": changes})
        answer(event, resource, "SUCCESS", "; ".join(changes))


def _table(properties: Mapping[str, Any]) -> Table:
    return Table(
        properties["Name"],
        _columns(properties["Columns"]),
        properties["Doc"],
        _columns(properties["Partition"]),
        int(properties.get("KeptDays", 0)),
    )


def _columns(columns: Iterable[Mapping[str, str]]) -> tuple[Column, ...]:
    return tuple(Column(each["Name"], (), each["Type"], each["Doc"]) for each in columns)
