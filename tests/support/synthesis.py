"""The template that `app.py` makes of a stage, as plain dictionaries."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.stage import Stage
from sluice.pipelines import PIPELINES

ROOT = Path(__file__).resolve().parents[2]

Resource = dict[str, Any]

PARTS = ("Lake", *(each.name.title().replace("_", "") for each in PIPELINES), "Observability")


@dataclass(frozen=True)
class Template:
    """A synthesised stage, or one part of it, whose resources have the logical ids they would have by themselves."""

    body: dict[str, Any]

    def part(self, name: str) -> "Template":
        """Return the resources of a part, and all outputs; references to other parts begin with their names."""
        own = {key for key in self.body["Resources"] if key.startswith(name)}
        resources = {key: value for key, value in self.body["Resources"].items() if key in own}
        body = {**self.body, "Resources": resources}
        whole = re.compile(rf'"{name}(\w+)"')
        short = whole.sub(lambda found: f'"{found[1]}"' if found[0][1:-1] in own else found[0], json.dumps(body))
        return Template(json.loads(short))

    def of_type(self, kind: str) -> dict[str, Resource]:
        """Return the resources of a type by logical id."""
        return {key: value for key, value in self.body["Resources"].items() if value["Type"] == kind}

    def named(self, kind: str, start: str) -> Resource:
        """Return the one resource of a type whose logical id begins with `start`."""
        (found,) = [value for key, value in self.of_type(kind).items() if key.startswith(start)]
        return found

    def properties(self, kind: str, start: str) -> dict[str, Any]:
        """Return the properties of that resource."""
        properties: dict[str, Any] = self.named(kind, start)["Properties"]
        return properties

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs."""
        return {name: text(output["Value"]) for name, output in self.body["Outputs"].items()}

    def statements(self, role_start: str) -> list[dict[str, Any]]:
        """Return the statements of the policies of the one role whose logical id begins with `role_start`."""
        (role,) = [key for key in self.of_type("AWS::IAM::Role") if key.startswith(role_start)]
        policies = [
            policy["Properties"]["PolicyDocument"]["Statement"]
            for policy in self.of_type("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Properties"]["Roles"]
        ]
        return [statement for policy in policies for statement in policy]


@dataclass(frozen=True)
class Synthesis:
    """A synthesised stage."""

    stage: Stage
    template: Template
    folder: Path

    @cached_property
    def by_part(self) -> Mapping[str, Template]:
        """The parts of its template by their names."""
        return {name: self.template.part(name) for name in PARTS}

    @property
    def lake(self) -> Template:
        """Part of the lake."""
        return self.by_part["Lake"]

    @property
    def event_files(self) -> Template:
        """Part of event files."""
        return self.by_part["EventFiles"]

    @property
    def vendor_exports(self) -> Template:
        """Part of the vendor's exports."""
        return self.by_part["VendorExports"]

    @property
    def tables(self) -> Template:
        """Part of the tables' upkeep."""
        return self.by_part["Tables"]

    @property
    def api_pull(self) -> Template:
        """Part of the pulls of the application's API."""
        return self.by_part["ApiPull"]

    @property
    def recommender(self) -> Template:
        """Part of the recommender."""
        return self.by_part["Recommender"]

    @property
    def observability(self) -> Template:
        """Part of observability."""
        return self.by_part["Observability"]

    def resources(self) -> Iterator[tuple[str, Resource]]:
        """Yield every resource with its logical id."""
        yield from self.template.body["Resources"].items()

    def function(self, folder: str) -> Resource:
        """Return the properties of the one function made of a folder."""
        (found,) = [function for name, function in self.functions() if name == folder]
        return found

    def functions(self) -> Iterator[tuple[str, Resource]]:
        """Yield the folder and the properties of every function."""
        for function in self.template.of_type("AWS::Lambda::Function").values():
            properties: Resource = function["Properties"]
            variables = properties.get("Environment", {}).get("Variables", {})
            if "POWERTOOLS_SERVICE_NAME" in variables:  # the CDK's own have none
                yield variables["POWERTOOLS_SERVICE_NAME"], properties


def synthesise(stage: Stage, folder: Path) -> Synthesis:
    """Synthesise a stage as the CDK command does, with the rules of the entry point."""
    from aws_cdk import App  # noqa: PLC0415  # starts a Node process, which few tests need

    from app import build  # noqa: PLC0415

    app = App(context=settings(), outdir=str(folder))
    build(app, stage)
    app.synth()
    return Synthesis(stage, Template(json.loads((folder / f"{stage.stack_name}.template.json").read_text())), folder)


def settings() -> dict[str, Any]:
    """Return the context of `cdk.json`."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


def listed(value: Any) -> list[Any]:
    """Return the value as a list; CloudFormation shortens lists of one."""
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    """Return a CloudFormation value as readable text: `<Lake.Arn>/runs/*`."""
    if not isinstance(value, Mapping):
        return str(value)
    (function, argument), *_ = value.items()
    match function:
        case "Fn::Join":
            return str(argument[0].join(text(part) for part in argument[1]))
        case "Fn::GetAtt":
            return f"<{'.'.join(argument)}>"
        case _:
            return f"<{text(argument)}>"
