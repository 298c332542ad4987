"""`_MasterTableSchema.json` comes from outside: what can be read is, everything else is None."""

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.vendor_exports.delivery.master_schema import MAX_SCHEMA_BYTES, read_schema
from tests.vendor_exports.unit.completeness.deliveries import schema

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.just("DataObjectName"), inner),
)
HOSTILE = {
    "empty": b"",
    "no JSON": b"<html>",
    "cut": schema("A")[:-1],
    "an object": b'{"DataObjectName": "A"}',
    "a text": b'"DataObjectName"',
    "null": b"null",
    "a number": b"1",
    "texts": b'["A"]',
    "no table": b"[]",
    "without name": b'[{"DataObjectName": "A"}, {"Name": "B"}]',
    "empty name": schema(""),
    "a list as name": b'[{"DataObjectName": ["A"]}]',
    "half a pair": b'[{"DataObjectName": "\\ud800"}]',
    "not UTF-8": b'[{"DataObjectName": "\xff"}]',
    "deep": b'[{"DataObjectName": "A", "B": ' + b"[" * 300 + b"]" * 300 + b"}]",
    "deeper": b"[" * 1_000_000,
    "cut gzip": gzip.compress(schema("A"))[:-9],
    "wrong gzip": b"\x1f\x8b\x08" + b"x" * 50,
    "damaged gzip": gzip.compress(schema("A"))[:12] + b"\xff" * 30,
    "other bytes after gzip": gzip.compress(schema("A")) + b"more",
    "a bomb": gzip.compress(b" " * (MAX_SCHEMA_BYTES + 1)),
    "too large": b" " * MAX_SCHEMA_BYTES + schema("A"),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_schema(body: bytes) -> None:
    assert read_schema(body) is None


@given(st.binary() | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_nothing_makes_it_fail(body: bytes) -> None:
    found = read_schema(body)
    assert found is None or found == tuple(sorted(set(found)))
    packed = read_schema(gzip.compress(body))
    assert packed == found or body.startswith(b"\x1f\x8b")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda body: b"\xef\xbb\xbf" + body])
def test_tables_are_sorted(pack: Any) -> None:
    found = read_schema(pack(schema("b", "a", "Ä")))
    assert found
    assert [table for table, _ in found] == ["a", "b", "Ä"]


def test_fingerprints() -> None:
    """Of the entry's content, not of its writing."""
    entry = {"DataObjectName": "A", "Columns": [{"Name": "x", "Type": "int"}]}
    turned = dict(reversed(entry.items()))
    assert read_schema(json.dumps([entry]).encode()) == read_schema(json.dumps([turned], indent=1).encode())
    assert read_schema(schema("A")) != read_schema(schema("A", Version=2))


def test_a_table_listed_twice() -> None:
    """It stands once, whatever the order."""
    entries = [{"DataObjectName": "A", "Version": version} for version in range(5)]
    found = {read_schema(json.dumps(order).encode()) for order in (entries, entries[::-1])}
    assert [len(each or ()) for each in found] == [1]
