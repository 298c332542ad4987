import hashlib
from collections.abc import Callable

import pytest

from sluice.recommender.champion import CHAMPION_KEY, Champion, ModelError, Version, promote, roll_back
from tests.support.memory_object_store import MemoryObjectStore

NOW = "2026-12-01T03:00:00.000Z"


@pytest.fixture
def lake() -> MemoryObjectStore:
    return MemoryObjectStore()


def trained(lake: MemoryObjectStore, name: str) -> Version:
    key, body = f"recommender/models/{name}/model.npz", name.encode()
    lake.write(key, body)
    return Version(name, key, hashlib.sha256(body).hexdigest(), NOW, NOW, 0.3)


def in_production(lake: MemoryObjectStore, *names: str) -> list[Version]:
    versions = [trained(lake, name) for name in names]
    for before, version in zip(("", *names), versions, strict=False):
        assert promote(lake, version, before)
    return versions


def shown(lake: MemoryObjectStore) -> list[str]:
    return [each.version for each in Champion.read(lake).versions]


def test_a_version_takes_the_place_of_the_one_it_was_compared_with(lake: MemoryObjectStore) -> None:
    assert Champion.read(lake) == Champion()
    _, second = in_production(lake, "a", "b")
    assert promote(lake, second, "a"), "a repetition is no second promotion"
    assert not promote(lake, trained(lake, "c"), "a"), "it was compared with a model that is no champion any more"
    assert shown(lake) == ["b", "a"]


def test_of_two_trainings_that_promote_at_once_one_wins(lake: MemoryObjectStore) -> None:
    in_production(lake, "a")
    mine, other = trained(lake, "b"), trained(lake, "c")
    lake.between = meanwhile(lake, lambda: promote(lake, other, "a"), after=3)
    assert not promote(lake, mine, "a")
    assert shown(lake) == ["c", "a"]


def test_what_is_in_the_way_for_a_moment_is_no_defeat(lake: MemoryObjectStore) -> None:
    in_production(lake, "a")
    same, mine = lake.objects[CHAMPION_KEY] + b" ", trained(lake, "b")
    lake.between = meanwhile(lake, lambda: lake.write(CHAMPION_KEY, same), after=3)
    assert promote(lake, mine, "a")


def meanwhile(lake: MemoryObjectStore, happens: Callable[[], object], after: int) -> Callable[[], None]:
    calls = iter(range(1000))

    def between() -> None:
        if next(calls) == after - 1:
            lake.between = lambda: None
            happens()

    return between


@pytest.mark.parametrize("body", [None, b"", b"cut sh"], ids=["missing", "empty", "cut short"])
def test_the_newest_whole_version_serves_and_broken_ones_are_counted(
    lake: MemoryObjectStore, body: bytes | None
) -> None:
    first, second, third = in_production(lake, "a", "b", "c")
    for broken, serves, faults in ((third, second, 1), (second, first, 2), (first, None, 3)):
        if body is None:
            lake.delete([broken.key])
        else:
            lake.write(broken.key, body)
        assert Champion.read(lake).usable(lake) == (serves, faults)
        with pytest.raises(ModelError, match="promote another model"):
            promote(lake, broken, "c")


def test_rolling_back_skips_broken_versions_and_forgets_what_it_replaced(lake: MemoryObjectStore) -> None:
    _, second, third = in_production(lake, "a", "b", "c")
    lake.delete([second.key])
    assert roll_back(lake, NOW).version == "a"
    assert shown(lake) == ["a"]
    with pytest.raises(ModelError, match="no earlier model"):
        roll_back(lake, NOW)
    assert promote(lake, third, "a"), "it can be put into production again, by hand"
    assert shown(lake) == ["c", "a"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"before":[],"version":"a"}', b'{"before":[1]}'])
def test_a_broken_pointer_is_said(lake: MemoryObjectStore, body: bytes) -> None:
    lake.write(CHAMPION_KEY, body)
    with pytest.raises(ModelError, match=f"{CHAMPION_KEY} does not name a model"):
        Champion.read(lake)
