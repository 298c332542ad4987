"""A new service is a new folder: nothing else is touched."""

import json
import random
from pathlib import Path

from cli.contracts.check import check_registry
from cli.contracts.generation import generate_event
from cli.contracts.samples import write_samples
from sluice.contracts.load import load_contract, load_registry
from sluice.event_files.validate.event_processor import Recogniser


def _snapshot(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


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
    recognise = {"kind": "PRED", "services": ["microfour"]}
    table = {"version": 1, "doc": "A translation.", "recognise": recognise, "columns": [shared[0], texts, shared[1]]}
    folder = tree / "event_files/MICROFOUR_PRED"
    folder.mkdir()
    (folder / "table.json").write_text(json.dumps(table), encoding="utf-8")
    (folder / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
    write_samples(load_contract(folder), folder)

    assert check_registry(tree) == []
    registry = load_registry(tree)
    contract = registry.contract("MICROFOUR_PRED")
    assert registry.contract_for("event_files", "PRED", "microfour") is contract
    assert "MICROFOUR_PRED" in {table.name for table in registry.tables()}
    names = [column.name for column in contract.table_columns]
    assert names[-5:] == ["texts", "date_time", "_rescued", "_source_key", "_source_offset"]
    assert Recogniser(registry).recognise(generate_event(contract, random.Random(1))).contract is contract
    after = _snapshot(tree)
    assert {path: after[path] for path in before} == before
    assert {path.parent.name for path in after.keys() - before.keys()} == {"MICROFOUR_PRED"}


def test_loading_needs_no_samples(tree: Path) -> None:
    for path in (*tree.rglob("clean.json"), *tree.rglob("dirty.json")):
        path.unlink()
    assert len(load_registry(tree).contracts) == 14
