"""Latency of the service beside that of an empty function, in the local cloud. Not part of `make test`.

    sluice local up; sluice deploy; .venv/bin/python -m tests.load.service_latency --requests 1000

It fills the mart of the local stage with users of its own making, and asks warm functions, in turns, one request at a
time: the service for recommendations, and one that answers nothing.
"""

import io
import json
import random
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.httpsession import URLLib3Session
from typer import echo

from cli.platform.local_cloud import require
from cli.platform.session import LOCAL, Deployment, connect
from cli.recommender.service import address, signed
from sluice.mart.connection_postgres import Mart, MartAddress, connector
from sluice.mart.model import ADMIN
from sluice.recommender.inference import Inference
from sluice.recommender.mart.recommendations_postgres import FIGURES, RECOMMENDATIONS, begin, publish, write_rows
from tests.api_pull.integration.mart.loading import load_day

EMPTY = "def handler(event, context):\n    return {'statusCode': 200, 'body': '{}'}\n"
RECOMMENDED = 10


def main(requests: int = 1000, users: int = 2000, tracks: int = 5000) -> None:
    """Print percentiles of both, in milliseconds."""
    deployment = connect(LOCAL)
    _fill(deployment, users, tracks)
    chance = random.Random(1)
    with _empty_function(deployment) as empty:
        asked: dict[str, Callable[[], str]] = {
            "an empty function": lambda: empty,
            "the service": lambda: f"{address(deployment)}/users/{chance.randrange(users)}/recommendations",
        }
        times = _measure(deployment, asked, requests)
    echo(f"{requests:,} requests of each, {users:,} users, {tracks:,} tracks; milliseconds")
    for name, found in times.items():
        shown = "  ".join(f"p{percent} {found[len(found) * percent // 100]:6.1f}" for percent in (50, 90, 99))
        echo(f"{name:>18}: {shown}")


def _fill(deployment: Deployment, users: int, tracks: int) -> None:
    mart = Mart(connector(MartAddress(f"{LOCAL}.localhost", require().mart_port), ADMIN, deployment.session))
    run, chance = f"latency {time.time_ns()}", random.Random(2)
    listens = [(user, place, chance.randrange(tracks)) for user in range(users) for place in range(RECOMMENDED)]
    load_day(mart, run, range(tracks), range(users), listens)
    now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    inference = begin(mart, Inference(run, now[:10], now, "latency"), dict.fromkeys(FIGURES, 0.0))
    rows = [(user, rank, chance.randrange(tracks)) for user in range(users) for rank in range(1, 2 * RECOMMENDED)]
    columns: dict[str, Any] = dict(
        zip(("user_id", "rank", "track_id"), map(list, zip(*rows, strict=True)), strict=True)
    )
    constant: dict[str, Any] = {"score": [0.5] * len(rows), "popular": [False] * len(rows)}
    write_rows(mart, RECOMMENDATIONS, inference, {**columns, **constant})
    publish(mart, inference)
    mart.close()


@contextmanager
def _empty_function(deployment: Deployment) -> Iterator[str]:
    """Deploy a function that does nothing, behind an HTTP API of the same kind, and give its address."""
    functions, apis = deployment.functions, deployment.client("apigatewayv2", Config())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", EMPTY)
    like = functions.get_function(FunctionName=_service_function(deployment))["Configuration"]
    made = functions.create_function(
        FunctionName="sluice-latency-empty",
        Runtime=like["Runtime"],
        Role=like["Role"],
        Handler="handler.handler",
        MemorySize=like["MemorySize"],
        Code={"ZipFile": packed.getvalue()},
    )
    api = apis.create_api(Name="sluice-latency-empty", ProtocolType="HTTP")["ApiId"]
    proxied = {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0", "IntegrationUri": made["FunctionArn"]}
    integration = apis.create_integration(ApiId=api, **proxied)["IntegrationId"]
    apis.create_route(ApiId=api, RouteKey="$default", AuthorizationType="AWS_IAM", Target=f"integrations/{integration}")
    apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    try:
        yield f"{deployment.endpoint}/_aws/execute-api/{api}/$default/"
    finally:
        apis.delete_api(ApiId=api)
        functions.delete_function(FunctionName=made["FunctionName"])


def _service_function(deployment: Deployment) -> str:
    found = deployment.cloudformation.describe_stack_resources(StackName=deployment.stack)["StackResources"]
    (name,) = [
        each["PhysicalResourceId"]
        for each in found
        if each["ResourceType"] == "AWS::Lambda::Function" and "ServeRecommendations" in each["LogicalResourceId"]
    ]
    return name


def _measure(deployment: Deployment, asked: dict[str, Callable[[], str]], requests: int) -> dict[str, list[float]]:
    """Return the times of each, sorted; the first tenth, which warms up, is left out."""
    client = URLLib3Session(timeout=30, proxies={})
    times: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(requests + requests // 10):
        for name, url in asked.items():
            prepared = signed(deployment, AWSRequest("GET", url())).prepare()
            begun = time.perf_counter()
            answer = client.send(prepared)
            body = json.loads(answer.content)
            if answer.status_code != 200 or (name == "the service" and not body["recommendations"]):
                raise SystemExit(f"{name}: {answer.status_code} {body}")
            if number >= requests // 10:
                times[name].append(1000 * (time.perf_counter() - begun))
    return {name: sorted(found) for name, found in times.items()}


if __name__ == "__main__":
    typer.run(main)
