"""Faults of what opens the data: secrets, tokens, signed URLs."""

from __future__ import annotations

from collections.abc import Callable

from cli.simulator.exchange import Call, Request
from cli.simulator.faults.base import Fault, Target
from cli.simulator.vendor import Vendor


class Happening(Fault):
    """Something happens at the vendor's just before it answers a request."""

    def __init__(self, target: Target, happen: Callable[[Vendor], None]) -> None:
        """Say before which requests, and what."""
        self._target = target
        self._happen = happen

    def before(self, vendor: Vendor, request: Request) -> None:
        """Let it happen."""
        if self._target.hits(request):
            self._happen(vendor)


class SecretRotated(Fault):
    """The second secret is valid, the first one is not: 401."""

    def secrets(self, valid: frozenset[str], next_secret: str) -> frozenset[str]:  # noqa: ARG002 - a hook
        """Only the second."""
        return frozenset({next_secret})


class SecretRevoked(Fault):
    """No secret is valid: 401."""

    def secrets(self, valid: frozenset[str], next_secret: str) -> frozenset[str]:  # noqa: ARG002 - a hook
        """None."""
        return frozenset()


def tokens_expire(after: int = 2) -> Fault:
    """All tokens expire after so many polls (401); new ones work."""
    return Happening(Target(Call.STATUS, after=after, times=1), lambda vendor: vendor.tokens.revoke_all())


def urls_expire(after: int = 3) -> Fault:
    """All URLs handed out expire after so many downloads (403); new ones work."""
    return Happening(Target(Call.FILE, after=after, times=1), lambda vendor: vendor.signatures.revoke_all())
