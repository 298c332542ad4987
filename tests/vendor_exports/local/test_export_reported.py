"""Faults of vendors that leave an export incomplete are reported to the operator."""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import pytest

from cli.simulator import transport_faults, vendor_faults
from cli.simulator.http_messages import Call
from cli.simulator.vendor import Target, Vendor
from sluice.vendor_exports.delivery.model import MANIFEST
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
    "the job is cancelled": Reported(lambda: [vendor_faults.job_ends("Cancelled")], 'job ended as "Cancelled"'),
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
    "URLs that lead elsewhere": Reported(
        lambda: [
            vendor_faults.listed_elsewhere(file=VOYAGE),
            vendor_faults.listed_elsewhere(transport_faults.METADATA_SERVICE, VESSEL),
            transport_faults.redirected(Target(Call.FILE, CARGO)),
        ],
        "3 of 10 promised files did not arrive whole",
        {
            VOYAGE: "its URL has host evil.example; the local stage fetches from this machine only",
            VESSEL: "its URL has host 169.254.169.254",
            CARGO: "the server answered 302: redirects are not followed",
        },
    ),
    "files that cannot be had": Reported(
        lambda: [
            vendor_faults.file_missing(VOYAGE),
            transport_faults.http_error(Target(Call.FILE, VESSEL), 403),
            transport_faults.http_error(Target(Call.FILE, CARGO), 500),
            transport_faults.truncated(Target(Call.FILE, INVOICE)),
        ],
        "4 of 10 promised files did not arrive whole",
        {
            VOYAGE: "the server answered 404",
            VESSEL: r"its URL is not accepted \(403\), a new one neither",
            CARGO: "the server answered 500, again and again",
            INVOICE: "the body (broke off|ended)",
        },
    ),
    "files that are not as promised": Reported(
        lambda: [
            vendor_faults.file_shortened(VOYAGE, times=None),
            vendor_faults.listed_size(5, VESSEL),
        ],
        "2 of 10 promised files did not arrive whole",
        {
            VOYAGE: r"\d+ bytes were promised, the server has \d+",
            VESSEL: r"5 bytes were promised, the server has \d+",
        },
    ),
    "the secret is revoked": Reported(
        lambda: [vendor_faults.secret_revoked()],
        r"export {slot}, token: the vendor refuses our credentials \(401\)\. "
        "The secret was rotated or revoked: put the vendor's current values into it",
    ),
    "the secret is revoked mid-run": Reported(
        lambda: [once_at(Call.LIST, _revoke)],
        r"export {slot}, files: the vendor refuses our credentials \(401\)\. The secret was rotated or revoked",
    ),
    "server errors without end": Reported(
        lambda: [transport_faults.http_error(Target(Call.LIST), 502)],
        r"export {slot}, files: the vendor answered 502, 5 times\. .*ask the vendor's support",
    ),
    "a web page without end": Reported(
        lambda: [transport_faults.html_page(Target(Call.LIST))],
        r"export {slot}, files: the vendor answered 200 with something else than its interface says\. "
        "Ask the vendor's support",
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


def test_hostile_keys_land_nowhere_else(exports: DeployedExports) -> None:
    before = _all_keys(exports)
    with exports.vendor(vendor_faults.hostile_keys()) as vendor:
        result = exports.export(vendor)
    assert result.document["status"] == "incomplete"
    reasons = list(result.document["reasons"].values())
    assert reasons.count("its key ends in no usable name") == 5
    assert all("no usable name" in reason or "two files of this name" in reason for reason in reasons)
    ours = ("runs/exports/", "data/run_records/")
    new = {key for _, key in _all_keys(exports) - before if not key.startswith(ours)}
    names = {*contents(vendor), "x", "passwd", "b", f"_{MANIFEST}", MANIFEST}
    assert new == {result.document["folder"] + name for name in names}


def test_access_to_the_lake_is_withdrawn(exports: DeployedExports) -> None:
    with _without_writing(exports, "copy_files"), exports.vendor() as vendor:
        result = exports.export(vendor)
    document = result.document
    assert (result.exit_code, document["status"], document["copied"]) == (1, "incomplete", 0)
    assert document["missing"] == sorted(contents(vendor))
    reason = "the lake bucket denies the write (AccessDenied to PutObject): restore the function's permissions"
    assert set(document["reasons"].values()) == {reason}
    assert "10 of 10 promised files did not arrive whole" in result.stderr


def test_not_even_the_manifest_can_be_written(exports: DeployedExports) -> None:
    with _without_writing(exports, "list_files"), exports.vendor() as vendor:
        result = exports.export(vendor)
    assert (result.exit_code, result.document["status"]) == (1, "incomplete")
    assert re.search(r"s3:PutObject failed \(AccessDenied\)", result.document["cause"])
    assert result.document["cause"] in result.stderr


def _without_writing(exports: DeployedExports, folder: str) -> AbstractContextManager[None]:
    """Take from a function the right to write into the slots' folders."""
    rights = [right for right in exports.functions.rights(folder) if right[0] == "s3:PutObject"]
    (right,) = [right for right in rights if right[1].endswith("Hourly/*")]
    return exports.functions.without(folder, right)


def _revoke(vendor: Vendor) -> None:
    vendor.faults = (vendor_faults.secret_revoked(),)


def _all_keys(exports: DeployedExports) -> set[tuple[str, str]]:
    s3 = exports.cloud.deployment.s3
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    pages = (page for bucket in buckets for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket))
    return {(page["Name"], item["Key"]) for page in pages for item in page.get("Contents", ())}
