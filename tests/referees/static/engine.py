"""What the judges of templates, machines and packages are made of: packages from PyPI and npm."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.referees.fetching import NotHereError, Referee, environment, node_modules

_CHECKOV, _AUDIT = "3.3.30", "2.10.1"
_LANGUAGE, _VALIDATOR = "1.16.1", "4.0.0"
_KNOWN = "jinja2==2.10.1"  # whose vulnerabilities have been known since 2020


def checkov() -> Path:
    """Return the command."""
    return environment(f"checkov-{_CHECKOV}", f"checkov=={_CHECKOV}") / "checkov"


def language() -> Path:
    """Return the modules of AWS's language service, which its editors use, and of a validator by others."""
    wanted = (f"amazon-states-language-service@{_LANGUAGE}", f"asl-validator@{_VALIDATOR}")
    return node_modules(f"states-language-{_LANGUAGE}", *wanted)


def pip_audit() -> Path:
    """Return the command, where it finds what it must: where nothing answers it, it says that all is well."""
    command = environment(f"pip-audit-{_AUDIT}", f"pip-audit=={_AUDIT}") / "pip-audit"
    known = command.with_name("known.txt")
    known.write_text(_KNOWN)
    if not any("vulns" in each and each["vulns"] for each in audited(command, known, "--no-deps")):
        raise NotHereError("PyPI's list of vulnerabilities is not reached: it finds none in a package that has some")
    return command


def audited(command: Path, requirements: Path, *options: str) -> list[dict[str, Any]]:
    """Return what is known of each pinned package: its vulnerabilities, or the reason why nothing is."""
    asked: list[str | Path] = [command, "--requirement", requirements, "--disable-pip", "--format", "json", *options]
    said = subprocess.run(asked, capture_output=True, text=True, timeout=300, check=False).stdout
    return list(json.loads(said)["dependencies"]) if said.startswith("{") else []


CHECKOV = Referee("Checkov", _CHECKOV, checkov)
STATES_LANGUAGE = Referee("States-language", f"{_LANGUAGE}, asl-validator {_VALIDATOR}", language)
PIP_AUDIT = Referee("pip-audit", _AUDIT, pip_audit)
