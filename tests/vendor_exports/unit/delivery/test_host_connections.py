"""TLS connections belong to the name they were opened for; a connection that was the wrong one is not used again."""

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sluice.http.answers import Pauses
from sluice.http.requests_http import HostConnections
from sluice.http.url_policy_http import Target, UrlPolicy
from sluice.vendor_exports.client.connection_http import Connection
from sluice.vendor_exports.delivery.downloads_http import HttpDownloads
from sluice.vendor_exports.delivery.transfers import ServerBusyError

NAMES = ("one.test", "two.test")


@dataclass
class Server:
    """A TLS server of two names at one address: it notes the name that each connection was opened for."""

    port: int
    trusted: ssl.SSLContext
    opened_for: list[str | None] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def downloads(self) -> HttpDownloads:
        return HttpDownloads(self.client(), self)  # type: ignore[arg-type]

    def client(self) -> httpx.Client:
        make = lambda: httpx.HTTPTransport(verify=self.trusted, trust_env=False)  # noqa: E731
        return httpx.Client(transport=HostConnections(make), trust_env=False)

    def target(self, url: str) -> Target:
        """Check a URL as the policy of a stage does: the same address for both names, here of this machine."""
        target = UrlPolicy(frozenset(NAMES), lambda _: ["8.8.8.8"]).target(url)
        return Target(target.url.copy_with(host="127.0.0.1", port=self.port), target.host)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    tls, trusted = _certified(tmp_path)
    opened_for: list[str | None] = []
    statuses: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(statuses.pop(0) if statuses else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    tls.sni_callback = lambda _socket, name, _context: opened_for.append(name)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        http.socket = tls.wrap_socket(http.socket, server_side=True)
        threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
        yield Server(http.server_port, trusted, opened_for, statuses)
        http.shutdown()


def _certified(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the contexts of a server with a certificate of both names, and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAMES[0])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(issuer, issuer, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in NAMES]), critical=False)
        .sign(key, hashes.SHA256())
    )
    coding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    pem = certificate.public_bytes(coding)
    both = folder / "server.pem"
    both.write_bytes(key.private_bytes(coding, serialization.PrivateFormat.PKCS8, plain) + pem)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(both)
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusted.load_verify_locations(cadata=pem.decode())
    return tls, trusted


def test_two_names_at_one_address_share_no_connection(server: Server) -> None:
    downloads = server.downloads()
    for name in (NAMES[0], NAMES[1], NAMES[0], NAMES[1]):
        with downloads.open(f"https://{name}/file", 0) as download:
            assert b"".join(download.chunks) == b"{}"
    assert server.opened_for == list(NAMES), "one connection of each name, used again"
    downloads.client.close()


def test_a_file_that_a_connection_is_wrong_for_is_asked_for_by_another(server: Server) -> None:
    downloads = server.downloads()
    server.statuses[:] = [200, 421]
    with downloads.open("https://one.test/file", 0) as download:
        assert b"".join(download.chunks) == b"{}"
    with pytest.raises(ServerBusyError, match="the server answered 421"), downloads.open("https://one.test/file", 0):
        pass
    with downloads.open("https://one.test/file", 0) as download:
        assert b"".join(download.chunks) == b"{}"
    assert server.opened_for == ["one.test"] * 2
    downloads.client.close()


def test_a_call_that_a_connection_is_wrong_for_is_sent_by_another(server: Server) -> None:
    client = server.client()
    server.statuses[:] = [200, 421, 200]
    request = httpx.Request("GET", f"https://127.0.0.1:{server.port}/", extensions={"sni_hostname": "two.test"})
    connection = Connection(client, Pauses(0.0, lambda _: None), "20260301-12")
    assert [connection.send("files", request).status for _ in range(2)] == [200, 200]
    assert server.opened_for == ["two.test"] * 2
    client.close()
