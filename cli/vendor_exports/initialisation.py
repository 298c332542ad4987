"""Run the History machine, and show how far it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from rich.progress import Progress, TaskID

from cli.platform import machine
from cli.platform.console import progress
from cli.platform.errors import CliError
from cli.platform.session import Deployment
from sluice.vendor_exports.delivery.slots import Slot, newest_settled, slots_between


def initialise(deployment: Deployment, first: Slot | None, last: Slot | None, timeout: float) -> dict[str, Any]:
    """Make the histories of a range of hours; returns ``{"slots", "first", "last", "seconds"}``.

    Raises:
        CliError: The range is empty, or the machine failed.
    """
    newest = newest_settled(datetime.now(UTC))
    last = min(last, newest) if last else newest
    if first is None or first > last:
        raise CliError(f"No hour from {first} to {last} is over by 30 minutes.", "Give a range in the past.")
    begun = time.monotonic()
    with progress() as shown:
        task = shown.add_task("Observing", total=None)
        outcome = machine.run(
            deployment.stepfunctions,
            deployment.output("HistoryMachine"),
            timeout,
            {"first": str(first), "last": str(last)},
            lambda execution: _show(deployment, execution, shown, task),
        )
    if not outcome.succeeded:
        raise CliError(f"The histories were not initialised: {outcome.cause}", "Running it again is harmless.")
    slots = sum(1 for _ in slots_between(first, last))
    seconds = round(time.monotonic() - begun, 1)
    return {"slots": slots, "first": str(first), "last": str(last), "seconds": seconds}


def _show(deployment: Deployment, execution: str, shown: Progress, task: TaskID) -> None:
    for run in deployment.stepfunctions.list_map_runs(executionArn=execution)["mapRuns"]:
        counts = deployment.stepfunctions.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
        shown.update(task, total=counts["total"], completed=counts["succeeded"])
