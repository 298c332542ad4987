import random
from pathlib import Path
from typing import Any

import pytest

from cli.contracts.check import check_registry
from cli.contracts.generation import generate_event
from cli.contracts.inference import Draft, column_type, infer_contracts, infer_schema
from cli.contracts.samples import write_samples
from cli.contracts.type_compatibility import require_fit
from cli.contracts.validator_agreement import DualValidator
from sluice.contracts.load import load_contract, load_registry
from sluice.contracts.model import Contract
from tests.contracts.unit.example_events import VALID, edited

CONTRACTS = [pytest.param(each, id=each.table) for each in load_registry().contracts if len(each.services) == 1]


def adopt(draft: Draft, root: Path) -> Contract:
    folder = draft.write(root)
    contract = load_contract(folder)
    write_samples(contract, folder)
    return contract


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_draft_passes_the_check_and_accepts_its_own_samples(contract: Contract, bare: Path) -> None:
    rng = random.Random(5)
    events = [generate_event(contract, rng) for _ in range(40)]
    (draft,) = infer_contracts(events, bare)
    drafted = adopt(draft, bare)
    assert check_registry(bare) == []
    assert (drafted.family, drafted.kind, drafted.services) == (contract.family, contract.kind, contract.services)
    assert draft.samples == 40
    validator = DualValidator(drafted.schema)
    assert [broken for event in events if (broken := validator.broken(event))] == []
    paths = {column.path for column in drafted.columns}
    assert all({column.path} & (paths | {path[:-1] for path in paths}) for column in contract.columns)


def test_a_draft_finds_types_and_corrections(bare: Path) -> None:
    payloads: list[dict[str, Any]] = [
        {"a": 1, "b": "x", "c": [{"d": 1.5, "E f": 1}], "g": 1, "h": "s", "i": None, "j": True, "year": 1},
        {"a": None, "b": 2, "c": [], "g": 0.5, "h": ["t", None], "i": None, "j": "yes", "k": {"l": [1]}, "year": 2},
    ]
    events = [
        edited(VALID["MICROTWO_EVENT"], {"payload": payload, "service": "newService", "score": 1.5})
        for payload in payloads
    ]
    (draft,) = infer_contracts(events, bare)
    assert (draft.family, draft.table) == ("event_files", "NEWSERVICE_EVENT")
    contract = adopt(draft, bare)
    assert check_registry(bare) == []
    assert [(column.name, column.type) for column in contract.columns[8:]] == [
        ("payload_a", "bigint"),
        ("payload_b", "string"),
        ("payload_c", "array<struct<d:double>>"),
        ("payload_g", "double"),
        ("payload_h", "array<string>"),
        ("payload_j", "string"),
        ("payload_year", "bigint"),
        ("payload_k", "struct<l:array<bigint>>"),
        ("score", "double"),
        ("date_time", "string"),
    ]
    assert [(each.rule, each.member[-1]) for each in contract.corrections] == [
        ("integer_to_string", "b"),
        ("list_of_string", "h"),
        ("json_text", "j"),
    ]
    payload = contract.schema["properties"]["detail"]["properties"]["evaluation"]["properties"]["payload"]
    assert payload["required"] == ["a", "b", "c", "g", "h", "i", "j", "year"]


def test_one_draft_per_service_and_kind(bare: Path) -> None:
    events = [VALID["STE_EVENT"], VALID["STE_PRED"], VALID["MICROONE_EVENT"], VALID["STE_EVENT"]]
    drafts = infer_contracts(events, bare)
    found = [(draft.table, draft.samples) for draft in drafts]
    assert found == [("STE_EVENT", 2), ("STE_PRED", 1), ("MICROONE_EVENT", 1)]


def test_unknown_events_are_skipped(bare: Path) -> None:
    unknown = [edited(VALID["STE_PRED"], {place: "x"}) for place in ("/source", "/detail-type", "/detail/prediction")]
    assert infer_contracts(unknown, bare) == []


def test_column_names_do_not_clash(bare: Path) -> None:
    body = {
        "account": "x",
        "payload": {"textTwo": "a", "text_two": "b", "text-two": "c", "2nd": "d"},
        "a.b": 1,
        "service": "s",
    }
    (draft,) = infer_contracts([edited(VALID["MICROTWO_EVENT"], body)], bare)
    contract = adopt(draft, bare)
    assert check_registry(bare) == []
    own = {column.name: column.path[2:] for column in contract.columns[8:-1]}
    assert own == {
        "evaluation_account": ("account",),
        "payload_text_two": ("payload", "textTwo"),
        "evaluation_payload_text_two": ("payload", "text_two"),
        "evaluation_payload_text_two_2": ("payload", "text-two"),
        "payload_2nd": ("payload", "2nd"),
        "a_b": ("a.b",),
    }


VALUES = [None, True, 0, -1, 2**53, 2**53 + 1, 2**63, 0.5, 1e300, "x", "null", [], ["x"], [1, None], {}, {"a": 1}]


def test_an_inferred_schema_admits_its_values_and_fits_its_column() -> None:
    rng = random.Random(3)
    for _ in range(400):
        values = rng.choices(VALUES, k=rng.randint(1, 3))
        schema = infer_schema(values)
        validator = DualValidator(schema)
        assert all(validator.broken(value) == set() for value in values), (values, schema)
        found = column_type(schema)
        if found and found[1] is None:
            require_fit(schema, found[0], "value")
