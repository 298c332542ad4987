"""Addresses: listed once for everybody, and again once they are dead."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from sluice.vendor_exports.client.errors import VendorUnavailableError
from sluice.vendor_exports.delivery.presigned_urls import LIFETIME_MINUTES, AddressBook
from sluice.vendor_exports.delivery.slots import Environment
from tests.vendor_exports.unit.delivery.memory import GUID, Vendor, offer


def book_of(vendor: Vendor) -> AddressBook:
    seconds = count(1)
    return AddressBook(vendor, Environment.TEST, GUID, lambda: float(next(seconds)))


def test_one_list_serves_everybody() -> None:
    vendor = Vendor([[offer("A", 1), offer("B", 2)], []])
    book = book_of(vendor)
    assert vendor.asked == []
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(book.address, ["A", "B", "C"] * 20))
    assert found == [("https://host/A", 1.0), ("https://host/B", 1.0), (None, 1.0)] * 20
    assert vendor.asked == [("files", Environment.TEST, GUID, LIFETIME_MINUTES)]


def test_a_dead_address_is_renewed_once_for_all() -> None:
    vendor = Vendor([[offer("A", 1, f"https://host/{number}")] for number in range(9)])
    book = book_of(vendor)
    _, listed_at = book.address("A")
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: book.address("A", listed_at), range(40)))
    assert set(found) == {("https://host/1", 2.0)}
    assert len(vendor.asked) == 2
    assert book.address("A") == ("https://host/1", 2.0)


def test_an_empty_list_is_not_asked_for_by_every_file() -> None:
    vendor = Vendor([[]])
    book = book_of(vendor)
    assert [book.address(name) for name in "ABC"] == [(None, 1.0)] * 3
    assert len(vendor.asked) == 1


def test_a_vendor_that_gives_no_list_is_not_asked_for_every_file() -> None:
    vendor = Vendor([VendorUnavailableError("slot", "files", "503", "Wait."), [offer("A", 1)]])
    book = book_of(vendor)
    for name in "AB":
        with pytest.raises(VendorUnavailableError):
            book.address(name)
    assert len(vendor.asked) == 1
