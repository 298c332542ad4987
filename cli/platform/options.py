"""The options that many commands share, so that they are spelled and explained once."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.platform.errors import CliError
from sluice.vendor_exports.delivery.slots import Slot, SlotError

StageOption = Annotated[
    str,
    typer.Option("--stage", "-s", envvar="SLUICE_STAGE", help="The deployment to talk to: local, dev, int, prd, …"),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document on standard output and nothing else there."),
]
SlotOption = Annotated[
    str | None,
    typer.Option("--slot", help="The hour, UTC, as YYYYMMDD-HH; the present one unless given."),
]


def slot_named(text: str | None) -> Slot | None:
    """Read an hour from the command line.

    Raises:
        CliError: The text is no hour.
    """
    try:
        return None if text is None else Slot.parse(text)
    except SlotError as error:
        raise CliError(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
