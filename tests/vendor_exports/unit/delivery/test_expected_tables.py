"""Tables that an export's own schema promises: missing ones, and schemas that are none or too much."""

import gzip

import orjson
import pytest

from sluice.vendor_exports.client.api import ListedFile
from sluice.vendor_exports.delivery.master_schema import MAX_SCHEMA_BYTES, read_schema
from sluice.vendor_exports.delivery.model import DELIVERED, INCOMPLETE, MASTER_SCHEMA, ExportResult
from tests.vendor_exports.unit.delivery.memory import FOLDER, RUN, listed_file, provenance_of
from tests.vendor_exports.unit.delivery.test_delivery_check import Delivery


@pytest.fixture
def delivery() -> Delivery:
    return Delivery()


def deliver_schema(delivery: Delivery, body: bytes, *others: str, is_readable: bool = True) -> ExportResult:
    delivery.list_files(
        0, *(listed_file(name, 1) for name in others), ListedFile(f"a/{MASTER_SCHEMA}", "u", min(len(body), 1000))
    )
    for name in others:
        delivery.store(name, 1)
    document = delivery.document("manifest.json")
    document["files"][-1]["size"] = len(body)
    delivery.files.objects[f"{RUN}manifest.json"] = orjson.dumps(document)
    delivery.stored.objects[FOLDER + MASTER_SCHEMA] = body, provenance_of()
    if is_readable:
        delivery.files.objects[FOLDER + MASTER_SCHEMA] = body
    return delivery.check(1)[1]


def schema(*tables: str, **more: object) -> bytes:
    return orjson.dumps([{"DataObjectName": table, **more} for table in tables])


def test_tables_of_the_schema_without_a_file_are_missing() -> None:
    delivery = Delivery(out_of_scope=frozenset({"Old", "Gone"}))
    result = deliver_schema(
        delivery, schema("Voyage", "Vessel", "Invoice", "Old"), "Voyage_0", "Extra_0", "_Statistics"
    )
    assert (result.status, result.missing, result.missing_tables) == (INCOMPLETE, [], ["Invoice", "Vessel"])
    assert result.cause == "the export lacks tables of its own schema: Invoice, Vessel"


ALL_THERE = schema("Voyage", "Extra")


@pytest.mark.parametrize("body", [ALL_THERE, b"", b"{", b"[]", b"null", b"\x1f\x8bbroken"])
def test_all_tables_are_there_and_an_unreadable_schema_expects_none(delivery: Delivery, body: bytes) -> None:
    assert deliver_schema(delivery, body, "Voyage_0", "Extra_0", "More_0").status == DELIVERED


REFUSED = {
    "it has more than 16 MB": gzip.compress(bytes(MAX_SCHEMA_BYTES + 1)),
    "it has 2001 tables, more than the 2000": schema(*map(str, range(2001))),
    "the names of its tables have 66000 bytes": schema(*(f"{number:0200}" for number in range(330))),
    "one of its tables has 5001 columns": schema("A", Columns=[1] * 5001),
    "it has more than 1000000 values": schema("A", Columns=[[0] * 1000] * 1001),
}


@pytest.mark.parametrize(("why", "body"), REFUSED.items())
def test_a_schema_beyond_the_limits_is_refused_with_the_figures(delivery: Delivery, why: str, body: bytes) -> None:
    result = deliver_schema(delivery, body, "Voyage_0")
    assert (result.status, result.missing, result.missing_tables) == (INCOMPLETE, [], [])
    assert f"{MASTER_SCHEMA} is refused: {why}" in result.cause
    assert read_schema(body) is None


def test_files_of_more_tables_than_the_histories_keep(delivery: Delivery) -> None:
    result = deliver_schema(delivery, ALL_THERE, *(f"{number}_0" for number in range(2001)))
    assert "the list of files is refused: it has 2001 tables" in result.cause


def test_a_schema_that_is_too_large_is_not_read(delivery: Delivery) -> None:
    too_large = bytes(MAX_SCHEMA_BYTES + 1)
    result = deliver_schema(delivery, too_large, "Voyage_0", is_readable=False)
    assert (result.status, "more than 16 MB" in result.cause) == (INCOMPLETE, True)
    assert deliver_schema(delivery, schema("Vessel").ljust(MAX_SCHEMA_BYTES), "Voyage_0").missing_tables == ["Vessel"]


def test_a_schema_that_did_not_arrive(delivery: Delivery) -> None:
    delivery.list_files(0, ListedFile(f"a/{MASTER_SCHEMA}", "u", 5))
    result = delivery.check(1)[1]
    assert (result.missing, result.missing_tables) == ([MASTER_SCHEMA], [])


def test_the_names_of_missing_tables_are_bounded(delivery: Delivery) -> None:
    result = deliver_schema(delivery, schema(*(f"T{number}{'x' * 200}" for number in range(300))))
    assert 2 * len(orjson.dumps(result)) < 400_000
    assert len(result.cause) == 1000
