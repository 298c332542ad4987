"""What a second emulator of AWS is made of: moto's server, from PyPI."""

import json
import subprocess
from pathlib import Path

from tests.referees.fetching import Referee, environment

_VERSION = "5.2.5"
_KNOWN = "import json; from moto.cloudformation.parsing import get_model_map; print(json.dumps(list(get_model_map())))"


def server() -> Path:
    """Return the command."""
    return environment(f"moto-{_VERSION}", f"moto[server]=={_VERSION}") / "moto_server"


def known_types() -> set[str]:
    """Return the types of resources that its CloudFormation makes; others it passes over."""
    asked: list[str | Path] = [server().with_name("python"), "-c", _KNOWN]
    return set(json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout))


MOTO = Referee("moto", _VERSION, server)
