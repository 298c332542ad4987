"""Lists, rounds and checks of a delivery: the files that arrived, those that are missing, and why."""

from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest

from sluice.http.patience import Patience
from sluice.vendor_exports.client.api import (
    AnswerNotUnderstoodError,
    Environment,
    JobUnknownError,
    ListedFile,
    VendorError,
    VendorUnavailableError,
)
from sluice.vendor_exports.delivery.delivery_check import CheckAnswer, Checked, DeliveryCheck, DeliveryReader
from sluice.vendor_exports.delivery.manifest import FileLister, Limits, Listed, Listing
from sluice.vendor_exports.delivery.model import DELIVERED, INCOMPLETE, ExportResult, Job, JobState
from sluice.vendor_exports.delivery.transfers import Provenance
from tests.support.memory_object_store import MemoryObjectStore
from tests.vendor_exports.unit.delivery.memory import (
    EXPORT,
    FOLDER,
    GUID,
    RUN,
    MemoryStoredFiles,
    ScriptedVendor,
    expected_file,
    listed_file,
    provenance_of,
    slot_with,
)

ROUNDS, PATIENCE = 3, Patience(600, usual=60, shortest=60)


@dataclass
class Delivery:
    """A slot with a complete job; the test plays the vendor and the copying."""

    files: MemoryObjectStore = field(default_factory=MemoryObjectStore)
    stored: MemoryStoredFiles = field(default_factory=MemoryStoredFiles)
    out_of_scope: frozenset[str] = frozenset({""})

    def __post_init__(self) -> None:
        self.slots = slot_with(Job(GUID, "https://export.test", JobState.COMPLETE))
        self.deliveries = DeliveryReader(self.files, self.stored)

    def list_files(self, rounds: int, *listed: ListedFile, waited: int = 0, **sizes: object) -> Listing:
        """List files after so many rounds, most of them by name and size."""
        self.vendor = ScriptedVendor([[*listed, *(listed_file(name, size) for name, size in sizes.items())]])
        limits = Limits(max_file_bytes=1000, batch_files=2, batch_bytes=100, rounds=ROUNDS)
        return FileLister(self.deliveries, self.slots, limits, PATIENCE).list_files(EXPORT, self.vendor, rounds, waited)

    def store(self, name: str, size: int, provenance: Provenance | None = None) -> None:
        self.stored.objects[FOLDER + name] = bytes(size), provenance or provenance_of()

    def report(self, batch: str, *kept: str, busy: dict[str, float | None] | None = None, **reasons: str) -> None:
        document = {"kept": kept, "reasons": reasons, "busy": busy or {}}
        self.files.objects[f"{RUN}results/{batch}.json"] = orjson.dumps(document)

    def check(self, rounds: int) -> tuple[Checked, ExportResult]:
        answer, result = self.answer(rounds), self.slots.record.checked
        assert result
        assert (answer.promised, answer.copied, answer.missing) == (result.promised, result.copied, len(result.missing))
        return answer.next_step, result

    def answer(self, rounds: int, waited: int = 0) -> CheckAnswer:
        check = DeliveryCheck(self.deliveries, self.slots, self.out_of_scope, ROUNDS, PATIENCE)
        return check.check(EXPORT, rounds, waited)

    def document(self, name: str) -> Any:
        return orjson.loads(self.files.objects[RUN + name])

    def planned(self, number: int) -> list[list[str]]:
        batches = self.document(f"plan-{number:02}.json")["batches"]
        return [[file["name"] for file in batch["files"]] for batch in batches]


@pytest.fixture
def delivery() -> Delivery:
    return Delivery()


# Lists


def test_the_first_list_is_written_as_manifest_and_plan(delivery: Delivery) -> None:
    listing = delivery.list_files(0, A=5, B=200, C=5, D=None)
    assert listing == Listing(Listed.FILES, 1, f"{RUN}plan-01.json", 0, 0)
    assert delivery.vendor.asked == [("files", Environment.TEST, GUID, 5)]
    assert delivery.planned(1) == [["B"], ["A", "C"]]
    entries = [{"key": f"ACME/{name}", "size": size} for name, size in (("A", 5), ("B", 200), ("C", 5))]
    assert orjson.loads(delivery.files.objects[f"{FOLDER}_PresignedUrls.json"]) == entries
    assert delivery.document("manifest.json")["unusable"] == {"D": "it is listed without a size in bytes"}
    assert "https://host" not in repr(delivery.files.objects)


