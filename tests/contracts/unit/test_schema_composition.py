import json
import random
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry as Resources
from referencing import Resource
from referencing.jsonschema import DRAFT202012

from cli.contracts.generation import generate_event, mutate_event
from cli.contracts.validator_agreement import json_pointer
from sluice.contracts.load import DIALECT, TABLES, Composer, load_registry, read_json
from sluice.contracts.model import ContractError

CONTRACTS = [pytest.param(contract, id=contract.table) for contract in load_registry().contracts]


def composed(folder: Path, **files: Any) -> Any:
    """The schema of ``a``, composed from files given by name."""
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return Composer(read_json).compose(folder / "a.json")


def test_references_are_resolved_and_merged(tmp_path: Path) -> None:
    found = composed(
        tmp_path,
        a={"allOf": [{"$ref": "b.json"}, {"$ref": "b.json#/$defs/c"}], "properties": {"x": {"maximum": 5}}},
        b={
            "$defs": {"c": {"required": ["y"], "properties": {"y": {"type": "string"}}}},
            "type": "object",
            "required": ["x"],
            "properties": {"x": {"type": "integer", "minimum": 1}},
        },
    )
    assert found == {
        "$schema": DIALECT,
        "type": "object",
        "required": ["x", "y"],
        "properties": {"x": {"type": "integer", "minimum": 1, "maximum": 5}, "y": {"type": "string"}},
    }


def test_references_stand_anywhere_in_a_schema(tmp_path: Path) -> None:
    text = {"type": "string"}
    found = composed(
        tmp_path,
        a={
            "$defs": {"t": text},
            "if": {"properties": {"x": {"$ref": "#/$defs/t"}}},
            "then": {"items": {"$ref": "#/$defs/t"}},
            "anyOf": [{"$ref": "#/$defs/t"}, True],
        },
    )
    assert found["if"] == {"properties": {"x": text}}
    assert found["then"] == {"items": text}
    assert found["anyOf"] == [text, True]


def test_a_value_that_looks_like_a_schema_is_left_alone(tmp_path: Path) -> None:
    found = composed(tmp_path, a={"const": {"$ref": "b.json"}, "examples": [{"allOf": [1]}]})
    assert found["const"] == {"$ref": "b.json"}
    assert found["examples"] == [{"allOf": [1]}]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"pattern": "a"}, {"pattern": "b"}),
        ({"if": {"type": "string"}, "then": False}, {"if": {"type": "null"}, "then": False}),
        ({"additionalProperties": False}, {"properties": {"x": {}}}),
        ({"type": "string"}, False),
        ({"type": "array", "items": {"pattern": "a"}}, {"items": {"pattern": "b"}}),
        ({"minimum": 1}, {"minimum": 2}),
    ],
)
def test_parts_that_cannot_be_merged_stay_in_an_all_of(tmp_path: Path, first: Any, second: Any) -> None:
    found = composed(tmp_path, a={"allOf": [first, second]})
    assert found == {"$schema": DIALECT, **first, "allOf": [second]}


def test_an_enumeration_drops_the_type_and_what_the_type_excludes(tmp_path: Path) -> None:
    found = composed(tmp_path, a={"$ref": "b.json", "enum": ["x", None, 1]}, b={"type": ["string", "null"]})
    assert found == {"$schema": DIALECT, "enum": ["x", None]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"$ref": "a.json"}, "leads back to itself"),
        ({"$ref": "#"}, "leads back to itself"),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"items": {"$ref": "#/$defs/x"}}}}, "leads back to itself"),
        ({"$ref": "b.json"}, r"b\.json: there is no such file"),
        ({"$ref": "#/$defs/x"}, "no such definition"),
        (True, "must be a JSON object"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        composed(tmp_path, a=content)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_composed_schemas_have_no_references(contract: Any) -> None:
    text = json.dumps(contract.schema)
    assert "$ref" not in text
    assert "allOf" not in text


@pytest.mark.parametrize("contract", CONTRACTS)
def test_composed_schemas_give_the_verdicts_of_the_files(contract: Any) -> None:
    """The validator reads the files as they are written, references and all, and must come to the same verdicts."""
    files = {path.as_uri(): json.loads(path.read_text(encoding="utf-8")) for path in TABLES.rglob("*schema.json")}
    resources = Resources().with_resources(
        [(uri, Resource.from_contents(content, default_specification=DRAFT202012)) for uri, content in files.items()]
    )
    entry = (TABLES / contract.family.name / contract.table / "schema.json").as_uri()
    written = jsonschema.Draft202012Validator({"$ref": entry}, registry=resources)
    flat = jsonschema.Draft202012Validator(contract.schema)
    rng = random.Random(11)
    for _ in range(15):
        event = generate_event(contract, rng)
        assert written.is_valid(event)
        broken, _ = mutate_event(contract, event, rng)
        assert _pointers(written, broken) == _pointers(flat, broken) != set()


def _pointers(validator: Any, event: Any) -> set[str]:
    return {json_pointer(error.absolute_path) for error in validator.iter_errors(event)}
