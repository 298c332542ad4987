"""From folders to observations: every slot has one, and nothing of other folders counts."""

from collections.abc import Sequence
from datetime import timedelta

from sluice.exports.slots import MANIFEST, MASTER_SCHEMA
from sluice.history.model import Observation
from sluice.history.observing import observe
from sluice.history.schemas import MAX_SCHEMA_BYTES, read_schema
from tests.unit.history.deliveries import FIRST, PROD, TEST, deliver, schema, settled, slots
from tests.unit.history.memory import MemoryBucket

NOW = settled(FIRST)


def test_what_lay_in_a_folder() -> None:
    bucket, master = MemoryBucket(), schema("Voyage", "Cargo")
    files = {
        "Voyage_1.json": b"123",
        "Voyage_2.json": b"4567",
        "Berth_x": b"",
        "_Script.sql": b"89",
        "readme": b"0",
        MASTER_SCHEMA: master,
        MANIFEST: b"ours",
    }
    deliver(bucket, FIRST, files)
    (found,) = observe(bucket, TEST, [FIRST], NOW)
    assert found == Observation(FIRST, NOW, 6, 10 + len(master), ("Berth", "Voyage"), read_schema(master))


def test_every_slot_has_an_observation() -> None:
    bucket = MemoryBucket()
    deliver(bucket, FIRST.after(2), {"Voyage_1": b"1"})
    found = observe(bucket, TEST, slots(4), NOW)
    assert [each.slot for each in found] == slots(4)
    assert [each.files for each in found] == [0, 0, 1, 0]
    assert found[0] == Observation(FIRST, NOW, 0, 0, (), None)


def test_what_does_not_count() -> None:
    folder = FIRST.folder(TEST)
    elsewhere = [folder, f"{folder}sub/A_1", f"{TEST.hourly}A_1", FIRST.after().folder(TEST) + "A_1"]
    bucket = MemoryBucket({**dict.fromkeys(elsewhere, b"1"), folder + MANIFEST: b"[]"})
    deliver(bucket, FIRST, {"A_1": b"1"}, PROD)
    assert observe(bucket, TEST, [FIRST], NOW) == [Observation(FIRST, NOW, 0, 0, (), None)]


def test_slots_in_any_order_and_scattered() -> None:
    bucket, wanted = MemoryBucket(), [FIRST.after(500), FIRST]
    deliver(bucket, FIRST, {"A_1": b"1"})
    assert [(each.slot, each.files) for each in observe(bucket, TEST, wanted, NOW)] == [(wanted[0], 0), (FIRST, 1)]
    assert observe(bucket, TEST, [], NOW + timedelta(days=1)) == []


class Vanishing(MemoryBucket):
    """What was listed is gone when it is read."""

    def read_all(self, keys: Sequence[str], max_bytes: int) -> list[bytes | None]:
        self.objects.clear()
        return super().read_all(keys, max_bytes)


def test_a_schema_that_is_gone_or_too_large_when_it_is_read() -> None:
    for bucket, body in [(Vanishing(), schema("A")), (MemoryBucket(), b" " * MAX_SCHEMA_BYTES + schema("A"))]:
        deliver(bucket, FIRST, {MASTER_SCHEMA: body})
        assert [(each.files, each.schema) for each in observe(bucket, TEST, [FIRST], NOW)] == [(1, None)]
