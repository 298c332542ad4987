"""Rows of the profiling log as documents of the search cluster."""

from typing import Any

import orjson
import pytest

from sluice.contracts.model import PROFILING_LOG
from sluice.search.indices import MAPPING
from sluice.search.loading import Document, documents_of
from tests.platform.unit.search.profiling_logs import DVAULTS, EVENT_FILES, INDICES, profile, record


def documents(*rows: dict[str, Any]) -> list[Document]:
    return list(documents_of(profile(record(0, **row) for row in rows), INDICES))


def errors(text: str) -> Any:
    (document,) = documents({"errors": text, "passed": False})
    return orjson.loads(document.source)["errors"]


def test_a_document_is_its_row() -> None:
    (document,) = documents({})
    assert (document.index, document.id) == (f"{DVAULTS}-2026.01", "run-0")
    expected = {**record(0), "timestamp": "2026-01-31T12:00:00+00:00", "errors": []}
    assert orjson.loads(document.source) == expected
    action, source = document.lines.splitlines()
    assert orjson.loads(action) == {"index": {"_index": document.index, "_id": "run-0"}}
    assert source == document.source
    assert document.lines.endswith(b"\n")


def test_equal_rows_are_documents_of_their_own() -> None:
    assert [document.id for document in documents({}, {}, {})] == ["run-0", "run-1", "run-2"]
    assert documents({}, {}, {}) == documents({}, {}, {})


def test_more_rows_than_are_read_at_a_time_are_counted_through() -> None:
    assert documents(*[{}] * 5002)[-1].id == "run-5001"


def test_unknown_members_of_a_dirty_event_are_null() -> None:
    unknown = dict.fromkeys(("event_id", "service_name", "service_type"))
    (document,) = documents({**unknown, "passed": False})
    assert document.index == f"{EVENT_FILES}-2026.01"
    assert {name: orjson.loads(document.source)[name] for name in unknown} == unknown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", []),
        ('{"INVALID_JSON":{}}', [{"reason": "INVALID_JSON", "pointer": ""}]),
        ('{"INVALID_JSON":{"":["column 3"]}}', [{"reason": "INVALID_JSON", "pointer": ""}]),
        (
            '{"RULE_BROKEN":{"/detail/a":["\'secret\' is too long"],"/detail/b":["x","y"]}}',
            [{"reason": "RULE_BROKEN", "pointer": "/detail/a"}, {"reason": "RULE_BROKEN", "pointer": "/detail/b"}],
        ),
        (
            '{"RULE_BROKEN":{"/list/0":[""],"/list/17":[""],"/list/3/4/a1":[""]}}',
            [{"reason": "RULE_BROKEN", "pointer": "/list/*"}, {"reason": "RULE_BROKEN", "pointer": "/list/*/*/a1"}],
        ),
    ],
)
def test_errors_hold_reason_and_place_and_no_value(text: str, expected: list[dict[str, str]]) -> None:
    assert errors(text) == expected


def test_every_field_has_a_mapping_and_every_mapping_a_field() -> None:
    (document,) = documents({"errors": '{"RULE_BROKEN":{"/a":[""]}}'})
    source = orjson.loads(document.source)
    assert source.keys() == MAPPING["properties"].keys() == {column.name for column in PROFILING_LOG.columns}
    assert source["errors"][0].keys() == MAPPING["properties"]["errors"]["properties"].keys()
