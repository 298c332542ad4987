"""State and check of a delivery: every expected file arrived, and every table of the vendor's own schema."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

import orjson

from sluice.lake.object_store import MissingObjectError, ObjectStore
from sluice.vendor_exports.delivery.master_schema import MAX_SCHEMA_BYTES, read_schema
from sluice.vendor_exports.delivery.model import (
    DELIVERED,
    INCOMPLETE,
    LONGEST_CAUSE,
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
_LONGEST_REASON = 200  # characters


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """Expected files that are whole, those that are missing, and why files are missing, by name."""

    manifest: Manifest
    whole: tuple[tuple[ExpectedFile, StoredFile], ...]
    missing: tuple[ExpectedFile, ...]
    reasons: dict[str, str]


@dataclass(frozen=True, slots=True)
class DeliveryReader:
    """Reads the state of deliveries from the lake."""

    files: ObjectStore
    stored: StoredFiles

    def state(self, export: Export, rounds: int) -> DeliveryState:
        """Compare every expected file with the one in the lake, after so many rounds of copying."""
        manifest = self.manifest(export)
        results = list(self._results(export, rounds))
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
        return DeliveryState(manifest, tuple(whole), tuple(missing), reasons | dict(manifest.unusable))

    def manifest(self, export: Export) -> Manifest:
        """Return the manifest of all rounds so far."""
        return Manifest.from_json(orjson.loads(self.files.read(export.manifest_key)))

    def _results(self, export: Export, rounds: int) -> Iterator[BatchResult]:
        """Yield the results of all rounds' batches, in order; a batch that was killed has none."""
        for number in range(1, rounds + 1):
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
    OVER = "over"


@dataclass(frozen=True, slots=True)
class DeliveryCheck:
    """Checks deliveries; tables `out_of_scope` are not expected, missing files are given up after so many `rounds`."""

    deliveries: DeliveryReader
    slots: SlotRecords
    out_of_scope: frozenset[str]
    rounds: int

    def check(self, export: Export, rounds: int) -> tuple[Checked, ExportResult]:
        """Compare the files in the lake with the manifest, after so many rounds, and record the result."""
        state = self.deliveries.state(export, rounds)
        result = _result(export, state, self._missing_tables(export, state))
        self.slots.put_checked(export, result)
        again = bool(state.missing) and rounds < self.rounds
        return (Checked.AGAIN if again else Checked.OVER), result

    def _missing_tables(self, export: Export, state: DeliveryState) -> list[str]:
        if not any(file.name == MASTER_SCHEMA and stored.size <= MAX_SCHEMA_BYTES for file, stored in state.whole):
            return []
        schema = read_schema(self.deliveries.files.read(f"{export.folder}{MASTER_SCHEMA}")) or ()
        expected = {table_of(file.name) for file in state.manifest.files}
        return sorted({table for table, _ in schema} - self.out_of_scope - expected)


def _result(export: Export, state: DeliveryState, tables: list[str]) -> ExportResult:
    copied = [stored for _, stored in state.whole if stored.provenance and stored.provenance.execution == export.name]
    promised = len(state.manifest.files) + len(state.manifest.unusable)
    names = _as_many_as_fit(sorted(state.reasons))
    return ExportResult(
        slot=str(export.slot),
        status=INCOMPLETE if state.reasons or tables else DELIVERED,
        folder=export.folder,
        promised=promised,
        copied=len(copied),
        refetched=sum(stored.provenance.refetched for stored in copied if stored.provenance),
        bytes=sum(stored.size for stored in copied),
        missing=names,
        missing_tables=_as_many_as_fit(tables),
        reasons={name: state.reasons[name][:_LONGEST_REASON] for name in names},
        cause=_cause(len(state.reasons), promised, tables)[:LONGEST_CAUSE],
    )


def _as_many_as_fit(names: Sequence[str]) -> list[str]:
    ends = accumulate(len(orjson.dumps(name)) for name in names)
    return [name for name, end in zip(names[:_NAMED], ends, strict=False) if end <= _NAMED_BYTES]


def _cause(missing: int, promised: int, tables: Sequence[str]) -> str:
    parts = []
    if missing:
        parts.append(f"{missing} of {promised} promised files did not arrive whole")
    if tables:
        parts.append(f"the export lacks tables of its own schema: {', '.join(tables)}")
    return "; ".join(parts)
