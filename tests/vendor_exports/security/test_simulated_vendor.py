"""The simulated vendor, asked by web pages and by who has read its source."""

import json
import signal
from types import SimpleNamespace

import httpx
import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.platform.console import CliError
from cli.simulator.access import Credentials
from cli.simulator.simulator import Simulator
from cli.simulator.vendor import Vendor
from cli.vendor_exports import vendor as command


@pytest.mark.parametrize("headers", [{"Host": "evil.test"}, {"Host": "localhost.evil.test:80"}, {"Origin": "null"}])
def test_a_web_page_gets_nothing(headers: dict[str, str]) -> None:
    accepted = Credentials()
    form = {"grant_type": "client_credentials", "scope": "datalake", "client_id": accepted.client_id}
    form["client_secret"] = accepted.client_secret
    with Simulator(Vendor()) as simulator:
        answers = [
            httpx.post(f"{simulator.url}/connect/token", data=form, headers=sent, trust_env=False)
            for sent in ({}, headers)
        ]
    assert [answer.status_code for answer in answers] == [200, 403]


def test_without_a_stage_its_secret_is_new_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_stage(_: str) -> None:
        raise CliError("not up")

    interrupted = SimpleNamespace(wait=lambda: signal.raise_signal(signal.SIGINT))
    monkeypatch.setattr(command, "connect", no_stage)
    monkeypatch.setattr(command, "threading", SimpleNamespace(Event=lambda: interrupted))
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        told = [json.loads(CliRunner().invoke(app, ["vendor", "--json"]).stdout)["client_secret"] for _ in range(2)]
    finally:
        signal.signal(signal.SIGINT, previous)
    assert len({Credentials().client_secret, *told}) == 3
