"""CloudFormation's functions in a template, resolved to what they stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")


class UnresolvedError(LookupError):
    """The template refers to something nobody knows the value of."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """Values of a template's references.

    Attributes:
        references: What `Ref` gives, by logical id or pseudo parameter.
        attributes: What `Fn::GetAtt` gives, by logical id and attribute.
        exports: What `Fn::ImportValue` gives, by name.
    """

    references: Mapping[str, str]
    attributes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    exports: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        """Any value of a template with its functions resolved.

        Raises:
            UnresolvedError: It refers to something that has no value here.
        """
        if isinstance(value, list):
            return [self.resolve(part) for part in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        return {key: self.resolve(part) for key, part in value.items()}

    def _call(self, name: str, argument: Any) -> Any:  # noqa: ANN401 - any JSON value
        match name:
            case "Ref":
                return _known(self.references, argument)
            case "Fn::GetAtt":
                return self._attribute(argument)
            case "Fn::ImportValue":
                return _known(self.exports, self.resolve(argument))
            case "Fn::Sub":
                return self._substitute(argument)
        return _of_texts(name, self.resolve(argument))

    def _attribute(self, argument: Any) -> str:  # noqa: ANN401 - a list or a text with a dot
        logical_id, name = argument if isinstance(argument, list) else argument.split(".", 1)
        return _known(self.attributes, (logical_id, name))

    def _substitute(self, argument: Any) -> str:  # noqa: ANN401 - a text, or a list of a text and its variables
        text, variables = argument if isinstance(argument, list) else (argument, {})
        return _VARIABLE.sub(lambda found: self._variable(found, variables), text)

    def _variable(self, found: re.Match[str], variables: Mapping[str, Any]) -> str:
        literal, name = found.groups()
        if literal:
            return f"${{{name}}}"
        if name in variables:
            return str(self.resolve(variables[name]))
        return self._attribute(name) if "." in name else _known(self.references, name)


def _of_texts(name: str, arguments: Any) -> Any:  # noqa: ANN401 - a text or a list of them
    match name:
        case "Fn::Join":
            return str(arguments[0]).join(map(str, arguments[1]))
        case "Fn::Split":
            return str(arguments[1]).split(arguments[0])
        case "Fn::Select":
            return arguments[1][int(arguments[0])]
    raise UnresolvedError(f"function {name}")


def _known(values: Mapping[Any, str], key: Any) -> str:  # noqa: ANN401 - a name or a pair of names
    if key not in values:
        raise UnresolvedError(f"nothing is known of {key}")
    return values[key]
