"""State of a delivery: the expected files against the files in the lake."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from sluice.lake.object_store import MissingObjectError, ObjectStore
from sluice.vendor_exports.delivery.model import BatchResult, ExpectedFile, Export, Manifest
from sluice.vendor_exports.delivery.transfers import StoredFile, StoredFiles


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
