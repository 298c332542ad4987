"""Histories as AWS writes them, where the local cloud's are otherwise."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sluice.runs.execution_events import Event, failed_visit, steps_of, visits_of
from sluice.runs.model import Step

START = datetime(2026, 11, 22, 7, tzinfo=UTC)


def history(*entries: str) -> list[Event]:
    """Events a second apart: ``Task+Plan`` enters, ``Task-Plan`` leaves, ``Task-Plan!`` leaves what failed."""
    events = []
    for number, entry in enumerate(entries):
        kind, sign, name = entry.replace("-", "+").partition("+")
        document: dict[str, Any] = {"failure": {"Error": name}} if name.endswith("!") else {}
        type_ = kind if not sign else f"{kind}State{'Exited' if '-' in entry else 'Entered'}"
        events.append(Event(type_, START + timedelta(seconds=number), name.rstrip("!"), document))
    return events


def failed_step(*entries: str) -> str | None:
    visit = failed_visit(visits_of(history(*entries)))
    return visit.name if visit else None


END = START + timedelta(seconds=60)


def test_attempts_of_a_function() -> None:
    events = history(
        "ExecutionStarted",
        "Task+Plan",
        "LambdaFunctionScheduled",
        "LambdaFunctionFailed",
        "LambdaFunctionTimedOut",
        "LambdaFunctionSucceeded",
        "Task-Plan",
        "ExecutionSucceeded",
    )
    assert steps_of(visits_of(events), END) == (Step("Plan", 5, 2),)
    assert failed_visit(visits_of(events)) is None


def test_a_map_that_failed_is_one_failure() -> None:
    events = history("Map+Convert", "MapRunStarted", "MapRunFailed", "Map-Convert!", "Fail+End", "ExecutionFailed")
    assert steps_of(visits_of(events), END) == (Step("Convert", 3, 1),)


def test_states_that_are_entered_again_are_one_step() -> None:
    events = history("Task+Check", "Task-Check", "Choice+?", "Choice-?", "Wait+Wait", "Wait-Wait", "Task+Check", "x")
    assert steps_of(visits_of(events), START + timedelta(seconds=10)) == (Step("Check", 5), Step("Wait", 1))


def test_the_step_that_failed_is_the_last_one_that_did() -> None:
    assert failed_step("Task+List", "TaskFailed", "Task-List!", "Task+Close", "TaskSucceeded", "Task-Close") == "List"
    assert failed_step("Task+A", "TaskFailed", "TaskSucceeded", "Task-A") is None
    assert failed_step("Task+A", "Task-A", "Wait+B", "ExecutionAborted") == "B"
    assert failed_step("Task+A", "TaskFailed", "ExecutionFailed") == "A"
