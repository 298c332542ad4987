"""From promises over rounds to the proof: what arrived, what did not and why."""

from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from sluice.vendor_exports.client.answers import Offer
from sluice.vendor_exports.delivery.delivery_check import Proof, Proving
from sluice.vendor_exports.delivery.delivery_state import Arrivals
from sluice.vendor_exports.delivery.manifest import Listed, Listing, Promising, Sizes
from sluice.vendor_exports.delivery.model import (
    DELIVERED,
    INCOMPLETE,
    Account,
    BatchResult,
    Job,
    JobState,
    Manifest,
    Provenance,
)
from sluice.vendor_exports.delivery.ports import LeaseLostError
from sluice.vendor_exports.delivery.schemas import MAX_SCHEMA_BYTES
from sluice.vendor_exports.delivery.slots import MASTER_SCHEMA, Environment
from tests.support.memory_object_store import MemoryObjectStore
from tests.vendor_exports.unit.delivery.memory import (
    FOLDER,
    GUID,
    LEASE,
    RUN,
    MemoryLanding,
    MemorySlots,
    Vendor,
    came,
    offer,
    promise,
)

ROUNDS = 3


@dataclass
class Scene:
    """A slot of ours with a complete job; the test plays the vendor and the copying."""

    files: MemoryObjectStore = field(default_factory=MemoryObjectStore)
    landing: MemoryLanding = field(default_factory=MemoryLanding)
    out_of_scope: frozenset[str] = frozenset({""})

    def __post_init__(self) -> None:
        record = {"owner": LEASE.execution, "job": Job(GUID, "https://export.test", JobState.COMPLETE)}
        self.slots = MemorySlots({(LEASE.environment, LEASE.slot): record})
        self.arrivals = Arrivals(self.files, self.landing)

    def promise(self, rounds: int, *offers: Offer) -> Listing:
        self.vendor = Vendor([list(offers)])
        sizes = Sizes(max_file_bytes=1000, batch_files=2, batch_bytes=100, rounds=ROUNDS)
        return Promising(self.files, self.arrivals, self.slots, sizes).promise(LEASE, self.vendor, rounds)

    def land(self, name: str, size: int, provenance: Provenance | None = None) -> None:
        self.landing.objects[FOLDER + name] = bytes(size), provenance or came()

    def report(self, batch: str, *kept: str, **reasons: str) -> None:
        document = {"kept": kept, "reasons": reasons}
        self.files.objects[f"{RUN}results/{batch}.json"] = orjson.dumps(document)

    def check(self, rounds: int) -> tuple[Proof, Account]:
        proving = Proving(self.files, self.arrivals, self.slots, self.out_of_scope, ROUNDS)
        proof, account = proving.check(LEASE, rounds)
        assert self.slots.findings(LEASE) == account
        return proof, account

    def document(self, name: str) -> Any:
        return orjson.loads(self.files.objects[RUN + name])

    def planned(self, number: int) -> list[list[str]]:
        batches = self.document(f"plan-{number:02}.json")["batches"]
        return [[file["name"] for file in batch["files"]] for batch in batches]


@pytest.fixture
def scene() -> Scene:
    return Scene()


# Promises


def test_the_first_list_becomes_manifest_plan_and_proof(scene: Scene) -> None:
    listing = scene.promise(0, offer("A", 5), offer("B", 200), offer("C", 5), offer("D", None))
    assert listing == Listing(Listed.FILES, 1, f"{RUN}plan-01.json")
    assert scene.vendor.asked == [("files", Environment.TEST, GUID, 5)]
    assert scene.planned(1) == [["B"], ["A", "C"]]
    proof = [{"key": f"ACME/{name}", "size": size} for name, size in (("A", 5), ("B", 200), ("C", 5))]
    assert orjson.loads(scene.files.objects[f"{FOLDER}_PresignedUrls.json"]) == proof
    assert scene.document("manifest.json")["unusable"] == {"D": "it is listed without a size in bytes"}
    assert "https://host" not in repr(scene.files.objects)


def test_a_repeated_step_writes_the_same(scene: Scene) -> None:
    scene.promise(0, offer("A", 5))
    before = dict(scene.files.objects)
    scene.promise(0, offer("A", 5))
    assert scene.files.objects == before


def test_an_empty_list_is_asked_for_again_and_not_for_ever(scene: Scene) -> None:
    assert scene.promise(0) == Listing(Listed.NOTHING, 1, f"{RUN}plan-01.json")
    assert scene.promise(1) == Listing(Listed.NOTHING, 2, f"{RUN}plan-02.json")
    over = scene.promise(2)
    assert over == Listing(Listed.OVER, 3, f"{RUN}plan-03.json", "the vendor listed no files, 3 times")
    assert f"{FOLDER}_PresignedUrls.json" not in scene.files.objects, "an older proof stays"


