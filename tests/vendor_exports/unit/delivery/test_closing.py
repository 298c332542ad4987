"""The account an export ends with."""

import json
from typing import Any

import pytest

from sluice.vendor_exports.delivery.model import DELIVERED, INCOMPLETE, Account
from sluice.vendor_exports.delivery.ports import LeaseLostError
from sluice.vendor_exports.delivery.record_result import close
from tests.vendor_exports.unit.delivery.memory import FOLDER, LEASE, MemorySlots

WHOLE = Account("20260301-12", DELIVERED, FOLDER, promised=3, copied=2, bytes=9)
LACKING = Account("20260301-12", INCOMPLETE, FOLDER, promised=3, missing=("A",), cause="1 of 3 promised files")
BEGUN = {"trigger": {"waited_seconds": 0}, "check": {"polls": 0, "unknown": 0}, "listing": {"round": 0}}


def closed(findings: Account | None, **state: Any) -> Account:
    slots = MemorySlots({(LEASE.environment, LEASE.slot): {"owner": LEASE.execution}})
    if findings:
        slots.put_findings(LEASE, findings)
    account = close(LEASE, BEGUN | state, slots)
    assert slots.account(LEASE.environment, LEASE.slot) == account
    assert "owner" not in slots.record(LEASE)
    assert close(LEASE, BEGUN | state, slots) == account, "a repeated step"
    return account


def incomplete(cause: str) -> Account:
    return Account("20260301-12", INCOMPLETE, FOLDER, cause=cause)


def test_a_delivery() -> None:
    assert closed(WHOLE) == WHOLE
    assert closed(LACKING) == LACKING


@pytest.mark.parametrize("step", ["trigger", "check", "listing"])
def test_a_step_that_found_no_way_on(step: str) -> None:
    assert closed(None, **{step: {"cause": "the vendor took no job"}}) == incomplete("the vendor took no job")


def test_an_end_without_a_cause() -> None:
    assert closed(None) == incomplete("the export ended before its files were checked")


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (
            {"Error": "VendorError", "Cause": json.dumps({"errorMessage": "export 1: no", "errorType": "X"})},
            "export 1: no",
        ),
        ({"Error": "States.Timeout"}, "States.Timeout"),
        ({"Error": "States.Timeout", "Cause": ""}, "States.Timeout"),
        ({"Error": "X", "Cause": "no JSON {"}, "no JSON {"),
        ({"Error": "X", "Cause": '{"requestId": "1"}'}, '{"requestId": "1"}'),
        ({"Error": "X", "Cause": '["list"]'}, '["list"]'),
        ({"Error": "X", "Cause": "x" * 5000}, "x" * 1000),
        ({"unexpected": 1}, "a step failed"),
    ],
)
def test_a_step_that_failed(failure: dict[str, str], cause: str) -> None:
    assert closed(None, failure=failure) == incomplete(cause)


def test_a_failure_after_the_check_counts_more_than_its_findings() -> None:
    account = closed(WHOLE, failure={"Error": "States.Timeout"})
    assert (account.status, account.cause, account.copied) == (INCOMPLETE, "States.Timeout", 2)
    assert closed(LACKING, failure={"Error": "States.Timeout"}).missing == ("A",)


def test_a_run_that_came_to_look_at_nothing_does_not_undo_a_delivery() -> None:
    slots = MemorySlots({(LEASE.environment, LEASE.slot): {"owner": LEASE.execution, "account": WHOLE}})
    assert close(LEASE, BEGUN | {"check": {"cause": "why"}}, slots) == incomplete("why")
    assert slots.account(LEASE.environment, LEASE.slot) == WHOLE
    slots = MemorySlots({(LEASE.environment, LEASE.slot): {"owner": LEASE.execution, "account": WHOLE}})
    slots.put_findings(LEASE, LACKING)
    assert close(LEASE, BEGUN, slots) == LACKING == slots.account(LEASE.environment, LEASE.slot)


def test_a_slot_that_was_lost_is_not_closed() -> None:
    slots = MemorySlots({(LEASE.environment, LEASE.slot): {"owner": "other"}})
    with pytest.raises(LeaseLostError):
        close(LEASE, BEGUN, slots)
    assert slots.account(LEASE.environment, LEASE.slot) is None


def test_an_account_is_read_as_it_is_written() -> None:
    account = Account("s", INCOMPLETE, "f", 3, 1, 1, 9, ("A",), ("T",), {"A": "why"}, "cause")
    assert Account.from_json(json.loads(json.dumps(account.to_json()))) == account