def test_an_empty_list_is_asked_for_again_a_limited_number_of_times(delivery: Delivery) -> None:
    assert delivery.list_files(0) == Listing(Listed.WAIT, 1, f"{RUN}plan-01.json", 60, 60)
    assert delivery.list_files(1, waited=60) == Listing(Listed.WAIT, 2, f"{RUN}plan-02.json", 60, 120)
    over = delivery.list_files(2, waited=120)
    assert over == Listing(Listed.OVER, 3, f"{RUN}plan-03.json", 0, 120, "the vendor listed no files, 3 times")
    assert f"{FOLDER}_PresignedUrls.json" not in delivery.files.objects, "an older manifest stays"


def test_a_list_without_a_usable_entry_is_not_empty(delivery: Delivery) -> None:
    assert delivery.list_files(0, A=None).next_step is Listed.FILES
    checked, result = delivery.check(1)
    assert (checked, result.status, result.promised, result.missing) == (Checked.OVER, INCOMPLETE, 1, ["A"])


def test_later_rounds_copy_missing_files_and_keep_expected_ones(delivery: Delivery) -> None:
    delivery.list_files(0, A=5, B=6, C=None, D=None)
    delivery.store("A", 5)
    delivery.report("01-0000", B="404")
    assert delivery.check(1)[0] is Checked.AGAIN
    delivery.list_files(1, A=9, C=7, E=8)
    assert delivery.planned(2) == [["A", "E"], ["C", "B"]], "A grew; B is no longer listed and stays; C became usable"
    assert delivery.document("manifest.json")["unusable"] == {"D": "it is listed without a size in bytes"}
    for name, size in (("B", 6), ("C", 7), ("E", 8)):
        delivery.store(name, size)
    assert delivery.check(2)[1].missing == ["A", "D"], "what was copied of A is not what the vendor has now"
    delivery.store("A", 9)
    checked, result = delivery.check(2)
    assert (checked, result.status, result.promised, result.missing) == (Checked.OVER, INCOMPLETE, 5, ["D"])


def test_a_slot_without_a_job_lists_no_files(delivery: Delivery) -> None:
    delivery.slots.record = replace(delivery.slots.record, job=None)
    delivery.list_files(0)
    assert delivery.vendor.asked == [("files", Environment.TEST, "", 5)]


# Checks


@pytest.mark.parametrize(
    ("size", "provenance", "kept", "whole"),
    [
        (5, provenance_of(), False, True),
        (5, provenance_of(execution="earlier"), False, True),
        (5, provenance_of(job="other"), True, True),
        (5, None, True, True),
        (5, provenance_of(job="other"), False, False),
        (5, None, False, False),
        (4, provenance_of(), False, False),
        (4, provenance_of(), True, False),
        (6, provenance_of(), False, False),
        (None, None, True, False),
    ],
)
def test_a_file_is_whole_by_size_and_job_or_because_it_was_kept(
    delivery: Delivery, size: int | None, provenance: Provenance | None, *, kept: bool, whole: bool
) -> None:
    delivery.list_files(0, A=5)
    if size is not None:
        delivery.stored.objects[f"{FOLDER}A"] = bytes(size), provenance
    delivery.report("01-0000", *(["A"] if kept else []))
    checked, result = delivery.check(1)
    assert (result.status, checked) == ((DELIVERED, Checked.OVER) if whole else (INCOMPLETE, Checked.AGAIN))


def test_the_result_of_a_delivery(delivery: Delivery) -> None:
    delivery.list_files(0, A=5, B=6, C=7)
    delivery.store("A", 5)
    delivery.store("B", 6, provenance_of(refetched=True))
    delivery.store("C", 7, provenance_of(execution="earlier", refetched=True))
    assert delivery.check(1) == (
        Checked.OVER,
        ExportResult("20260301-12", DELIVERED, FOLDER, promised=3, copied=2, refetched=1, bytes=11),
    )


def test_the_result_of_an_incomplete_delivery(delivery: Delivery) -> None:
    delivery.list_files(0, A=5, B=90, C=7, D=-1)
    delivery.store("A", 5)
    delivery.report("01-0001", C="404")
    checked, result = delivery.check(ROUNDS - 2)
    assert checked is Checked.AGAIN
    assert result.reasons == {
        "B": "its copy was cut off",
        "C": "404",
        "D": "it is listed without a size in bytes, but with -1",
    }
    assert result.missing == ["B", "C", "D"]
    assert result.cause == "3 of 4 promised files did not arrive whole"


def test_the_reason_of_the_last_round_counts(delivery: Delivery) -> None:
    delivery.list_files(0, A=5)
    delivery.report("01-0000", A="404")
    delivery.list_files(1, A=5)
    checked, result = delivery.check(2)
    assert (checked, result.reasons) == (Checked.AGAIN, {"A": "404"}), "the second batch was killed"
    delivery.report("02-0000", A="503")
    delivery.list_files(2, A=5)
    checked, result = delivery.check(3)
    assert (checked, result.reasons) == (Checked.OVER, {"A": "503"})


