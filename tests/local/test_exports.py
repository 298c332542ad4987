"""What goes wrong with vendors, through the deployed machine: survived, or told to the operator in full."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.simulator.exchange import Call
from cli.simulator.faults import access, exports, files, jobs, wire
from cli.simulator.faults.base import Fault, Target
from cli.simulator.simulator import Simulator
from cli.simulator.timing import Timing
from cli.simulator.vendor import Vendor
from sluice.contracts.model import Table
from sluice.exports.slots import MANIFEST, Slot
from sluice.history.catalog import HISTORICAL_JOB_SIZE, HISTORICAL_TABLE_METRICS
from sluice.history.layout import history_key
from tests.local.exporting import AT_ONCE, FILES, Exporting, Told, contents

VOYAGE, VESSEL, CARGO, INVOICE = "Voyage_0.json.gz", "Vessel_1.json.gz", "CargoBook_2.json.gz", "Invoice_3.json.gz"
TWO_POLLS = Timing(init=0, replication=1)

Faults = Callable[[], list[Fault]]


def _everywhere(make: Callable[[Target], Fault]) -> list[Fault]:
    """The same fault at each call, the first time it is made."""
    return [make(_first(call)) for call in Call]


# What is survived


@dataclass(frozen=True)
class Survived:
    """Faults after which everything arrives."""

    name: str
    faults: Faults
    timing: Timing = AT_ONCE
    refetches: bool = False


SURVIVED = [
    Survived("server errors at each call", lambda: _everywhere(wire.http_error)),
    Survived("429 at each call", lambda: _everywhere(wire.too_many_requests)),
    Survived("silence at each call", lambda: _everywhere(wire.stalled)),
    Survived("resets at each call", lambda: _everywhere(wire.reset)),
    Survived("answers lost at each call", lambda: _everywhere(wire.answer_lost)),
    Survived("truncated bodies at each call", lambda: _everywhere(wire.truncated)),
    Survived(
        "answers that are none",
        lambda: [wire.malformed(Target(Call.STATUS, times=1)), wire.html(Target(Call.LIST, times=1))],
    ),
    Survived("a token that expires mid-run", lambda: [access.tokens_expire(after=1)], TWO_POLLS),
    Survived("URLs that expire mid-copy", lambda: [access.urls_expire()], refetches=True),
    Survived("a file that is short at first", lambda: [files.file_shortened(VOYAGE, times=1)], refetches=True),
    Survived("a file listed twice", lambda: [files.listed_twice(VOYAGE)]),
    Survived("words nobody knows", lambda: [jobs.unknown_statuses(("Completing", "Paused", "Replicating 45%"))]),
    Survived("a list that fills late", lambda: [ListedLate()], refetches=True),
]


class ListedLate(Fault):
    """The list is empty the first time."""

    def __init__(self) -> None:
        self._target = Target(Call.LIST, times=1)

    def entries(self, request: Any, entries: list[Any]) -> list[Any]:
        return [] if self._target.hits(request) else entries


@pytest.mark.parametrize("case", SURVIVED, ids=lambda case: case.name)
def test_survived(exporting: Exporting, case: Survived) -> None:
    with exporting.vendor(*case.faults(), timing=case.timing) as vendor:
        told = exporting.export(vendor)
        _assert_delivered(exporting, vendor, told)
    assert (told.document["refetched"] > 0) == case.refetches


@pytest.mark.parametrize("ahead", [0, 7200, -7200], ids=lambda seconds: f"vendor's clock {seconds} s ahead")
def test_somebody_else_triggered(exporting: Exporting, ahead: float) -> None:
    """The export waits until the vendor takes its own job, by the vendor's clock, whatever ours says."""
    faults = [jobs.triggered_elsewhere(), jobs.ClockSkewed(ahead), wire.too_many_requests_until(_first(Call.STATUS))]
    with exporting.vendor(*faults, timing=Timing(init=0, replication=0, hour=1.5)) as vendor:
        told = exporting.export(vendor)
        _assert_delivered(exporting, vendor, told)
    assert 15 <= exporting.output(told.document["execution"])["trigger"]["waited_seconds"] < 300


