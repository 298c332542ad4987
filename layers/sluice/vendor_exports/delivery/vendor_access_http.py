"""Access to the vendor: the secret, the client and the downloads, kept between the invocations of a process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import httpx

from sluice.aws.runtime import setting
from sluice.aws.secret import Secret, SecretError
from sluice.http.answers import Pauses, UrlRefusedError
from sluice.http.redaction import Redactor
from sluice.http.requests_http import open_client
from sluice.http.url_policy_http import LoopbackPolicy, UrlPolicy
from sluice.observability.metrics_cloudwatch import MetricsEmitter
from sluice.vendor_exports.client.api import PLACEHOLDER, CredentialsRefusedError, Environment
from sluice.vendor_exports.client.client_http import Endpoints, VesonClient
from sluice.vendor_exports.client.connection_http import Connection, Credentials, Tokens
from sluice.vendor_exports.delivery.downloads_http import HttpDownloads
from sluice.vendor_exports.delivery.model import Export
from sluice.vendor_exports.metrics import TOKENS_REFUSED

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class VendorNotAllowedError(Exception):
    """The stage has a vendor and must not be given another."""


@contextmanager
def refusals_counted(emitter: MetricsEmitter) -> Iterator[None]:
    """Count refusals of the credentials: an operator has to put current ones into the secret."""
    try:
        yield
    except CredentialsRefusedError:
        emitter.add(TOKENS_REFUSED, 1)
        raise


class SecretCredentials:
    """The credentials in Secrets Manager, read once, and again when the vendor refuses them."""

    def __init__(self, client: "SecretsManagerClient", secret_id: str) -> None:
        self._secret = Secret(client, secret_id, "Veson_client_id", "Veson_client_secret")

    def current(self) -> Credentials:
        """Return them, from memory if they were read before."""
        return Credentials(*self._secret.current())

    def are_put_in(self) -> bool:
        """Return whether a person has put something into the secret: if it is of no use, who uses it says so."""
        with suppress(SecretError):
            return self.renewed().client_id != PLACEHOLDER
        return True

    def renewed(self) -> Credentials:
        """Read them again: they may have been rotated."""
        return Credentials(*self._secret.renewed())


class VendorAccess:
    """The vendor's client and downloads; credentials, token and connections are kept for the process."""

    def __init__(self, secrets: "SecretsManagerClient") -> None:
        """Read the settings of every function that talks to the vendor from the environment."""
        self.environment = setting("ENVIRONMENT", Environment)
        self.pauses = Pauses(setting("PAUSE_MILLISECONDS", int) / 1000, time.sleep)
        self._credentials = SecretCredentials(secrets, setting("SECRET_ID"))
        self.redactor = Redactor()
        self._tokens: dict[str, Tokens] = {}
        self._company = setting("COMPANY")
        urls = setting("AUTH_URL"), setting("EXPORT_URL"), setting("FILES_URL")
        auth, export, files = (url.strip().rstrip("/") for url in urls)
        self._own = Endpoints(auth, export, files, self._company)
        self._hosts = frozenset(filter(None, map(str.strip, setting("DOWNLOAD_HOSTS").lower().split(","))))
        self._proxy = setting("PROXY")
        self._timeout_seconds = setting("TIMEOUT_SECONDS", int)
        # "allowed" in the local stage: a simulator may stand in, on this machine.
        self._other_vendors = bool(setting("OTHER_VENDORS"))

    def is_set_up(self, vendor_url: str) -> bool:
        """Return whether there are credentials to call the vendor with; one that stands in takes any."""
        return bool(vendor_url) or self._credentials.are_put_in()

    def client(self, export: Export) -> VesonClient:
        """Return the client for an export.

        Raises:
            VendorNotAllowedError: It has a vendor's URL, and this stage has its own vendor.
        """
        endpoints = self._endpoints(export.vendor_url)
        tokens = self._tokens.setdefault(endpoints.auth, self._new_tokens(endpoints.auth))
        return VesonClient(Connection(self._http, self.pauses, str(export.slot)), endpoints, tokens, _now)

    def _new_tokens(self, url: str) -> Tokens:
        return Tokens(url, self._credentials, _now, redactor=self.redactor)

    def address(self, vendor_url: str) -> str:
        """Return the URL of the service that runs jobs."""
        return self._endpoints(vendor_url).export

    @cached_property
    def downloads(self) -> HttpDownloads:
        """Downloads by the policy of this stage."""
        return HttpDownloads(self._http, self._policy, self.redactor)

    @property
    def _policy(self) -> UrlPolicy | LoopbackPolicy:
        if self._other_vendors:
            return LoopbackPolicy()
        return UrlPolicy(self._hosts, by_proxy=bool(self._proxy))

    @cached_property
    def _http(self) -> httpx.Client:
        return open_client(self._timeout_seconds, self._proxy)

    def _endpoints(self, vendor_url: str) -> Endpoints:
        if not vendor_url:
            return self._own
        if not self._other_vendors:
            raise VendorNotAllowedError("this stage has a vendor of its own; only the local stage takes vendor_url")
        try:
            LoopbackPolicy().target(vendor_url)
        except UrlRefusedError as error:
            raise VendorNotAllowedError(f"vendor_url must be on this machine: {error}") from error
        base = vendor_url.rstrip("/")
        return Endpoints(base, base, base, self._company)


def _now() -> datetime:
    return datetime.now(UTC)