def test_a_list_that_fills_late(scene: Scene) -> None:
    scene.promise(0)
    assert scene.promise(1, offer("A", 5)).turn is Listed.FILES
    assert scene.planned(2) == [["A"]]
    scene.land("A", 5, came(refetched=True))
    assert scene.check(2)[1].status == DELIVERED


def test_a_list_of_nothing_usable_is_no_empty_one(scene: Scene) -> None:
    assert scene.promise(0, offer("A", None)).turn is Listed.FILES
    proof, account = scene.check(1)
    assert (proof, account.status, account.promised, account.missing) == (Proof.OVER, INCOMPLETE, 1, ("A",))


def test_later_rounds_fetch_what_is_missing_and_forget_no_promise(scene: Scene) -> None:
    scene.promise(0, offer("A", 5), offer("B", 6), offer("C", None), offer("D", None))
    scene.land("A", 5)
    scene.report("01-0000", B="404")
    assert scene.check(1)[0] is Proof.AGAIN
    scene.promise(1, offer("A", 9), offer("C", 7), offer("E", 8))
    assert scene.planned(2) == [["E", "C"], ["B"]], "B shrank out of the list and stays promised; C was mended"
    assert scene.document("manifest.json")["unusable"] == {"D": "it is listed without a size in bytes"}
    for name, size in (("B", 6), ("C", 7), ("E", 8)):
        scene.land(name, size)
    proof, account = scene.check(2)
    assert (proof, account.status, account.promised, account.missing) == (Proof.OVER, INCOMPLETE, 5, ("D",))


def test_a_slot_without_a_job_asks_for_none(scene: Scene) -> None:
    scene.slots.record(LEASE).pop("job")
    scene.promise(0)
    assert scene.vendor.asked == [("files", Environment.TEST, "", 5)]


# Arrivals


@pytest.mark.parametrize(
    ("size", "provenance", "kept", "whole"),
    [
        (5, came(), False, True),
        (5, came(execution="earlier"), False, True),
        (5, came(job="other"), True, True),
        (5, None, True, True),
        (5, came(job="other"), False, False),
        (5, None, False, False),
        (4, came(), False, False),
        (4, came(), True, False),
        (6, came(), False, False),
        (None, None, True, False),
    ],
)
def test_what_counts_as_arrived(
    scene: Scene, size: int | None, provenance: Provenance | None, *, kept: bool, whole: bool
) -> None:
    scene.promise(0, offer("A", 5))
    if size is not None:
        scene.landing.objects[f"{FOLDER}A"] = bytes(size), provenance
    scene.report("01-0000", *(["A"] if kept else []))
    proof, account = scene.check(1)
    assert (account.status, proof) == ((DELIVERED, Proof.OVER) if whole else (INCOMPLETE, Proof.AGAIN))


def test_the_account_of_a_delivery(scene: Scene) -> None:
    scene.promise(0, offer("A", 5), offer("B", 6), offer("C", 7))
    scene.land("A", 5)
    scene.land("B", 6, came(refetched=True))
    scene.land("C", 7, came(execution="earlier", refetched=True))
    assert scene.check(1) == (
        Proof.OVER,
        Account("20260301-12", DELIVERED, FOLDER, promised=3, copied=2, refetched=1, bytes=11),
    )


def test_the_account_of_what_is_missing(scene: Scene) -> None:
    scene.promise(0, offer("A", 5), offer("B", 90), offer("C", 7), offer("D", -1))
    scene.land("A", 5)
    scene.report("01-0001", C="404")
    proof, account = scene.check(ROUNDS - 2)
    assert proof is Proof.AGAIN
    assert account.reasons == {
        "B": "its copy was cut off",
        "C": "404",
        "D": "it is listed without a size in bytes",
    }
    assert account.missing == ("B", "C", "D")
    assert account.cause == "3 of 4 promised files did not arrive whole"


def test_the_last_word_on_a_file_counts(scene: Scene) -> None:
    scene.promise(0, offer("A", 5))
    scene.report("01-0000", A="404")
    scene.promise(1, offer("A", 5))
    assert scene.check(2)[1].reasons == {"A": "404"}, "the second batch was killed"
    scene.report("02-0000", A="503")
    scene.promise(2, offer("A", 5))
    proof, account = scene.check(3)
    assert (proof, account.reasons) == (Proof.OVER, {"A": "503"})


def test_rounds_have_an_end(scene: Scene) -> None:
    scene.promise(0, offer("A", 5))
    scene.promise(1, offer("A", 5))
    assert scene.check(2)[0] is Proof.AGAIN
    scene.promise(2, offer("A", 5))
    assert scene.check(3)[0] is Proof.OVER


def test_what_cannot_be_copied_is_not_fetched_again(scene: Scene) -> None:
    scene.promise(0, offer("A", 5), offer("B", None))
    scene.land("A", 5)
    assert scene.check(1)[0] is Proof.OVER


