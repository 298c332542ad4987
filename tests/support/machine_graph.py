"""The graph of a state machine: what leads where, nested state machines of maps included."""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.synthesis import Resource, Template, text

State = dict[str, Any]
Graph = dict[str, Any]

ENDS = {"Succeed", "Fail"}
MACHINE = "AWS::StepFunctions::StateMachine"


@dataclass(frozen=True)
class Machine:
    """A state machine of a synthesised stack."""

    name: str
    template: Template
    resource: Resource
    definition: Graph

    @property
    def states(self) -> dict[str, State]:
        """The machine's own states."""
        states: dict[str, State] = self.definition["States"]
        return states

    @property
    def map(self) -> State:
        """The one map of the machine."""
        ((_, found),) = self.of_type("Map")
        return found

    @property
    def in_map(self) -> dict[str, State]:
        """The states of the map's child executions."""
        states: dict[str, State] = self.map["ItemProcessor"]["States"]
        return states

    def of_type(self, kind: str) -> Iterator[tuple[str, State]]:
        """Yield name and state of every state of a type, those in maps included."""
        for graph in graphs(self.definition):
            yield from ((name, state) for name, state in graph["States"].items() if state["Type"] == kind)


def machine(template: Template, name: str) -> Machine:
    """The machine whose construct has that name."""
    resource = template.named(MACHINE, name)
    return Machine(name, template, resource, json.loads(text(resource["Properties"]["DefinitionString"])))


def definition_text(resource: Resource) -> str:
    """The definition of a state machine as AWS gets it, with ARNs where references are."""
    joined = text(resource["Properties"]["DefinitionString"]).replace("<AWS::Partition>", "aws")
    return re.sub(r"<(\w+)\.Arn>", r"arn:aws:lambda:eu-central-1:123456789012:function:\1", joined)


def graphs(definition: Graph) -> Iterator[Graph]:
    """Yield the machine and, one by one, the machines inside its maps and parallels."""
    yield definition
    for state in definition["States"].values():
        inner = [state[key] for key in ("ItemProcessor", "Iterator") if key in state]
        for nested in [*inner, *state.get("Branches", ())]:
            yield from graphs(nested)


def targets(state: State) -> list[str]:
    """Return the states that follow: its next state, its choices, its default, and where it goes when it catches."""
    found = [rule["Next"] for key in ("Choices", "Catch") for rule in state.get(key, ())]
    return found + [state[key] for key in ("Next", "Default") if key in state]


def reached(graph: Graph, start: str, barred: Collection[str] = ()) -> set[str]:
    """Every state one can come to from `start`, itself included, without passing a barred one."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name not in found and name not in barred:
            found.add(name)
            ahead += targets(graph["States"][name])
    return found


def loops(graph: Graph) -> set[frozenset[str]]:
    """The loops: states that lead to one another, loops that share a state taken as one."""
    ways = {name: reached(graph, name) for name in graph["States"]}
    rings = {frozenset(other for other in way if name in ways[other]) for name, way in ways.items()}
    return {ring for ring in rings if any(set(targets(graph["States"][name])) & ring for name in ring)}


def path(graph: Graph, start: str) -> list[str]:
    """The states one comes through where nothing fails and nothing is asked."""
    names: list[str] = []
    name = start
    while name:
        names.append(name)
        name = graph["States"][name].get("Next", "")
    return names


def is_end(state: State) -> bool:
    """Tell whether an execution can stop in a state."""
    return state["Type"] in ENDS or bool(state.get("End"))
