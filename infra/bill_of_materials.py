"""Bills of materials, in CycloneDX: what is in this environment, in each layer, and in the CDK command.

`python -m infra.bill_of_materials` writes them to build/sbom, from what is pinned: each package with its version, the
hashes of its files and its package URL. uv and npm make them; uv asks the index what belongs to a version.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from infra.layers.layer_builder import LAYERS, ROOT

FOLDER = ROOT / "build" / "sbom"

_CDK = ROOT / "infra" / "cdk_command"
_PINNED = re.compile(r"^\w[\w.-]*==[^\\#\n]+", re.MULTILINE)


def python_bill(name: str, requirements: Path) -> str:
    """Return the bill of what a file of requirements pins."""
    pinned = [line.strip() for line in _PINNED.findall(requirements.read_text())]
    with tempfile.TemporaryDirectory() as folder:
        listed = ", ".join(map(json.dumps, pinned))  # an array of JSON is one of TOML
        project = f'[project]\nname = "{name}"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = [{listed}]\n'
        (Path(folder) / "pyproject.toml").write_text(project)
        uv = [sys.executable, "-m", "uv"]
        _run([*uv, "lock", "--quiet"], Path(folder))
        bill = json.loads(_run([*uv, "export", "--quiet", "--frozen", "--format", "cyclonedx1.5"], Path(folder)))
    return json.dumps(_without_others(bill, {line.partition(" ")[0] for line in pinned}), indent=2)


def _without_others(bill: dict[str, Any], pinned: set[str]) -> dict[str, Any]:
    """Return a bill without what packages need and another layer has."""
    kept = [each for each in bill["components"] if f"{each['name']}=={each['version']}" in pinned]
    refs = {bill["metadata"]["component"]["bom-ref"], *(each["bom-ref"] for each in kept)}
    edges = [
        {**each, "dependsOn": [ref for ref in each.get("dependsOn", ()) if ref in refs]}
        for each in bill["dependencies"]
        if each["ref"] in refs
    ]
    return {**bill, "components": kept, "dependencies": edges}


def node_bill() -> str:
    """Return the bill of the CDK command."""
    npm = Path(sys.prefix) / "bin" / "npm"
    return _run([str(npm), "sbom", "--package-lock-only", "--sbom-format", "cyclonedx"], _CDK)


def _run(command: list[str], folder: Path) -> str:
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout


def main() -> None:
    """Write all bills, and name them."""
    layers = {f"layer-{file.parent.name}": file for file in sorted(LAYERS.glob("*/requirements.txt"))}
    bills = {
        name: python_bill(name, file) for name, file in {"environment": ROOT / "requirements.txt", **layers}.items()
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, bill in {**bills, "cdk-command": node_bill()}.items():
        path = FOLDER / f"{name}.cdx.json"
        path.write_text(bill)
        sys.stdout.write(f"{path.relative_to(ROOT)}: {len(json.loads(bill)['components'])} packages\n")


if __name__ == "__main__":
    main()
