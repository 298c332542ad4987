"""What arrived of what was promised, as this execution's own documents and the lake show it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import orjson

from sluice.lake.object_store import MissingObjectError, ObjectStore
from sluice.vendor_exports.delivery.keys import ExportRun
from sluice.vendor_exports.delivery.model import BatchResult, CopyBatch, Landed, Manifest, Promise
from sluice.vendor_exports.delivery.ports import Landing


@dataclass(frozen=True, slots=True)
class Arrival:
    """What arrived: each promised file with what lies there when it is whole, and why others are not."""

    manifest: Manifest
    whole: tuple[tuple[Promise, Landed], ...]
    missing: tuple[Promise, ...]
    reasons: dict[str, str]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Looks at the lake."""

    files: ObjectStore
    landing: Landing

    def arrival(self, run: ExportRun, rounds: int) -> Arrival:
        """Look at every promised file, after so many rounds of copying."""
        manifest = self.manifest(run)
        results = list(self._results(run, rounds))
        heads = self.landing.heads([f"{run.folder}{file.name}" for file in manifest.files])
        kept = {name for result in results for name in result.kept}
        whole, missing = [], []
        for file, there in zip(manifest.files, heads, strict=True):
            if there and _is_whole(file, there, manifest, kept):
                whole.append((file, there))
            else:
                missing.append(file)
        known = {name: why for result in results for name, why in result.reasons.items()}
        reasons = {file.name: known.get(file.name, "its copy was cut off") for file in missing}
        return Arrival(manifest, tuple(whole), tuple(missing), reasons | dict(manifest.unusable))

    def manifest(self, run: ExportRun) -> Manifest:
        """Return what was promised so far."""
        return Manifest.from_json(orjson.loads(self.files.read(run.manifest_key)))

    def write_manifest(self, run: ExportRun, manifest: Manifest) -> None:
        """Keep what was promised so far."""
        self.files.write(run.manifest_key, orjson.dumps(asdict(manifest)))

    def _results(self, run: ExportRun, rounds: int) -> Iterator[BatchResult]:
        """Yield what the batches of all rounds left behind, in order; one that was killed left nothing."""
        for number in range(1, rounds + 1):
            for batch in orjson.loads(self.files.read(run.plan_key(number)))["batches"]:
                key = run.result_key(CopyBatch.from_json(batch).batch_id)
                try:
                    yield BatchResult.from_json(orjson.loads(self.files.read(key)))
                except MissingObjectError:
                    continue


def _is_whole(file: Promise, there: Landed, manifest: Manifest, kept: set[str]) -> bool:
    """Tell whether a file arrived: of its size, and of this job, or found to be the same by its ETag."""
    return there.size == file.size and (there.is_of(manifest.job_guid) or file.name in kept)
