"""How long the phases of an export took, from the steps of its record."""

from sluice.runs.model import Kind, RunRecord

TRIGGER = "Trigger the job"
LIST = "List the files"
PROOF = "Check that all arrived"
JOB = ("Wait for the job to begin", "Check the job", "Wait for the job")
"""Between the trigger and the vendor's job being complete."""
COPY = (LIST, "Wait for the list to fill", "Copy the files", PROOF)
"""From the list of files to the proof that all arrived."""


def failures(record: RunRecord) -> int:
    """Return the attempts of the record's steps that failed."""
    return sum(step.failures for step in record.steps)


def job_seconds(record: RunRecord) -> float | None:
    """Return how long the vendor's job took; None when this run triggered none, or did not see it complete."""
    return _seconds(record, JOB, seen=(TRIGGER, LIST))


def copy_seconds(record: RunRecord) -> float | None:
    """Return how long listing, copying and checking took; None when it did not come to the check."""
    return _seconds(record, COPY, seen=(PROOF,))


def _seconds(record: RunRecord, names: tuple[str, ...], seen: tuple[str, ...]) -> float | None:
    visited = {step.name: step.seconds for step in record.steps}
    if record.kind is not Kind.EXPORT or not all(name in visited for name in seen):
        return None
    return round(sum(visited.get(name, 0.0) for name in names), 3)