def test_findings_of_a_slot_that_was_lost(scene: Scene) -> None:
    scene.promise(0, offer("A", 5))
    scene.slots.record(LEASE)["owner"] = "other"
    with pytest.raises(LeaseLostError):
        scene.check(1)


# Tables


def deliver_schema(scene: Scene, body: bytes, *others: str) -> Account:
    scene.promise(0, *(offer(name, 1) for name in others), Offer(f"a/{MASTER_SCHEMA}", "u", min(len(body), 1000)))
    for name in others:
        scene.land(name, 1)
    document = scene.document("manifest.json")
    document["files"][-1]["size"] = len(body)
    scene.files.objects[f"{RUN}manifest.json"] = orjson.dumps(document)
    scene.landing.objects[FOLDER + MASTER_SCHEMA] = body, came()
    scene.files.objects[FOLDER + MASTER_SCHEMA] = body
    return scene.check(1)[1]


def schema(*tables: str) -> bytes:
    return orjson.dumps([{"DataObjectName": table} for table in tables])


def test_tables_of_the_schema_that_have_no_file() -> None:
    scene = Scene(out_of_scope=frozenset({"Old", "Gone"}))
    account = deliver_schema(scene, schema("Voyage", "Vessel", "Invoice", "Old"), "Voyage_0", "Extra_0", "_Statistics")
    assert account.status == INCOMPLETE
    assert account.missing == ()
    assert account.missing_tables == ("Invoice", "Vessel")
    assert account.cause == "the export lacks tables of its own schema: Invoice, Vessel"


def test_all_tables_are_there(scene: Scene) -> None:
    assert deliver_schema(scene, schema("Voyage", "Vessel"), "Voyage_0", "Vessel_1", "Extra_0").status == DELIVERED


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\x1f\x8bbroken"])
def test_a_schema_that_is_none_expects_nothing(scene: Scene, body: bytes) -> None:
    assert deliver_schema(scene, body, "Voyage_0").status == DELIVERED


def test_a_schema_without_end_is_not_read(scene: Scene) -> None:
    body = schema("Voyage")
    body += b" " * (MAX_SCHEMA_BYTES + 1 - len(body))
    reads: list[str] = []
    read = scene.files.read

    def reading(key: str) -> bytes:
        reads.append(key)
        return read(key)

    scene.files.read = reading  # type: ignore[method-assign]
    assert deliver_schema(scene, body, "Voyage_0").status == DELIVERED
    assert FOLDER + MASTER_SCHEMA not in reads


def test_a_schema_that_did_not_arrive(scene: Scene) -> None:
    scene.promise(0, Offer(f"a/{MASTER_SCHEMA}", "u", 5))
    account = scene.check(1)[1]
    assert (account.missing, account.missing_tables) == ((MASTER_SCHEMA,), ())


# Records have an end


@pytest.mark.parametrize("letter", ["x", "é", "\U00020000", '"'])
def test_an_account_fits_its_record_whatever_is_missing(scene: Scene, letter: str) -> None:
    """An item of DynamoDB has 400 KB at most, and holds the account and the findings before it."""
    width = 240 // len(letter.encode())
    files = tuple(promise(f"{number:05}{letter * width}", 1) for number in range(3000))
    scene.files.objects[f"{RUN}manifest.json"] = orjson.dumps(
        {"job_guid": GUID, "files": [], "unusable": {file.name: letter * 500 for file in files}}
    )
    scene.files.objects[f"{RUN}plan-01.json"] = orjson.dumps({"batches": []})
    account = scene.check(1)[1]
    assert 2 * len(orjson.dumps(account.to_json())) < 400_000
    assert account.status == INCOMPLETE
    assert account.promised == 3000
    assert account.cause == "3000 of 3000 promised files did not arrive whole"
    assert 50 < len(account.missing) <= 400
    assert set(account.reasons) == set(account.missing)


def test_usual_names_are_all_told_up_to_four_hundred(scene: Scene) -> None:
    unusable = {f"InvoiceDetail_{number:06}_20260301.json.gz": "404" for number in range(401)}
    scene.files.objects[f"{RUN}manifest.json"] = orjson.dumps({"job_guid": GUID, "files": [], "unusable": unusable})
    scene.files.objects[f"{RUN}plan-01.json"] = orjson.dumps({"batches": []})
    assert len(scene.check(1)[1].missing) == 400


def test_tables_without_end(scene: Scene) -> None:
    account = deliver_schema(scene, schema(*(f"T{number}{'x' * 300}" for number in range(3000))))
    assert 2 * len(orjson.dumps(account.to_json())) < 400_000
    assert len(account.cause) == 1000


def test_documents_are_read_as_they_are_written(scene: Scene) -> None:
    scene.promise(0, offer("A", 5))
    manifest = Manifest.from_json(scene.document("manifest.json"))
    assert manifest == Manifest(GUID, (promise("A", 5),), {})
    assert BatchResult.from_json({"kept": ["A"], "reasons": {}}) == BatchResult(("A",), {})
