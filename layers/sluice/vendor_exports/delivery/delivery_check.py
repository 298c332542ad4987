"""State and check of a delivery: every expected file arrived, and every table of the vendor's own schema."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, chain

import orjson

from sluice.http.patience import Patience
from sluice.lake.object_store import MissingObjectError, ObjectStore
from sluice.vendor_exports.delivery.master_schema import (
    SchemaRefusedError,
    assert_size,
    assert_within_limits,
    checked_schema,
)
from sluice.vendor_exports.delivery.model import (
    DELIVERED,
    INCOMPLETE,
    LONGEST_CAUSE,
    LONGEST_REASON,
    MASTER_SCHEMA,
    BatchResult,
    ExpectedFile,
    Export,
    ExportResult,
    Manifest,
    table_of,
)
from sluice.vendor_exports.delivery.slot_records import SlotRecords
from sluice.vendor_exports.delivery.transfers import StoredFile, StoredFiles

# Names that a result holds, and their bytes: two results have to fit one DynamoDB item.
_NAMED, _NAMED_BYTES = 400, 30_000


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """State of a delivery.

    Attributes:
        manifest: What was promised.
        whole: Expected files that arrived whole.
        missing: Those that did not.
        reasons: Why files are missing, by name.
        busy: Missing files whose server was busy in the last round, with the seconds it asks to wait, if it names any.
    """

    manifest: Manifest
    whole: tuple[tuple[ExpectedFile, StoredFile], ...]
    missing: tuple[ExpectedFile, ...]
    reasons: dict[str, str]
    busy: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class DeliveryReader:
    """Reads the state of deliveries from the lake."""

    files: ObjectStore
    stored: StoredFiles

    def state(self, export: Export, rounds: int) -> DeliveryState:
        """Compare every expected file with the one in the lake, after so many rounds of copying."""
        manifest = self.manifest(export)
        by_round = [list(self._results(export, number)) for number in range(1, rounds + 1)]
        results = list(chain.from_iterable(by_round))
        heads = self.stored.heads([f"{export.folder}{file.name}" for file in manifest.files])
        kept = {name for result in results for name in result.kept}
        whole, missing = [], []
        for file, stored in zip(manifest.files, heads, strict=True):
            if stored and _is_whole(file, stored, manifest, kept):
                whole.append((file, stored))
            else:
                missing.append(file)
        known = {name: why for result in results for name, why in result.reasons.items()}
        reasons = {file.name: known.get(file.name, "its copy was cut off") for file in missing}
        last = {name: seconds for result in by_round[-1] for name, seconds in result.busy.items()} if by_round else {}
        busy = {file.name: last[file.name] for file in missing if file.name in last}
        return DeliveryState(manifest, tuple(whole), tuple(missing), reasons | dict(manifest.unusable), busy)

    def manifest(self, export: Export) -> Manifest:
        """Return the manifest of all rounds so far."""
        return Manifest.from_json(orjson.loads(self.files.read(export.manifest_key)))

    def _results(self, export: Export, number: int) -> Iterator[BatchResult]:
        """Yield the results of a round's batches, in order; a batch that was killed has none."""
        for batch in orjson.loads(self.files.read(export.plan_key(number)))["batches"]:
            try:
                body = self.files.read(export.result_key(batch["batch_id"]))
            except MissingObjectError:
                continue
            yield BatchResult(**orjson.loads(body))


def _is_whole(file: ExpectedFile, stored: StoredFile, manifest: Manifest, kept: set[str]) -> bool:
    """Tell whether a file arrived: of its size, and of this job or kept because its ETag is the same."""
    return stored.size == file.size and (stored.is_of(manifest.job_guid) or file.name in kept)


class Checked(StrEnum):
    """Next step of the machine after a check."""

    AGAIN = "again"
    WAIT = "wait"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """Answer to a check, after so many rounds; `waited_seconds` are all the machine will have waited for the files."""

    next_step: Checked
    round: int
    wait_seconds: int
    waited_seconds: int
    promised: int
    copied: int
    missing: int


