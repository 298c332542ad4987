"""`sluice models`: the versions of the model, which of them is in production, and MLflow's page of them."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import orjson
import typer

from cli.platform.console import CliError, JsonOption, err, handled, nowrap_column, out, print_result, say_json, table
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from sluice.lake.object_store import iso
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.recommender.candidate import Candidate
from sluice.recommender.champion import REGISTRY_KEY, Champion, ModelError, promote, roll_back

app = typer.Typer(no_args_is_help=True, help="The recommender's models: list, show, promote, roll back.")
VersionArgument = Annotated[str, typer.Argument(help="A version, as `sluice models list` shows it.")]


@app.command("list")
@handled
def list_models(stage: StageOption = LOCAL, as_json: JsonOption = False) -> None:
    """List all versions, the newest first.

    Examples:
        sluice models list --stage prd
    """
    lake = _lake(connect(stage))
    with _explained():
        candidates, champion = Candidate.all(lake), Champion.read(lake)
    before = [each.version for each in champion.before]
    found = [
        {
            "version": each.version,
            "snapshot": each.snapshot,
            "ndcg_at_10": each.metrics["ndcg_at_10"],
            "popularity_ndcg_at_10": each.metrics["popularity_ndcg_at_10"],
            "state": _state(each.version, champion.version, before),
            "reason": each.reason,
        }
        for each in candidates
    ]
    if as_json:
        say_json(found)
        return
    rows = [
        (
            str(each["version"]),
            str(each["snapshot"]),
            f"{each['ndcg_at_10']:.4f}",
            f"{each['popularity_ndcg_at_10']:.4f}",
            str(each["state"]),
            str(each["reason"]),
        )
        for each in found
    ]
    headers = (nowrap_column("Version"), nowrap_column("Snapshot"), "NDCG@10", "Popular tracks", "State", "Why")
    out.print(table(*headers, rows=rows) if rows else "There are no models yet: `sluice recommend train` makes one.")


@app.command()
@handled
def show(version: VersionArgument, stage: StageOption = LOCAL, as_json: JsonOption = False) -> None:
    """Show all that is known of a version.

    Examples:
        sluice models show 20261201T030000Z-1f2e3d4c
    """
    with _explained():
        candidate = Candidate.read(_lake(connect(stage)), version)
    document = orjson.loads(orjson.dumps(candidate))
    print_result(document, lambda shown: out.print_json(data=shown), as_json=as_json)


@app.command("promote")
@handled
def promote_model(version: VersionArgument, stage: StageOption = LOCAL) -> None:
    """Put a version into production, whatever its figures say.

    Examples:
        sluice models promote 20261201T030000Z-1f2e3d4c --stage prd
    """
    deployment = connect(stage)
    lake = _lake(deployment)
    with _explained():
        candidate, before = Candidate.read(lake, version), Champion.read(lake).version
        if not promote(lake, candidate.promoted(_now()), before):
            raise ModelError("another model came into production meanwhile; see `sluice models list`, then repeat it")
    _follow(deployment)
    out.print(f"{version} is in production; the next inference recommends by it: `sluice recommend run`.")


@app.command()
@handled
def rollback(stage: StageOption = LOCAL) -> None:
    """Put the version before into production again.

    Examples:
        sluice models rollback --stage prd
    """
    deployment = connect(stage)
    with _explained():
        version = roll_back(_lake(deployment), _now())
    _follow(deployment)
    out.print(f"{version.version} is in production again; `sluice recommend run` recommends by it.")


@app.command()
@handled
def ui(
    stage: StageOption = LOCAL,
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 5000,
) -> None:
    """Open MLflow's page of the models on this machine, until it is interrupted.

    Shows a copy of the stage's registry. It needs the whole of MLflow, which
    nothing else here does.

    Examples:
        pip install mlflow==3.17.2 && sluice models ui --stage dev
    """
    deployment = connect(stage)
    if deployment.outputs.get("MlflowApp"):
        raise CliError("The stage keeps its models in an MLflow App.", "Open it in SageMaker Studio.")
    package = find_spec("mlflow")
    if not package or not package.origin or not (Path(package.origin).parent / "server" / "js" / "build").is_dir():
        raise CliError("MLflow's page is not installed.", "pip install mlflow==3.17.2, in this environment.")
    stored = _lake(deployment).find(REGISTRY_KEY)
    if stored is None:
        raise CliError("There are no models yet.", "`sluice recommend train` makes one.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlflow.db"
        path.write_bytes(stored.body)
        err.print(f"http://127.0.0.1:{port} until Ctrl-C")
        address = ["--backend-store-uri", f"sqlite:///{path}", "--host", "127.0.0.1", "--port", str(port)]
        subprocess.run([sys.executable, "-m", "mlflow", "ui", *address], check=False)


def _lake(deployment: Deployment) -> S3ObjectStore:
    return S3ObjectStore(deployment.s3, deployment.output("LakeBucket"))


def _now() -> str:
    return iso(datetime.now(UTC))


def _state(version: str, champion: str, before: Sequence[str]) -> str:
    if version == champion:
        return "in production"
    return "was in production" if version in before else ""


def _follow(deployment: Deployment) -> None:
    """Let the registry's aliases be where the lake says."""
    from sluice.recommender.registry_mlflow import MlflowRegistry  # noqa: PLC0415 - takes seconds to import

    app_arn = deployment.outputs.get("MlflowApp", "")
    MlflowRegistry(_lake(deployment), deployment.output("LakeBucket"), app_arn).follow()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except ModelError as error:
        raise CliError(f"{error}.") from error
