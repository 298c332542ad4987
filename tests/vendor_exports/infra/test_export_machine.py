"""The graph of the Export machine and the members of its state; `test_machines.py` has what all machines share."""

from collections.abc import Callable
from dataclasses import fields
from enum import StrEnum

import pytest

from infra.vendor_exports.settings import VendorExports
from sluice.vendor_exports import run_summary as states
from sluice.vendor_exports.delivery.delivery_check import CheckAnswer, Checked
from sluice.vendor_exports.delivery.job import JobAnswer, NextStep, TriggerAnswer
from sluice.vendor_exports.delivery.manifest import Listed, Listing
from sluice.vendor_exports.delivery.model import INCOMPLETE, ExportResult
from sluice.vendor_exports.delivery.slot_records import Decision
from tests.support.machine_graph import Machine, is_end, reached
from tests.support.source_files import members_of
from tests.support.stages import FEATURE, STAGES
from tests.support.synthesis import Synthesis

BEFORE_RECORDING = (states.TRIGGER, states.CHECK_JOB, states.LIST, states.CHECK_DELIVERY)
COMPLETE = "Is the job complete?"
STATE_BYTES = 256 * 1024  # what Step Functions takes as a state's input


# Where it goes


@pytest.mark.parametrize(
    ("question", "words", "chosen", "otherwise"),
    [
        (
            "Is the slot free?",
            Decision,
            {
                "trigger": states.TRIGGER,
                "resume": states.CHECK_JOB,
                "busy": "Another run has the slot",
                "not_set_up": "Not set up yet",
            },
            set(),
        ),
        (
            "Did the vendor take the job?",
            NextStep,
            {"accepted": states.WAIT_FOR_BEGIN, "wait": "Wait until the vendor allows it"},
            {"over", "complete", "lost"},
        ),
        (
            COMPLETE,
            NextStep,
            {"complete": states.LIST, "wait": states.WAIT_FOR_JOB, "lost": states.TRIGGER},
            {"over", "accepted"},
        ),
        ("Are there files?", Listed, {"files": states.COPY, "wait": states.WAIT_FOR_FILES}, {"over"}),
        ("Did all arrive?", Checked, {"again": states.LIST, "wait": states.WAIT_FOR_FILES}, {"over"}),
    ],
)
def test_the_answers_decide_where_it_goes(
    export: Machine, question: str, words: type[StrEnum], chosen: dict[str, str], otherwise: set[str]
) -> None:
    choice = export.states[question]
    assert {rule["StringEquals"]: rule["Next"] for rule in choice["Choices"]} == chosen
    assert {word.value for word in words} - chosen.keys() == otherwise, "all that is left to the default"
    assert choice["Default"] == ("Decision not understood" if words is Decision else states.RECORD)


def test_every_question_follows_the_step_whose_answer_it_reads(export: Machine) -> None:
    asked = {
        states.CLAIM: ("Is the slot free?", "$.decision"),
        states.TRIGGER: ("Did the vendor take the job?", "$.trigger.next_step"),
        states.CHECK_JOB: (COMPLETE, "$.check.next_step"),
        states.LIST: ("Are there files?", "$.delivery.next_step"),
        states.CHECK_DELIVERY: ("Did all arrive?", "$.delivery.next_step"),
    }
    for step, (question, variable) in asked.items():
        assert export.states[step]["Next"] == question
        assert {rule["Variable"] for rule in export.states[question]["Choices"]} == {variable}


def test_the_end_is_what_the_account_says_then_what_became_of_the_histories(export: Machine) -> None:
    assert export.states[states.RECORD]["Next"] == states.UPDATE_HISTORIES
    assert export.states[states.UPDATE_HISTORIES]["Next"] == "How did it end?"
    end, incomplete = export.states["How did it end?"], export.states["Incomplete"]
    assert end["Choices"] == [
        {"Variable": "$.result.status", "StringEquals": INCOMPLETE, "Next": "Incomplete"},
        {"Variable": "$.failure", "IsPresent": True, "Next": "Histories not updated"},
    ]
    assert end["Default"] == "Delivered"
    assert export.states["Delivered"]["Type"] == "Succeed"
    assert incomplete.items() >= {"Type": "Fail", "Error": "Incomplete", "CausePath": "$.result.cause"}.items()


# Where failures go


def test_where_the_failure_of_each_step_goes(export: Machine) -> None:
    caught = {
        name: [(rule["Next"], rule["ResultPath"]) for rule in state["Catch"]]
        for name, state in export.states.items()
        if state["Type"] == "Task"
    }
    assert caught == {
        states.CLAIM: [("Slot not claimed", "$.failure")],
        **{step: [(states.RECORD, "$.failure")] for step in BEFORE_RECORDING},
        states.RECORD: [("Result not recorded", "$.failure")],
        states.UPDATE_HISTORIES: [("How did it end?", "$.failure")],
    }


def test_nothing_ends_between_begin_and_close(export: Machine) -> None:
    for step in (states.TRIGGER, states.CHECK_JOB):
        between = reached(export.definition, step, barred={states.RECORD})
        assert {states.LIST, states.COPY, states.CHECK_DELIVERY} <= between
        assert not [name for name in between if is_end(export.states[name])]