@dataclass(frozen=True, slots=True)
class DeliveryCheck:
    """Checks deliveries; tables `out_of_scope` are not expected.

    Missing files are given up after so many `rounds`; those of a busy server when the `patience` is spent, too.
    """

    deliveries: DeliveryReader
    slots: SlotRecords
    out_of_scope: frozenset[str]
    rounds: int
    patience: Patience

    def check(self, export: Export, rounds: int, waited_seconds: int) -> CheckAnswer:
        """Compare the files in the lake with the manifest, after so many rounds and seconds, and record the result."""
        state = self.deliveries.state(export, rounds)
        tables, refusal = [], ""
        try:
            tables = self._missing_tables(export, state)
        except SchemaRefusedError as error:
            refusal = f"its tables were not checked and its hour has no schema in the histories: {error}"
        result = _result(export, state, tables, refusal)
        self.slots.put_checked(export, result)
        # A server that names no time is spared for as long again as it was so far.
        asked = max((seconds for seconds in state.busy.values() if seconds is not None), default=waited_seconds)
        wait = self.patience.wait(asked, waited_seconds) if state.busy else None
        again = bool(state.missing) and rounds < self.rounds
        next_step = Checked.WAIT if wait else Checked.AGAIN if again else Checked.OVER
        waited = waited_seconds + (wait or 0)
        return CheckAnswer(next_step, rounds, wait or 0, waited, result.promised, result.copied, len(result.missing))

    def _missing_tables(self, export: Export, state: DeliveryState) -> list[str]:
        expected = {table for file in state.manifest.files if (table := table_of(file.name))}
        with _named("the list of files"):
            assert_within_limits(expected)
        size = next((stored.size for file, stored in state.whole if file.name == MASTER_SCHEMA), None)
        if size is None:
            return []
        with _named(MASTER_SCHEMA):
            assert_size(size)
            schema = checked_schema(self.deliveries.files.read(f"{export.folder}{MASTER_SCHEMA}")) or ()
        return sorted({table for table, _ in schema} - self.out_of_scope - expected)


@contextmanager
def _named(place: str) -> Iterator[None]:
    try:
        yield
    except SchemaRefusedError as error:
        raise SchemaRefusedError(f"{place} is refused: {error}") from None


def _result(export: Export, state: DeliveryState, tables: list[str], refusal: str) -> ExportResult:
    copied = [stored for _, stored in state.whole if stored.provenance and stored.provenance.execution == export.name]
    promised = len(state.manifest.files) + len(state.manifest.unusable)
    names = _as_many_as_fit(sorted(state.reasons))
    return ExportResult(
        slot=str(export.slot),
        status=INCOMPLETE if state.reasons or tables or refusal else DELIVERED,
        folder=export.folder,
        promised=promised,
        copied=len(copied),
        refetched=sum(stored.provenance.refetched for stored in copied if stored.provenance),
        bytes=sum(stored.size for stored in copied),
        missing=names,
        missing_tables=_as_many_as_fit(tables),
        reasons={name: state.reasons[name][:LONGEST_REASON] for name in names},
        cause=_cause(len(state.reasons), promised, tables, refusal)[:LONGEST_CAUSE],
    )


def _as_many_as_fit(names: Sequence[str]) -> list[str]:
    ends = accumulate(len(orjson.dumps(name)) for name in names)
    return [name for name, end in zip(names[:_NAMED], ends, strict=False) if end <= _NAMED_BYTES]


def _cause(missing: int, promised: int, tables: Sequence[str], refusal: str) -> str:
    parts = []
    if missing:
        parts.append(f"{missing} of {promised} promised files did not arrive whole")
    if refusal:
        parts.append(refusal)
    if tables:
        parts.append(f"the export lacks tables of its own schema: {', '.join(tables)}")
    return "; ".join(parts)
