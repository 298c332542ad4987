"""Functions in processes of their own, to be measured and killed; their AWS is the local cloud."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.platform import local_cloud

ROOT = Path(__file__).resolve().parents[3]


def call(folder: str, event: Any, environment: Mapping[str, str]) -> Any:
    """Call a function with all rights and the environment that its stack gives it.

    Returns ``{"result": …, "peak_mb": …}``.
    """
    surroundings = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'layers'}",
        **local_cloud.require().client_environment,
        "POWERTOOLS_SERVICE_NAME": folder,
        "STAGE": "measured",
        "PIPELINE": "event_files",
        **environment,
    }
    command = [sys.executable, "-m", "tests.support.local.function_process_main", folder]
    with tempfile.TemporaryFile("w+") as document:
        json.dump(event, document)
        document.seek(0)
        done = subprocess.run(
            command, stdin=document, capture_output=True, text=True, env=surroundings, cwd=ROOT, check=False
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
