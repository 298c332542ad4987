"""Drafts: of the services of known families, and of any producer whose events are EventBridge's."""

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cli.contracts.check import check_registry
from cli.contracts.drafting import Draft
from cli.contracts.generation import generate_event
from cli.contracts.inference import Inference, infer_contracts
from cli.contracts.sample_types import ONLY_NULL, column_type, infer_schema
from cli.contracts.samples import write_samples
from cli.contracts.type_compatibility import corrected, require_fit
from cli.contracts.validator_agreement import DualValidator
from sluice.contracts.load import load_contract, load_registry
from sluice.contracts.model import Contract
from sluice.event_files.validate.event_processor import Recogniser
from tests.contracts.unit.example_events import VALID, edited

Event = dict[str, Any]

CONTRACTS = [pytest.param(each, id=each.table) for each in load_registry().contracts if len(each.services) == 1]


def infer(events: Iterable[Event], root: Path) -> Inference:
    return infer_contracts([json.dumps(event).encode() for event in events], root)


def adopt(draft: Draft, root: Path) -> Contract:
    folder = draft.write(root)
    contract = load_contract(folder)
    write_samples(contract, folder)
    return contract


def drafted(events: Iterable[Event], root: Path) -> tuple[Draft, Contract]:
    """Return the one draft of the events, by which all of them are clean, and its contract, adopted and checked."""
    found = infer(events, root)
    (draft,) = found.drafts
    assert (draft.clean, draft.dirty, draft.problems, found.passed_over) == (draft.samples, {}, [], {})
    contract = adopt(draft, root)
    assert check_registry(root) == []
    return draft, contract


def foreign(detail: Any, **envelope: Any) -> Event:
    return {
        "version": "0",
        "id": "c386bbc4",
        "detail-type": "pull_request",
        "source": "forge.example/webhooks",
        "account": "111122223333",
        "time": "2026-05-01T10:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": detail,
        **envelope,
    }


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_draft_passes_the_check_and_accepts_its_own_samples(contract: Contract, bare: Path) -> None:
    rng = random.Random(5)
    events = [generate_event(contract, rng) for _ in range(40)]
    draft, found = drafted(events, bare)
    assert (found.family, found.kind, found.services) == (contract.family, contract.kind, contract.services)
    assert draft.samples == 40
    paths = {column.path for column in found.columns}
    assert all({column.path} & (paths | {path[:-1] for path in paths}) for column in contract.columns)


def test_a_draft_finds_types_and_corrections(bare: Path) -> None:
    payloads: list[dict[str, Any]] = [
        {"a": 1, "b": "x", "c": [{"d": 1.5, "E f": 1}], "g": 1, "h": "s", "i": None, "j": True, "m": [{"o": 1}]},
        {"a": None, "b": 2, "c": [], "g": 0.5, "h": ["t", None], "i": None, "j": "yes", "k": {"l": [1]}, "m": []},
    ]
    mixed: list[dict[str, Any]] = [{"score": 1.5, "n": 1, "year": 2**64}, {"score": 2, "n": {"x": 1}, "year": 1}]
    events = [
        edited(VALID["MICROTWO_EVENT"], {"payload": payload, "service": "newService", **more})
        for payload, more in zip(payloads, mixed, strict=True)
    ]
    draft, contract = drafted(events, bare)
    assert (draft.family, draft.table) == ("event_files", "NEW_SERVICE_EVENT")
    assert [(column.name, column.type) for column in contract.columns[8:]] == [
        ("payload_a", "bigint"),
        ("payload_b", "string"),
        ("payload_c", "string"),
        ("payload_g", "double"),
        ("payload_h", "array<string>"),
        ("payload_j", "string"),
        ("payload_m", "array<struct<o:bigint>>"),
        ("payload_k", "struct<l:array<bigint>>"),
        ("score", "double"),
        ("n", "string"),
        ("evaluation_year", "string"),
        ("date_time", "string"),
    ]
    assert [(each.rule, each.member[-1]) for each in contract.corrections] == [
        ("integer_to_string", "b"),
        ("json_text", "c"),
        ("list_of_string", "h"),
        ("json_text", "j"),
        ("json_text", "n"),
        ("json_text", "year"),
    ]
    payload = contract.schema["properties"]["detail"]["properties"]["evaluation"]["properties"]["payload"]
    assert payload["required"] == ["a", "b", "c", "g", "h", "i", "j", "m"]
    assert draft.rescued == {"/detail/evaluation/payload/i": 2}


