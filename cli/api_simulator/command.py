"""`sluice api`: run the simulated application on this machine."""

import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated

import typer

from cli.api_simulator.application import KEY_HEADER, Application
from cli.api_simulator.fault_catalogue import CATALOGUE, fault_named
from cli.api_simulator.population import Population
from cli.http_server.server import Server
from cli.platform.console import CliError, JsonOption, handled, out, print_result, say, shell, table


@handled
def api(  # noqa: PLR0913 - the options of a command
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 is a free one.")] = 0,
    tracks: Annotated[int, typer.Option(min=0, help="How many tracks there are on day 0.")] = 1000,
    users: Annotated[int, typer.Option(min=0, help="How many users there are on day 0.")] = 1000,
    listens: Annotated[int, typer.Option(min=0, help="Tracks of a history on day 0, on average.")] = 20,
    day: Annotated[int, typer.Option(min=0, help="Days since the application began.")] = 0,
    seed: Annotated[int, typer.Option(help="Another seed is another application.")] = 1,
    key: Annotated[str, typer.Option(help=f"What requests must have in their header {KEY_HEADER}.")] = "",
    fault: Annotated[list[str] | None, typer.Option(help="What goes wrong; several are possible.")] = None,
    list_faults: Annotated[bool, typer.Option("--list-faults", help="Name all faults, and end.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Simulate the music application, until it is interrupted.

    Offers /tracks, /users and /listen_history, page by page, on the loopback
    interface; /docs and /openapi.json describe them. Users have tastes, few
    tracks get most listens, and every day brings more. A fault hits the
    requests that its description says, or as many as are given with it.

    Examples:
        sluice api --port 4590
        sluice api --day 1 --fault users-rows-added --fault tracks-html:5
        sluice api --tracks 1000000 --users 1000000
        sluice api --list-faults
    """
    if list_faults:
        described = {name: named.description for name, named in CATALOGUE.items()}
        print_result(described, _show_faults, as_json=as_json)
        return
    try:
        faults = [fault_named(text) for text in fault or ()]
    except ValueError as error:
        raise CliError(
            f"{error}.", "`sluice api --list-faults` names them; add :5 or :all for so many requests."
        ) from error
    application = Application(Population(seed, day, tracks, users, listens), faults, key)
    try:
        server = Server(application, port)
    except OSError as error:
        hint = "Use another, or a free one: --port 0."
        raise CliError(f"Port {port} cannot be used: {error.strerror}.", hint) from error
    with server:
        print_result({"url": server.url}, lambda _: _introduce(server, application), as_json=as_json)
        sys.stdout.flush()  # a parent process waits for the document, not for the end
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


def _introduce(server: Server, application: Application) -> None:
    people = application.population
    say(f"Day {people.day}: {len(people.track_ids):,} tracks, {len(people.user_ids):,} users, until Ctrl-C. Pull them:")
    out.print(shell("sluice", "pull", "--source-url", server.url), highlight=False, markup=False, soft_wrap=True)


def _show_faults(faults: Mapping[str, str]) -> None:
    out.print(table("Fault", "What goes wrong", rows=((f"[bold]{name}[/]", text) for name, text in faults.items())))
