"""Slots on the command line: the option `--slot`, and the environment and the records of a stage's slots."""

from typing import Annotated

import typer

from cli.platform.console import CliError, shell
from cli.platform.session import Deployment
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.delivery.model import Slot, SlotError
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots

SlotOption = Annotated[
    str | None,
    typer.Option("--slot", help="The hour, UTC, as YYYYMMDD-HH; the present one unless given."),
]
LastOption = Annotated[str | None, typer.Option("--to", help="Last hour; the newest that is over unless given.")]


def slot_named(text: str | None) -> Slot | None:
    """Read a slot from the command line.

    Raises:
        CliError: The text is no slot.
    """
    try:
        return None if text is None else Slot.parse(text)
    except SlotError as error:
        raise CliError(f"{str(error)[0].upper()}{str(error)[1:]}.") from error


def environment_of(deployment: Deployment) -> Environment:
    """Return the vendor's environment that a stage exports from."""
    return Environment(deployment.output("ExportEnvironment"))


def secret_advice(deployment: Deployment) -> str:
    """Return how a person puts the vendor's secret in."""
    values = '{"Veson_client_id": "…", "Veson_client_secret": "…"}'
    secret = ("--secret-id", deployment.output("VendorSecret"), "--secret-string", values)
    return f"Put it in: {shell('aws', 'secretsmanager', 'put-secret-value', *secret)}"


def slots_of(deployment: Deployment) -> DynamoSlots:
    """Return the records of a stage's slots."""
    return DynamoSlots(deployment.dynamodb, deployment.output("SlotsTable"))
