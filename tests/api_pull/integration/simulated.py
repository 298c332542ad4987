"""Pulls of the simulated application over HTTP, and of the servers of others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from cli.api_simulator.application import Application
from cli.api_simulator.population import Population
from cli.http_server.server import Server
from sluice.api_pull.source_http import HttpSource
from sluice.http.answers import Pauses
from sluice.http.json_http import JsonClient
from sluice.http.requests_http import Sender, open_client
from tests.api_pull.integration.pulling import Pulling, new_pulling

KEY = "SECRET-key"
PEOPLE = Population(tracks=310, users=220, listens=5)


@dataclass
class Key:
    """The header that the simulated application asks for."""

    def current(self) -> tuple[str, ...]:
        return "X-API-Key", KEY

    renewed = current


@dataclass
class Source:
    """Leads to a server on this machine."""

    url: str
    http: httpx.Client = field(default_factory=lambda: open_client(1))

    def source(self) -> HttpSource:
        return HttpSource(JsonClient(Sender(self.http, Pauses(0.0, lambda _: None), "the API"), self.url, Key()))


@contextmanager
def simulated(population: Population = PEOPLE) -> Iterator[tuple[Pulling, Application]]:
    """A stage that pulls the simulated application."""
    application = Application(population, (), KEY)
    with Server(application) as server, new_pulling() as stage:
        source = Source(server.url)
        stage.application = source  # type: ignore[assignment]
        with source.http:
            yield stage, application
