"""The graph of a state machine: what leads where, nested state machines of maps included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

State = dict[str, Any]

ENDS = {"Succeed", "Fail"}


def graphs(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the machine and, one by one, the machines inside its maps and parallels."""
    yield definition
    for state in definition["States"].values():
        inner = [state[key] for key in ("ItemProcessor", "Iterator") if key in state]
        for nested in [*inner, *state.get("Branches", ())]:
            yield from graphs(nested)


def targets(state: State) -> list[str]:
    """Where a state leads: its next state, its choices, its default, what it does when it catches."""
    found = [rule["Next"] for key in ("Choices", "Catch") for rule in state.get(key, ())]
    return found + [state[key] for key in ("Next", "Default") if key in state]


def reached(graph: dict[str, Any], start: str) -> set[str]:
    """Every state one can come to from `start`, itself included."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += targets(graph["States"][name])
    return found


def is_end(state: State) -> bool:
    """Whether an execution can stop here."""
    return state["Type"] in ENDS or bool(state.get("End"))
