"""Two independent validators of the same event, which must agree on the members that are wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import jsonschema_rs

if TYPE_CHECKING:
    import jsonschema


def json_pointer(path: Iterable[str | int]) -> str:
    """Return the JSON pointer (RFC 6901) of a path in a document; the root is the empty text."""
    return "".join("/" + str(member).replace("~", "~0").replace("/", "~1") for member in path)


class DualValidator:
    """Validates events by one schema, with jsonschema and with jsonschema-rs."""

    def __init__(self, schema: dict[str, Any]) -> None:
        """Compile `schema` for both validators; raise ValueError when one of them refuses it."""
        import jsonschema  # noqa: PLC0415 - slow to import

        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            raise ValueError(f"at {json_pointer(error.absolute_path) or 'the root'}: {error.message}") from None
        self._slow = jsonschema.Draft202012Validator(schema)
        self._fast = jsonschema_rs.Draft202012Validator(schema)

    def is_valid(self, event: object) -> bool:
        """Return the verdict of the fast validator alone."""
        return self._fast.is_valid(event)

    def rules(self, event: object) -> set[str]:
        """Return the names of the keywords the event breaks, by the fast validator."""
        return {error.kind.name for error in self._fast.iter_errors(event)}

    def broken(self, event: object) -> set[str]:
        """Return pointers of the members that are wrong or missing; empty when the event is valid.

        Raises:
            ValueError: The validators do not agree.
        """
        slow = {pointer for error in self._slow.iter_errors(event) for pointer in _slow_pointers(error)}
        fast = {_fast_pointer(error) for error in self._fast.iter_errors(event)}
        if slow != fast or self._fast.is_valid(event) != (not fast):
            raise ValueError(f"the validators disagree: jsonschema at {sorted(slow)}, jsonschema-rs at {sorted(fast)}")
        return fast


def _slow_pointers(error: jsonschema.ValidationError) -> list[str]:
    path = list(error.absolute_path)
    if error.validator != "required":
        return [json_pointer(path)]
    instance: Any = error.instance
    return [json_pointer([*path, name]) for name in error.validator_value if name not in instance]


def _fast_pointer(error: jsonschema_rs.ValidationError) -> str:
    missing = [error.kind.as_dict()["property"]] if error.kind.name == "required" else []
    return json_pointer([*error.instance_path, *missing])