def test_the_secret_is_rotated_mid_run(exporting: Exporting) -> None:
    credentials = exporting.credentials

    def rotate(vendor: Vendor) -> None:
        vendor.faults = (access.SecretRotated(),)
        exporting.write_secret(replace(credentials, client_secret=credentials.next_secret))

    with exporting.secret(credentials), exporting.vendor(_once(Call.LIST, rotate)) as vendor:
        _assert_delivered(exporting, vendor, exporting.export(vendor))


def test_what_was_missing_is_copied_by_running_again(exporting: Exporting) -> None:
    with exporting.vendor(files.file_missing(VOYAGE)) as vendor:
        first = exporting.export(vendor)
        assert (first.document["status"], first.document["missing"]) == ("incomplete", [VOYAGE])
        assert f"`sluice export --slot {first.document['slot']}` copies what is missing;" in first.words
        vendor.vendor.faults = ()
        again = exporting.export(vendor, first.document["slot"])
        _assert_delivered(exporting, vendor, again)
        assert again.document["copied"] == 1
        assert len(vendor.requests(Call.EXPORT)) == 1


# What is told


def _job_ends(word: str) -> list[Fault]:
    return [jobs.job_ends(word)]


@dataclass(frozen=True)
class Reported:
    """Faults that leave an export incomplete, and what the operator reads: the cause, and why each file is missing."""

    name: str
    faults: Faults
    cause: str
    reasons: dict[str, str] = field(default_factory=dict)
    tables: tuple[str, ...] = ()


REPORTED = [
    *(
        Reported(f"the job ends as {word}", partial(_job_ends, word), f'job ended as "{word}"')
        for word in ("Failed", "Error", "Cancelled", "Aborted")
    ),
    Reported(
        "tables are missing",
        lambda: [exports.tables_missing("Voyage", "Invoice")],
        "the export lacks tables of its own schema: Invoice, Voyage",
        tables=("Invoice", "Voyage"),
    ),
    Reported("an empty list", lambda: [files.nothing_listed()], "the vendor listed no files, 3 times"),
    Reported(
        "entries nobody can copy",
        lambda: [
            files.listed_with_two_sizes(VOYAGE),
            files.listed_size(1 << 62, VESSEL),
            files.listed_without("size", CARGO),
            files.listed_without("presignedDownloadURL", INVOICE),
        ],
        "4 of 11 promised files did not arrive whole",
        {
            f"{VOYAGE} (again)": "the list has two files of this name",
            VESSEL: "larger than the .* bytes that a file may have",
            CARGO: "listed without a size",
            INVOICE: "listed without an address",
        },
        ("CargoBook", "Invoice", "Vessel"),
    ),
    Reported(
        "URLs that lead elsewhere",
        lambda: [
            files.listed_elsewhere(file=VOYAGE),
            files.listed_elsewhere(wire.METADATA_SERVICE, VESSEL),
            wire.redirected(Target(Call.FILE, CARGO)),
        ],
        "3 of 10 promised files did not arrive whole",
        {
            VOYAGE: "its address leads to evil.example; the local stage fetches from this machine only",
            VESSEL: "its address leads to 169.254.169.254",
            CARGO: "the server answered 302: redirects are not followed",
        },
    ),
    Reported(
        "files that cannot be had",
        lambda: [
            files.file_missing(VOYAGE),
            wire.http_error(Target(Call.FILE, VESSEL), 403),
            wire.http_error(Target(Call.FILE, CARGO), 500),
            wire.truncated(Target(Call.FILE, INVOICE)),
        ],
        "4 of 10 promised files did not arrive whole",
        {
            VOYAGE: "the server answered 404",
            VESSEL: r"its address is not accepted \(403\), a new one neither",
            CARGO: "the server answered 500, again and again",
            INVOICE: "the body (broke off|ended)",
        },
    ),
    Reported(
        "files that are not as promised",
        lambda: [
            files.file_shortened(VOYAGE, times=None),
            files.listed_size(5, VESSEL),
        ],
        "2 of 10 promised files did not arrive whole",
        {
            VOYAGE: r"\d+ bytes were promised, the server has \d+",
            VESSEL: r"5 bytes were promised, the server has \d+",
        },
    ),
    Reported(
        "the secret is revoked",
        lambda: [access.SecretRevoked()],
        r"export {slot}, token: the vendor refuses our credentials \(401\)\. "
        "The secret was rotated or revoked: put the vendor's current values into it",
    ),
    Reported(
        "the secret is revoked mid-run",
        lambda: [_once(Call.LIST, _revoke)],
        r"export {slot}, files: the vendor refuses our credentials \(401\)\. The secret was rotated or revoked",
    ),
    Reported(
        "server errors without end",
        lambda: [wire.http_error(Target(Call.LIST), 502)],
        r"export {slot}, files: the vendor answered 502, 5 times\. .*ask the vendor's support",
    ),
    Reported(
        "a web page without end",
        lambda: [wire.html(Target(Call.LIST))],
        r"export {slot}, files: the vendor answered 200 with something else than its interface says\. "
        "Ask the vendor's support",
    ),
]


