"""Faults of vendors that leave an export incomplete are reported to the operator."""

import re
from dataclasses import dataclass, field

import pytest

from cli.http_server import transport_faults
from cli.http_server.faults import Target
from cli.simulator import vendor_faults
from cli.simulator.http_messages import Call
from cli.simulator.vendor import Vendor
from tests.support.local.deployed_exports import (
    CARGO,
    INVOICE,
    VESSEL,
    VOYAGE,
    DeployedExports,
    Faults,
    contents,
    once_at,
)


@dataclass(frozen=True)
class Reported:
    """Faults that leave an export incomplete: its cause, and the reason of each missing file, as patterns."""

    faults: Faults
    cause: str
    reasons: dict[str, str] = field(default_factory=dict)
    tables: tuple[str, ...] = ()


REPORTED = {
    "the job fails": Reported(lambda: [vendor_faults.job_ends("Failed")], 'job ended as "Failed"'),
    "tables are missing": Reported(
        lambda: [vendor_faults.tables_missing("Voyage", "Invoice")],
        "the export lacks tables of its own schema: Invoice, Voyage",
        tables=("Invoice", "Voyage"),
    ),
    "an empty list": Reported(lambda: [vendor_faults.nothing_listed()], "the vendor listed no files, 3 times"),
    "entries nobody can copy": Reported(
        lambda: [
            vendor_faults.listed_with_two_sizes(VOYAGE),
            vendor_faults.listed_size(1 << 62, VESSEL),
            vendor_faults.listed_without("size", CARGO),
            vendor_faults.listed_without("presignedDownloadURL", INVOICE),
        ],
        "4 of 11 promised files did not arrive whole",
        {
            f"{VOYAGE} (again)": "the list has two files of this name",
            VESSEL: "larger than the .* bytes that a file may have",
            CARGO: "listed without a size",
            INVOICE: "listed without a URL",
        },
        ("CargoBook", "Invoice", "Vessel"),
    ),
    "files that cannot be had": Reported(
        lambda: [
            vendor_faults.file_missing(VOYAGE),
            transport_faults.http_error(Target(Call.FILE, VESSEL), 403),
            transport_faults.http_error(Target(Call.FILE, CARGO), 410),
            transport_faults.truncated(Target(Call.FILE, INVOICE)),
        ],
        "4 of 10 promised files did not arrive whole",
        {
            VOYAGE: "the server answered 404",
            VESSEL: r"its URL is not accepted \(403\), a new one neither",
            CARGO: "the server answered 410",
            INVOICE: "the body (broke off|ended)",
        },
    ),
    "the secret is revoked": Reported(
        lambda: [vendor_faults.secret_revoked()],
        r"export {slot}, token: the vendor refuses our credentials \(401\), new ones too\. "
        "The secret was rotated or revoked: put the vendor's current values into it",
    ),
    "the secret is revoked mid-run": Reported(
        lambda: [once_at(Call.LIST, _revoke)],
        r"export {slot}, files: the vendor refuses our credentials \(401\), new ones too: .*\. The secret",
    ),
}


@pytest.mark.parametrize("case", REPORTED.values(), ids=REPORTED)
def test_reported(exports: DeployedExports, case: Reported) -> None:
    with exports.vendor(*case.faults()) as vendor:
        result = exports.export(vendor)
        expected = {name: body for name, body in contents(vendor).items() if name not in case.reasons}
    document = result.document
    assert (result.exit_code, document["status"]) == (1, "incomplete")
    assert re.search(case.cause.format(slot=document["slot"]), document["cause"])
    assert f"Slot {document['slot']} is incomplete: {document['cause']}" in result.stderr
    assert exports.ended(document["execution"]) == ("FAILED", "Incomplete", document["cause"])
    assert document["missing"] == sorted(case.reasons)
    assert tuple(document["missing_tables"]) == case.tables
    for name, reason in case.reasons.items():
        assert re.search(reason, document["reasons"][name])
    landed = exports.landed(document["folder"])
    assert landed.items() <= expected.items()
    assert len(landed) == document["copied"] == document["promised"] - len(case.reasons)


def _revoke(vendor: Vendor) -> None:
    vendor.faults = (vendor_faults.secret_revoked(),)
