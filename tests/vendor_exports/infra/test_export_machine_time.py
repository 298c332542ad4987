"""The time that the Export machine may take, and the bounds of its loops."""

from collections.abc import Callable, Collection, Iterator

import pytest

from infra.vendor_exports.settings import VendorExports
from sluice.vendor_exports import run_summary as states
from sluice.vendor_exports.delivery.job import SHORTEST_WAIT, NextStep
from tests.support.machine_graph import Graph, Machine, State, loops, machine, reached, targets
from tests.support.stages import FEATURE, STAGES
from tests.support.synthesis import Synthesis

COMPLETE = "Is the job complete?"
MOST_EVENTS = 25_000  # of a history; Step Functions ends an execution that has more


def test_waits(odd: Synthesis) -> None:
    export, settings = machine(odd.vendor_exports, "Export"), odd.stage.settings(VendorExports)
    waits = {name: state for name, state in export.states.items() if state["Type"] == "Wait"}
    begin = waits.pop(states.WAIT_FOR_BEGIN)
    assert (begin["Seconds"], begin["Next"]) == (settings.first_wait_seconds, states.CHECK_JOB)
    assert {name: (wait["SecondsPath"], wait["Next"]) for name, wait in waits.items()} == {
        "Wait until the vendor allows it": ("$.trigger.wait_seconds", states.TRIGGER),
        states.WAIT_FOR_JOB: ("$.check.wait_seconds", states.CHECK_JOB),
        states.WAIT_FOR_FILES: ("$.delivery.wait_seconds", states.LIST),
    }


def test_the_settings_of_the_stage_bound_the_machine(odd: Synthesis) -> None:
    export, settings = machine(odd.vendor_exports, "Export"), odd.stage.settings(VendorExports)
    assert export.definition["TimeoutSeconds"] == settings.timeout_minutes * 60
    assert export.map["MaxConcurrency"] == settings.copy_max_concurrency


def test_the_machine_is_dead_before_its_lease_ends(odd: Synthesis, stage: Synthesis) -> None:
    """Else another execution would take the slot of one that still works."""
    for synthesis in (odd, stage):
        lease = synthesis.function("claim_slot")["Environment"]["Variables"]["LEASE_MINUTES"]
        assert machine(synthesis.vendor_exports, "Export").definition["TimeoutSeconds"] < int(lease) * 60


def test_a_loop_counts_what_bounds_it(export: Machine) -> None:
    found = loops(_never_lost(export))
    assert len(found) == len(_longest(VendorExports()))
    for step in _longest(VendorExports()):
        assert len([loop for loop in found if step in loop]) == 1


def test_a_lost_job_makes_one_loop_of_the_trigger_and_the_check(export: Machine) -> None:
    joined = {loop for loop in loops(_never_lost(export)) if loop & {states.TRIGGER, states.CHECK_JOB}}
    assert _again(export) == frozenset({states.WAIT_FOR_BEGIN}).union(*joined)
    assert loops(export.definition) == loops(_never_lost(export)) - joined | {_again(export)}


def test_a_job_is_lost_once_because_the_check_is_told_of_the_trigger(export: Machine) -> None:
    """From the trigger only its "accepted", which nothing writes over, leads to the wait and so to another check."""

    def before(target: str) -> set[str]:
        return {name for name, state in export.states.items() if target in targets(state)}

    assert before(states.CHECK_JOB) == {"Is the slot free?", states.WAIT_FOR_BEGIN, states.WAIT_FOR_JOB}
    assert states.CHECK_JOB not in reached(export.definition, states.TRIGGER, barred={states.WAIT_FOR_BEGIN})
    assert before(states.WAIT_FOR_BEGIN) == {"Did the vendor take the job?"}
    assert [name for name, state in export.states.items() if state.get("ResultPath") == "$.trigger"] == [states.TRIGGER]


@pytest.mark.parametrize("name", [*STAGES, FEATURE])
def test_the_longest_execution_stays_well_below_what_a_history_holds(
    synthesis_of: Callable[[str], Synthesis], name: str
) -> None:
    """Every step repeated as often as it may be, in every turn of every loop; a job that is lost comes on top, once.

    The seconds waited and the polls are not counted anew for the job that replaces it.
    """
    synthesis = synthesis_of(name)
    export = machine(synthesis.vendor_exports, "Export")
    longest = _longest(synthesis.stage.settings(VendorExports))
    turns = {name: turns for loop in loops(_never_lost(export)) for name, turns in _turns(loop, longest)}
    again = _again(export)
    events = sum(_events(state) * (turns.get(name, 1) + (name in again)) for name, state in export.states.items())
    assert events < MOST_EVENTS * 2 / 3


def _longest(settings: VendorExports) -> dict[str, int]:
    """Return the most visits of each step: as long as the vendor keeps it waiting, and then once to give up."""
    return {
        states.TRIGGER: settings.patience_seconds // SHORTEST_WAIT + 1,
        states.CHECK_JOB: settings.deadline_seconds // settings.poll_seconds + 1,
        states.LIST: settings.patience_seconds // settings.poll_seconds + settings.rounds,
    }


def _never_lost(export: Machine) -> Graph:
    """The machine as long as no job is lost: what its other loops are is seen only so."""
    question = export.states[COMPLETE]
    kept = [rule for rule in question["Choices"] if rule["StringEquals"] != NextStep.LOST]
    return {**export.definition, "States": {**export.states, COMPLETE: {**question, "Choices": kept}}}


def _again(export: Machine) -> frozenset[str]:
    """The loop from the check back to the trigger."""
    (loop,) = [loop for loop in loops(export.definition) if {states.TRIGGER, states.CHECK_JOB} <= loop]
    return loop


def _turns(loop: Collection[str], longest: dict[str, int]) -> Iterator[tuple[str, int]]:
    (turns,) = [turns for step, turns in longest.items() if step in loop]
    return ((name, turns) for name in loop)


def _events(state: State) -> int:
    """Events of one visit: entered and left, and for each attempt three of a task (scheduled, started, over)."""
    attempts = 1 + sum(int(rule["MaxAttempts"]) for rule in state.get("Retry", ()))
    return 2 + attempts * {"Task": 3, "Map": 2}.get(state["Type"], 0)
