"""Events of one contract: a clean one is a row that converts, any other has its reasons."""

from typing import Any

import orjson
import pytest

from sluice.contracts.model import Contract
from sluice.event_files.convert.batches import read_rows
from sluice.event_files.ledger.model import Counts
from sluice.event_files.validate.event_processor import EventProcessor, lineage_of
from sluice.event_files.validate.rules import RuleBreak
from tests.event_files.unit.validate.contract_events import REGISTRY, event_of


def process(contract: Contract, raw: bytes, counts: Counts | None = None) -> bytes | list[RuleBreak]:
    processor, lineage = EventProcessor(contract, lambda _lib, _id: None), lineage_of("a key") % 42
    return processor.process(orjson.loads(raw), memoryview(raw), lineage, Counts() if counts is None else counts)


def row_of(contract: Contract, raw: bytes) -> dict[str, Any]:
    processed = process(contract, raw)
    assert isinstance(processed, bytes), processed
    (row,) = read_rows(contract, processed).to_pylist()
    assert isinstance(row, dict)
    return row


def with_raw(event: dict[str, Any], value: str) -> bytes:
    return orjson.dumps(event).replace(b'"@"', value.encode())


BROKEN_RULE = {
    **dict.fromkeys(("0", "-0.0", "1e3", "9007199254740991.0", "9007199254740993", "9223372036854775807")),
    **dict.fromkeys(("1.5", "true"), "type"),
    **dict.fromkeys(("9007199254740992.0", "9223372036854774784.0", "-1e18"), "integer"),
    **dict.fromkeys(("9223372036854775807.0", "9223372036854775808", "18446744073709551616", "1e300"), "maximum"),
    **dict.fromkeys(("-9223372036854775808", "-9223372036854775809"), "minimum"),
}
WHOLE_NUMBERS = {
    "a column": ("MICROONE_EVENT", "detail__evaluation__timestamp"),
    "a text": ("MICROONE_EVENT", "detail__evaluation__payload__paragraph"),
    "a struct": ("MICROTHREE_PRED", "detail__prediction__context__sentence"),
    "another text": ("MICROTHREE_EVENT", "detail__evaluation__payload__media_id"),
}


def event_with(table: str, path: str) -> dict[str, Any]:
    changes = {"detail__evaluation__type": "PUBLISH"} if table.endswith("EVENT") else {}
    return event_of(table, **changes, **{path: "@"})


@pytest.mark.parametrize(("table", "path"), WHOLE_NUMBERS.values(), ids=WHOLE_NUMBERS.keys())
@pytest.mark.parametrize(("text", "rule"), BROKEN_RULE.items())
def test_whole_numbers_that_fit_no_column_are_refused(table: str, path: str, text: str, rule: str | None) -> None:
    """Those that fit are converted exactly: `test_value_for_value` proves it."""
    processed = process(REGISTRY.contract(table), with_raw(event_with(table, path), text))
    if isinstance(processed, bytes):
        assert rule is None
        return
    (broken,) = processed
    assert broken.rule == rule
    assert ("/" + path.replace("__", "/")).startswith(broken.pointer)
    assert broken.pointer.count("/") > 2


@pytest.mark.parametrize("depth", range(245, 260))
@pytest.mark.parametrize("path", ["z", "detail__z", "detail__prediction__context__z", "detail__prediction__output__z"])
def test_unknown_members_at_any_depth_convert_or_are_refused(path: str, depth: int) -> None:
    """Also inside a struct, which is written into the row as it is."""
    contract = REGISTRY.contract("MICROTHREE_PRED")
    raw = with_raw(event_of("MICROTHREE_PRED", **{path: "@"}), "[" * depth + "]" * depth)
    processed = process(contract, raw)
    if isinstance(processed, bytes):
        assert read_rows(contract, processed).num_rows == 1
    else:
        assert [each.rule for each in processed] == ["depth"]


