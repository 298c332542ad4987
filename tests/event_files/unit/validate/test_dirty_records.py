"""Records of pieces that become no row: the text as delivered, byte for byte, and its place."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sluice.event_files.ledger.model import Reason, SourceObject
from sluice.event_files.validate.event_processor import Recognition
from sluice.event_files.validate.records import dirty_line, event_id, flaws_of, place_of, record_line
from sluice.event_files.validate.rules import RuleBreak
from tests.event_files.unit.validate.contract_events import REGISTRY, chance

SOURCE = SourceObject("bucket", "a b+c%2Bé=\n\"'", "etag")
SLICE = 3 << 18


def record_of(raw: bytes) -> dict[str, Any]:
    line = record_line(place_of(SOURCE, 7, 7 + len(raw)), memoryview(raw))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    record = json.loads(line)
    assert isinstance(record, dict)
    return record


def delivered(record: dict[str, Any]) -> bytes:
    """Return the piece that is read back from its record."""
    if "raw_base64" in record:
        assert "raw" not in record
        return base64.b64decode(record["raw_base64"], validate=True)
    raw: str = record["raw"]
    return raw.encode()


@given(st.binary() | st.text().map(str.encode))
@example(b"")
@example(b'{"a":"\\ud83c\\udf0a \\\\ \\" \\u0000"}')
@example(bytes(range(128)))
@example("\x00\x1f\x7f\x85\u2028\u2029\ufeff\U0010ffff".encode())
@example(b"\xed\xa0\x80")
def test_any_bytes_come_back(raw: bytes) -> None:
    record = record_of(raw)
    assert delivered(record) == raw
    assert ("raw" in record) is is_utf8(raw)


def is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("shift", range(5))
@pytest.mark.parametrize("size", [SLICE - 2, SLICE, 2 * SLICE + 1, 5_000_000])
@pytest.mark.parametrize("text", ['🌊é€"', "x"])
def test_long_texts_come_back_whatever_stands_at_the_border_of_a_slice(text: str, size: int, shift: int) -> None:
    raw = b"-" * shift + (text * (size // len(text.encode()))).encode()
    record = record_of(raw)
    assert delivered(record) == raw
    assert "raw" in record


@pytest.mark.parametrize("size", [SLICE - 1, SLICE, SLICE + 1, 3_000_001])
def test_long_bytes_come_back(size: int) -> None:
    raw = chance(size).randbytes(size)
    assert delivered(record_of(raw)) == raw


@pytest.mark.parametrize("cut", [1, 2, 3])
@pytest.mark.parametrize("size", [0, SLICE - 4, SLICE - 2, 2_000_000])
def test_a_character_cut_at_the_end_is_no_text(size: int, cut: int) -> None:
    raw = b"x" * size + "🌊".encode()[:cut]
    assert delivered(record_of(raw)) == raw


def test_a_dirty_record_tells_everything() -> None:
    contract = REGISTRY.contract("MICROONE_EVENT")
    known = Recognition(contract, None, contract.family, "EVENT", "microone")
    breaks = [RuleBreak("type", "/time", "wrong"), RuleBreak("required", "/id", "missing")]
    event = {"detail": {"id": "the id"}}
    line = dirty_line(Reason.RULE_BROKEN, known, breaks, event, place_of(SOURCE, 10, 12), memoryview(b"{}"))
    assert json.loads(line) == {
        "reason": "RULE_BROKEN",
        "errors": [
            {"rule": "type", "pointer": "/time", "message": "wrong"},
            {"rule": "required", "pointer": "/id", "message": "missing"},
        ],
        "table": "MICROONE_EVENT",
        "contract_version": contract.version,
        "family": "event_files",
        "kind": "EVENT",
        "service": "microone",
        "event_id": "the id",
        "source_bucket": "bucket",
        "source_key": SOURCE.key,
        "source_etag": "etag",
        "offset": 10,
        "length": 2,
        "raw": "{}",
    }
    assert line.endswith(b',"raw":"{}"}\n')


def test_a_record_of_a_fragment_says_what_is_not_known() -> None:
    line = dirty_line(Reason.FRAGMENT, Recognition(), (), None, place_of(SOURCE, 0, 1), memoryview(b"\xff"))
    record = json.loads(line)
    names = ("table", "contract_version", "family", "kind", "service", "event_id")
    assert [record[name] for name in names] == [None] * len(names)
    assert (record["reason"], record["errors"], record["raw_base64"]) == ("FRAGMENT", [], "/w==")


LONG = b'{"a":"%s"' % ("é" * 700_000).encode()
FLAWS = {
    b'{"a":"\xc3\xa9 \\ud83d\\ude00 \\ud83dx"}': (
        22,
        r"lone surrogate \ud83d, which is no character (no low surrogate in",
    ),
    b'{"a":"\\\\ud83d \\udc00"}': (14, r"lone surrogate \udc00, which is no character (invalid high surrogate"),
    b'{"a":NaN}': (5, "unexpected character, expected a JSON value"),
    b'{"a" 1}': (5, "unexpected character, expected ':' after key"),
    b'{"\xc3\xa9":1,}': (7, "trailing comma is not allowed"),
    b'{"a":"\n"}': (6, "unexpected control character in string"),
    b'{"a":"x\xff"}': (7, "it is not UTF-8"),
    b'{"a":"\xed\xa0\x80"}': (6, "a lone surrogate, or"),
    b'{"a":1e999}': (5, "number is infinity when parsed as double"),
    b'{"a":[1': (7, "unexpected end of data"),
    LONG[: 1 << 18] + b'"x}': ((1 << 18) + 1, "unexpected character, expected ',' or '}'"),
}


@pytest.mark.parametrize(("raw", "flaw"), FLAWS.items(), ids=range(len(FLAWS)))
def test_why_and_where_a_piece_is_no_json(raw: bytes, flaw: tuple[int, str]) -> None:
    at, wanted = flaw
    (found,) = flaws_of(1_000, memoryview(raw))
    assert (found.rule, found.pointer) == ("json", "")
    assert found.message.startswith(f"byte {1_000 + at:,} of the content: {wanted}")


@pytest.mark.parametrize("raw", [b"oops", b"", b"{}", LONG, LONG + b"}"])
def test_no_reason_is_made_up(raw: bytes) -> None:
    """Of a huge piece only the beginning is looked at: where that is flawless, nothing is said."""
    assert flaws_of(0, memoryview(raw)) == []


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        ({"detail": {"id": "x"}}, "x"),
        ({"detail": {"id": ""}}, ""),
        ({"detail": {"id": 5}, "id": "other"}, None),
        ({"detail": {}}, None),
        ({"detail": ["id"]}, None),
        ({"detail": None}, None),
        ({}, None),
        (None, None),
    ],
)
def test_event_id(event: Any, wanted: str | None) -> None:
    assert event_id(event, None) == wanted


def test_event_id_is_where_the_family_has_it() -> None:
    family = replace(REGISTRY.families[0], id=("id",))
    assert event_id({"detail": {"id": "x"}, "id": "own"}, family) == "own"
