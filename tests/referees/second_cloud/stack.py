"""Stages as an emulator can make them: their templates without resources of types that it does not know."""

import json
from collections.abc import Collection
from typing import Any

Json = dict[str, Any]

_NAMES = ("Name", "DatabaseInput", "TableInput")


def without(template: Json, types: Collection[str], account: str, region: str) -> Json:
    """Return a template without resources of some types, and with names and ARNs for what refers to them."""
    resources: Json = template["Resources"]
    gone = {name: each for name, each in resources.items() if each["Type"] in types}

    def put(value: Any) -> Any:
        match value:
            case {"Ref": str(name)} if name in gone:
                return _name(name, gone[name], account, region)
            case {"Fn::GetAtt": [str(name), _]} if name in gone:
                return f"arn:aws:other:{region}:{account}:{name}"
            case {"DependsOn": str() | list() as needed, **others}:
                kept = [each for each in ([needed] if isinstance(needed, str) else needed) if each not in gone]
                return {**put(others), "DependsOn": kept}
            case dict():
                return {name: put(each) for name, each in value.items()}
            case list():
                return [put(each) for each in value]
        return value

    left = {name: put(each) for name, each in resources.items() if name not in gone}
    return {**template, "Resources": left, "Outputs": put(template.get("Outputs", {}))}


def _name(name: str, resource: Json, account: str, region: str) -> str:
    """Return what a reference to a resource gives: its name, where the template says it, or else an ARN."""
    properties = resource.get("Properties", {})
    given = next((properties[each] for each in _NAMES if each in properties), None)
    found = given.get("Name") if isinstance(given, dict) else given
    return found if isinstance(found, str) else f"arn:aws:other:{region}:{account}:{name}"


def types_of(template: Json) -> set[str]:
    """Return the types of a template's resources."""
    return {each["Type"] for each in template["Resources"].values()}


def as_text(value: Any) -> str:
    """Return a value as JSON, the same for equal values."""
    return json.dumps(value, default=str, sort_keys=True)
