"""A contract's JSON Schema as rules for Cerberus: what the original wrote by hand, made by machine."""

from typing import Any, ClassVar

import cerberus

_TYPES = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "array": "list",
    "object": "dict",
}
_SAME = {"minimum": "min", "maximum": "max", "pattern": "regex"}


class Validator(cerberus.Validator):  # type: ignore[misc]
    """Cerberus, but that true is no integer, and with the one condition that contracts have."""

    types_mapping: ClassVar[dict[str, Any]] = {
        **cerberus.Validator.types_mapping,
        "integer": cerberus.TypeDefinition("integer", (int,), (bool,)),
    }

    def _check_with_origin(self, field: str, value: dict[str, Any]) -> None:
        if not isinstance(value.get("prediction_id"), str) and not isinstance(value.get("service"), str):
            self._error(field, "names neither its prediction nor its service")


def cerberus_rules(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the rules of an object's members."""
    required = schema.get("required", ())
    return {name: {**_rules(part), "required": name in required} for name, part in schema["properties"].items()}


def _rules(schema: dict[str, Any]) -> dict[str, Any]:
    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if allowed and not types:
        types = ["string"]  # as all are; of a list Cerberus would only compare the items with what is allowed
    rules: dict[str, Any] = {name: schema[key] for key, name in _SAME.items() if key in schema}
    rules["nullable"] = "null" in types or (None in allowed if allowed else not types)
    if allowed:
        rules["allowed"] = [value for value in allowed if value is not None]
    if types:
        rules["type"] = [_TYPES[name] for name in types if name != "null"]
    if "items" in schema:
        rules["schema"] = _rules(schema["items"])
    if "properties" in schema:
        rules["schema"] = cerberus_rules(schema)
    if "if" in schema:
        rules["check_with"] = "origin"
    return rules
