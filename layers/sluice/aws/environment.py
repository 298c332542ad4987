"""A function's settings, read from its environment once, at cold start."""

import os
from dataclasses import fields
from typing import Any, TypeVar

Settings = TypeVar("Settings")


class SettingsError(Exception):
    """The environment lacks a setting or holds a wrong one."""


def read_settings(kind: type[Settings]) -> Settings:
    """Fill a dataclass of ``str`` and ``int`` fields from the environment variables named like them, in capitals.

    Raises:
        SettingsError: A variable is missing or is no number where one is asked for.
    """
    values: dict[str, Any] = {}
    for field in fields(kind):  # type: ignore[arg-type]
        name = field.name.upper()
        try:
            values[field.name] = int(os.environ[name]) if field.type in {int, "int"} else os.environ[name]
        except KeyError:
            raise SettingsError(f"the environment variable {name} is not set; the stack sets it") from None
        except ValueError:
            raise SettingsError(f"the environment variable {name} must be a whole number") from None
    return kind(**values)
