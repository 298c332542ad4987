"""A contract's JSON Schema as a model of pydantic, strict: a number written as text is none."""

from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

import pydantic

_SCALARS: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool, "null": None}


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


def model_of(schema: dict[str, Any]) -> type[pydantic.BaseModel]:
    """Return the model of an object's schema."""
    fields: dict[str, Any] = {}
    for number, (name, part) in enumerate(schema["properties"].items()):
        default = ... if name in schema.get("required", ()) else None
        fields[f"member_{number}"] = (_type_of(part), pydantic.Field(default, alias=name))
    return pydantic.create_model("Model", __base__=_Judgement if "if" in schema else _Model, **fields)


def _type_of(schema: dict[str, Any]) -> Any:
    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    if allowed:
        return Literal[tuple(allowed)]
    types = schema.get("type", [])
    names = [types] if isinstance(types, str) else types
    return reduce(or_, [_type(name, schema) for name in names]) if names else Any


def _type(name: str, schema: dict[str, Any]) -> Any:
    if name == "object":
        return model_of(schema) if "properties" in schema else dict
    if name == "array":
        return list[_type_of(schema["items"])] if "items" in schema else list  # type: ignore[misc]
    if name == "string" and "pattern" in schema:
        return Annotated[str, pydantic.Field(pattern=schema["pattern"])]
    if name in {"integer", "number"} and "minimum" in schema:
        return Annotated[_SCALARS[name], pydantic.Field(ge=schema["minimum"], le=schema["maximum"])]
    return _SCALARS[name]
