"""What is true of the Export machine only; `test_machines.py` has the rest."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from dataclasses import fields
from enum import StrEnum

import pytest

from infra.stage import BUILT_IN, Exports
from sluice.exports.asking import SHORTEST_WAIT, Check, Trigger, Turn
from sluice.exports.beginning import Decision
from sluice.exports.model import INCOMPLETE
from sluice.exports.promising import Listed, Listing
from sluice.exports.proving import Proof
from tests.infra.conftest import FEATURE
from tests.infra.machine_graph import Graph, Machine, State, is_end, loops, machine, reached, targets
from tests.infra.synthesis import ROOT, Synthesis

BEGIN, TRIGGER, CHECK, LIST = "Begin the export", "Trigger the job", "Check the job", "List the files"
COPY, PROVE, CLOSE, OBSERVE = "Copy the files", "Check that all arrived", "Close the export", "Observe the delivery"
BEFORE_CLOSING = (TRIGGER, CHECK, LIST, PROVE)
FIRST_WAIT, COMPLETE = "Wait for the job to begin", "Is the job complete?"

MOST_EVENTS = 25_000  # of a history; Step Functions ends an execution that has more
STATE_BYTES = 256 * 1024  # what Step Functions takes as a state's input


@pytest.fixture
def export(stage: Synthesis) -> Machine:
    return machine(stage.exports, "Export")


# Where it goes


@pytest.mark.parametrize(
    ("question", "words", "chosen", "otherwise"),
    [
        (
            "Is the slot free?",
            Decision,
            {"trigger": TRIGGER, "resume": CHECK, "busy": "Another run has the slot"},
            set(),
        ),
        (
            "Did the vendor take the job?",
            Turn,
            {"accepted": FIRST_WAIT, "wait": "Wait until the vendor allows it"},
            {"over", "complete", "lost"},
        ),
        (COMPLETE, Turn, {"complete": LIST, "wait": "Wait for the job", "lost": TRIGGER}, {"over", "accepted"}),
        ("Are there files?", Listed, {"files": COPY, "nothing": "Wait for the list to fill"}, {"over"}),
        ("Did all arrive?", Proof, {"again": LIST}, {"over"}),
    ],
)
def test_the_answers_decide_where_it_goes(
    export: Machine, question: str, words: type[StrEnum], chosen: dict[str, str], otherwise: set[str]
) -> None:
    choice = export.states[question]
    assert {rule["StringEquals"]: rule["Next"] for rule in choice["Choices"]} == chosen
    assert {word.value for word in words} - chosen.keys() == otherwise, "all that is left to the default"
    assert choice["Default"] == ("Decision not understood" if words is Decision else CLOSE)


def test_every_question_follows_the_step_whose_answer_it_reads(export: Machine) -> None:
    asked = {
        BEGIN: ("Is the slot free?", "$.decision"),
        TRIGGER: ("Did the vendor take the job?", "$.trigger.turn"),
        CHECK: (COMPLETE, "$.check.turn"),
        LIST: ("Are there files?", "$.listing.turn"),
        PROVE: ("Did all arrive?", "$.proof.turn"),
    }
    for step, (question, variable) in asked.items():
        assert export.states[step]["Next"] == question
        assert {rule["Variable"] for rule in export.states[question]["Choices"]} == {variable}


def test_the_end_is_what_the_account_says_then_what_became_of_the_histories(export: Machine) -> None:
    assert [export.states[CLOSE]["Next"], export.states[OBSERVE]["Next"]] == [OBSERVE, "How did it end?"]
    end = export.states["How did it end?"]
    assert end["Choices"] == [
        {"Variable": "$.account.status", "StringEquals": INCOMPLETE, "Next": "Incomplete"},
        {"Variable": "$.failure", "IsPresent": True, "Next": "Histories not updated"},
    ]
    assert end["Default"] == "Delivered"
    assert export.states["Delivered"]["Type"] == "Succeed"
    assert export.states["Incomplete"]["Type"] == "Fail"
    assert (export.states["Incomplete"]["Error"], export.states["Incomplete"]["CausePath"]) == (
        "Incomplete",
        "$.account.cause",
    )


# Where failures go


@pytest.mark.parametrize(
    ("step", "handler"),
    [
        (BEGIN, "Export not begun"),
        *((step, CLOSE) for step in BEFORE_CLOSING),
        (CLOSE, "Export not closed"),
        (OBSERVE, "How did it end?"),
    ],
)
def test_where_the_failure_of_a_step_goes(export: Machine, step: str, handler: str) -> None:
    assert [(rule["Next"], rule["ResultPath"]) for rule in export.states[step]["Catch"]] == [(handler, "$.failure")]


def test_these_are_all_steps(export: Machine) -> None:
    steps = {name for name, state in export.states.items() if state["Type"] == "Task"}
    assert steps == {BEGIN, *BEFORE_CLOSING, CLOSE, OBSERVE}


def test_nothing_ends_between_begin_and_close(export: Machine) -> None:
    for step in (TRIGGER, CHECK):
        between = reached(export.definition, step, barred={CLOSE})
        assert {LIST, COPY, PROVE} <= between
        assert not [name for name in between if is_end(export.states[name])]


def test_the_map_tolerates_failures_because_the_check_that_follows_counts(export: Machine) -> None:
    assert export.map["ToleratedFailurePercentage"] == 100
    assert "ToleratedFailureCount" not in export.map
    assert export.map["Next"] == PROVE
    # Not under `failure`: what a batch could not do is no failure of the export if the check finds all files.
    assert [(rule["Next"], rule["ResultPath"]) for rule in export.map["Catch"]] == [(PROVE, "$.not_done")]
    assert export.in_map["Batch not copied"]["Type"] == "Fail"


# What is in the state


def test_what_the_steps_are_told(export: Machine) -> None:
    told = {name: state.get("Parameters") for name, state in export.states.items() if state["Type"] == "Task"}
    of_export, counted = {"export.$": "$.export"}, {"export.$": "$.export", "round.$": "$.listing.round"}
    assert told == {
        BEGIN: {
            "execution.$": "$$.Execution.Id",
            "started_at.$": "$$.Execution.StartTime",
            "input.$": "$$.Execution.Input",
        },
        TRIGGER: {**of_export, "waited_seconds.$": "$.trigger.waited_seconds"},
        CHECK: {
            **of_export,
            "triggered.$": "$.trigger.turn",
            "polls.$": "$.check.polls",
            "unknown.$": "$.check.unknown",
        },
        LIST: counted,
        PROVE: counted,
        CLOSE: None,  # all of it: the failure and the causes are anywhere
        OBSERVE: {"slots.$": "States.Array($.export.slot)"},
    }


def test_a_batch_of_files_is_told_its_export_and_itself(export: Machine) -> None:
    assert export.map["ItemReader"]["ReaderConfig"]["ItemsPointer"] == "/batches"
    assert export.map["ItemReader"]["Parameters"]["Key.$"] == "$.listing.plan_key"
    assert export.map["ItemSelector"] == {"export.$": "$.export", "batch.$": "$$.Map.Item.Value"}


def test_an_answer_replaces_the_answer_before_it(export: Machine) -> None:
    """No loop makes the state grow: every step has one place of its own."""
    places = {name: state.get("ResultPath", "$") for name, state in export.of_type("Task")}
    assert places == {
        BEGIN: "$",
        TRIGGER: "$.trigger",
        CHECK: "$.check",
        LIST: "$.listing",
        PROVE: "$.proof",
        CLOSE: "$.account",
        OBSERVE: None,
        "Copy one batch of files": None,
    }


@pytest.mark.parametrize(
    ("folder", "members"),
    [
        ("begin_export", {"decision", "export", "trigger", "check", "listing"}),
        ("begin_export.export", {"slot", "execution", "vendor_url"}),
        ("begin_export.trigger", {"turn", "waited_seconds"}),
        ("begin_export.check", {"polls", "unknown"}),
        ("begin_export.listing", {"round"}),
        ("check_delivery", {"turn", "promised", "copied", "missing"}),
        ("close_export", {"status", "cause"}),
        ("copy_files", {"batch_id", "failed"}),
    ],
)
def test_answers_hold_neither_addresses_nor_secrets_nor_lists(folder: str, members: set[str]) -> None:
    assert _members(folder) == members


@pytest.mark.parametrize(
    ("answer", "members"),
    [
        (Trigger, {"turn", "wait_seconds", "waited_seconds", "cause"}),
        (Check, {"turn", "polls", "unknown", "cause"}),
        (Listing, {"turn", "round", "plan_key", "cause"}),
    ],
)
def test_answers_of_one_type_hold_neither_addresses_nor_secrets_nor_lists(answer: type, members: set[str]) -> None:
    assert {field.name for field in fields(answer)} == members
    assert {field.type for field in fields(answer)} <= {Turn, Listed, int, str}


def test_the_definition_speaks_of_no_address_and_no_secret(export: Machine) -> None:
    definition = export.resource["Properties"]["DefinitionString"]
    assert not [word for word in ("http", "secret", "_url", "presigned", "token") if word in str(definition).lower()]


@pytest.mark.parametrize("name", [*BUILT_IN, FEATURE])
def test_a_batch_fits_the_state_of_a_child_execution(synthesis_of: Callable[[str], Synthesis], name: str) -> None:
    longest_file = 2 * 1024 + 100  # key and name as long as S3 takes them, size, and quotes
    assert synthesis_of(name).stage.exports.batch_files * longest_file < STATE_BYTES / 2


# How long it takes


def test_waits(odd: Synthesis) -> None:
    export, settings = machine(odd.exports, "Export"), odd.stage.exports
    waits = {name: state for name, state in export.states.items() if state["Type"] == "Wait"}
    allowed = waits.pop("Wait until the vendor allows it")
    assert (allowed["SecondsPath"], allowed["Next"]) == ("$.trigger.wait_seconds", TRIGGER)
    assert {name: (wait["Seconds"], wait["Next"]) for name, wait in waits.items()} == {
        FIRST_WAIT: (settings.first_wait_seconds, CHECK),
        "Wait for the job": (settings.poll_seconds, CHECK),
        "Wait for the list to fill": (settings.poll_seconds, LIST),
    }


def test_the_settings_of_the_stage_bound_the_machine(odd: Synthesis) -> None:
    export, settings = machine(odd.exports, "Export"), odd.stage.exports
    assert export.definition["TimeoutSeconds"] == settings.timeout_minutes * 60
    assert export.map["MaxConcurrency"] == settings.copy_max_concurrency


def test_the_machine_is_dead_before_its_lease_ends(odd: Synthesis, stage: Synthesis) -> None:
    """Else another execution would take the slot of one that still works."""
    for synthesis in (odd, stage):
        lease = synthesis.function("begin_export")["Environment"]["Variables"]["LEASE_MINUTES"]
        assert machine(synthesis.exports, "Export").definition["TimeoutSeconds"] < int(lease) * 60


def test_a_loop_counts_what_bounds_it(export: Machine) -> None:
    found = loops(_never_lost(export))
    assert len(found) == len(_longest(Exports()))
    for step in _longest(Exports()):
        assert len([loop for loop in found if step in loop]) == 1


def test_a_lost_job_makes_one_loop_of_the_trigger_and_the_check(export: Machine) -> None:
    joined = {loop for loop in loops(_never_lost(export)) if loop & {TRIGGER, CHECK}}
    assert _again(export) == frozenset({FIRST_WAIT}).union(*joined)
    assert loops(export.definition) == loops(_never_lost(export)) - joined | {_again(export)}


def test_a_job_is_lost_once_because_the_check_is_told_of_the_trigger(export: Machine) -> None:
    """From the trigger only its "accepted" leads to another check; no other step writes over it."""
    assert {name for name, state in export.states.items() if CHECK in targets(state)} == {
        "Is the slot free?",
        FIRST_WAIT,
        "Wait for the job",
    }
    assert CHECK not in reached(export.definition, TRIGGER, barred={FIRST_WAIT})
    assert [
        (name, rule["StringEquals"])
        for name, state in export.of_type("Choice")
        for rule in state["Choices"]
        if rule["Next"] == FIRST_WAIT
    ] == [("Did the vendor take the job?", Turn.ACCEPTED)]
    assert [name for name, state in export.states.items() if FIRST_WAIT in targets(state)] == [
        "Did the vendor take the job?"
    ]
    assert [name for name, state in export.states.items() if state.get("ResultPath") == "$.trigger"] == [TRIGGER]
    assert export.states[CHECK]["Parameters"]["triggered.$"] == "$.trigger.turn"


def test_the_check_is_not_told_of_a_trigger_before_there_was_one() -> None:
    assert not ast.literal_eval(_answer("begin_export.trigger.turn"))


def test_the_check_replaces_no_job_of_its_own_execution() -> None:
    tree = _handler("check_job")
    (replaceable,) = [
        keyword.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "replaceable"
    ]
    rule = _assigned(tree, replaceable)
    assert isinstance(rule, ast.BoolOp)
    assert isinstance(rule.op, ast.And)
    assert "event['triggered'] != Turn.ACCEPTED" in map(ast.unparse, rule.values)


@pytest.mark.parametrize("name", [*BUILT_IN, FEATURE])
def test_the_longest_execution_stays_well_below_what_a_history_holds(
    synthesis_of: Callable[[str], Synthesis], name: str
) -> None:
    """Every step repeated as often as it may be, in every turn of every loop; a job that is lost comes on top, once.

    The seconds waited and the polls are not counted anew for the job that replaces it.
    """
    synthesis = synthesis_of(name)
    export = machine(synthesis.exports, "Export")
    longest = _longest(synthesis.stage.exports)
    turns = {name: turns for loop in loops(_never_lost(export)) for name, turns in _turns(loop, longest)}
    again = _again(export)
    events = sum(_events(state) * (turns.get(name, 1) + (name in again)) for name, state in export.states.items())
    assert events < MOST_EVENTS * 2 / 3


def _longest(settings: Exports) -> dict[str, int]:
    """How often a step can be come to: as long as the vendor keeps it waiting, and then once to give up."""
    return {
        TRIGGER: settings.patience_seconds // SHORTEST_WAIT + 1,
        CHECK: settings.deadline_seconds // settings.poll_seconds + 1,
        LIST: settings.rounds,
    }


def _never_lost(export: Machine) -> Graph:
    """The machine as long as no job is lost: what its other loops are is seen only so."""
    question = export.states[COMPLETE]
    kept = [rule for rule in question["Choices"] if rule["StringEquals"] != Turn.LOST]
    return {**export.definition, "States": {**export.states, COMPLETE: {**question, "Choices": kept}}}


def _again(export: Machine) -> frozenset[str]:
    """The loop from the check back to the trigger."""
    (loop,) = [loop for loop in loops(export.definition) if {TRIGGER, CHECK} <= loop]
    return loop


def _turns(loop: Collection[str], longest: dict[str, int]) -> Iterator[tuple[str, int]]:
    (turns,) = [turns for step, turns in longest.items() if step in loop]
    return ((name, turns) for name in loop)


def _events(state: State) -> int:
    """Events of one visit: entered and left, and for each attempt three of a task (scheduled, started, over)."""
    attempts = 1 + sum(int(rule["MaxAttempts"]) for rule in state.get("Retry", ()))
    return 2 + attempts * {"Task": 3, "Map": 2}.get(state["Type"], 0)


def _members(place: str) -> set[str]:
    """Keys of the dictionary a handler returns, or of one inside it."""
    return set(_items(_handler(place.split(".", maxsplit=1)[0]), _answer(place)))


def _answer(place: str) -> ast.expr:
    """What a handler returns, or a member of it."""
    folder, *within = place.split(".")
    tree = _handler(folder)
    (answer,) = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    for member in within:
        answer = _items(tree, answer)[member]
    assert answer
    return answer


def _handler(folder: str) -> ast.Module:
    return ast.parse((ROOT / "functions" / folder / "handler.py").read_text())


def _items(tree: ast.Module, node: ast.expr | None) -> dict[str, ast.expr]:
    """The items of a dictionary that is written out; of one taken in by `**`, those of its assignment."""
    assert isinstance(node, ast.Dict), "an answer is written out, member by member"
    items: dict[str, ast.expr] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        items |= _items(tree, _assigned(tree, value)) if key is None else {ast.literal_eval(key): value}
    return items


def _assigned(tree: ast.Module, name: ast.expr) -> ast.expr:
    (value,) = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == ast.unparse(name)
    ]
    return value
