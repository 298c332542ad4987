"""A calls on boto3 clients: what happens at a chosen AWS call, below every adapter and above the network."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, Semaphore, local
from typing import Any, Generic, TypeVar

Call = Callable[[], Any]
Around = Callable[[str, Call], Any]
"""Stands around an AWS call: is given the operation's name and the call, gives its result."""

READS = frozenset({"GetObject", "HeadObject", "ListObjectsV2", "GetItem", "BatchGetItem", "Query"})
"""Operations that change nothing: failing after one is failing before it."""


class AwsUnavailableError(Exception):
    """AWS did not answer, or its answer was lost."""


class KilledError(BaseException):
    """The function was killed: timed out, out of memory. No code of it runs any more."""


class AwsCalls:
    """Lets calls through, until somebody stands around them."""

    def __init__(self) -> None:
        self._around: Around | None = None

    def install(self, client: Any) -> None:
        """Lead every call of a client through the calls, those of its paginators too."""
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
class CallFailure:
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
        raise KilledError if self.killed else AwsUnavailableError

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


def call_failures(operations: list[str]) -> Iterator[CallFailure]:
    """Yield every way in which one of these calls may go wrong: it fails, or the function dies at it.

    Between two writes nothing changes but the function's own memory: dying anywhere there is the same.
    """
    for at, operation in enumerate(operations, start=1):
        yield CallFailure(at)
        if operation not in READS:
            yield CallFailure(at, after=True)
            yield CallFailure(at, killed=True)
    yield CallFailure(len(operations), after=True, killed=True)


T = TypeVar("T")

_DYNAMODB = frozenset({"PutItem", "GetItem", "DeleteItem", "UpdateItem", "Query", "TransactWriteItems"})
_PATIENCE = 30.0  # seconds until a test that hangs fails


class _Actor(Generic[T]):
    """Runs on a thread of its own, but for each call waits for its turn."""

    def __init__(self, work: Callable[[], T], threads: ThreadPoolExecutor, current: local) -> None:
        self._go, self._stopped = Semaphore(0), Semaphore(0)
        self._ended = False
        self.future: Future[T] = threads.submit(self._run, work, current)
        self._await_stop()

    def turn(self) -> None:
        """Let it do the call it waits for, and go on to the next."""
        if not self._ended:
            self._go.release()
            self._await_stop()

    def wait(self) -> None:
        self._stopped.release()
        assert self._go.acquire(timeout=_PATIENCE)

    def _run(self, work: Callable[[], T], current: local) -> T:
        current.actor = self
        try:
            return work()
        finally:
            self._ended = True
            self._stopped.release()

    def _await_stop(self) -> None:
        assert self._stopped.acquire(timeout=_PATIENCE)


def interleave(calls: AwsCalls, order: Iterable[str], **works: Callable[[], T]) -> dict[str, T]:
    """Run all `works`, call by call in `order`, then each to its end; return their results."""
    current = local()

    def around(operation: str, call: Call) -> Any:
        if operation in _DYNAMODB:
            current.actor.wait()
        return call()

    with calls.around(around), ThreadPoolExecutor(len(works)) as threads:
        actors = {name: _Actor(work, threads, current) for name, work in works.items()}
        for name in [*order, *(name for name in works for _ in range(100))]:
            actors[name].turn()
        return {name: actor.future.result(_PATIENCE) for name, actor in actors.items()}
