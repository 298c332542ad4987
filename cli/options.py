"""The options that many commands share, so that they are spelled and explained once."""

from __future__ import annotations

from typing import Annotated

import typer

StageOption = Annotated[
    str,
    typer.Option("--stage", "-s", envvar="SLUICE_STAGE", help="The deployment to talk to: local, dev, int, prd, …"),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document on standard output and nothing else there."),
]
