"""Templates that `app.py` makes of a stage, as plain dictionaries."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.stage import Stage
from sluice.pipelines import PIPELINES

ROOT = Path(__file__).resolve().parents[2]

Resource = dict[str, Any]

STACKS = ("Lake", *(each.name.title().replace("_", "") for each in PIPELINES), "Observability")


@dataclass(frozen=True)
class Template:
    """One synthesised stack."""

    stack: str
    body: dict[str, Any]

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
        """Return the stack's outputs, without those that only other stacks import."""
        found = self.body["Outputs"].items()
        return {name: text(output["Value"]) for name, output in found if "Export" not in output}

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
    """A synthesised stage; `by_part` are its templates by the ends of the stacks' names."""

    stage: Stage
    by_part: Mapping[str, Template]
    folder: Path

    @property
    def lake(self) -> Template:
        """Stack of the lake."""
        return self.by_part["Lake"]

    @property
    def event_files(self) -> Template:
        """Stack of event files."""
        return self.by_part["EventFiles"]

    @property
    def vendor_exports(self) -> Template:
        """Stack of the vendor's exports."""
        return self.by_part["VendorExports"]

    @property
    def observability(self) -> Template:
        """Stack of observability."""
        return self.by_part["Observability"]

    @property
    def templates(self) -> tuple[Template, ...]:
        """All stacks."""
        return tuple(self.by_part.values())

    @property
    def working(self) -> tuple[Template, ...]:
        """Stacks with functions."""
        return tuple(template for template in self.templates if template is not self.lake)

    def resources(self) -> Iterator[tuple[str, Resource]]:
        """Yield every resource of all stacks with its logical id."""
        for template in self.templates:
            yield from template.body["Resources"].items()

    def function(self, folder: str) -> Resource:
        """Return the properties of the one function made of a folder."""
        (found,) = [function for name, function in self.functions() if name == folder]
        return found

    def functions(self) -> Iterator[tuple[str, Resource]]:
        """Yield the folder and the properties of every function."""
        for template in self.working:
            for function in template.of_type("AWS::Lambda::Function").values():
                properties: Resource = function["Properties"]
                yield properties["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"], properties


def synthesise(stage: Stage, folder: Path) -> Synthesis:
    """Synthesise a stage as the CDK command does, with the rules of the entry point."""
    from aws_cdk import App  # noqa: PLC0415  # starts a Node process, which few tests need

    from app import build  # noqa: PLC0415

    app = App(context=settings(), outdir=str(folder))
    build(app, stage)
    app.synth()
    return Synthesis(stage, {part: _template(folder, f"{stage.stack_prefix}-{part}") for part in STACKS}, folder)


def settings() -> dict[str, Any]:
    """Return the context of `cdk.json`."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


def listed(value: Any) -> list[Any]:
    """Return the value as a list; CloudFormation shortens lists of one."""
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    """Return a CloudFormation value as readable text: `<Lake.Arn>/runs/*`, `import:<export>`."""
    if not isinstance(value, Mapping):
        return str(value)
    (function, argument), *_ = value.items()
    match function:
        case "Fn::Join":
            return str(argument[0].join(text(part) for part in argument[1]))
        case "Fn::GetAtt":
            return f"<{'.'.join(argument)}>"
        case "Fn::ImportValue":
            return f"import:{argument}"
        case _:
            return f"<{text(argument)}>"


def _template(folder: Path, stack: str) -> Template:
    return Template(stack, json.loads((folder / f"{stack}.template.json").read_text()))