def test_one_draft_per_service_and_kind(bare: Path) -> None:
    events = [VALID["STE_EVENT"], VALID["STE_PRED"], VALID["MICROONE_EVENT"], VALID["STE_EVENT"]]
    found = [(draft.table, draft.samples) for draft in infer(events, bare).drafts]
    assert found == [("STE_EVENT", 2), ("STE_PRED", 1), ("MICROONE_EVENT", 1)]


def test_a_prediction_needs_no_more_than_every_prediction_has(bare: Path) -> None:
    prediction = {"id": "p", "shape_id": "s", "service": "gateway", "timestamp": 1, "readings": [1.5]}
    draft, contract = drafted([{**VALID["MICROONE_PRED"], "detail": {
        **{name: VALID["MICROONE_PRED"]["detail"][name] for name in ("id", "type", "timestamp", "partitionKey")},
        "prediction": prediction,
    }}], bare)  # fmt: skip
    assert (draft.table, contract.columns[-2].name) == ("GATEWAY_PRED", "readings")


def test_events_that_do_not_say_what_they_are_are_passed_over_and_counted(bare: Path) -> None:
    nameless = edited(VALID["STE_PRED"], {"/detail/prediction": "x"})
    found = infer([nameless, foreign("text"), foreign({}, source=1), {"source": "x"}], bare)
    assert found.drafts == []
    assert {reason.partition(" ")[0]: count for reason, count in found.passed_over.items()} == {"an": 1, "no": 3}


def test_samples_that_the_family_s_rules_refuse_are_told(bare: Path) -> None:
    events = [VALID["STE_PRED"], edited(VALID["STE_PRED"], {"/detail/partitionKey": 5})]
    (draft,) = infer(events, bare).drafts
    assert (draft.clean, draft.is_usable) == (1, True)
    assert [(*each.split(":")[:1], count) for each, count in draft.dirty.items()] == [("/detail/partitionKey", 1)]


def test_column_names_do_not_clash(bare: Path) -> None:
    body = {
        "account": "x",
        "payload": {"textTwo": "a", "text_two": "b", "text-two": "c", "2nd": "d", "": 1, "名前": "e", "a/b~c": True},
        "a.b": 1,
        "service": "s",
        "": "x",
        "hour": 1,
        "n" * 300: "long",
        "conversion cannot read it\0": 1,
    }
    _, contract = drafted([edited(VALID["MICROTWO_EVENT"], body)], bare)
    own = {column.name: column.path[2:] for column in contract.columns[8:-1]}
    assert own == {
        "evaluation_account": ("account",),
        "payload_text_two": ("payload", "textTwo"),
        "evaluation_payload_text_two": ("payload", "text_two"),
        "evaluation_payload_text_two_2": ("payload", "text-two"),
        "payload_2nd": ("payload", "2nd"),
        "payload": ("payload", ""),
        "evaluation_payload": ("payload", "名前"),
        "payload_a_b_c": ("payload", "a/b~c"),
        "a_b": ("a.b",),
        "evaluation": ("",),
        "evaluation_hour": ("hour",),
        "n" * 100: ("n" * 300,),
    }


def test_a_foreign_producer_becomes_a_family_whose_types_are_services(bare: Path) -> None:
    events = [
        foreign({"action": "opened", "number": 1, "sender": {"login": "u", "isBot": True}, "at": None}),
        foreign({"action": "closed", "number": 2, "sender": {"login": "v", "isBot": False}, "at": None}),
    ]
    draft, contract = drafted(events, bare)
    assert (draft.family, draft.table, contract.services) == (
        "forge_example_webhooks",
        "PULL_REQUEST_EVENT",
        ("pull_request",),
    )
    columns = {column.name: (".".join(column.path), column.type) for column in contract.columns}
    assert columns["id"] == ("id", "string")
    assert columns["date_time"] == ("time", "string")
    assert columns["resources"] == ("resources", "array<string>")
    assert columns["number"] == ("detail.number", "bigint")
    assert columns["sender_is_bot"] == ("detail.sender.isBot", "boolean")
    assert draft.rescued == {"/detail/at": 2}
    known = Recogniser(load_registry(bare)).recognise(foreign({}, source="Forge.Example/webhooks"))
    assert known.contract is not None
    assert known.contract.table == draft.table

    again = infer([foreign({}, **{"detail-type": "push"})], bare).drafts[0]
    assert (again.family, again.new_family, again.table) == (draft.family, None, "PUSH_EVENT")


