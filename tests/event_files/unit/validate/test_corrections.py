"""Corrections of a valid event before it becomes a row."""

import copy
from typing import Any

import orjson
import pytest

from sluice.contracts.model import CORRECTION_RULES, Correction
from sluice.event_files.validate.event_processor import Corrections
from sluice.event_files.validate.rules import InexactError
from tests.event_files.unit.validate.contract_events import contract_like

MEMBER = ("detail", "evaluation", "payload", "m")


def correct(
    rule: str, event: dict[str, Any], member: tuple[str, ...] = MEMBER, uri: str | None = None
) -> tuple[dict[str, Any], int, list[tuple[str, str]]]:
    """The event after the correction, the media missed, the media asked for; it is said whether it was changed."""
    asked: list[tuple[str, str]] = []

    def find_media(medialib: str, media_id: str) -> str | None:
        asked.append((medialib, media_id))
        return uri

    corrected = copy.deepcopy(event)
    corrections = Corrections(contract_like({}, corrections=(Correction(rule, member),)), find_media)
    changed, missing, _ = corrections.apply(corrected, memoryview(orjson.dumps(event)))
    assert changed == (corrected != event)
    return corrected, missing, asked


def with_value(value: Any) -> dict[str, Any]:
    return {"detail": {"evaluation": {"payload": {"m": value, "other": 1}}}}


@pytest.mark.parametrize(
    ("rule", "value", "wanted"),
    [
        ("integer_to_string", 5, "5"),
        ("integer_to_string", -7, "-7"),
        ("integer_to_string", 2**63 - 1, "9223372036854775807"),
        ("integer_to_string", 1e3, "1000"),
        ("integer_to_string", "007", "007"),
        ("list_of_string", "a", ["a"]),
        ("list_of_string", "null", []),
        ("list_of_string", "NULL", ["NULL"]),
        ("list_of_string", ["null"], ["null"]),
        ("list_of_string", [], []),
        ("json_text", "a", "a"),
        ("json_text", True, "true"),
        ("json_text", 1, "1"),
        ("json_text", 0.87, "0.87"),
    ],
)
def test_value(rule: str, value: Any, wanted: Any) -> None:
    corrected, missing, asked = correct(rule, with_value(value))
    assert corrected == with_value(wanted)
    assert type(corrected["detail"]["evaluation"]["payload"]["m"]) is type(wanted)
    assert (missing, asked) == (0, [])


NOWHERE: tuple[dict[str, Any], ...] = (
    with_value(None),
    {"detail": {"evaluation": {"payload": {}}}},
    {"detail": {"evaluation": {"payload": None}}},
    {"detail": {"evaluation": {}}},
    {},
)


@pytest.mark.parametrize("rule", sorted(CORRECTION_RULES))
@pytest.mark.parametrize("event", NOWHERE)
def test_absent_members_and_nulls_are_not_corrected(rule: str, event: dict[str, Any]) -> None:
    assert correct(rule, event) == (event, 0, [])


@pytest.mark.parametrize("value", [2.0**53, -(2.0**53), 1e18])
def test_whole_numbers_that_parsing_may_have_rounded_are_refused(value: float) -> None:
    with pytest.raises(InexactError) as refused:
        correct("integer_to_string", with_value(value))
    assert refused.value.pointer == "/detail/evaluation/payload/m"


PAYLOAD = ("detail", "evaluation", "payload")
MEDIA = {"media_id": "7", "media_type": "IMAGE", "medialib": "MYLIB", "text": "t"}


def of_type(type_: str, **payload: Any) -> dict[str, Any]:
    return {"detail": {"evaluation": {"type": type_, "payload": {**MEDIA, **payload}}}}


def test_a_medium_gets_its_uri() -> None:
    wanted = of_type("PUBLISH", media_id="s3://media/a/MYLIB/7.png")
    found = correct("media_uri", of_type("PUBLISH"), PAYLOAD, uri="s3://media/a/MYLIB/7.png")
    assert found == (wanted, 0, [("MYLIB", "7")])


def test_a_medium_that_is_not_found_keeps_its_id_and_is_counted() -> None:
    assert correct("media_uri", of_type("PUBLISH"), PAYLOAD) == (of_type("PUBLISH"), 1, [("MYLIB", "7")])


@pytest.mark.parametrize(
    "event",
    [
        of_type("ADD_TAG"),
        of_type("PUBLISH", media_id=None),
        of_type("PUBLISH", medialib=None),
        {"detail": {"evaluation": {"type": "PUBLISH", "payload": {}}}},
    ],
)
def test_no_medium_is_looked_for(event: dict[str, Any]) -> None:
    assert correct("media_uri", event, PAYLOAD, uri="s3://x") == (event, 0, [])


def test_an_added_tag_has_no_media() -> None:
    wanted = of_type("ADD_TAG", media_id=None, media_type=None, medialib=None)
    assert correct("null_media_of_add_tag", of_type("ADD_TAG"), PAYLOAD) == (wanted, 0, [])
    assert correct("null_media_of_add_tag", of_type("PUBLISH"), PAYLOAD) == (of_type("PUBLISH"), 0, [])


def test_corrections_work_in_order() -> None:
    """A whole number becomes a text before the medium is looked for."""
    rules = (Correction("integer_to_string", (*PAYLOAD, "media_id")), Correction("media_uri", PAYLOAD))
    event = of_type("PUBLISH", media_id=12)
    corrections = Corrections(contract_like({}, corrections=rules), lambda lib, id_: f"s3://{lib}/{id_}")
    corrections.apply(event, memoryview(orjson.dumps(event)))
    assert event["detail"]["evaluation"]["payload"]["media_id"] == "s3://MYLIB/12"
