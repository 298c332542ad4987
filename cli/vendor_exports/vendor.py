"""`sluice vendor`: run the vendor simulator on this machine."""

import secrets
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated

import typer

from cli.platform.console import CliError, JsonOption, handled, out, plural, print_result, say, shell, table
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from cli.simulator.access import Credentials
from cli.simulator.exports import Exports
from cli.simulator.fault_catalogue import CATALOGUE
from cli.simulator.jobs import Timing
from cli.simulator.simulator import Simulator
from cli.simulator.vendor import Vendor

_COMPRESSION = 300  # a job takes seconds instead of minutes


@handled
def vendor(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 is a free one.")] = 0,
    files: Annotated[int, typer.Option(min=4, help="How many files a job delivers.")] = 120,
    fault: Annotated[list[str] | None, typer.Option(help="What goes wrong; several are possible.")] = None,
    stage: StageOption = LOCAL,
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
        described = {name: fault.description for name, fault in CATALOGUE.items()}
        print_result(described, _show_faults, as_json=as_json)
        return
    for name in fault or ():
        if name not in CATALOGUE:
            raise CliError(f"There is no fault {name!r}.", "`sluice vendor --list-faults` names them.")
    accepted = None
    with suppress(CliError):
        if (deployment := connect(stage)).local:
            accepted = simulator_credentials(deployment)
    timing = Timing(compression=_COMPRESSION)
    faults = [CATALOGUE[name].make() for name in fault or ()]
    # Without a stage nobody has credentials yet: these are told below, and nowhere else.
    accepting = accepted or Credentials(client_secret=secrets.token_urlsafe(), next_secret=secrets.token_urlsafe())
    simulated = Vendor(Exports(files=files), faults, timing, accepting)
    try:
        simulator = Simulator(simulated, port)
    except OSError as error:
        hint = "Use another, or a free one: --port 0."
        raise CliError(f"Port {port} cannot be used: {error.strerror}.", hint) from error
    with simulator:
        told = {"client_id": accepting.client_id, "client_secret": accepting.client_secret}
        print_result({"url": simulator.url, **told}, lambda _: _introduce(simulator, stage), as_json=as_json)
        sys.stdout.flush()  # a parent process waits for the document, not for the end
        if accepted is None:
            say(f"Stage '{stage}' is not in the local cloud: deploy it before this, and its credentials are accepted.")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


def simulator_credentials(deployment: Deployment) -> Credentials:
    """Return the credentials in a local stage's secret, for a simulator to accept."""
    from sluice.vendor_exports.delivery.vendor_access_http import SecretCredentials  # noqa: PLC0415 - slow to import

    secret = SecretCredentials(deployment.secretsmanager, deployment.output("VendorSecret")).current()
    return Credentials(client_id=secret.client_id, client_secret=secret.client_secret)


def _introduce(simulator: Simulator, stage: str) -> None:
    say(f"A vendor with {plural(simulator.vendor.exports.files, 'file')} a job, until Ctrl-C. Get an export from it:")
    chosen = () if stage == LOCAL else ("--stage", stage)
    command = shell("sluice", "export", "--vendor-url", simulator.url, *chosen)
    out.print(command, highlight=False, markup=False, soft_wrap=True)


def _show_faults(faults: Mapping[str, str]) -> None:
    out.print(table("Fault", "What goes wrong", rows=((f"[bold]{name}[/]", text) for name, text in faults.items())))