@pytest.mark.parametrize("case", REPORTED, ids=lambda case: case.name)
def test_reported(exporting: Exporting, case: Reported) -> None:
    with exporting.vendor(*case.faults()) as vendor:
        told = exporting.export(vendor)
        expected = {name: body for name, body in contents(vendor).items() if name not in case.reasons}
    document = told.document
    assert (told.exit_code, document["status"]) == (1, "incomplete")
    assert re.search(case.cause.format(slot=document["slot"]), document["cause"])
    assert f"Slot {document['slot']} is incomplete: {document['cause']}" in told.words
    assert exporting.ended(document["execution"]) == ("FAILED", "Incomplete", document["cause"])
    assert document["missing"] == sorted(case.reasons)
    assert tuple(document["missing_tables"]) == case.tables
    for name, reason in case.reasons.items():
        assert re.search(reason, document["reasons"][name])
    landed = exporting.landed(document["folder"])
    assert landed.items() <= expected.items()
    assert len(landed) == document["copied"] == document["promised"] - len(case.reasons)


def test_hostile_keys_land_nowhere_else(exporting: Exporting) -> None:
    before = _all_keys(exporting)
    with exporting.vendor(files.hostile_keys()) as vendor:
        told = exporting.export(vendor)
    assert told.document["status"] == "incomplete"
    reasons = list(told.document["reasons"].values())
    assert reasons.count("its key ends in no usable name") == 5
    assert all("no usable name" in reason or "two files of this name" in reason for reason in reasons)
    new = {key for _, key in _all_keys(exporting) - before if not key.startswith("runs/exports/")}
    names = {*contents(vendor), "x", "passwd", "b", f"_{MANIFEST}", MANIFEST}
    assert new == {told.document["folder"] + name for name in names}


def test_access_to_the_lake_is_withdrawn(exporting: Exporting) -> None:
    with _without_writing(exporting, "copy_files"), exporting.vendor() as vendor:
        told = exporting.export(vendor)
    document = told.document
    assert (told.exit_code, document["status"], document["copied"]) == (1, "incomplete", 0)
    assert document["missing"] == sorted(contents(vendor))
    reason = "the lake does not take it (AccessDenied to PutObject): restore the function's permissions"
    assert set(document["reasons"].values()) == {reason}
    assert "10 of 10 promised files did not arrive whole" in told.words


def test_not_even_the_manifest_can_be_written(exporting: Exporting) -> None:
    with _without_writing(exporting, "list_files"), exporting.vendor() as vendor:
        told = exporting.export(vendor)
    assert (told.exit_code, told.document["status"]) == (1, "incomplete")
    assert re.search("AccessDenied.*PutObject.*is not authorized", told.document["cause"])
    assert told.document["cause"] in told.words


# What would take hours: the steps by hand, with the seconds they would have waited


