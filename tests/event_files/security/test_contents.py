"""Whatever a file holds, validating or refusing it takes neither more time nor more memory than its function has."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.event_files.settings import EventFiles
from tests.event_files.security.contents import CONTENTS
from tests.event_files.security.validating import PROCESSOR, Taken

LARGEST = EventFiles().max_file_bytes
MOST_SECONDS = 120 * PROCESSOR
MOST_MB = 600.0
SMALL = 2 << 20
SLACK_SECONDS = 0.8  # of a small file: what is compiled with the first event of a table, and noise
SMALL_MB = 120.0  # with its function's code


def taken(paths: Sequence[Path]) -> list[Taken]:
    """What each of the files takes, one after the other."""
    command = [sys.executable, "-m", "tests.event_files.security.validating", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [Taken(**json.loads(line)) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Taken]:
    folder = tmp_path_factory.mktemp("contents")
    paths = [folder / str(number) for number in range(len(CONTENTS))]
    for path, make in zip(paths, CONTENTS.values(), strict=True):
        path.write_bytes(make(SMALL))
    return dict(zip(CONTENTS, taken(paths), strict=True))


@pytest.mark.parametrize("name", CONTENTS)
def test_a_small_file_takes_its_share(small: dict[str, Taken], name: str) -> None:
    assert small[name].cpu_seconds < MOST_SECONDS * SMALL / LARGEST + SLACK_SECONDS
    assert small[name].peak_mb < SMALL_MB
    assert small[name].written_mb < 20 * SMALL / 1e6


def test_files_that_unfold_do_not_add_up(tmp_path: Path) -> None:
    """Pending lines and those of the file at hand count by the memory they take."""
    for number in range(20):
        (tmp_path / str(number)).write_bytes(CONTENTS["gzip of foreign events"](SMALL))
    (found,) = taken([tmp_path])
    assert found.counted == found.events > 20 * SMALL // 100
    assert found.peak_mb < SMALL_MB


@pytest.mark.attack
@pytest.mark.parametrize("name", CONTENTS)
def test_the_largest_file_ends_in_time(name: str, tmp_path: Path) -> None:
    path = tmp_path / "content"
    path.write_bytes(CONTENTS[name](LARGEST - 1))
    (found,) = taken([path])
    sys.stdout.write(f"{name}: {found}\n")
    assert found.cpu_seconds < MOST_SECONDS + 5
    assert found.peak_mb < MOST_MB
    assert found.counted == found.events