# A busy vendor

BUSY = VendorUnavailableError("20260301-12", "files", "the vendor answered 503", "Wait.", retry_after=200)
ODD = AnswerNotUnderstoodError("20260301-12", "files", "the vendor answered 200 with a web page", "Ask.")
FORGOTTEN = JobUnknownError("20260301-12", "files", "the vendor does not know the job", "Run it again.")


@pytest.mark.parametrize(("error", "wait"), [(BUSY, 201), (ODD, 60)])
def test_a_list_that_is_not_to_be_had_is_waited_for_and_is_no_round(
    delivery: Delivery, error: VendorError, wait: int
) -> None:
    def ask(waited: int) -> Listing:
        limits = Limits(max_file_bytes=1000, batch_files=2, batch_bytes=100, rounds=ROUNDS)
        lister = FileLister(delivery.deliveries, delivery.slots, limits, PATIENCE)
        return lister.list_files(EXPORT, vendor, 1, waited)

    vendor = ScriptedVendor([error])
    assert ask(300) == Listing(Listed.WAIT, 1, "", wait, 300 + wait)
    cause = f"the vendor gave no list within 10 minutes of waiting: {error}"
    assert ask(599) == Listing(Listed.OVER, 1, "", 0, 599, cause)
    assert not delivery.files.objects
    assert {minutes for *_, minutes in vendor.asked} == {5}, "no URL of this list is used"


def test_a_job_that_the_list_does_not_know_is_asked_for_as_often_as_an_empty_list(delivery: Delivery) -> None:
    limits = Limits(max_file_bytes=1000, batch_files=2, batch_bytes=100, rounds=ROUNDS)
    lister = FileLister(delivery.deliveries, delivery.slots, limits, PATIENCE)
    answers = [lister.list_files(EXPORT, ScriptedVendor([FORGOTTEN]), rounds, 0) for rounds in range(ROUNDS)]
    assert [answer.next_step for answer in answers] == [Listed.WAIT, Listed.WAIT, Listed.OVER]
    assert answers[-1].cause == str(FORGOTTEN)


@pytest.mark.parametrize(
    ("busy", "rounds", "waited", "next_step", "wait"),
    [
        ({"A": None}, 1, 0, Checked.WAIT, 60),
        ({"A": None}, 1, 200, Checked.WAIT, 201),
        ({"A": 90.5, "B": None}, 1, 0, Checked.WAIT, 91),
        ({"A": 0.0}, ROUNDS, 540, Checked.WAIT, 60),
        ({"A": None}, 1, 541, Checked.AGAIN, 0),
        ({"A": None}, ROUNDS, 541, Checked.OVER, 0),
        ({"C": None}, 1, 0, Checked.AGAIN, 0),
        ({}, 1, 0, Checked.AGAIN, 0),
        ({}, ROUNDS, 0, Checked.OVER, 0),
    ],
)
def test_files_of_a_busy_server_are_waited_for(
    delivery: Delivery, busy: dict[str, float | None], rounds: int, waited: int, next_step: Checked, wait: int
) -> None:
    """C is there already; whether B's or A's server was busy counts, and that of the last round only."""
    for number in range(rounds):
        delivery.list_files(number, A=5, B=6, C=7)
        delivery.report(f"{number + 1:02}-0000", busy=busy if number + 1 == rounds else {"B": 500.0}, A="503", B="503")
    delivery.store("C", 7)
    answer = delivery.answer(rounds, waited)
    assert (answer.next_step, answer.wait_seconds, answer.waited_seconds) == (next_step, wait, waited + wait)
    assert answer.round == rounds


# Results are bounded


@pytest.mark.parametrize("letter", ["x", "\U00020000", '"'])
def test_a_result_fits_its_item_whatever_is_missing(delivery: Delivery, letter: str) -> None:
    """A DynamoDB item has at most 400 KB and holds two results."""
    width = 240 // len(letter.encode())
    files = tuple(expected_file(f"{number:05}{letter * width}", 1) for number in range(3000))
    delivery.files.objects[f"{RUN}manifest.json"] = orjson.dumps(
        {"job_guid": GUID, "files": [], "unusable": {file.name: letter * 500 for file in files}}
    )
    delivery.files.objects[f"{RUN}plan-01.json"] = orjson.dumps({"batches": []})
    result = delivery.check(1)[1]
    assert 2 * len(orjson.dumps(result)) < 400_000
    assert (result.status, result.promised) == (INCOMPLETE, 3000)
    assert result.cause == "3000 of 3000 promised files did not arrive whole"
    assert 50 < len(result.missing) <= 400
    assert set(result.reasons) == set(result.missing)