@pytest.mark.parametrize("pad", [0, 20_000], ids=["small", "large"])
@pytest.mark.parametrize("depth", [250, 300, 900, 1015])
@pytest.mark.parametrize("path", ["id", "z", "detail__tags", "detail__z"])
def test_an_event_that_breaks_a_rule_has_reasons_at_any_depth(path: str, depth: int, pad: int) -> None:
    raw = with_raw(
        event_of("MICROONE_EVENT", **{"time": "never", "detail__pad": "x" * pad, path: "@"}), "[" * depth + "]" * depth
    )
    reasons = process(REGISTRY.contract("MICROONE_EVENT"), raw)
    assert isinstance(reasons, list)
    assert {each.rule for each in reasons} & {"depth", "pattern"}


def test_large_numbers_beside_what_is_too_deep_are_not_changed() -> None:
    """To write an integer beyond 64 bits the event is parsed again, by a parser that takes less depth."""
    raw = with_raw(event_of("MICROTHREE_PRED", z="@", resources=["R"]), "18446744073709551617")
    raw = raw.replace(b'"R"', b"[" * 1010 + b"]" * 1010)
    contract = REGISTRY.contract("MICROTHREE_PRED")
    processed = process(contract, raw)
    if isinstance(processed, bytes):
        assert '"/z":18446744073709551617' in orjson.loads(processed)["_rescued"]
    else:
        assert [each.rule for each in processed] == ["depth"]


DEEP = "[" * 200 + "]" * 200


@pytest.mark.parametrize("resources", ["[]", f"[{DEEP}]", '["\\n","\\u0000"]'], ids=["nothing", "depth", "escapes"])
@pytest.mark.parametrize("between", ["", "\n", "\r\n", "\t"], ids=["nothing", "newline", "CRLF", "tab"])
@pytest.mark.parametrize("twice", ["", '"account":"of before",'], ids=["once", "twice"])
def test_an_event_becomes_one_line_however_it_is_written(resources: str, between: str, twice: str) -> None:
    """Members that are there twice are read by another way, which must take what the usual one takes."""
    contract = REGISTRY.contract("MICROTWO_PRED")
    event = event_of("MICROTWO_PRED", resources="@", account="the last one")
    raw = with_raw(event, resources).replace(b"{", b"{" + between.encode() + twice.encode(), 1)
    raw = raw.replace(b',"', b"," + between.encode() + b'"')
    assert row_of(contract, raw) == row_of(contract, with_raw(event, resources))


OURS = {"_rescued": 5, "_source_key": {"a": 1}, "_source_offset": "none"}


def test_members_named_like_technical_columns_are_rescued() -> None:
    row = row_of(REGISTRY.contract("MICROTWO_PRED"), orjson.dumps({**event_of("MICROTWO_PRED"), **OURS}))
    assert (row["_source_key"], row["_source_offset"]) == ("a key", 42)
    assert orjson.loads(row["_rescued"]).items() >= {f"/{name}": value for name, value in OURS.items()}.items()


def test_an_event_with_nothing_to_mend_is_copied() -> None:
    """Not one of its numbers is written in another way."""
    raw = with_raw(event_of("MICROTHREE_PRED", detail__prediction__output__scores="@", z=1), "[1.10,1E-2, 3]")
    processed = process(REGISTRY.contract("MICROTHREE_PRED"), raw)
    assert isinstance(processed, bytes)
    assert processed.startswith(raw[:-1])


def test_unknown_members_and_missing_media_are_counted() -> None:
    payload: dict[str, Any] = {"text": "t", "query": None, "medialib": "MYLIB", "media_id": "1", "new": 1, "newer": {}}
    event = event_of("MICROTHREE_EVENT", detail__evaluation__type="PUBLISH", detail__evaluation__payload=payload)
    counts = Counts()
    processed = process(REGISTRY.contract("MICROTHREE_EVENT"), orjson.dumps(event), counts)
    assert isinstance(processed, bytes)
    assert counts == Counts(unknown_members=2, media_missing=1)
    assert processed.endswith(b"}\n")
    assert processed.count(b"\n") == 1
