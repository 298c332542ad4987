"""`sluice recommend train`: train a candidate, and promote it if it is better beyond noise."""

from typing import Annotated, Any

import typer

from cli.platform import machine
from cli.platform.console import CliError, JsonOption, err, handled, out, print_result, table, titled
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from sluice.recommender.inference import EMPTY, OVERTAKEN
from sluice.recommender.trainings import BUSY

_NOT_DONE = {
    BUSY: ("Another training is at work.", "`sluice status` shows the runs; wait for its end."),
    EMPTY: ("The mart shows no listens yet.", "`sluice pull` fills it."),
    OVERTAKEN: ("A pull came in between: the mart shows another day by now.", "Run it again."),
}


@handled
def train(
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the training to end.")] = 15_000.0,
) -> None:
    """Train a candidate, and promote it if it is better beyond noise.

    Starts the Retrain machine, waits for its end and prints champion and
    candidate side by side, on pairs that neither knows.

    Examples:
        sluice recommend train
        sluice recommend train --stage prd --json | jq .promoted
    """
    deployment = connect(stage)
    with err.status("Training …"):
        result = run_training(deployment, timeout)
    print_result(result, show, as_json=as_json)


def run_training(deployment: Deployment, timeout: float) -> dict[str, Any]:
    """Run the Retrain machine, wait for its end, and return the result.

    Raises:
        CliError: There was nothing to train with, it failed, or it still runs after `timeout` seconds.
    """
    outcome = machine.run(deployment.stepfunctions, deployment.output("RetrainMachine"), timeout)
    output = outcome.output
    decision = output.get("extracted", {}).get("decision") or output.get("decision")
    if outcome.succeeded and decision in _NOT_DONE:
        raise CliError(*_NOT_DONE[decision])
    if not outcome.succeeded:
        raise CliError(f"{outcome.state or outcome.end}: {outcome.cause}", machine.link(deployment, outcome))
    return {name: value for name, value in output["result"].items() if name != "key"}


def show(result: dict[str, Any]) -> None:
    """Print champion and candidate, and what was decided."""
    candidate, champion = result["metrics"]["candidate"], result["metrics"]["champion"] or {}
    rows = [
        (name, f"{value:.4f}", f"{champion[name]:.4f}" if name in champion else "-")
        for name, value in candidate.items()
    ]
    title = f"Candidate {result['candidate']}, trained with snapshot {result['snapshot']}"
    out.print(titled(title, table("Figure", "Candidate", result["champion"] or "No champion yet", rows=rows)))
    decision = "Promoted" if result["promoted"] else "Not promoted"
    out.print(f"{decision}: {result['reason']}.", markup=False, highlight=False)
