"""Settings of a function, read from its environment once, at cold start."""

import json
import os
from dataclasses import fields
from typing import Any, TypeVar, get_origin

Settings = TypeVar("Settings")


class SettingsError(Exception):
    """The environment lacks a setting or holds a wrong one."""


def read_settings(kind: type[Settings]) -> Settings:
    """Fill a dataclass from the environment variables named like its fields, in capitals.

    Fields are ``str``, ``int``, or ``dict[…]``: a variable that holds a JSON object.

    Raises:
        SettingsError: A variable is missing, or is no number or JSON object though its field is one.
    """
    values: dict[str, Any] = {}
    for field in fields(kind):  # type: ignore[arg-type]
        name = field.name.upper()
        try:
            values[field.name] = _value(os.environ[name], field.type)
        except KeyError:
            raise SettingsError(f"the environment variable {name} is not set; the stack sets it") from None
        except ValueError:
            wanted = "a whole number" if field.type is int else "a JSON object"
            raise SettingsError(f"the environment variable {name} must be {wanted}") from None
    return kind(**values)


def _value(text: str, kind: object) -> object:
    if kind is int:
        return int(text)
    return json.loads(text) if get_origin(kind) is dict else text
