"""Build a Lambda layer as a zip, without Docker, for the machine and the Python it will run on.

`python -m infra.layers.layer_builder arrow --python 3.14 --platform aarch64` prints the path of the zip. The CDK runs
that when it publishes the layer, not when it synthesises: synth needs neither a network nor the packages.
"""

import argparse
import hashlib
import importlib.util
import py_compile
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from infra.layers import layer_slimming
from infra.layers.layer_slimming import files, is_useless, share, slim

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ROOT / "layers"
CACHE = ROOT / "build" / "layers"

NATIVE = "native"  # the machine and interpreter that build
PLATFORMS = (NATIVE, "aarch64", "x86_64")
SLUICE = "sluice"  # our own code; the other layers are packages by their requirements

_UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH

# Unzipped megabytes a layer may have on arm64. A function may have 250 with all its layers and its own code.
BUDGET_MB = {
    SLUICE: 2,
    "runtime": 22,  # with the pages of the service
    "arrow": 78,
    "tables": 15,
    "http": 3,
    "postgres": 20,
    "service": 8,
    "plots": 28,
    "search": 6,
    "science": 115,
    "mlflow": 95,
}
_ELSEWHERE = 2  # times as much: code for other machines is larger, and native layers hold bytecode too

_MAKERS = [Path(module.__file__) for module in (sys.modules[__name__], layer_slimming) if module.__file__]


class LayerError(Exception):
    """A layer cannot be built as asked."""


@dataclass(frozen=True, slots=True)
class LayerBuild:
    """One layer for one target: `python` as in 3.14, `platform` one of PLATFORMS."""

    name: str
    python: str
    platform: str

    @property
    def command(self) -> list[str]:
        """The command that builds this layer, to be run in the project's root."""
        target = ["--python", self.python, "--platform", self.platform]
        return ["python3", "-m", "infra.layers.layer_builder", self.name, *target]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all the result depends on: equal fingerprints, equal layers."""
        digest = hashlib.sha256(f"{self.name} {self.python} {self.platform}".encode())
        for path in [*_MAKERS, *self._sources()]:
            digest.update(str(path.relative_to(ROOT)).encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def build(self) -> Path:
        """Return the zip, made anew only when its fingerprint is new.

        Raises:
            LayerError: the packages cannot be installed for the target, or the layer is over its budget.
        """
        archive = CACHE / f"{self.name}-{self.fingerprint[:16]}.zip"
        if archive.exists():
            return archive
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            content = Path(folder) / "content"
            packages = content / "python"
            self._fill(packages)
            slim(packages)
            share(packages, content / "lib")
            if self.platform == NATIVE:
                _compile(packages)
            self._check_size(content)
            unfinished = Path(folder) / "layer.zip"
            # The emulator unpacks layers for every worker it starts: storing saves more time than it costs.
            _pack(content, unfinished, zipfile.ZIP_STORED if self.platform == NATIVE else zipfile.ZIP_DEFLATED)
            unfinished.replace(archive)  # in one step: a build beside this one never sees half a file
        return archive

    def _sources(self) -> list[Path]:
        if self.name != SLUICE:
            return [LAYERS / self.name / "requirements.txt"]
        code = (path for path in (LAYERS / SLUICE).rglob("*") if path.is_file())
        return sorted(path for path in code if not is_useless(path.relative_to(LAYERS)))

    def _fill(self, packages: Path) -> None:
        if self.name == SLUICE:
            for path in self._sources():
                copy = packages / path.relative_to(LAYERS)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
        else:
            self._install(packages)

    def _install(self, packages: Path) -> None:
        requirements = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", str(self._sources()[0])]
        done = subprocess.run(
            [sys.executable, "-m", *self._installer(), "--target", str(packages), *requirements],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LayerError(
                f"layer {self.name}: cannot install its packages for Python {self.python} on {self.platform}; "
                f"the installer says:\n{done.stderr.strip()}"
            )

    def _installer(self) -> list[str]:
        if importlib.util.find_spec("uv"):
            target = ["--python-platform", f"{self.platform}-manylinux_2_28", "--python-version", self.python]
            return ["uv", "pip", "install", "--quiet", *([] if self.platform == NATIVE else target)]
        target = ["--python-version", self.python, "--implementation", "cp"]
        for generation in ("manylinux_2_28", "manylinux2014"):
            target += ["--platform", f"{generation}_{self.platform}"]
        return ["pip", "install", "--quiet", *([] if self.platform == NATIVE else target)]

    def _check_size(self, content: Path) -> None:
        size_mb = sum(path.stat().st_size for path in files(content)) / 1e6
        budget_mb = BUDGET_MB[self.name] * (1 if self.platform == "aarch64" else _ELSEWHERE)
        if size_mb > budget_mb:
            raise LayerError(
                f"layer {self.name}: {size_mb:.1f} MB unzipped for {self.platform}, its budget is "
                f"{budget_mb:g} MB; slim it down or move the budget in infra/layers/layer_builder.py"
            )


def _compile(packages: Path) -> None:
    """Compile for the running version of Python, which spares every cold start the compilation."""
    for path in list(packages.rglob("*.py")):
        compiled = path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
        shown = f"/opt/python/{path.relative_to(packages)}"
        # Unchecked: a zip keeps no times to check by.
        py_compile.compile(str(path), str(compiled), shown, doraise=True, invalidation_mode=_UNCHECKED)


def _pack(content: Path, archive: Path, compression: int) -> None:
    """Zip the folders Lambda looks in, `python` and `lib`; the same files give the same bytes."""
    with zipfile.ZipFile(archive, "w") as packed:
        for path in files(content):
            entry = zipfile.ZipInfo(str(path.relative_to(content)), date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, path.read_bytes(), compression, compresslevel=9)


def main(arguments: list[str] | None = None) -> int:
    """Build the layer the arguments name and print the path of its zip."""
    parser = argparse.ArgumentParser(description="Build a Lambda layer and print the path of its zip.")
    parser.add_argument("name", choices=BUDGET_MB)
    parser.add_argument("--python", required=True, help="such as 3.14")
    parser.add_argument("--platform", required=True, choices=PLATFORMS)
    wanted = parser.parse_args(arguments)
    try:
        archive = LayerBuild(wanted.name, wanted.python, wanted.platform).build()
    except LayerError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(f"{archive}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
