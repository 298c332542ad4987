"""`sluice recommend for`: ask the stage's service for a user's recommendations, as an application does."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import orjson
import typer
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import HTTPClientError, NoCredentialsError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from rich.markup import escape

from cli.platform.console import CliError, JsonOption, handled, out, print_result, table, titled
from cli.platform.session import LOCAL, Deployment, StageOption, connect

_SECONDS = 35  # API Gateway answers within 30
_OK = 200
_ADVICE = {
    401: "Give a token of the stage's issuer in SLUICE_TOKEN; it may have expired.",
    403: "Your IAM role needs execute-api:Invoke on the stage's API.",
    404: "`sluice mart query` shows which users and tracks there are.",
    429: "The stage takes no more requests a second (serve_requests_per_second): ask again.",
    503: "The mart may be waking up: ask again in some seconds.",
}


@handled
def recommend_for(
    user: Annotated[int, typer.Argument(help="Id of the user.")],
    stage: StageOption = LOCAL,
    limit: Annotated[int, typer.Option(help="How many tracks, at most.")] = 10,
    token: Annotated[
        str, typer.Option(envvar="SLUICE_TOKEN", help="JSON Web Token, for a stage whose service wants one.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Ask the service what a user is recommended.

    The request is signed with the credentials of this shell, or has the token.

    Examples:
        sluice recommend for 42
        sluice recommend for 42 --stage prd --limit 3 --json | jq .recommendations
    """
    found = ask(connect(stage), f"/users/{user}/recommendations", {"limit": str(limit)}, token)
    print_result(found, show, as_json=as_json)


def show(found: dict[str, Any]) -> None:
    """Print recommendations."""
    rows = [
        (
            f"{each['rank']}",
            f"{each['track_id']}",
            escape(each["name"] or ""),
            escape(each["artist"] or ""),
            f"{each['score']:.3f}",
            "many hear it" if each["popular"] else "",
        )
        for each in found["recommendations"]
    ]
    if not rows:
        out.print(f"User {found['user_id']} has no recommendations yet: the next inference makes them.")
        return
    title = f"User {found['user_id']}, snapshot {found['snapshot']} by model {escape(found['model_version'])}"
    out.print(titled(title, table("Rank", "Track", "Name", "Artist", "Score", "", rows=rows)))


def ask(deployment: Deployment, path: str, query: Mapping[str, str] | None = None, token: str = "") -> dict[str, Any]:
    """Return what the service answers.

    Raises:
        CliError: It refuses the request, or does not answer.
    """
    try:
        answer = send(deployment, path, query, token)
    except HTTPClientError as error:
        raise CliError(f"The service does not answer: {error}", "Is its address reached from here?") from error
    if answer.status_code != _OK:
        raise CliError(f"The service says {answer.status_code}: {_said(answer)}", _ADVICE.get(answer.status_code, ""))
    found: dict[str, Any] = orjson.loads(answer.content)
    return found


def send(deployment: Deployment, path: str, query: Mapping[str, str] | None = None, token: str = "") -> AWSResponse:
    """Send a request to the service, signed unless there is a token, and return its answer."""
    url = f"{address(deployment)}{path}{f'?{urlencode(query)}' if query else ''}"
    request = AWSRequest("GET", url, {"Authorization": f"Bearer {token}"} if token else {})
    proxies = {} if deployment.local else get_environ_proxies(url)
    sender = URLLib3Session(timeout=_SECONDS, proxies=proxies)
    return sender.send((request if token else signed(deployment, request)).prepare())


def signed(deployment: Deployment, request: AWSRequest) -> AWSRequest:
    """Sign a request to the service with the credentials of this shell, and return it."""
    credentials = deployment.session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    SigV4Auth(credentials, "execute-api", deployment.session.region_name).add_auth(request)
    return request


def address(deployment: Deployment) -> str:
    """Return the address of the service: in the local cloud the one that needs no resolver."""
    url = deployment.output("ServiceUrl")
    if not deployment.local:
        return url
    api = (urlsplit(url).hostname or "").partition(".")[0]
    return f"{deployment.endpoint}/_aws/execute-api/{api}/$default"


def _said(answer: AWSResponse) -> str:
    """Return the message of an error: the service's own, or API Gateway's."""
    try:
        problem = orjson.loads(answer.content)
        wrong = "; ".join(f"{each['where']}: {each['message']}" for each in problem.get("details", ()))
        return f"{problem['message']} {wrong}".strip()
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return "an answer that is not the service's."
