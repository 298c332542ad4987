"""The words for a job's status."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.vendor_exports.client.status import JobStatus


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Complete", JobStatus.COMPLETE),
        (" COMPLETED\n", JobStatus.COMPLETE),
        ("Failed", JobStatus.FAILED),
        ("Job failure", JobStatus.FAILED),
        ("Completed with errors", JobStatus.ERROR),
        ("ERROR", JobStatus.ERROR),
        ("Canceled", JobStatus.CANCELLED),
        ("Cancelled by user", JobStatus.CANCELLED),
        ("aborted", JobStatus.ABORTED),
        ("Running", JobStatus.RUNNING),
        ("In Progress", JobStatus.RUNNING),
        ("in_progress", JobStatus.RUNNING),
        ("IN-PROGRESS", JobStatus.RUNNING),
        ("Initializing", JobStatus.RUNNING),
        ("Completing", JobStatus.UNKNOWN),
        ("Incomplete", JobStatus.UNKNOWN),
        ("Not complete", JobStatus.UNKNOWN),
        ("complete?", JobStatus.UNKNOWN),
        ("99 % complete", JobStatus.UNKNOWN),
        ("Complete: 3 of 4", JobStatus.UNKNOWN),
        ("Replicating 45%", JobStatus.UNKNOWN),
        ("Success", JobStatus.UNKNOWN),
        ("", JobStatus.UNKNOWN),
        ("<NoneType>", JobStatus.UNKNOWN),
    ],
)
def test_words(word: str, status: JobStatus) -> None:
    assert JobStatus.of(word) is status


def test_terminal_statuses() -> None:
    assert set(JobStatus) - {status for status in JobStatus if status.is_terminal} == {
        JobStatus.RUNNING,
        JobStatus.UNKNOWN,
    }


@given(st.text())
def test_any_word_has_a_status_and_only_one_word_is_the_end(word: str) -> None:
    status = JobStatus.of(word)
    assert (status is JobStatus.COMPLETE) == (
        "".join(word.lower().replace("-", "").replace("_", "").split()) in {"complete", "completed"}
    )
