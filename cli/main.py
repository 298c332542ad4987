"""The `sluice` command: the commands of the platform and of every registered pipeline."""

import sys
from itertools import chain

import typer

from cli.platform.console import err
from cli.platform.registry import DATA, DEPLOYMENTS, PANELS, SAMPLES, Command, pipelines

_COMMANDS = (
    Command("cli.platform.deploy:deploy", DEPLOYMENTS, 10),
    Command("cli.platform.destroy:destroy", DEPLOYMENTS, 12),
    Command("cli.platform.setup:setup", DEPLOYMENTS, 14),
    Command("cli.platform.cost:cost", DEPLOYMENTS, 20),
    Command("cli.platform.local_cloud:app", DEPLOYMENTS, 30, "local"),
    Command("cli.platform.query:query", DATA, 40),
    Command("cli.platform.query:tables", DATA, 50),
    Command("cli.platform.mart:app", DATA, 57, "mart"),
    Command("cli.platform.status:status", DATA, 60),
    Command("cli.platform.doctor:doctor", DATA, 65),
    Command("cli.platform.runs:runs", DATA, 70),
    Command("cli.platform.run:run", DATA, 80),
    Command("cli.platform.report:report", DATA, 100),
    Command("cli.api_simulator.command:api", SAMPLES, 25),
    Command("cli.demo.command:demo", SAMPLES, 30),
    Command("cli.contracts.command:app", SAMPLES, 40, "contract"),
)

app = typer.Typer(
    name="sluice",
    help="Sluice: the gate in front of a data lake. Event files go in, clean, typed, queryable tables come out; "
    "vendor exports are fetched and proven complete; an application's API is pulled daily.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

for _command in sorted(
    chain(_COMMANDS, *(pipeline.commands for pipeline in pipelines())),
    key=lambda command: (PANELS.index(command.panel), command.position),
):
    _command.add_to(app)


def main() -> None:
    """Run the command. Whatever fails unexpectedly shows where, by the same console as all else."""
    try:
        app(prog_name="sluice")
    except Exception:  # noqa: BLE001 - the last resort
        err.print_exception()
        sys.exit(1)


if __name__ == "__main__":
    main()
