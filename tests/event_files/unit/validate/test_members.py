"""What no column reads is kept as delivered, by JSON pointer."""

from typing import Any

import orjson
import pytest

from sluice.contracts.model import Column
from sluice.event_files.validate.rules import Rules, mending_whole_numbers
from tests.event_files.unit.validate.contract_events import (
    CONTRACTS,
    FEW_VALUES,
    contract_like,
    events_of,
    with_unknown_members,
    with_values,
)

TEXT = {"type": ["string", "null"]}
SCHEMA: dict[str, Any] = {
    "properties": {
        "id": TEXT,
        "a": {"properties": {"b": TEXT, "left": {}}},
        "s": {"type": ["object", "null"], "properties": {"x": TEXT, "left": TEXT}},
        "list": {"type": "array", "items": {"properties": {"x": TEXT, "left": TEXT}}},
        "lists": {"items": {"items": {"properties": {"x": TEXT}}}},
        "names/with~signs": {"properties": {"b": TEXT}},
    },
    "allOf": [{"properties": {"a": {"properties": {"c": {}}}, "d": {}}}],
    "if": {"properties": {"e": {}}},
    "then": {"properties": {"f": {}}},
    "patternProperties": {"^z": {}},
}
COLUMNS = (
    (("id",), "string"),
    (("a", "b"), "string"),
    (("s",), "struct<x:string>"),
    (("list",), "array<struct<x:string>>"),
    (("lists",), "array<array<struct<x:string>>>"),
    (("names/with~signs", "b"), "string"),
)
CONTRACT = contract_like(SCHEMA, tuple(Column(str(path), path, type_, "d") for path, type_ in COLUMNS))
RULES = Rules(CONTRACT)


def unread(text: str, rules: Rules = RULES) -> tuple[str, int]:
    """What is kept of a valid event, and how much of it the schema does not know; the usual way finds the same."""
    raw = text.encode()
    members, unknown = rules.unread(orjson.loads(raw), memoryview(raw))
    kept = orjson.dumps(members, option=orjson.OPT_SORT_KEYS)
    if rules.hold(orjson.loads(raw)):
        usual = orjson.dumps(rules.unread_of_usual(orjson.loads(raw)), option=orjson.OPT_SORT_KEYS)
        assert (usual, unknown) == (kept, 0), text
    return kept.decode(), unknown


@pytest.mark.parametrize(
    ("text", "kept", "unknown"),
    [
        ("{}", "{}", 0),
        ('{"id":"1","a":{"b":"2"},"s":{"x":"3"},"list":[{"x":"4"}],"lists":[[{"x":"5"}]]}', "{}", 0),
        ('{"id":null,"s":null,"list":[],"lists":[[]]}', "{}", 0),
        ('{"a":null,"names/with~signs":null}', '{"/a":null,"/names~1with~0signs":null}', 0),
        (
            '{"d":"1","a":{"b":"2","c":"3","left":[]},"e":{"x":"y"}}',
            '{"/a/c":"3","/a/left":[],"/d":"1","/e":{"x":"y"}}',
            0,
        ),
        ('{"s":{"left":"1"},"f":true}', '{"/f":true,"/s/left":"1"}', 0),
        ('{"list":[{"x":"1"},{"left":"2"}]}', '{"/list/1/left":"2"}', 0),
        ('{"a":{},"s":{},"names/with~signs":{}}', '{"/a":{},"/names~1with~0signs":{}}', 0),
        ('{"z":null,"a":{"z":{"deep":[1]}}}', '{"/a/z":{"deep":[1]},"/z":null}', 2),
        ('{"lists":[[],[{"x":"1"},{"y":1}]]}', '{"/lists/1/1/y":1}', 1),
        ('{"names/with~signs":{"c":1},"~/":1,"":2}', '{"/":2,"/names~1with~0signs/c":1,"/~0~1":1}', 3),
        ('{"z":1,"z":2,"\\u0069d":"x"}', '{"/z":2}', 1),
        ('{"d":-0,"z":1.10,"a":{"c":[{"n":1E+2}]}}', '{"/a/c":[{"n":1E+2}],"/d":-0,"/z":1.10}', 1),
        (
            '{"list":[{"n":12345678901234567890.01}],"d":18446744073709551616}',
            '{"/d":18446744073709551616,"/list/0/n":12345678901234567890.01}',
            1,
        ),
        ('{"d":-0}', '{"/d":-0}', 0),
        ('{"d":"1.10","e":[0.1,0,-0.0]}', '{"/d":"1.10","/e":[0.1,0,-0.0]}', 0),
        ('{"z":"\\u0000é🌊\\u2028"}', '{"/z":"\\u0000é🌊\u2028"}', 1),
    ],
)
def test_what_no_column_reads_is_kept_as_written(text: str, kept: str, unknown: int) -> None:
    assert unread(text) == (kept, unknown)


def test_what_is_not_there_has_no_members() -> None:
    schema = {"properties": {"a": {"properties": {"b": {"properties": {"c": TEXT, "left": TEXT}}}}}}
    rules = Rules(contract_like(schema, (Column("c", ("a", "b", "c"), "string", "d"),)))
    assert rules.hold({})
    assert rules.unread_of_usual({}) == {}


@pytest.mark.parametrize("deep", ["[" * 300 + "]" * 300, '{"a":' * 300 + "1.0" + "}" * 300])
def test_what_is_too_deep_to_be_written_is_refused(deep: str) -> None:
    with pytest.raises((orjson.JSONEncodeError, RecursionError)):
        unread(f'{{"z": {deep}}}')


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.table)
def test_rules_hold_where_the_usual_way_is_right(contract: Any) -> None:
    rules, mend, held = Rules(contract), mending_whole_numbers(contract), 0
    events = [*with_values(contract, FEW_VALUES), *with_unknown_members(contract)]
    for text in events:
        if rules.hold(orjson.loads(text)):
            held += 1
            assert not rules.breaks(orjson.loads(text))
            assert not mend(orjson.loads(text)), text
            unread(text, rules)
    assert 0 < held < len(events)


def test_rules_hold_for_most_events() -> None:
    held = [Rules(contract).hold(event) for contract in CONTRACTS for event in events_of(contract)]
    assert sum(held) > 0.8 * len(held)
