"""What judges written by others say of every stage: cfn-lint of its template, statelint of the state machines in it.

The synthesis itself is judged by the CDK's own rules and cdk-nag's (`test_rules.py`). Definitions are judged with
their joins resolved, by cfn-lint too, which cannot read them otherwise.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint
from statelint.config import Config
from statelint.linter import Linter
from statelint.problem import ProblemType

from tests.support.machine_graph import MACHINE, definition_text
from tests.support.stages import FEATURE, STAGES
from tests.support.synthesis import Synthesis

_SET_ASIDE = {
    "W3005": "The CDK names dependencies that references enforce already.",
    "W8003": "The condition that keeps resources out of the local cloud is false on purpose.",
}

_NEWER_THAN_THE_JUDGE = ("Label", "InputType", "ItemsPointer")
"""Fields of a Distributed Map that AWS documents, and the specification that statelint reads does not have."""


@pytest.mark.parametrize("name", [*STAGES, FEATURE])
def test_every_template_passes(synthesis_of: Callable[[str], Synthesis], name: str) -> None:
    assert _findings(synthesis_of(name).folder) == []


@pytest.mark.parametrize("name", [*STAGES, FEATURE])
def test_every_machine_passes(synthesis_of: Callable[[str], Synthesis], name: str) -> None:
    machines = synthesis_of(name).template.of_type(MACHINE)
    assert machines
    assert {key: found for key, each in machines.items() if (found := _faults(definition_text(each)))} == {}


def test_careless_ones_do_not(tmp_path: Path) -> None:
    definition: dict[str, Any] = {
        "StartAt": "Sleep",
        "States": {"Sleep": {"Type": "Wait", "Seconds": "long", "End": True}},
    }
    machine = {
        "RoleArn": "arn:aws:iam::123456789012:role/any",
        "DefinitionString": {"Fn::Join": ["", [json.dumps(definition)]]},
    }
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"MessageRetentionPeriod": 5}}
    resources = {"Machine": {"Type": MACHINE, "Properties": machine}, "Queue": queue}
    (tmp_path / "careless.template.json").write_text(json.dumps({"Resources": resources}))
    rules = {finding.split()[0] for finding in _findings(tmp_path)}
    assert rules == {"E3034", "E3601"}
    definition["States"]["Sleep"]["Seconds"] = 1
    definition["StartAt"] = "Nowhere"
    assert _faults(json.dumps(definition))


def _findings(folder: Path) -> list[str]:
    (file,) = folder.glob("*.template.json")
    template = json.loads(file.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == MACHINE:
            resource["Properties"]["DefinitionString"] = definition_text(resource)
    found = lint(json.dumps(template), config=ManualArgs(regions=["eu-central-1"], ignore_checks=list(_SET_ASIDE)))
    return [f"{each.rule.id} {each.path}: {each.message}" for each in found]


def _faults(definition: str) -> list[str]:
    # In JSON a float may be written as a whole number.
    faults: Iterator[str] = map(str, Linter.validate(definition, Config({ProblemType.FLOAT})))
    known = tuple(f'Field "{field}" not allowed' for field in _NEWER_THAN_THE_JUDGE)
    return [fault for fault in faults if not fault.startswith(known)]
