"""Every rule an event breaks is told, where and why, without telling what people wrote."""

import json
from typing import Any

import pytest

from sluice.event_files.validate.members import members_of, thinned
from sluice.event_files.validate.rules import MOST_BREAKS, MOST_ITEMS, Rules
from tests.event_files.unit.validate.contract_events import ABSENT, CONTRACTS, REGISTRY, event_of, with_values

SECRET = "patient 4711 said"
MICROONE = Rules(REGISTRY.contract("MICROONE_EVENT"))


def broken(event: Any, rules: Rules = MICROONE) -> list[tuple[str, str]]:
    return sorted((each.pointer, each.rule) for each in rules.breaks(event))


def test_every_broken_rule_is_reported() -> None:
    event = event_of(
        "MICROONE_EVENT",
        version=1,
        time="yesterday",
        account=ABSENT,
        detail__timestamp="1",
        detail__partitionKey=ABSENT,
        detail__evaluation__reporter="robot",
        detail__evaluation__payload__text=None,
        detail__evaluation__payload__paragraph=2**63,
    )
    assert broken(event) == [
        ("/account", "required"),
        ("/detail/evaluation/payload/paragraph", "maximum"),
        ("/detail/evaluation/payload/text", "type"),
        ("/detail/evaluation/reporter", "enum"),
        ("/detail/partitionKey", "required"),
        ("/detail/timestamp", "type"),
        ("/time", "pattern"),
        ("/version", "type"),
    ]


def test_each_missing_member_is_reported() -> None:
    event = event_of("MICROONE_EVENT", detail__evaluation={"prediction_id": "a#microone"})
    body = "/detail/evaluation"
    names = ("id", "payload", "reporter", "shape_id", "template_ef_version", "timestamp", "type")
    assert broken(event) == [(f"{body}/{name}", "required") for name in names]


@pytest.mark.parametrize(
    ("service", "prediction_id", "wanted"),
    [
        (ABSENT, ABSENT, [("/detail/evaluation/service", "required")]),
        (None, None, [("/detail/evaluation/service", "type")]),
        ("microone", 5, [("/detail/evaluation/prediction_id", "type")]),
        ("microtwo", "a#microone", [("/detail/evaluation/service", "enum")]),
        ("microone", ABSENT, []),
        (None, "a#microone", []),
    ],
)
def test_an_evaluation_names_its_prediction_or_its_service(service: Any, prediction_id: Any, wanted: Any) -> None:
    """One exact reason, not the failure of two alternatives."""
    event = event_of(
        "MICROONE_EVENT", detail__evaluation__service=service, detail__evaluation__prediction_id=prediction_id
    )
    assert broken(event) == wanted


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.table)
def test_no_message_holds_a_value(contract: Any) -> None:
    """Neither texts nor numbers nor names of members: each is changed to a secret, and no secret comes out."""
    rules = Rules(contract)
    secrets = (
        json.dumps(SECRET),
        json.dumps([SECRET]),
        json.dumps({SECRET: SECRET}),
        "4711.4711",
        "47114711471147114711",
    )
    messages = 0
    for text in with_values(contract, secrets):
        for each in rules.breaks(json.loads(text)):
            messages += 1
            assert "4711" not in "".join(each), each
    assert messages > 50


TIMES = (
    *("2022-02-29T10:00:00Z", "2022-04-31T10:00:00Z", "1999-12-31T10:00:00Z", "2100-01-01T10:00:00Z"),
    *("2022-04-19T18:20:03Z\n", "2022-04-19T18:20:03+01:00", "2022-04-19", "\u0662022-04-19T18:20:03Z"),
)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.table)
def test_no_contract_takes_a_time_that_has_no_partition_or_is_not_utc_to_the_letter(contract: Any) -> None:
    rules = Rules(contract)
    for time in TIMES:
        assert broken(event_of(contract.table, time=time), rules) == [("/time", "pattern")], time


def test_reasons_are_capped() -> None:
    rules = Rules(REGISTRY.contract("MICROONE_PRED"))
    event = event_of("MICROONE_PRED", detail__prediction__input__paragraphs=[None] * (MOST_BREAKS - 1))
    assert len(rules.breaks(event)) == MOST_BREAKS - 1
    event = event_of("MICROONE_PRED", detail__prediction__input__paragraphs=[None] * 1_000_000)
    pointers = [each.pointer for each in rules.breaks(event)]
    assert pointers == [f"/detail/prediction/input/paragraphs/{number}" for number in range(MOST_BREAKS)]


@pytest.mark.parametrize(("place", "rule"), [(MOST_ITEMS - 1, "type"), (MOST_ITEMS, "items")])
def test_reasons_are_looked_for_in_so_many_items(place: int, rule: str) -> None:
    texts: list[Any] = ["a"] * (2 * MOST_ITEMS)
    texts[place] = None
    event = event_of("MICROONE_PRED")
    event["detail"]["prediction"] = {**event["detail"]["prediction"], "output": {"summary": []}}
    event["detail"]["prediction"]["input"] = {"paragraphs": texts}
    pointer = f"/detail/prediction/input/paragraphs/{place}" if rule == "type" else ""
    assert broken(event, Rules(REGISTRY.contract("MICROONE_PRED"))) == [(pointer, rule)]


KNOWN = members_of({"properties": {"a": {"items": {"properties": {"b": {"type": "string"}}}}, "open": {}}})


def test_a_thinned_event_holds_what_is_known_at_its_place() -> None:
    event = {"z": [1], "a": [{"b": 1, "z": 1}, 2, {"b": {"c": 1}}, {"b": 3}], "open": {"y": 1}}
    assert thinned(KNOWN, event, iter(range(9))) == {"a": [{"b": 1}, 2, {"b": {}}, {"b": 3}], "open": {}}
    assert thinned(KNOWN, event, iter(range(2))) == {"a": [{"b": 1}, 2], "open": {}}
    assert thinned(KNOWN, {"open": [[1, 2], [3, 4]]}, iter(range(5))) == {"open": [[1, 2], [3]]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028", "\n2022-04-19T18:20:03Z"])
def test_a_text_that_goes_on_behind_its_pattern_does_not_hold(end: str) -> None:
    assert MICROONE.hold(event_of("MICROONE_EVENT", time="2022-04-19T18:20:03Z"))
    assert not MICROONE.hold(event_of("MICROONE_EVENT", time="2022-04-19T18:20:03Z" + end))
