"""`sluice local`: the local cloud, up and down."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.platform import local_cloud
from cli.platform.console import out, say, say_json
from cli.platform.errors import handled
from cli.platform.options import JsonOption

app = typer.Typer(no_args_is_help=True, help="The local cloud: AWS on this machine, without an account or Docker.")


@app.command()
@handled
def up(
    port: Annotated[int | None, typer.Option(help="The port to listen on, for this machine only.")] = None,
) -> None:
    """Start the local cloud, if it is not up already.

    Examples:
        sluice local up
        sluice local up --port 4567
    """
    cloud = local_cloud.up(port)
    say(f"The local cloud is up at {cloud.endpoint} (log: {cloud.log}).")


@app.command()
@handled
def down() -> None:
    """Stop the local cloud. What it stored is gone with it.

    Examples:
        sluice local down
    """
    say("The local cloud is down." if local_cloud.down() else "The local cloud was not up.")


@app.command()
@handled
def status(as_json: JsonOption = False) -> None:
    """Say whether the local cloud is up, and where. Exit code 1 when it is not.

    Examples:
        sluice local status
        export AWS_ENDPOINT_URL=$(sluice local status --json | jq -r .endpoint)
    """
    cloud = local_cloud.status()
    if as_json:
        say_json({"up": cloud is not None, "endpoint": cloud.endpoint if cloud else None})
    else:
        out.print(f"Up at {cloud.endpoint}." if cloud else "Not up. Start it with `sluice local up`.", highlight=False)
    if cloud is None:
        raise typer.Exit(1)
