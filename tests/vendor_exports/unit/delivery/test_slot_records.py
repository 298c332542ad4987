"""The result of an export is what the last check found, or why there was none."""

import json
from typing import Any

import pytest

from sluice.vendor_exports.delivery.model import DELIVERED, INCOMPLETE, ExportResult
from sluice.vendor_exports.delivery.slot_records import record_result
from tests.vendor_exports.unit.delivery.memory import EXPORT, FOLDER, slot_with

WHOLE = ExportResult("20260301-12", DELIVERED, FOLDER, promised=3, copied=2, bytes=9)
LACKING = ExportResult("20260301-12", INCOMPLETE, FOLDER, promised=3, missing=["A"], cause="1 of 3 promised files")
STATE = {"trigger": {"waited_seconds": 0}, "check": {"polls": 0, "unknown": 0}, "delivery": {"round": 0}}


def recorded(checked: ExportResult | None, **state: Any) -> ExportResult:
    slots = slot_with()
    if checked:
        slots.put_checked(EXPORT, checked)
    result = record_result(EXPORT, STATE | state, slots)
    assert (slots.record.result, slots.record.execution) == (result, "")
    assert record_result(EXPORT, STATE | state, slots) == result, "a repeated step"
    return result


def incomplete(cause: str) -> ExportResult:
    return ExportResult("20260301-12", INCOMPLETE, FOLDER, cause=cause)


def test_the_checked_result_is_recorded() -> None:
    assert recorded(WHOLE) == WHOLE
    assert recorded(LACKING) == LACKING


@pytest.mark.parametrize("step", ["trigger", "check", "delivery"])
def test_the_cause_of_the_last_step_is_recorded(step: str) -> None:
    assert recorded(None, **{step: {"cause": "the vendor took no job"}}) == incomplete("the vendor took no job")


def test_an_end_without_a_cause() -> None:
    assert recorded(None) == incomplete("the export ended before its files were checked")


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        ({"Error": "E", "Cause": json.dumps({"errorMessage": "export 1: no", "errorType": "X"})}, "export 1: no"),
        ({"Error": "States.Timeout"}, "States.Timeout"),
        ({"Error": "X", "Cause": '{"requestId": "1"}'}, '{"requestId": "1"}'),
        ({"Error": "X", "Cause": "x" * 5000}, "x" * 1000),
        ({"unexpected": 1}, "a step failed"),
    ],
)
def test_the_cause_of_a_step_that_failed_is_recorded(failure: dict[str, str], cause: str) -> None:
    assert recorded(None, failure=failure) == incomplete(cause)


def test_a_failure_after_the_check_makes_the_export_incomplete() -> None:
    result = recorded(WHOLE, failure={"Error": "States.Timeout"})
    assert (result.status, result.cause, result.copied) == (INCOMPLETE, "States.Timeout", 2)
    assert recorded(LACKING, failure={"Error": "States.Timeout"}).missing == ["A"]


def test_an_execution_that_checked_nothing_does_not_undo_a_delivery() -> None:
    slots = slot_with(result=WHOLE)
    assert record_result(EXPORT, STATE | {"check": {"cause": "why"}}, slots) == incomplete("why")
    assert slots.record.result == WHOLE
    slots = slot_with(result=WHOLE)
    slots.put_checked(EXPORT, LACKING)
    assert record_result(EXPORT, STATE, slots) == LACKING == slots.record.result
