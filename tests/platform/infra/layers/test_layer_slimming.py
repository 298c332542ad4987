from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import orjson

from infra.layers.layer_slimming import slim

LIBRARY = f"orjson{sysconfig.get_config_var('EXT_SUFFIX')}"


def test_a_file_that_is_linked_to_an_environment_stays_whole_there(tmp_path: Path) -> None:
    """Running processes have it in their memory: whoever writes into it kills them."""
    environment, packages = tmp_path / "environment", tmp_path / "packages"
    for folder in (environment, packages):
        folder.mkdir()
    body = (Path(orjson.__file__).parent / LIBRARY).read_bytes() + b"more than a loader reads"
    (environment / LIBRARY).write_bytes(body)
    os.link(environment / LIBRARY, packages / LIBRARY)
    slim(packages)
    assert (packages / LIBRARY).stat().st_size < len(body)
    assert (environment / LIBRARY).read_bytes() == body
