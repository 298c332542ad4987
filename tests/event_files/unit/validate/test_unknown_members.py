"""Members that the contract does not know are kept as delivered, by JSON pointer."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import orjson
import pytest

from sluice.event_files.validate.rules import (
    InexactError,
    Rules,
    TooDeepError,
    closed,
    members_of,
    mending_whole_numbers,
)
from tests.event_files.unit.validate.contract_events import (
    CONTRACTS,
    FEW_VALUES,
    contract_like,
    with_unknown_members,
    with_values,
)

SCHEMA: dict[str, Any] = {
    "properties": {
        "a": {"properties": {"b": {"type": "string"}}},
        "open": {"type": "object"},
        "list": {"type": "array", "items": {"properties": {"x": {}}}},
        "lists": {"items": {"items": {"properties": {"x": {}}}}},
        "texts": {"items": {"type": "string"}},
        "names/with~signs": {"properties": {"b": {}}},
    },
    "allOf": [{"properties": {"a": {"properties": {"c": {}}}, "d": {}}}],
    "if": {"properties": {"e": {}}},
    "then": {"properties": {"f": {}}},
    "else": {"properties": {"g": {}}},
}
RULES = Rules(contract_like(SCHEMA))


def rescue(text: str) -> tuple[Any, int]:
    raw = text.encode()
    rescued, count = RULES.rescue(orjson.loads(raw), memoryview(raw))
    return rescued and json.loads(rescued), count


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"a": {"b": 1, "c": 2}, "d": 1, "e": 1, "f": 1, "g": 1}',
        '{"open": {"anything": {"deeper": 1}}}',
        '{"texts": [{"x": 1}], "list": [], "a": null}',
        '{"list": [{"x": {"anything": 1}}, {}]}',
        '{"a": [{"not": "an object"}], "list": {"not": "a list"}}',
    ],
)
def test_known_members_are_not_rescued(text: str) -> None:
    assert rescue(text) == (None, 0)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"z": null}', {"/z": None}),
        ('{"b": 1}', {"/b": 1}),
        ('{"a": {"b": 1, "d": {"deep": [1]}}}', {"/a/d": {"deep": [1]}}),
        ('{"list": [{"x": 1}, {"y": 1}, {"x": 1, "y": 2}]}', {"/list/1/y": 1, "/list/2/y": 2}),
        ('{"lists": [[], [{"x": 1}, {"z": 1}]]}', {"/lists/1/1/z": 1}),
        ('{"z": 1, "a": {"z": 2}}', {"/z": 1, "/a/z": 2}),
        ('{"names/with~signs": {"c": 1}}', {"/names~1with~0signs/c": 1}),
        ('{"z": 1, "list": {"not": "a list"}, "open": {"x": 1}}', {"/z": 1}),
        ('{"~/": 1, "": 2}', {"/~0~1": 1, "/": 2}),
        ('{"z": 1, "z": 2}', {"/z": 2}),
        ('{"z": "\\u0000é🌊\\u2028"}', {"/z": "\x00é🌊\u2028"}),
    ],
)
def test_unknown_members_are_rescued_and_counted(text: str, wanted: dict[str, Any]) -> None:
    assert rescue(text) == (wanted, len(wanted))


@pytest.mark.parametrize("unknown", ["[" * 300 + "]" * 300, '{"a":' * 300 + "1" + "}" * 300])
def test_unknown_too_deep_to_be_written_are_refused(unknown: str) -> None:
    with pytest.raises(TooDeepError):
        rescue(f'{{"z": {unknown}}}')


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.table)
def test_rules_hold_where_nothing_is_broken_unknown_or_to_mend(contract: Any) -> None:
    rules, mend, verdicts = Rules(contract), mending_whole_numbers(contract), set()
    for text in [*with_values(contract, FEW_VALUES), *with_unknown_members(contract)]:
        event = orjson.loads(text)
        broken, (_, unknown) = bool(rules.breaks(event)), rules.rescue(event, memoryview(text.encode()))
        to_mend = not broken and has_any_to_mend(mend, orjson.loads(text))
        assert rules.hold(event) is not (broken or unknown or to_mend), text
        verdicts.add((broken, unknown > 0, to_mend))
    assert verdicts >= {(False, False, False), (False, True, False), (True, False, False)}
    assert any(to_mend for _, _, to_mend in verdicts)


def has_any_to_mend(mend: Callable[[Any], bool], event: Any) -> bool:
    try:
        return mend(event)
    except InexactError:
        return True


WHOLE: dict[str, Any] = {
    "a": {"b": "x", "c": 1},
    "open": {"x": 1},
    "list": [{"x": 1}],
    "lists": [[{"x": 1}]],
    "names/with~signs": {"b": 1},
    "d": {},
    "e": {},
}
PROPERTIES: dict[str, Any] = SCHEMA["properties"]


@pytest.mark.parametrize(
    "schema",
    [
        SCHEMA,
        {**SCHEMA, "properties": {**PROPERTIES, "a": True}, "anyOf": [{"properties": {"a": PROPERTIES["a"]}}, True]},
        {**SCHEMA, "patternProperties": {"^z": {}}},
        {"allOf": [SCHEMA, {"properties": {"list": True, "lists": {"items": True}}}]},
    ],
)
def test_a_closed_schema_takes_no_unknown_member_at_any_place(schema: dict[str, Any]) -> None:
    rules = Rules(contract_like(schema))
    takes = jsonschema_rs.Draft202012Validator(closed(schema, members_of(schema))).is_valid
    taken = []
    for text in _with_an_unknown_member(WHOLE):
        _, unknown = rules.rescue(json.loads(text), memoryview(text.encode()))
        assert takes(json.loads(text)) is (unknown == 0), text
        taken.append(unknown == 0)
    assert True in taken
    assert False in taken


def _with_an_unknown_member(value: Any) -> list[str]:
    """The value with an unknown member in each of its objects."""
    text = json.dumps(value)
    return [text] + [
        f'{text[:place]}{{"z":1{"" if text[place + 1] == "}" else ","}{text[place + 1 :]}'
        for place, char in enumerate(text)
        if char == "{"
    ]