def test_the_map_tolerates_failures_because_the_check_that_follows_counts(export: Machine) -> None:
    assert export.map["ToleratedFailurePercentage"] == 100
    assert "ToleratedFailureCount" not in export.map
    assert export.map["Next"] == states.CHECK_DELIVERY
    # Not under `failure`: what a batch could not do is no failure of the export if the check finds all files.
    assert [(rule["Next"], rule["ResultPath"]) for rule in export.map["Catch"]] == [
        (states.CHECK_DELIVERY, "$.not_done")
    ]
    assert export.in_map["Batch not copied"]["Type"] == "Fail"


# What is in the state


def test_what_the_steps_are_told(export: Machine) -> None:
    told = {name: state.get("Parameters") for name, state in export.states.items() if state["Type"] == "Task"}
    of_export = {"export.$": "$.export"}
    counted = of_export | {f"{name}.$": f"$.delivery.{name}" for name in ("round", "waited_seconds")}
    assert told == {
        states.CLAIM: {
            "execution.$": "$$.Execution.Id",
            "started_at.$": "$$.Execution.StartTime",
            "input.$": "$$.Execution.Input",
        },
        states.TRIGGER: {**of_export, "waited_seconds.$": "$.trigger.waited_seconds"},
        states.CHECK_JOB: {
            **of_export,
            "triggered.$": "$.trigger.next_step",
            "waited_seconds.$": "$.check.waited_seconds",
            "unknown.$": "$.check.unknown",
        },
        states.LIST: counted,
        states.CHECK_DELIVERY: counted,
        states.RECORD: None,  # all of it: the failure and the causes are anywhere
        states.UPDATE_HISTORIES: {"slots.$": "States.Array($.export.slot)"},
    }


def test_a_batch_of_files_is_told_its_export_and_itself(export: Machine) -> None:
    assert export.map["ItemReader"]["ReaderConfig"]["ItemsPointer"] == "/batches"
    assert export.map["ItemReader"]["Parameters"]["Key.$"] == "$.delivery.plan_key"
    assert export.map["ItemSelector"] == {"export.$": "$.export", "batch.$": "$$.Map.Item.Value"}


def test_an_answer_replaces_the_answer_before_it(export: Machine) -> None:
    """No loop makes the state grow: every step has one place, and what list and check count is in the same."""
    places = {name: state.get("ResultPath", "$") for name, state in export.of_type("Task")}
    assert places == {
        states.CLAIM: "$",
        states.TRIGGER: "$.trigger",
        states.CHECK_JOB: "$.check",
        states.LIST: "$.delivery",
        states.CHECK_DELIVERY: "$.delivery",
        states.RECORD: "$.result",
        states.UPDATE_HISTORIES: None,
        "Copy one batch of files": None,
    }


def test_answers_hold_neither_addresses_nor_secrets_nor_lists() -> None:
    answers = {
        "claim_slot": {"decision", "export", "trigger", "check", "delivery"},
        "claim_slot.export": {"slot", "execution", "vendor_url"},
        "claim_slot.trigger": {"next_step", "waited_seconds"},
        "claim_slot.check": {"waited_seconds", "unknown"},
        "claim_slot.delivery": {"round", "waited_seconds"},
        "copy_files": {"batch_id", "failed"},
    }
    assert {place: members_of(place) for place in answers} == answers


def test_the_end_of_an_export_tells_figures_and_no_names_of_files() -> None:
    told = ExportResult("20260301-12", INCOMPLETE, "folder/", missing=["a.csv", "b.csv"], cause="why").summary()
    figures = {"promised": 0, "copied": 0, "refetched": 0, "bytes": 0, "missing": 2}
    assert told == {"status": INCOMPLETE, "cause": "why", "folder": "folder/", **figures}


@pytest.mark.parametrize(
    ("answer", "members"),
    [
        (TriggerAnswer, {"next_step", "wait_seconds", "waited_seconds", "cause"}),
        (JobAnswer, {"next_step", "wait_seconds", "waited_seconds", "unknown", "cause"}),
        (Listing, {"next_step", "round", "plan_key", "wait_seconds", "waited_seconds", "cause"}),
        (
            CheckAnswer,
            {"next_step", "round", "wait_seconds", "waited_seconds", "promised", "copied", "missing"},
        ),
    ],
)
def test_answers_of_one_type_hold_neither_addresses_nor_secrets_nor_lists(answer: type, members: set[str]) -> None:
    assert {field.name for field in fields(answer)} == members
    assert {field.type for field in fields(answer)} <= {NextStep, Listed, Checked, int, str}


def test_the_definition_speaks_of_no_address_and_no_secret(export: Machine) -> None:
    definition = export.resource["Properties"]["DefinitionString"]
    assert not [word for word in ("http", "secret", "_url", "presigned", "token") if word in str(definition).lower()]


@pytest.mark.parametrize("name", [*STAGES, FEATURE])
def test_a_batch_fits_the_state_of_a_child_execution(synthesis_of: Callable[[str], Synthesis], name: str) -> None:
    longest_file = 2 * 1024 + 100  # key and name as long as S3 takes them, size, and quotes
    assert synthesis_of(name).stage.settings(VendorExports).batch_files * longest_file < STATE_BYTES / 2
