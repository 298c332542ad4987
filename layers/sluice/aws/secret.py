"""Secrets of Secrets Manager."""

import json
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class SecretError(Exception):
    """A secret cannot be used."""


class Secret:
    """Members of a secret that is one JSON object: read once, and again when what they open is refused."""

    def __init__(self, client: "SecretsManagerClient", secret_id: str, *members: str) -> None:
        self._client = client
        self._secret_id = secret_id
        self._members = members
        self._known: tuple[str, ...] | None = None

    def current(self) -> tuple[str, ...]:
        """Return the members, without white space around, from memory if they were read before."""
        return self.renewed() if self._known is None else self._known

    def renewed(self) -> tuple[str, ...]:
        """Read the members again: they may have been rotated.

        Raises:
            SecretError: The secret is no such object.
        """
        text = self._client.get_secret_value(SecretId=self._secret_id).get("SecretString", "")
        with suppress(ValueError, KeyError, TypeError):  # an error would hold the text
            secret = json.loads(text)
            self._known = tuple(str(secret[member]).strip() for member in self._members)
            return self._known
        names = " and ".join(self._members)
        raise SecretError(
            f"the secret {self._secret_id} must be one JSON object with {names}; put their values into it"
        )