def test_a_job_that_hangs(exporting: Exporting) -> None:
    with exporting.vendor(jobs.job_hangs()) as vendor:
        export = exporting.by_hand(vendor)
        export.trigger()
        assert export.check(polls=88)["turn"] == "wait"
        assert export.check(polls=90)["turn"] == "over"
        account = export.close()
    expected = 'the job was not complete after 90 minutes: its last status was "Running", 0 were unknown'
    assert account == {"status": "incomplete", "cause": expected}


def test_a_vendor_that_takes_no_job(exporting: Exporting) -> None:
    with exporting.vendor(jobs.triggered_elsewhere(), timing=Timing()) as vendor:
        export = exporting.by_hand(vendor)
        first = export.trigger()
        assert first["turn"] == "wait"
        assert 3590 < first["wait_seconds"] <= 3602
        assert export.trigger(first["waited_seconds"])["turn"] == "over"
        account = export.close()
    assert account["status"] == "incomplete"
    said = r'within 75 minutes of waiting: the vendor said "The export was requested less than an hour ago\. The next'
    assert re.search(said, account["cause"])


def test_a_vendor_that_is_down(exporting: Exporting) -> None:
    with exporting.vendor(wire.http_error(Target(Call.TOKEN))) as vendor:
        export = exporting.by_hand(vendor)
        assert export.trigger() == {"turn": "wait", "wait_seconds": 300, "waited_seconds": 300, "cause": ""}
        assert export.trigger(waited_seconds=4400)["turn"] == "over"
        account = export.close()
    assert account["status"] == "incomplete"
    slot = export.state["export"]["slot"]
    assert f"export {slot}, token: the vendor answered 503, 5 times. If this goes on" in account["cause"]


def test_a_run_across_the_hour_lands_in_one_folder(exporting: Exporting) -> None:
    """The slot is the hour the execution was started in, however late its steps are."""
    started_at = Slot.of(datetime.now(UTC)).hour - timedelta(seconds=1)
    with exporting.vendor() as vendor:
        assert exporting.by_hand(vendor, started_at).deliver() == {"status": "delivered", "cause": ""}
        folder = Slot.of(started_at).folder(exporting.environment)
        assert exporting.landed(folder) == contents(vendor)
    assert {key.rpartition("/")[0] for key in exporting.cloud.keys(exporting.environment.hourly)} == {folder[:-1]}


# Runs that meet


def test_a_run_that_overlaps_the_next_one(exporting: Exporting) -> None:
    with exporting.vendor(jobs.job_hangs()) as vendor:
        first = exporting.start(vendor)
        slot = _wait_for_the_job(exporting, vendor, first)
        second = exporting.export(vendor, slot)
        assert (second.exit_code, second.document["status"]) == (1, "skipped")
        assert f"Slot {slot}: another run has the slot" in second.words
        vendor.vendor.faults = ()
        assert exporting.wait_for(first)["account"]["status"] == "delivered"
        assert len(vendor.requests(Call.EXPORT)) == 1


def test_a_run_that_died_is_taken_over(exporting: Exporting) -> None:
    with exporting.vendor(jobs.job_hangs()) as vendor:
        dead = exporting.start(vendor)
        slot = _wait_for_the_job(exporting, vendor, dead)
        exporting.cloud.deployment.stepfunctions.stop_execution(executionArn=dead)
        vendor.vendor.faults = ()
        _assert_delivered(exporting, vendor, exporting.export(vendor, slot))
        assert len(vendor.requests(Call.EXPORT)) == 1


# What is delivered, and unusual


UNUSUAL = [
    pytest.param(
        lambda: [exports.table_added(), exports.column_added(), exports.volume(20)],
        {"unexpected_tables": ["CrewWages"], "schema_added": [], "schema_removed": [], "schema_altered": ["Voyage"]},
        lambda deviation: deviation > 5,
        id="a table more, a column more, a multiple of the usual size",
    ),
    pytest.param(
        lambda: [exports.schema_upgraded(), exports.volume(0.01)],
        {"unexpected_tables": [], "schema_added": ["VesselV2"], "schema_removed": ["Vessel"]},
        lambda deviation: deviation < 0.5,
        id="another schema, a fraction of the usual size",
    ),
]


