"""Contracts' JSON Schemas as rules of Cerberus, models of pydantic and types of msgspec."""

import keyword
from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import Annotated, Any, ClassVar, Literal

import cerberus
import msgspec
import pydantic

_TYPES = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "array": "list",
    "object": "dict",
}
_SAME = {"minimum": "min", "maximum": "max", "pattern": "regex"}


class CerberusValidator(cerberus.Validator):  # type: ignore[misc]
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
    allowed, types = _allowed(schema), _names(schema)
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


_SCALARS: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool, "null": None}


def _names(schema: dict[str, Any]) -> list[str]:
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else types


def _allowed(schema: dict[str, Any]) -> Any:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _named_type(name: str, schema: dict[str, Any], of: Callable[..., Any], model: Callable[..., Any], note: Any) -> Any:
    """Return the type of a JSON type; `of`, `model` and `note` make those of parts, of objects, and of bounds."""
    if name == "object":
        return model(schema) if "properties" in schema else dict
    if name == "array":
        return list[of(schema["items"])] if "items" in schema else list  # type: ignore[misc]
    if name == "string" and "pattern" in schema:
        return Annotated[str, note(pattern=schema["pattern"])]
    if name in {"integer", "number"} and "minimum" in schema:
        return Annotated[_SCALARS[name], note(ge=schema["minimum"], le=schema["maximum"])]
    return _SCALARS[name]


class _Model(pydantic.BaseModel):
    # lookaheads, which some patterns have, only Python's engine knows
    model_config = pydantic.ConfigDict(strict=True, regex_engine="python-re")


class _Judgement(_Model):
    """The one condition that contracts have: it names its prediction or its service."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def has_origin(cls, members: Any) -> Any:
        if not any(isinstance(members.get(name), str) for name in ("prediction_id", "service")):
            raise ValueError("names neither its prediction nor its service")
        return members


def pydantic_model(schema: dict[str, Any]) -> type[pydantic.BaseModel]:
    """Return the model of an object's schema."""
    fields: dict[str, Any] = {}
    for number, (name, part) in enumerate(schema["properties"].items()):
        default = ... if name in schema.get("required", ()) else None
        fields[f"member_{number}"] = (_pydantic_type(part), pydantic.Field(default, alias=name))
    return pydantic.create_model("Model", __base__=_Judgement if "if" in schema else _Model, **fields)


def _pydantic_type(schema: dict[str, Any]) -> Any:
    if allowed := _allowed(schema):
        return Literal[tuple(allowed)]
    types = [_named_type(name, schema, _pydantic_type, pydantic_model, pydantic.Field) for name in _names(schema)]
    return reduce(or_, types) if types else Any


class _Body(msgspec.Struct):  # type: ignore[misc]
    service: Any = None
    prediction_id: Any = None


class _Detail(msgspec.Struct):  # type: ignore[misc]
    evaluation: _Body | None = None
    prediction: _Body | None = None


class _Head(msgspec.Struct):  # type: ignore[misc]
    """Members that tell the origin of an event."""

    source: Any = None
    detail: _Detail | None = None
    detail_type: Any = msgspec.field(name="detail-type", default=None)


class _JudgementStruct(msgspec.Struct):  # type: ignore[misc]
    """The one condition that contracts have: it names its prediction or its service."""

    def __post_init__(self) -> None:
        members: Any = self
        if not isinstance(members.prediction_id, str) and not isinstance(members.service, str):
            raise ValueError("names neither its prediction nor its service")


HEAD = msgspec.json.Decoder(_Head)


def msgspec_type(schema: dict[str, Any]) -> Any:
    """Return the type of what a schema admits."""
    if allowed := _allowed(schema):
        literal: Any = Literal[tuple(value for value in allowed if value is not None)]
        return literal | None if None in allowed else literal
    names = _names(schema)
    if "number" in names:
        names = [name for name in names if name != "integer"]
    types = [_named_type(name, schema, msgspec_type, _struct, msgspec.Meta) for name in names]
    return reduce(or_, types) if types else Any


def _struct(schema: dict[str, Any]) -> Any:
    names = {_identifier(name, number): name for number, name in enumerate(schema["properties"])}
    fields: list[Any] = []
    for own, name in names.items():
        type_ = msgspec_type(schema["properties"][name])
        required = name in schema.get("required", ())
        fields.append((own, type_) if required else (own, type_ | msgspec.UnsetType, msgspec.UNSET))
    bases = (_JudgementStruct,) if "if" in schema else ()
    return msgspec.defstruct("Struct", fields, bases=bases, kw_only=True, rename=names)


def _identifier(name: str, number: int) -> str:
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"member_{number}"
