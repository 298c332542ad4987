"""Calls of boto3 clients, intercepted below every adapter: recorded, failed, interrupted, or made to take turns."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, Semaphore, local
from typing import Any, Generic, TypeVar

Call = Callable[[], Any]
Interceptor = Callable[[str, Call], Any]
"""Takes the name of an operation and the call, and returns the call's result."""

READS = frozenset(
    {"GetObject", "HeadObject", "ListObjectsV2", "GetItem", "BatchGetItem", "Query", "GetTable", "GetDatabase"}
)
"""Operations that change nothing: failing after one is the same as failing before it."""


class AwsUnavailableError(Exception):
    """AWS did not answer, or its answer was lost."""


class KilledError(BaseException):
    """The function was killed, by its timeout or for its memory: no more of its code runs."""


def undisturbed(_operation: str, call: Call) -> Any:
    """Make a call."""
    return call()


class AwsCalls:
    """Calls of clients, which an interceptor may stand in for."""

    def __init__(self, clients: Iterable[Any]) -> None:
        self.interceptor: Interceptor | None = None
        for client in clients:
            self._install(client)

    def _install(self, client: Any) -> None:
        """Give every call of a client to the interceptor, those of its paginators too."""
        call = client._make_api_call

        def intercepted(operation: str, parameters: dict[str, Any]) -> Any:
            if self.interceptor is None:
                return call(operation, parameters)
            return self.interceptor(operation, lambda: call(operation, parameters))

        client._make_api_call = intercepted

    @contextmanager
    def intercept(self, interceptor: Interceptor) -> Iterator[None]:
        self.interceptor, before = interceptor, self.interceptor
        try:
            yield
        finally:
            self.interceptor = before

    @contextmanager
    def record(self) -> Iterator[list[str]]:
        """Yield a list that the operations called are appended to."""
        operations: list[str] = []

        def note(operation: str, call: Call) -> Any:
            operations.append(operation)
            return call()

        with self.intercept(note):
            yield operations


@contextmanager
def parameters_of(client: Any) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Yield a list that the operations a client calls are appended to, with their parameters."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def note(params: dict[str, Any], model: Any, **_: object) -> None:
        asked.append((model.name, params))

    client.meta.events.register("provide-client-params", note)
    try:
        yield asked
    finally:
        client.meta.events.unregister("provide-client-params", note)


@dataclass
class CallFailure:
    """Fails the `at`-th call (from 1), before or after it took effect; as if AWS did not answer, or with an `error`."""

    at: int
    after: bool = False
    killed: bool = False
    error: Exception = field(default_factory=AwsUnavailableError)
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
        raise KilledError if self.killed else self.error

    def __str__(self) -> str:
        return f"{'killed' if self.killed else 'error'}-{'after' if self.after else 'before'}-{self.at:03}"


@dataclass
class Interruption:
    """Lets something else happen before the `at`-th call (from 1)."""

    at: int
    happens: Callable[[], object]
    _count: int = 0

    def __call__(self, _operation: str, call: Call) -> Any:
        self._count += 1
        if self._count == self.at:
            self.happens()
        return call()


def call_failures(operations: list[str]) -> Iterator[CallFailure]:
    """Yield every failure of one of these calls: it fails, or the function dies at it.

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
_PATIENCE = 300.0  # seconds until a test that hangs fails


class _Actor(Generic[T]):
    """Runs work on a thread of its own, each call of DynamoDB when it is its turn."""

    def __init__(self, work: Callable[[], T], threads: ThreadPoolExecutor, current: local) -> None:
        self._go, self._stopped = Semaphore(0), Semaphore(0)
        self._ended = False
        self.future: Future[T] = threads.submit(self._run, work, current)
        self._await_stop()

    def turn(self) -> None:
        """Let the call that waits be made, and the work go on to the next."""
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

    def take_turns(operation: str, call: Call) -> Any:
        if operation in _DYNAMODB:
            current.actor.wait()
        return call()

    with calls.intercept(take_turns), ThreadPoolExecutor(len(works)) as threads:
        actors = {name: _Actor(work, threads, current) for name, work in works.items()}
        for name in [*order, *(name for name in works for _ in range(100))]:
            actors[name].turn()
        return {name: actor.future.result(_PATIENCE) for name, actor in actors.items()}
