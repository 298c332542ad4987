"""Keys of the files that are uploaded."""

import os
from pathlib import Path

import pytest

from cli.event_files.upload import MAX_KEY_BYTES, input_files
from cli.platform.console import CliError


def write(root: Path, *names: str) -> list[Path]:
    paths = [root / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}")
    return paths


def keys(paths: list[Path]) -> list[str]:
    return sorted(file.key for file in input_files(paths))


def test_the_key_of_a_file_is_its_name_wherever_it_lies(tmp_path: Path) -> None:
    assert keys(write(tmp_path, "a/one", "b/c/two")) == ["one", "two"]


def test_below_a_directory_the_key_is_the_path_relative_to_it(tmp_path: Path) -> None:
    write(tmp_path, "in/2024/05/one", "in/two")
    assert keys([tmp_path / "in"]) == ["2024/05/one", "two"]


def test_only_the_clashing_keys_get_longer(tmp_path: Path) -> None:
    paths = write(tmp_path, "mon/x", "tue/x", "wed/y")
    assert keys(paths) == ["mon/x", "tue/x", "y"]


def test_longer_keys_that_clash_again_make_all_keys_relative(tmp_path: Path) -> None:
    write(tmp_path, "dir/mon/x")
    clashing = write(tmp_path, "mon/x", "tue/x")
    assert keys([tmp_path / "dir", *clashing]) == ["dir/mon/x", "mon/x", "tue/x"]


def test_a_file_named_twice_is_uploaded_once(tmp_path: Path) -> None:
    (path,) = write(tmp_path, "in/one")
    assert keys([path, path.parent / ".." / "in" / "one", path.parent]) == ["one"]


def test_links_are_followed_and_refused_where_they_lead_nowhere(tmp_path: Path) -> None:
    write(tmp_path, "in/one", "elsewhere/2024/two")
    (tmp_path / "in/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/three").symlink_to(tmp_path / "elsewhere/2024/two")
    assert keys([tmp_path / "in"]) == ["linked/2024/two", "one", "three"]
    for target in ("nowhere", "in"):
        (tmp_path / "in/bad").symlink_to(tmp_path / target)
        with pytest.raises(CliError, match="in/bad"):
            input_files([tmp_path / "in"])
        (tmp_path / "in/bad").unlink()


def test_a_directory_that_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "in/one", "in/shut/two")
    scan = os.scandir

    def denied(path: str) -> object:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", denied)  # root may read everything
    with pytest.raises(CliError, match="in/shut cannot be read: Permission denied"):
        input_files([tmp_path / "in"])


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="no file in"):
        input_files([tmp_path])


def test_a_key_longer_than_s3_allows_is_refused(tmp_path: Path) -> None:
    deep = Path(*["é" * 100] * 5)
    write(tmp_path, str(deep / ("x" * 19)))
    (found,) = keys([tmp_path])
    assert len(found.encode()) == MAX_KEY_BYTES
    write(tmp_path, str(deep / ("x" * 20)))
    with pytest.raises(CliError, match="1,024"):
        input_files([tmp_path])


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    write(tmp_path, b"\xff".decode("utf-8", "surrogateescape"))
    with pytest.raises(CliError, match="not UTF-8"):
        input_files([tmp_path])