@pytest.mark.parametrize(("faults", "tables", "is_off"), UNUSUAL)
def test_unusual_deliveries_are_seen_in_the_histories(
    exporting: Exporting, faults: Faults, tables: dict[str, list[str]], is_off: Callable[[float], bool]
) -> None:
    slot = Slot.of(datetime.now(UTC)).after(-3)
    with exporting.vendor() as vendor:
        usual = exporting.by_hand(vendor, slot.after(-168).hour)
        assert usual.deliver()["status"] == "delivered"
    for weeks in (2, 3):
        _copy_folder(exporting, slot.after(-168), slot.after(-168 * weeks))
    with exporting.vendor(*faults()) as vendor:
        unusual = exporting.by_hand(vendor, slot.hour)
        assert unusual.deliver() == {"status": "delivered", "cause": ""}
    while unusual.observe()["waiting"]:
        pass
    row = _row(exporting, HISTORICAL_TABLE_METRICS, slot)
    assert {name: row[name] for name in tables} == tables
    assert row["missingtables"] == 0
    assert is_off(_row(exporting, HISTORICAL_JOB_SIZE, slot)["deviation"])


def _copy_folder(exporting: Exporting, source: Slot, target: Slot) -> None:
    bucket, s3 = exporting.cloud.output("LakeBucket"), exporting.cloud.deployment.s3
    old, new = source.folder(exporting.environment), target.folder(exporting.environment)
    for key in exporting.cloud.keys(old):
        s3.copy_object(Bucket=bucket, Key=key.replace(old, new), CopySource={"Bucket": bucket, "Key": key})


def _row(exporting: Exporting, table: Table, slot: Slot) -> dict[str, Any]:
    body = exporting.cloud.read(history_key(exporting.environment, table.name))
    rows = pq.read_table(pa.BufferReader(body)).to_pylist()
    return next(row for row in rows if row["date"] == str(slot))


def _wait_for_the_job(exporting: Exporting, vendor: Simulator, execution: str) -> str:
    """Wait until a job is asked for; return the slot."""
    while not vendor.requests(Call.STATUS):
        time.sleep(0.1)
    found = exporting.cloud.deployment.stepfunctions.describe_execution(executionArn=execution)
    return str(Slot.of(found["startDate"]))


def _without_writing(exporting: Exporting, folder: str) -> AbstractContextManager[None]:
    """Take the right to write into the slots' folders from a function."""
    rights = [right for right in exporting.functions.rights(folder) if right[0] == "s3:PutObject"]
    (right,) = [right for right in rights if right[1].endswith("Hourly/*")]
    return exporting.functions.without(folder, right)


def _revoke(vendor: Vendor) -> None:
    vendor.faults = (access.SecretRevoked(),)


def _first(call: Call) -> Target:
    return Target(call, times=1)


def _once(call: Call, happen: Callable[[Vendor], None]) -> Fault:
    return access.Happening(_first(call), happen)


def _all_keys(exporting: Exporting) -> set[tuple[str, str]]:
    s3 = exporting.cloud.deployment.s3
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    pages = (page for bucket in buckets for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket))
    return {(page["Name"], item["Key"]) for page in pages for item in page.get("Contents", ())}


def _assert_delivered(exporting: Exporting, vendor: Simulator, told: Told) -> None:
    """Every promised file is there, byte by byte, beside the manifest; nobody is told of any trouble."""
    assert (told.exit_code, told.words) == (0, ""), told.document
    document = told.document
    assert (document["status"], document["promised"]) == ("delivered", FILES)
    assert exporting.ended(document["execution"])[0] == "SUCCEEDED"
    assert (document["missing"], document["missing_tables"], document["cause"]) == ([], [], "")
    assert exporting.landed(document["folder"]) == contents(vendor)
    promised = exporting.manifest(document["folder"])
    assert [sorted(entry) for entry in promised] == [["key", "size"]] * FILES
