"""What is installed, here and on Lambda, is what was pinned, byte for byte; and what it is can be said."""

import json
import re
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_s3_assets as assets

import app
from infra.bill_of_materials import node_bill, python_bill
from infra.layers import layer_builder
from infra.layers.layer_builder import LAYERS, NATIVE, LayerBuild, LayerError
from tests.support.source_files import normal, pins
from tests.support.synthesis import ROOT

LAYER_FILES = [*sorted(LAYERS.glob("*/requirements.txt")), ROOT / "notebooks" / "requirements.txt"]
REQUIREMENT = re.compile(r"^([\w.-]+)==([^\s\\]+)[^\\\n]*((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


def hashes(file: Path) -> dict[str, set[str]]:
    """The hashes of each package that a file pins."""
    text = file.read_text()
    found = {f"{name}=={version}": set(each.split(" \\\n")[1:]) for name, version, each in REQUIREMENT.findall(text)}
    names = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    assert len(found) == len(names), "every package has a version and a hash"
    return found


@pytest.mark.parametrize("file", LAYER_FILES, ids=lambda file: file.parent.name)
def test_layers_take_the_very_files_that_everything_is_tested_with(file: Path) -> None:
    here = hashes(ROOT / "requirements.txt")
    for package, theirs in hashes(file).items():
        assert theirs == here[package]


def test_no_pinned_file_names_an_index() -> None:
    for file in (ROOT / "requirements.txt", *LAYER_FILES, *(ROOT / "infra" / "cdk_command").iterdir()):
        assert "://" not in file.read_text()


def test_the_cdk_command_is_locked() -> None:
    lock = json.loads((ROOT / "infra" / "cdk_command" / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert "node_modules/aws-cdk" in packages
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())


def test_everything_that_make_installs_is_checked() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\n.venv/ready:")[2].partition("\n\n")[0]
    for command in re.findall(r"^\t.*(?:pip install|npm) .*$", recipe, re.MULTILINE):
        assert re.search(r"--require-hashes|npm ci|--no-deps --no-build-isolation --editable", command), command


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_package_with_other_bytes_gets_into_no_layer(
    installer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = (LAYERS / "http" / "requirements.txt").read_text()
    (tmp_path / "http").mkdir()
    changed = re.sub(r"(idna==\S+)( \\\n    --hash=\S+)+", rf"\1 --hash=sha256:{'0' * 64}", pinned)
    assert changed != pinned
    (tmp_path / "http" / "requirements.txt").write_text(changed)
    for name, place in {"LAYERS": tmp_path, "ROOT": Path("/"), "CACHE": tmp_path / "cache"}.items():
        monkeypatch.setattr(layer_builder, name, place)
    if installer == "pip":
        monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(LayerError, match=r"(?s)cannot install.*(HASHES|[Hh]ash)"):
        LayerBuild("http", "3.14", NATIVE).build()
    assert not list((tmp_path / "cache").glob("*.zip"))


def test_a_bill_of_materials_names_every_package_and_its_hashes() -> None:
    bill = json.loads(python_bill("layer-http", LAYERS / "http" / "requirements.txt"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert {normal(each["name"]): each["version"] for each in bill["components"]} == pins("http")
    known = {entry.removeprefix("    --hash=sha256:") for each in hashes(LAYER_FILES[1]).values() for entry in each}
    for each in bill["components"]:
        assert each["purl"] == f"pkg:pypi/{each['name']}@{each['version']}"
        given = {entry["content"] for file in each["externalReferences"] for entry in file["hashes"]}
        assert given <= known
    assert [each["purl"].partition("@")[0] for each in json.loads(node_bill())["components"]] == ["pkg:npm/aws-cdk"]


def test_lambda_can_read_functions_whatever_rights_they_were_checked_out_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "function"
    (source / "part").mkdir(parents=True, mode=0o700)
    for file in (source / "handler.py", source / "part" / "of_it.py"):
        file.touch(0o600)
    monkeypatch.setattr(app, "App", lambda: App(outdir=str(tmp_path / "out"), context={"stage": "local"}))
    monkeypatch.setattr(app, "build", lambda made, _: assets.Asset(Stack(made, "S"), "A", path=str(source)))
    app.main()
    staged = [path for found in (tmp_path / "out").glob("asset.*") for path in (found, *found.rglob("*"))]
    assert {path.name for path in staged} >= {"handler.py", "part", "of_it.py"}
    assert {(path.is_dir(), path.stat().st_mode & 0o777) for path in staged} == {(True, 0o755), (False, 0o644)}
