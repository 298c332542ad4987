"""A contract's JSON Schema as types, which msgspec decodes into at once."""

import keyword
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

import msgspec

_SCALARS: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool, "null": None}


class _Body(msgspec.Struct):  # type: ignore[misc]
    service: Any = None
    prediction_id: Any = None


class _Detail(msgspec.Struct):  # type: ignore[misc]
    evaluation: _Body | None = None
    prediction: _Body | None = None


class _Head(msgspec.Struct):  # type: ignore[misc]
    """What an event says of its origin."""

    source: Any = None
    detail: _Detail | None = None
    detail_type: Any = msgspec.field(name="detail-type", default=None)


class _Judgement(msgspec.Struct):  # type: ignore[misc]
    """The one condition that contracts have: it names its prediction or its service."""

    def __post_init__(self) -> None:
        members: Any = self
        if not isinstance(members.prediction_id, str) and not isinstance(members.service, str):
            raise ValueError("names neither its prediction nor its service")


HEAD = msgspec.json.Decoder(_Head)


def type_of(schema: dict[str, Any]) -> Any:
    """Return the type of what a schema admits."""
    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    if allowed:
        literal: Any = Literal[tuple(value for value in allowed if value is not None)]
        return literal | None if None in allowed else literal
    types = schema.get("type", [])
    names = [types] if isinstance(types, str) else types
    if "number" in names:
        names = [name for name in names if name != "integer"]
    return reduce(or_, [_type(name, schema) for name in names]) if names else Any


def _type(name: str, schema: dict[str, Any]) -> Any:
    if name == "object":
        return _struct(schema) if "properties" in schema else dict
    if name == "array":
        return list[type_of(schema["items"])] if "items" in schema else list  # type: ignore[misc]
    if name == "string" and "pattern" in schema:
        return Annotated[str, msgspec.Meta(pattern=schema["pattern"])]
    if name in {"integer", "number"} and "minimum" in schema:
        return Annotated[_SCALARS[name], msgspec.Meta(ge=schema["minimum"], le=schema["maximum"])]
    return _SCALARS[name]


def _struct(schema: dict[str, Any]) -> Any:
    names = {_identifier(name, number): name for number, name in enumerate(schema["properties"])}
    fields: list[Any] = []
    for own, name in names.items():
        type_ = type_of(schema["properties"][name])
        required = name in schema.get("required", ())
        fields.append((own, type_) if required else (own, type_ | msgspec.UnsetType, msgspec.UNSET))
    bases = (_Judgement,) if "if" in schema else ()
    return msgspec.defstruct("Struct", fields, bases=bases, kw_only=True, rename=names)


def _identifier(name: str, number: int) -> str:
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"member_{number}"
