"""A new service is a new folder: nothing else is touched."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from cli.contracts.check import check_registry
from cli.contracts.generation import generate_event
from cli.contracts.samples import write_samples
from sluice.contracts.load import TABLES, load_contract, load_registry
from sluice.contracts.model import ContractError
from sluice.event_files.validate.event_processor import Recogniser


def _snapshot(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _add(folder: Path, service: str, kind: str, schema: object, columns: list[object]) -> None:
    folder.mkdir()
    recognise = {"kind": kind, "services": [service]}
    table = {"version": 1, "doc": "A translation.", "recognise": recognise, "columns": columns}
    (folder / "table.json").write_text(json.dumps(table), encoding="utf-8")
    (folder / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
    write_samples(load_contract(folder), folder)


def test_a_new_service_is_a_new_folder(tree: Path) -> None:
    before = _snapshot(tree)
    output = {
        "type": "object",
        "required": ["texts"],
        "properties": {"texts": {"$ref": "../../shared/types.schema.json#/$defs/texts"}},
    }
    prediction = {"properties": {"service": {"const": "microfour"}, "output": output}}
    schema = {"$ref": "../prediction.schema.json", "properties": {"detail": {"properties": {"prediction": prediction}}}}
    texts = {"name": "texts", "path": "detail.prediction.output.texts", "type": "array<string>", "doc": "Translations."}
    shared = [{"$ref": f"../../shared/{name}.columns.json"} for name in ("prediction", "date_time")]
    _add(tree / "event_files/MICROFOUR_PRED", "microfour", "PRED", schema, [shared[0], texts, shared[1]])

    assert check_registry(tree) == []
    registry = load_registry(tree)
    contract = registry.contract("MICROFOUR_PRED")
    assert registry.contract_for("event_files", "PRED", "microfour") is contract
    assert "MICROFOUR_PRED" in {table.name for table in registry.tables()}
    assert [column.name for column in contract.table_columns][-5:] == [
        "texts",
        "date_time",
        "_rescued",
        "_source_key",
        "_source_offset",
    ]
    assert Recogniser(registry).recognise(generate_event(contract, random.Random(1))).contract is contract
    after = _snapshot(tree)
    assert {path: after[path] for path in before} == before
    assert {path.parent.name for path in after.keys() - before.keys()} == {"MICROFOUR_PRED"}


def test_a_contract_that_is_broken_does_not_load(tree: Path) -> None:
    (tree / "event_files/MICROONE_EVENT/schema.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ContractError, match=r"schema\.json: a contract's schema must be a JSON object"):
        load_registry(tree)


def test_loading_needs_no_samples(tree: Path) -> None:
    for path in (*tree.rglob("clean.json"), *tree.rglob("dirty.json")):
        path.unlink()
    assert len(load_registry(tree).contracts) == 14


def test_functions_load_contracts_without_the_tools_of_authors() -> None:
    code = "import sys, sluice.contracts.load; print(*sorted(sys.modules))"
    path = TABLES.parents[2]
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=path).stdout
    assert "jsonschema" not in modules
    assert [name for name in modules.split() if name.startswith("sluice.contracts.")] == [
        f"sluice.contracts.{name}" for name in ("load", "model")
    ]
