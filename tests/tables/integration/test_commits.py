"""What a commit takes does not grow with the table's past."""

import cProfile
import pstats
from collections import Counter

from tests.tables.integration.upkeep_stage import TABLE, UpkeepStage, upkeep_stage

__all__ = ["upkeep_stage"]


def test_a_file_of_a_run_is_asked_for_once(upkeep_stage: UpkeepStage) -> None:
    """Its end, which tells its size as well; beside that a commit has so many requests, however many files it adds."""
    for _ in range(12):
        upkeep_stage.add()
    for files in (1, 5):
        added = [upkeep_stage.new_file() for _ in range(files)]
        with upkeep_stage.calls.record() as operations:
            upkeep_stage.tables.append(TABLE, added[-1][0], [key for _, key in added])
        asked = Counter(operations)
        assert asked.pop("GetObject") == 3 + files, (
            "metadata when the table is read and committed to, and its manifests"
        )
        assert asked == {
            "GetTable": 2,
            "GetDatabase": 1,
            "PutObject": 3,
            "HeadObject": 1,
            "UpdateTable": 1,
            "DeleteObject": 1,
        }


def test_a_commit_among_many_snapshots_does_as_much_as_one_among_few(upkeep_stage: UpkeepStage) -> None:
    few = _calls_of_a_commit(upkeep_stage)
    for _ in range(56):
        upkeep_stage.add()
    assert _calls_of_a_commit(upkeep_stage) < 2 * few


def _calls_of_a_commit(stage: UpkeepStage) -> int:
    """Return how many functions are called by a commit to a table that has a few manifests."""
    for _ in range(2):
        stage.add()
    run_id, key = stage.new_file()
    with cProfile.Profile() as profile:
        stage.tables.append(TABLE, run_id, [key])
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]  # its types lack it
