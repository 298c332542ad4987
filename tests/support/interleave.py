"""Two or more pieces of code whose DynamoDB calls take turns in a given order."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Semaphore, local
from typing import Any, Generic, TypeVar

from tests.support.tap import Call, Tap

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


def interleave(tap: Tap, order: Iterable[str], **works: Callable[[], T]) -> dict[str, T]:
    """Run all `works`, call by call in `order`, then each to its end; return their results."""
    current = local()

    def around(operation: str, call: Call) -> Any:
        if operation in _DYNAMODB:
            current.actor.wait()
        return call()

    with tap.around(around), ThreadPoolExecutor(len(works)) as threads:
        actors = {name: _Actor(work, threads, current) for name, work in works.items()}
        for name in [*order, *(name for name in works for _ in range(100))]:
            actors[name].turn()
        return {name: actor.future.result(_PATIENCE) for name, actor in actors.items()}
