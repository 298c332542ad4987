"""The service keeps what its OpenAPI document says, whatever it is asked."""

import subprocess
import sys
from pathlib import Path
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

from tests.recommender.integration.serving.api_gateway import AUTHORISED, Handler, as_wsgi

EXAMPLES = 60  # of each route, besides those at the edges of what is allowed


class Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def test_the_service_is_as_its_document_says(service: Handler, tmp_path: Path) -> None:
    with make_server("127.0.0.1", 0, as_wsgi(service), handler_class=Quiet) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/openapi.json"
        options = ["--seed=1", f"--max-examples={EXAMPLES}", f"--header=Authorization: {AUTHORISED}", "--no-color"]
        command = [sys.executable, "-m", "schemathesis.cli", "run", url, *options]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
        server.shutdown()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "4 selected / 4 total" in ran.stdout, ran.stdout
