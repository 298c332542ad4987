import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from infra.layers import layer_builder
from infra.layers.layer_builder import BUDGET_MB, LAYERS, NATIVE, SLUICE, LayerBuild, LayerError
from tests.platform.infra.layers.test_imports import layers_of
from tests.platform.infra.test_functions import ALL_FOLDERS
from tests.support.source_files import OWN, handler_path, imports, normal, pins
from tests.support.synthesis import ROOT, Synthesis

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
OF_PACKAGES = sorted(BUDGET_MB.keys() - {SLUICE})


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(layer_builder, "CACHE", tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layer_builder, "CACHE", tmp_path_factory.mktemp("layers"))
        return zipfile.ZipFile(LayerBuild("sluice", "3.14", "aarch64").build())


def test_own_layer_holds_every_module_the_functions_import(own: zipfile.ZipFile) -> None:
    held = {name.removeprefix("python/").removesuffix(".py").replace("/", ".") for name in own.namelist()}
    handlers = [path.read_text() for path in (ROOT / "functions").glob("*/*/handler.py")]
    modules = [own.read(name).decode() for name in own.namelist() if name.endswith(".py")]
    wanted = {module for source in handlers + modules for module in _own_imports(source)}
    assert wanted
    assert {module for module in wanted if module not in held and f"{module}.__init__" not in held} == set()


def test_own_layer_holds_contracts_but_no_samples_tests_or_caches(own: zipfile.ZipFile) -> None:
    names = own.namelist()
    assert [name for name in names if name.endswith("table.json")]
    assert [name for name in names if name.endswith("schema.json")]
    assert not [name for name in names if re.search(r"(clean|dirty)\.json|__pycache__|test|\.pyc$", name)]
    assert all(name.startswith("python/sluice/") for name in names)


def test_own_layer_holds_what_pages_are_made_of(own: zipfile.ZipFile) -> None:
    files = (path for path in (LAYERS / SLUICE / "html_report").iterdir() if path.is_file())
    parts = {f"python/sluice/html_report/{path.name}" for path in files}
    assert len([part for part in parts if not part.endswith(".py")]) >= 3, "page, style and script"
    assert parts <= set(own.namelist())


def test_the_same_sources_give_the_same_bytes_once(cache: Path) -> None:
    build = LayerBuild("sluice", "3.14", "aarch64")
    first = build.build()
    body = first.read_bytes()
    changed = first.stat().st_mtime_ns
    assert build.build() == first
    assert first.stat().st_mtime_ns == changed, "a layer that is there is not built again"
    first.unlink()
    assert build.build().read_bytes() == body
    assert [path.name for path in cache.iterdir()] == [first.name], "nothing half done is left"


def test_a_fingerprint_tells_apart_what_gives_another_layer() -> None:
    builds = [
        LayerBuild(name, python, platform)
        for name in BUDGET_MB
        for python in ("3.13", "3.14")
        for platform in ("aarch64", "x86_64")
    ]
    assert len({build.fingerprint for build in builds}) == len(builds)


def test_a_fingerprint_follows_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_builder, "LAYERS", tmp_path)
    monkeypatch.setattr(layer_builder, "ROOT", Path("/"))
    requirements = tmp_path / "runtime" / "requirements.txt"
    requirements.parent.mkdir()
    requirements.write_text("orjson==1")
    before = LayerBuild("runtime", "3.14", "aarch64").fingerprint
    requirements.write_text("orjson==2")
    assert LayerBuild("runtime", "3.14", "aarch64").fingerprint != before


def test_a_layer_over_its_budget_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(layer_builder.BUDGET_MB, "sluice", 0)
    with pytest.raises(LayerError, match="its budget is 0 MB"):
        LayerBuild("sluice", "3.14", "aarch64").build()
    assert not list(cache.glob("*.zip"))


@pytest.mark.parametrize("folder", ALL_FOLDERS)
def test_the_budgets_of_a_functions_layers_leave_room_for_its_code(folder: str) -> None:
    code = sum(path.stat().st_size for path in handler_path(folder).parent.glob("*.py")) / 1e6
    assert sum(BUDGET_MB[layer] for layer in layers_of(folder)) + code <= 230, "Lambda takes 250 MB"


def test_every_folder_of_layers_has_a_budget() -> None:
    assert {path.name for path in LAYERS.iterdir() if path.is_dir()} == BUDGET_MB.keys()


