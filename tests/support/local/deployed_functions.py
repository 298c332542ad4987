"""Deployed functions, called one by one, and the rights of their roles: the local cloud evaluates policies."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from cli.platform.session import LOCAL
from tests.support.local.deployed_cloud import Cloud

Right = tuple[str, str]
"""An action and a resource."""

# Rights that the emulator does not check: it writes logs and traces and reads queues by itself.
NOT_ASKED_FOR = ("logs:", "xray:", "sqs:")


class RefusedError(Exception):
    """A function failed; the message has its error."""


@dataclass(frozen=True)
class Function:
    """A deployed function, its pipeline and its role."""

    name: str
    pipeline: str
    role: str
    environment: dict[str, str]


class Functions:
    """Functions of a pipeline by their folders."""

    def __init__(self, cloud: Cloud, pipeline: str) -> None:
        self._lambda, self._iam = cloud.client("lambda"), cloud.client("iam")
        self._functions = {folder: function for folder, function in self._deployed() if function.pipeline == pipeline}
        self._withdrawn: dict[str, tuple[Right, dict[str, Any]]] = {}  # one right by folder, and the policy before

    @property
    def folders(self) -> list[str]:
        """Return the names of the functions' folders."""
        return sorted(self._functions)

    def call(self, folder: str, event: Mapping[str, Any], refused: Callable[[Any], bool] = lambda _: False) -> Any:
        """Call a function and return its answer; `refused` tells of an answer that its work was not done.

        Raises:
            RefusedError: It failed, and no right is withdrawn from it that would be the cause.
        """
        answer = self._lambda.invoke(FunctionName=self._functions[folder].name, Payload=json.dumps(event))
        body = json.load(answer["Payload"])
        if "FunctionError" not in answer and not refused(body):
            return body
        if folder not in self._withdrawn:
            raise RefusedError(f"{folder}: {body}")
        _, document = self._withdrawn.pop(folder)
        self._put(folder, document)
        return self.call(folder, event, refused)

    def environment(self, folder: str) -> dict[str, str]:
        """Return the environment that the stack gives a function."""
        return self._functions[folder].environment

    def rights(self, folder: str) -> set[Right]:
        """Return every right of a function's role that the emulator checks."""
        return {
            (action, resource)
            for statement in self._document(folder)["Statement"]
            for action in _listed(statement["Action"])
            for resource in _listed(statement["Resource"])
            if not action.startswith(NOT_ASKED_FOR)
        }

    @contextmanager
    def without(self, folder: str, *rights: Right) -> Iterator[None]:
        """Take rights away for the time of the context."""
        document = self._document(folder)
        self._put(folder, _without(document, rights))
        try:
            yield
        finally:
            self._put(folder, document)

    def not_needed(self, run: Callable[[], object], not_shown: Mapping[str, set[str]]) -> list[tuple[str, Right]]:
        """Return the rights that `run` does without, but for actions `not_shown` by the emulator.

        Each run withdraws one right from every function. One that fails gets it back and is called again: it is needed.
        """
        rights = [
            [(folder, right) for right in sorted(self.rights(folder)) if right[0] not in not_shown.get(folder, set())]
            for folder in self.folders
        ]
        found = []
        for withdrawn in zip_longest(*rights):
            for folder, right in filter(None, withdrawn):
                self._withdrawn[folder] = right, self._document(folder)
                self._put(folder, _without(self._document(folder), (right,)))
            try:
                run()
            finally:
                while self._withdrawn:
                    folder, (right, document) = self._withdrawn.popitem()
                    self._put(folder, document)
                    found.append((folder, right))
        return found

    def _deployed(self) -> Iterator[tuple[str, Function]]:
        for page in self._lambda.get_paginator("list_functions").paginate():
            for function in page["Functions"]:
                name, environment = function["FunctionName"], function["Environment"]["Variables"]
                role = function["Role"].split("/")[-1]
                if environment["STAGE"] == LOCAL:
                    folder = environment["POWERTOOLS_SERVICE_NAME"]
                    yield folder, Function(name, environment["PIPELINE"], role, environment)

    def _document(self, folder: str) -> dict[str, Any]:
        role = self._functions[folder].role
        document: dict[str, Any] = self._iam.get_role_policy(RoleName=role, PolicyName=self._policy(role))[
            "PolicyDocument"
        ]
        return document

    def _put(self, folder: str, document: dict[str, Any]) -> None:
        role = self._functions[folder].role
        self._iam.put_role_policy(RoleName=role, PolicyName=self._policy(role), PolicyDocument=json.dumps(document))

    def _policy(self, role: str) -> str:
        (policy,) = self._iam.list_role_policies(RoleName=role)["PolicyNames"]
        return str(policy)


def _without(document: dict[str, Any], rights: tuple[Right, ...]) -> dict[str, Any]:
    """Return a policy with a statement per right, but for those taken away."""
    allowed = [
        {"Effect": "Allow", "Action": action, "Resource": resource}
        for statement in document["Statement"]
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
        if (action, resource) not in rights
    ]
    return {**document, "Statement": allowed}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
