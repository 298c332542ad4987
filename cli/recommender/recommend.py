"""`sluice recommend`: recommendations of the tracks that users may like."""

from typing import Annotated, Any

import orjson
import typer

from cli.platform import machine
from cli.platform.console import CliError, JsonOption, err, handled, out, print_result, table, titled
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from cli.recommender.service import recommend_for
from cli.recommender.training import train
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.recommender.inference import DONE, EMPTY, OVERTAKEN, Inference
from sluice.recommender.run_summary import decision_of

app = typer.Typer(no_args_is_help=True, help="Recommend tracks to users: run the inference, ask for recommendations.")
app.command("for")(recommend_for)
app.command()(train)


@app.command()
@handled
def run(
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the inference to end.")] = 15_000.0,
) -> None:
    """Recommend tracks to all users, by what the mart shows.

    Starts the Infer machine, waits for its end and prints how many users have
    recommendations, how good the model is, and whether it should be trained
    anew. What is there already, by the same model for the same snapshot, is
    left as it is and printed.

    Examples:
        sluice recommend run
        sluice recommend run --stage prd --json | jq .metrics
    """
    deployment = connect(stage)
    with err.status("Recommending …"):
        result = run_inference(deployment, timeout)
    print_result(result, show, as_json=as_json)


def run_inference(deployment: Deployment, timeout: float) -> dict[str, Any]:
    """Run the Infer machine, wait for its end, and return the result.

    Raises:
        CliError: There was nothing to infer from, it failed, or it still runs after `timeout` seconds.
    """
    outcome = machine.run(deployment.stepfunctions, deployment.output("InferMachine"), timeout)
    output = outcome.output
    decision = decision_of(output)
    if decision == EMPTY:
        raise CliError("The mart shows no listens yet.", "`sluice pull` fills it.")
    if decision == OVERTAKEN:
        raise CliError("A pull came in between: the mart shows another day by now.", "Run it again.")
    if not outcome.succeeded or (decision != DONE and "result" not in output):
        raise CliError(f"{outcome.end or outcome.state}: {outcome.cause}", machine.link(deployment, outcome))
    lake = S3ObjectStore(deployment.s3, deployment.output("LakeBucket"))
    found: dict[str, Any] = orjson.loads(lake.read(Inference.from_json(output["inference"]).result_key))
    return found


def show(result: dict[str, Any]) -> None:
    """Print the figures of an inference."""
    metrics = result["metrics"]
    rows = [
        ("NDCG@10", f"{metrics['ndcg_at_10']:.4f}", f"{metrics['popularity_ndcg_at_10']:.4f}"),
        ("Recall@10", f"{metrics['recall_at_10']:.4f}", ""),
        ("Users with a hit", f"{metrics['hit_rate_at_10']:.1%}", ""),
        ("Tracks recommended", f"{metrics['coverage']:.1%}", ""),
    ]
    title = (
        f"Snapshot {result['snapshot']} by model {result['model_version']}: "
        f"{result['recommendations']:,} recommendations for {result['users']:,} users"
    )
    out.print(titled(title, table("Figure", "The model's", "Of what most listen to", rows=rows)))
    say = "Train it anew with `sluice recommend train`: " if result["retrain"] else "No training is needed: "
    out.print(f"{say}{result['reason']}.", markup=False, highlight=False)
