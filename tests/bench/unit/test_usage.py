"""Units of the ledger, seconds at work, dollars."""

import json
from typing import Any

import pytest

from sluice.observability import prices
from tests.bench.cloud.cost import Case
from tests.bench.cloud.counted_emulator import _of_dynamodb
from tests.bench.cloud.latency import at_work
from tests.bench.cloud.usage import Call


def units(operation: str, request: Any, answered: int = 0) -> tuple[float, float]:
    scope = {"headers": [(b"x-amz-target", f"DynamoDB_20120810.{operation}".encode())]}
    counted = _of_dynamodb(scope, json.dumps(request).encode(), answered)
    assert counted[f"dynamodb {operation}"] == 1
    return counted["write units"], counted["read units"]


def item(size: int) -> dict[str, Any]:
    """An item of so many bytes, its attribute's name among them."""
    return {"pk": {"S": "x" * (size - 2)}}


@pytest.mark.parametrize(("size", "written"), [(10, 1), (1_024, 1), (1_025, 2), (10 * 1_024, 10)])
def test_a_write_counts_each_kilobyte_that_is_begun(size: int, written: int) -> None:
    assert units("PutItem", {"Item": item(size)}) == (written, 0)


def test_a_transaction_counts_twice_and_each_of_its_items_by_itself() -> None:
    request = {"TransactItems": [{"Put": {"Item": item(10)}}, {"Put": {"Item": item(1_500)}}]}
    assert units("TransactWriteItems", request) == (2 * (1 + 2), 0)


def test_a_batch_counts_each_of_its_items_also_those_it_deletes() -> None:
    request = {"RequestItems": {"ledger": [{"PutRequest": {"Item": item(10)}}, {"DeleteRequest": {"Key": item(5)}}]}}
    assert units("BatchWriteItem", request) == (2, 0)


@pytest.mark.parametrize(("consistent", "read"), [(True, 1), (False, 0.5)])
def test_a_read_counts_half_unless_it_has_to_be_the_latest(consistent: bool, read: float) -> None:
    assert units("GetItem", {"Key": item(5), "ConsistentRead": consistent}) == (0, read)


def test_a_query_counts_what_it_answers_by_four_kilobytes() -> None:
    assert units("Query", {"ConsistentRead": True}, answered=4_097) == (0, 2)


def test_a_function_is_at_work_once_however_many_of_its_calls_are() -> None:
    calls = [Call(10, 14), Call(12, 13), Call(13, 16), Call(20, 21)]
    assert at_work(reversed(calls)) == 7
    assert at_work([]) == 0


def test_a_million_files_cost_what_each_part_costs_for_its_own_number_of_files() -> None:
    validating = {prices.OBJECT_GET: 100.0, prices.OBJECT_PUT: 2.0}
    case = Case(100, 2, validating, {prices.OBJECT_PUT: 9.0}, converted=900)
    assert case.per_million() == pytest.approx({"S3 reads": 0.40, "S3 writes": 5.00 * (2 / 100 + 9 / 900)})
