"""What the tests of exports share: faults by call, and what a delivery is."""

from __future__ import annotations

from collections.abc import Callable

from cli.simulator import vendor_faults
from cli.simulator.http_messages import Call
from cli.simulator.jobs import Timing
from cli.simulator.simulator import Simulator
from cli.simulator.transport_faults import Fault, Target
from cli.simulator.vendor import Vendor
from tests.support.exporting import FILES, Exporting, Told, contents

VOYAGE, VESSEL, CARGO, INVOICE = "Voyage_0.json.gz", "Vessel_1.json.gz", "CargoBook_2.json.gz", "Invoice_3.json.gz"
TWO_POLLS = Timing(init=0, replication=1)

Faults = Callable[[], list[Fault]]


def everywhere(make: Callable[[Target], Fault]) -> list[Fault]:
    """The same fault at each call, the first time it is made."""
    return [make(first_of(call)) for call in Call]


def first_of(call: Call) -> Target:
    return Target(call, times=1)


def once_at(call: Call, happen: Callable[[Vendor], None]) -> Fault:
    return vendor_faults.vendor_action(first_of(call), happen)


def assert_delivered(exporting: Exporting, vendor: Simulator, told: Told) -> None:
    """Every promised file is there, byte by byte, beside the manifest; nobody is told of any trouble."""
    assert (told.exit_code, told.words) == (0, ""), told.document
    document = told.document
    assert (document["status"], document["promised"]) == ("delivered", FILES)
    assert exporting.ended(document["execution"])[0] == "SUCCEEDED"
    assert (document["missing"], document["missing_tables"], document["cause"]) == ([], [], "")
    assert exporting.landed(document["folder"]) == contents(vendor)
    promised = exporting.manifest(document["folder"])
    assert [sorted(entry) for entry in promised] == [["key", "size"]] * FILES
