"""The rules that producers publish about valid events, on events written by hand."""

from typing import Any

import pytest

from cli.contracts.validator_agreement import DualValidator
from sluice.contracts.model import Registry
from sluice.event_files.validate.event_processor import Recogniser
from tests.contracts.unit.example_events import REMOVED, VALID, body_of, edited
from tests.contracts.unit.published_rules import EVENTS, published_rules


@pytest.mark.parametrize("table", VALID)
def test_an_example_is_known_and_clean(registry: Registry, validators: dict[str, DualValidator], table: str) -> None:
    assert Recogniser(registry).recognise(VALID[table]).contract is registry.contract(table)
    assert validators[table].broken(VALID[table]) == set()


def test_every_published_rule_holds(validators: dict[str, DualValidator]) -> None:
    wrong = []
    for expected, table, member, value in published_rules():
        event = edited(VALID[table], {member: value})
        broken = validators[table].broken(event)
        place = member if member.startswith("/") else f"/detail/{body_of(event)}/{member}"
        as_published = not broken if expected == "clean" else broken and all(each.startswith(place) for each in broken)
        if not as_published:
            wrong.append((table, member, "removed" if value is REMOVED else value, expected, broken))
    assert wrong == []


@pytest.mark.parametrize("table", EVENTS)
@pytest.mark.parametrize(
    ("prediction_id", "service", "broken"),
    [
        ("p#{own}", "{own}", set()),
        ("p#{own}", REMOVED, set()),
        ("p#{own}", None, set()),
        (None, "{own}", set()),
        (REMOVED, "{own}", set()),
        (None, None, {"service"}),
        (REMOVED, REMOVED, {"service"}),
        (7, "{own}", {"prediction_id"}),
        ("p#{own}", "other", {"service"}),
    ],
)
def test_an_evaluation_names_its_prediction_or_its_service(
    validators: dict[str, DualValidator], table: str, prediction_id: Any, service: Any, broken: set[str]
) -> None:
    own = VALID[table]["detail"]["evaluation"]["service"]
    edits = {
        name: value.format(own=own) if isinstance(value, str) else value
        for name, value in (("prediction_id", prediction_id), ("service", service))
    }
    found = validators[table].broken(edited(VALID[table], edits))
    assert found == {f"/detail/evaluation/{name}" for name in broken}


@pytest.mark.parametrize("table", VALID)
def test_unknown_members_are_welcome_everywhere(validators: dict[str, DualValidator], table: str) -> None:
    event = VALID[table]

    def grown(value: Any) -> Any:
        if isinstance(value, dict):
            return {**{name: grown(member) for name, member in value.items()}, "unknown": {"a": [1, None, "x"]}}
        return [grown(item) for item in value] if isinstance(value, list) else value

    assert validators[table].broken(grown(event)) == set()
