"""The way to the vendor: its secret, and whom a stage may talk to."""

import json
import logging
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import boto3
import httpx
import pytest

from sluice.aws.secret import SecretError
from sluice.http.url_policy_http import LoopbackPolicy, UrlPolicy
from sluice.observability.metrics_cloudwatch import MetricsEmitter
from sluice.vendor_exports.client.api import CredentialsRefusedError, Environment
from sluice.vendor_exports.client.connection_http import Credentials
from sluice.vendor_exports.delivery.model import Export, Slot
from sluice.vendor_exports.delivery.transfers import DownloadError
from sluice.vendor_exports.delivery.vendor_access_http import (
    SecretCredentials,
    VendorAccess,
    VendorNotAllowedError,
    refusals_counted,
)
from tests.support.moto.stage import MotoStage
from tests.support.scripted_server import texts
from tests.vendor_exports.integration.exporting import ENVIRONMENT

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

SECRET = ENVIRONMENT["SECRET_ID"]
SLOT = Slot.parse("20260301-12")
SETTINGS = ENVIRONMENT | {
    "EXPORT_URL": f"{ENVIRONMENT['EXPORT_URL']}/",
    "DOWNLOAD_HOSTS": "One.test, two.test,",
    "ENVIRONMENT": "Prod",
    "TIMEOUT_SECONDS": "7",
    "PAUSE_MILLISECONDS": "250",
}


@pytest.fixture
def secrets(moto_stage: MotoStage) -> "SecretsManagerClient":
    assert moto_stage
    return boto3.client("secretsmanager")


def access(secrets: "SecretsManagerClient", other_vendors: str = "", proxy: str = "") -> VendorAccess:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**SETTINGS, "OTHER_VENDORS": other_vendors, "PROXY": proxy}.items():
            environment.setenv(name, value)
        return VendorAccess(secrets)


def put(secrets: "SecretsManagerClient", text: str) -> None:
    secrets.create_secret(Name=SECRET, SecretString=text)


def test_the_secret_is_read_once_and_again_when_it_is_refused(secrets: "SecretsManagerClient") -> None:
    put(secrets, json.dumps({"Veson_client_id": "id", "Veson_client_secret": "one", "AWS_bucket": "b"}))
    credentials = SecretCredentials(secrets, SECRET)
    assert credentials.current() == Credentials("id", "one")
    secrets.put_secret_value(
        SecretId=SECRET, SecretString=json.dumps({"Veson_client_id": " id", "Veson_client_secret": "two\n"})
    )
    assert credentials.current() == Credentials("id", "one")
    assert credentials.renewed() == credentials.current() == Credentials("id", "two")


@pytest.mark.parametrize("text", ["SECRET", '"SECRET"', '["SECRET"]', '{"Veson_client_id": "SECRET"}', "7", "null"])
def test_a_secret_that_cannot_be_used_is_not_shown(secrets: "SecretsManagerClient", text: str) -> None:
    put(secrets, text)
    with pytest.raises(SecretError, match=f"the secret {SECRET} must be one JSON object") as error:
        SecretCredentials(secrets, SECRET).current()
    assert "SECRET" not in " ".join(texts(error.value))


def test_a_stage_talks_to_its_own_vendor_only(secrets: "SecretsManagerClient") -> None:
    stage = access(secrets)
    assert stage.environment is Environment.PROD
    assert stage.downloads.policy == UrlPolicy(frozenset({"one.test", "two.test"}))
    assert stage.address("") == "https://export.invalid"
    for ask in (stage.address, lambda url: stage.client(Export(Environment.PROD, SLOT, "arn", url))):
        with pytest.raises(VendorNotAllowedError, match="only the local stage takes vendor_url"):
            ask("http://evil.test")


def test_the_local_stage_may_be_given_another_vendor_on_this_machine(secrets: "SecretsManagerClient") -> None:
    stage = access(secrets, "allowed")
    assert stage.address("http://127.0.0.1:1234/") == "http://127.0.0.1:1234"
    assert stage.address("") == "https://export.invalid"
    assert stage.downloads.policy == LoopbackPolicy()


def test_how_requests_are_sent(secrets: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://evil.test")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    stage = access(secrets)
    http = stage.downloads.client
    assert not http.follow_redirects
    assert not http.trust_env
    assert (http.timeout.read, http.timeout.connect) == (7, 10)
    context = http._transport.make()._pool._ssl_context  # type: ignore[attr-defined]
    assert context.check_hostname
    assert context.verify_mode == 2, "certificates are required"
    assert stage.pauses.first_seconds == 0.25


def test_a_proxy_is_told_the_names_of_vendor_and_file_servers(secrets: "SecretsManagerClient") -> None:
    """Their names need not be known outside the proxy, and their certificates are made out to them."""
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append(self.path)
            self.send_error(HTTPStatus.BAD_GATEWAY)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        stage = access(secrets, proxy=f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(httpx.ProxyError):
            stage.downloads.client.get("https://api.test/x")
        with pytest.raises(DownloadError), stage.downloads.open("https://one.test/a?b=c", 0):
            pass
        with pytest.raises(DownloadError), stage.downloads.open("https://three.test/a", 0):
            pass
        server.shutdown()
    assert asked == ["api.test:443", "one.test:443"]


def test_the_library_does_not_log_addresses() -> None:
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
    assert not logging.getLogger("httpcore").isEnabledFor(logging.DEBUG)


def test_a_refusal_of_our_credentials_is_counted_and_nothing_else_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STAGE", "int")
    monkeypatch.setenv("PIPELINE", "exports")
    emitter = MetricsEmitter()

    @emitter.publish
    @refusals_counted(emitter)
    def ask(error: Exception) -> None:
        raise error

    for error in (ZeroDivisionError(), CredentialsRefusedError("20260301-12", "token", "refused (401)", "Ask.")):
        with pytest.raises(type(error)):
            ask(error)
    counted = [json.loads(line).get("TokensRefused") for line in capsys.readouterr().out.splitlines()]
    assert counted == [None, [1]]
