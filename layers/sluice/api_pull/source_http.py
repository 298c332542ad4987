"""The application's API over HTTP: which one a stage has, and its pages."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sluice.api_pull.model import PullError
from sluice.aws.runtime import setting
from sluice.aws.secret import Secret
from sluice.http.answers import AnswerRefusedError, Pauses, TransientError, UrlRefusedError
from sluice.http.json_http import HeaderSource, JsonClient
from sluice.http.requests_http import Sender, open_client
from sluice.http.url_policy_http import LoopbackPolicy

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True, slots=True)
class HttpSource:
    """Pages of the API, by a client for JSON."""

    client: JsonClient

    @property
    def retries(self) -> int:
        """Requests that were sent again."""
        return self.client.sender.retries

    def page(self, endpoint: str, number: int, size: int) -> Any:  # noqa: ANN401 - any JSON value
        """Return a page as it was answered. Raises TransientError, AnswerRefusedError."""
        return self.client.get(f"/{endpoint}", {"page": number, "size": size})

    def greet(self) -> None:
        """Ask for the API's own description: any answer will do. Raises PullError: there is none, or a busy one."""
        try:
            self.client.get("/openapi.json")
        except AnswerRefusedError:
            return
        except TransientError as error:
            raise PullError(f"{error}. Is the API well, and source_url right? The next pull tries again") from error


class SourceAccess:
    """The source of a stage, or one on this machine that stands in; connections are kept for the process."""

    def __init__(self, secrets: "SecretsManagerClient") -> None:
        """Read the settings of every function that talks to the source from the environment."""
        self._own = setting("SOURCE_URL").rstrip("/")
        # "allowed" in the local stage: a simulator may stand in, on this machine.
        self._others = bool(setting("OTHER_SOURCES"))
        secret = setting("SECRET_ID")
        self._header: HeaderSource | None = Secret(secrets, secret, "header", "value") if secret else None
        http = open_client(setting("TIMEOUT_SECONDS", int), setting("PROXY"))
        self._sender = Sender(http, Pauses(setting("PAUSE_MILLISECONDS", int) / 1000, time.sleep), "the API")

    def is_set_up(self, source_url: str) -> bool:
        """Return whether there is a source."""
        return bool(source_url or self._own)

    def source(self, source_url: str) -> HttpSource:
        """Return the source of a pull. Raises PullError: this stage takes no other source, or not this one."""
        if not source_url:
            return HttpSource(JsonClient(self._sender, self._own, self._header))
        if not self._others:
            raise PullError("this stage has a source of its own; only the local stage takes source_url")
        try:
            LoopbackPolicy().target(source_url)
        except UrlRefusedError as error:
            raise PullError(f"source_url must be on this machine: {error}") from error
        return HttpSource(JsonClient(self._sender, source_url.rstrip("/")))