def test_packages_that_cannot_be_had_are_named(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache
    failed = subprocess.CompletedProcess([], 1, "", "no wheel of orjson for this platform")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_options: failed)
    with pytest.raises(LayerError, match=r"layer runtime: cannot install .* 3\.14 on aarch64(.|\n)*no wheel of orjson"):
        LayerBuild("runtime", "3.14", "aarch64").build()
    assert not list(tmp_path.glob("*.zip"))


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_packages_are_for_the_target_not_compiled(cache: Path, monkeypatch: pytest.MonkeyPatch, installer: str) -> None:
    assert cache
    commands: list[list[str]] = []

    def run(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: installer == "uv" or None)
    LayerBuild("arrow", "3.14", "aarch64").build()
    (command,) = commands
    assert command[:3] == [sys.executable, "-m", installer]
    assert {"--only-binary", ":all:", "--no-deps", "3.14"} <= set(command)
    assert any("manylinux_2_28" in word and "aarch64" in word for word in command)


def test_the_command_prints_nothing_but_the_path(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert layer_builder.main(["sluice", "--python", "3.14", "--platform", "aarch64"]) == 0
    printed = Path(capsys.readouterr().out.rstrip("\n"))
    assert printed.parent == cache
    assert zipfile.is_zipfile(printed)


def test_a_native_layer_is_compiled_for_the_running_python(cache: Path) -> None:
    assert cache
    names = zipfile.ZipFile(LayerBuild("sluice", RUNNING, NATIVE).build()).namelist()
    sources = [name for name in names if name.endswith(".py")]
    assert len([name for name in names if name.endswith(f".{sys.implementation.cache_tag}.pyc")]) == len(sources)


@pytest.mark.parametrize("layer", OF_PACKAGES)
def test_layers_have_the_versions_everything_is_tested_with(layer: str) -> None:
    for name, pinned in pins(layer).items():
        assert version(name) == pinned
    assert {"boto3", "botocore"} <= pins("runtime").keys(), "Lambda's own would change unseen"


# Of its command line, of catalogs over HTTP, of file systems that are not ours; of gRPC; of a server.
NOT_NEEDED = {
    "pyiceberg": {"click", "fsspec", "requests", "rich", "tenacity"},
    "opensearch-py": {"opensearch-protobufs"},
    "mlflow-skinny": {"uvicorn"},
}


@pytest.mark.parametrize("python", sorted({RUNNING, "3.14"}))
@pytest.mark.parametrize("layer", OF_PACKAGES)
def test_layers_hold_all_their_packages_need(layer: str, python: str) -> None:
    at_hand = pins("runtime") | pins(layer)
    for name in pins(layer):
        assert set(_needs(name, python)) - NOT_NEEDED.get(name, set()) <= at_hand.keys(), name


@pytest.mark.parametrize("folder", ALL_FOLDERS)
def test_no_package_is_in_two_layers_of_a_function(folder: str) -> None:
    """Python would take either: the other one only makes the function larger."""
    names = [name for layer in layers_of(folder) - {SLUICE} for name in pins(layer)]
    assert len(names) == len(set(names))


def test_the_command_of_every_layer_is_in_the_assembly(prd: Synthesis) -> None:
    assets = json.loads((prd.folder / f"{prd.stage.stack_name}.assets.json").read_text())["files"]
    built = [asset["source"]["executable"] for asset in assets.values() if "executable" in asset["source"]]
    assert len(built) == len(prd.template.of_type("AWS::Lambda::LayerVersion"))
    for command in built:
        assert command[:3] == ["python3", "-m", "infra.layers.layer_builder"]
        assert command[3] in BUDGET_MB
        assert command[4:] == ["--python", "3.14", "--platform", "aarch64"]


def test_no_asset_of_a_function_holds_a_cache(prd: Synthesis) -> None:
    assert not [path for path in prd.folder.glob("asset.*/**/*") if "__pycache__" in path.parts]


def _own_imports(source: str) -> Iterator[str]:
    return (module for module in imports(source) if module.split(".")[0] == OWN)


def _needs(package: str, python: str) -> Iterator[str]:
    """Yield the packages a package needs with a version of Python, without extras."""
    for requirement in map(Requirement, requires(package) or []):
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python, "extra": ""}):
            yield normal(requirement.name)