def test_tables_of_different_producers_do_not_clash(bare: Path) -> None:
    drafted([foreign({"a": 1})], bare)
    spellings = [foreign({"a": 1}, source="other", **{"detail-type": name}) for name in ("Pull-Request", "pullRequest")]
    draft, contract = drafted(spellings, bare)
    assert (draft.table, contract.services) == ("OTHER_PULL_REQUEST_EVENT", ("Pull-Request", "pullRequest"))
    draft, _ = drafted([foreign({}, **{"detail-type": "Push Event"})], bare)
    assert draft.table == "PUSH_EVENT"
    draft, _ = drafted([foreign({}, source="名前", **{"detail-type": "1 名前"})], bare)
    assert (draft.family, draft.table) == ("family", "FAMILY_1_EVENT")


def test_what_is_too_deep_or_too_wide_is_held_whole(bare: Path) -> None:
    deep: Any = 1
    for _ in range(60):
        deep = {"in": [deep]}
    detail = {"deep": deep, "wide": {f"user-{number}": number for number in range(300)}, "long": list(range(50_000))}
    _, contract = drafted([foreign(detail)], bare)
    types = {column.name: column.type for column in contract.columns}
    assert [types[name] for name in ("deep_in", "wide", "long")] == ["string", "string", "array<bigint>"]


def test_members_named_like_technical_columns_become_no_columns(bare: Path) -> None:
    draft, contract = drafted([foreign({"a": 1}, _rescued="x", _source_key={"y": 1}, _source_offset=[])], bare)
    assert {column.path[0] for column in contract.columns}.isdisjoint({"_rescued", "_source_key", "_source_offset"})
    assert (draft.clean, draft.problems) == (1, [])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(["", "id", "Id", "ID", "time", "year", "a.b", "a/b", "a b", "~", "date_time", "_rescued", "é"])
DETAILS = st.dictionaries(NAMES | st.text(max_size=3), JSON, max_size=5)
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "detail-type": st.sampled_from(["push", "Push", "Push!", "1", "é", "", "*"]),
        "id": JSON,
        "version": JSON,
        "resources": JSON,
        "source": st.sampled_from(["forge", "Forge", "shared", "event_files", "é"]),
        "time": st.sampled_from(["2026-05-01T10:00:00Z", "2026-05-01T10:00:00.5+00:00", "yesterday", 5]),
    },
)


@settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(events=st.lists(st.builds(lambda detail, envelope: foreign(detail, **envelope), DETAILS, ENVELOPES), max_size=4))
def test_any_envelope_gives_a_draft_that_holds_or_a_reason(bare: Path, events: list[Event]) -> None:
    found = infer(events, bare)
    assert sum(draft.samples for draft in found.drafts) + sum(found.passed_over.values()) == len(events)
    for draft in found.drafts:
        assert draft.problems == []
        assert {each for each in draft.dirty if not each.startswith("/time: ")} == set()
        assert (draft.clean == draft.samples) == (not draft.dirty)


VALUES = [None, True, 0, -1, 2**53, 2**53 + 1, 2**63, 0.5, 1e300, "x", "null", [], ["x"], [1, None], {}, {"a": 1}]


def test_an_inferred_schema_admits_its_values_and_fits_its_column() -> None:
    rng = random.Random(3)
    for _ in range(400):
        values = rng.choices(VALUES, k=rng.randint(1, 3))
        schema = infer_schema(values)
        validator = DualValidator(schema)
        assert all(validator.broken(value) == set() for value in values), (values, schema)
        found = column_type(schema)
        assert (found is None) == (values.count(None) == len(values)) == (schema == ONLY_NULL)
        if found:
            require_fit(corrected(found[1] or "", schema, "value"), found[0], "value")
