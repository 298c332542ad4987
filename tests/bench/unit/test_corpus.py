"""The corpus: the same for the same seed, of the size it is to have, as dirty as it says."""

import re
from collections import Counter

import pytest

from sluice.contracts.load import load_registry
from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.validate.event_processor import EventProcessors
from sluice.event_files.validate.routing import FileRouting
from tests.bench.corpus import Shape, make_corpus

SHAPE = Shape(4_000_000, 60, 0, 0)
NEVER_FULL = 1 << 40


@pytest.fixture(scope="module")
def corpus() -> list[bytes]:
    return make_corpus(SHAPE)


def test_the_same_seed_makes_the_same_bytes_and_another_others(corpus: list[bytes]) -> None:
    assert make_corpus(SHAPE) == corpus
    assert make_corpus(SHAPE, seed=2) != corpus


def test_there_are_as_many_files_and_bytes_as_asked_for(corpus: list[bytes]) -> None:
    assert len(corpus) == SHAPE.files
    assert sum(map(len, corpus)) == pytest.approx(SHAPE.size, rel=0.05)


def test_one_event_in_twenty_is_dirty_and_one_in_a_hundred_somebody_elses(corpus: list[bytes]) -> None:
    gates, found = EventProcessors(load_registry(), lambda _lib, _id: None), Counter[str]()
    for number, data in enumerate(corpus):
        routing = FileRouting(gates, SourceObject("bench", str(number), "etag"))
        routing.route(data, NEVER_FULL, lambda _lines: None)
        found["clean"] += sum(map(len, routing.lines.clean.values()))
        found["dirty"] += len(routing.lines.dirty.splitlines())
        found["unrelated"] += len(routing.lines.unrelated.splitlines())
    assert found["dirty"] / found.total() == pytest.approx(0.05, abs=0.015)
    assert found["unrelated"] / found.total() == pytest.approx(0.01, abs=0.007)


def test_most_files_have_nothing_between_events(corpus: list[bytes]) -> None:
    seamless = [data for data in corpus if b"}\n{" not in data]
    assert len(seamless) / len(corpus) == pytest.approx(0.7, abs=0.2)
    assert all(re.search(rb'\}\{"', data) for data in seamless if len(data) > 50_000)
