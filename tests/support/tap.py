"""A tap on boto3 clients: what happens at a chosen AWS call, below every adapter and above the network."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

Call = Callable[[], Any]
Around = Callable[[str, Call], Any]
"""Stands around an AWS call: is given the operation's name and the call, gives its result."""

READS = frozenset({"GetObject", "HeadObject", "ListObjectsV2", "GetItem", "BatchGetItem", "Query"})
"""Operations that change nothing: failing after one is failing before it."""


class AwsTroubleError(Exception):
    """AWS did not answer, or its answer was lost."""


class KilledError(BaseException):
    """The function was killed: timed out, out of memory. No code of it runs any more."""


class Tap:
    """Lets calls through, until somebody stands around them."""

    def __init__(self) -> None:
        self._around: Around | None = None

    def install(self, client: Any) -> None:
        """Lead every call of a client through the tap, those of its paginators too."""
        call = client._make_api_call

        def tapped(operation: str, parameters: dict[str, Any]) -> Any:
            around = self._around
            if around is None:
                return call(operation, parameters)
            return around(operation, lambda: call(operation, parameters))

        client._make_api_call = tapped

    @contextmanager
    def around(self, around: Around) -> Iterator[None]:
        self._around, before = around, self._around
        try:
            yield
        finally:
            self._around = before

    @contextmanager
    def listen(self) -> Iterator[list[str]]:
        """Give the operations that are called, in order."""
        operations: list[str] = []

        def note(operation: str, call: Call) -> Any:
            operations.append(operation)
            return call()

        with self.around(note):
            yield operations


@dataclass
class Trouble:
    """The `at`-th call (from 1) fails, before or after it took effect."""

    at: int
    after: bool = False
    killed: bool = False
    _count: int = 0
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, _operation: str, call: Call) -> Any:
        with self._lock:
            self._count += 1
            count = self._count
        if self.killed and count > self.at:
            raise KilledError
        if count != self.at:
            return call()
        if self.after:
            call()
        raise KilledError if self.killed else AwsTroubleError

    def __str__(self) -> str:
        return f"{'killed' if self.killed else 'error'}-{'after' if self.after else 'before'}-{self.at:03}"


@dataclass
class Interruption:
    """Before the `at`-th call (from 1) something else happens, whole."""

    at: int
    happens: Callable[[], object]
    _count: int = 0

    def __call__(self, _operation: str, call: Call) -> Any:
        self._count += 1
        if self._count == self.at:
            self.happens()
        return call()


def troubles(operations: list[str]) -> Iterator[Trouble]:
    """Yield every way in which one of these calls may go wrong: it fails, or the function dies at it.

    Between two writes nothing changes but the function's own memory: dying anywhere there is the same.
    """
    for at, operation in enumerate(operations, start=1):
        yield Trouble(at)
        if operation not in READS:
            yield Trouble(at, after=True)
            yield Trouble(at, killed=True)
    yield Trouble(len(operations), after=True, killed=True)
