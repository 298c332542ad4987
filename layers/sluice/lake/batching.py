"""Batches of work: items in their order, cut before a batch becomes more than one invocation is to do."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def cut(
    items: Iterable[T],
    size: Callable[[T], int],
    max_size: int,
    max_count: int,
    count: Callable[[T], int] = lambda _: 1,
) -> Iterator[tuple[T, ...]]:
    """Yield batches of `items` within both limits; an item that is over a limit by itself has a batch of its own.

    Args:
        items: What is to be done.
        size: Size of an item, in bytes.
        max_size: Most bytes of a batch.
        max_count: Most items of a batch.
        count: How many items one counts for.
    """
    batch: list[T] = []
    sizes = counts = 0
    for item in items:
        item_size, item_count = size(item), count(item)
        if batch and (sizes + item_size > max_size or counts + item_count > max_count):
            yield tuple(batch)
            batch, sizes, counts = [], 0, 0
        batch.append(item)
        sizes += item_size
        counts += item_count
    if batch:
        yield tuple(batch)
