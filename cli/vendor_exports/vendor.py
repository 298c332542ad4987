"""`sluice vendor`: run the vendor simulator on this machine."""

import sys
import threading
from contextlib import suppress
from typing import Annotated

import typer

from cli.platform.console import CliError, JsonOption, handled, out, plural, say, say_json, table
from cli.platform.session import LOCAL, Deployment, connect
from cli.simulator.access import Credentials
from cli.simulator.exports import Exports
from cli.simulator.fault_catalogue import CATALOGUE
from cli.simulator.jobs import Timing
from cli.simulator.simulator import Simulator
from cli.simulator.vendor import Fault, Vendor

_COMPRESSION = 300  # a job takes seconds instead of minutes


@handled
def vendor(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 is a free one.")] = 0,
    files: Annotated[int, typer.Option(min=4, help="How many files a job delivers.")] = 120,
    fault: Annotated[list[str] | None, typer.Option(help="What goes wrong; several are possible.")] = None,
    list_faults: Annotated[bool, typer.Option("--list-faults", help="Name all faults, and end.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Simulate the vendor of the exports, until it is interrupted.

    Speaks the vendor's API on the loopback interface, with made-up files. Its
    jobs take seconds, and its hour is one of 12 seconds. Faults are counted
    from the start: many hit the first requests only.

    Examples:
        sluice vendor
        sluice vendor --port 4580 --files 300 --fault file-truncated
        sluice vendor --list-faults
    """
    if list_faults:
        _show_faults(as_json=as_json)
        return
    accepted = None
    with suppress(CliError):
        accepted = simulator_credentials(connect(LOCAL))
    timing = Timing(compression=_COMPRESSION)
    simulated = Vendor(Exports(files=files), _faults(fault or []), timing, accepted or Credentials())
    with _simulator(simulated, port) as simulator:
        _introduce(simulator, as_json=as_json)
        if accepted is None:
            say("The local stage is not up: deploy it before this, and its credentials are accepted.")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


def _faults(names: list[str]) -> list[Fault]:
    for name in names:
        if name not in CATALOGUE:
            raise CliError(f"There is no fault {name!r}.", "`sluice vendor --list-faults` names them.")
    return [CATALOGUE[name].make() for name in names]


def _simulator(simulated: Vendor, port: int) -> Simulator:
    try:
        return Simulator(simulated, port)
    except OSError as error:
        raise CliError(
            f"Port {port} cannot be used: {error.strerror}.", "Use another, or a free one: --port 0."
        ) from error


def simulator_credentials(deployment: Deployment) -> Credentials:
    """Return the credentials in the local stage's secret, for a simulator to accept."""
    from sluice.vendor_exports.delivery.vendor_access_http import SecretCredentials  # noqa: PLC0415 - slow to import

    secret = SecretCredentials(deployment.secretsmanager, deployment.output("VendorSecret")).current()
    return Credentials(client_id=secret.client_id, client_secret=secret.client_secret)


def _introduce(simulator: Simulator, *, as_json: bool) -> None:
    credentials = simulator.vendor.credentials
    if as_json:
        say_json({"url": simulator.url, "client_id": credentials.client_id, "client_secret": credentials.client_secret})
        sys.stdout.flush()  # a parent process waits for the document, not for the end
        return
    say(f"A vendor with {plural(simulator.vendor.exports.files, 'file')} a job, until Ctrl-C. Get an export from it:")
    out.print(f"sluice export --vendor-url {simulator.url}", highlight=False, soft_wrap=True)


def _show_faults(*, as_json: bool) -> None:
    if as_json:
        say_json({name: fault.description for name, fault in CATALOGUE.items()})
        return
    rows = ((f"[bold]{name}[/]", fault.description) for name, fault in CATALOGUE.items())
    out.print(table("Fault", "What goes wrong", rows=rows))
