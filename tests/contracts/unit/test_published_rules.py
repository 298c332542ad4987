"""The rules that producers publish about valid events, on events written by hand."""

from typing import Any

import pytest

from cli.contracts.validator_agreement import DualValidator
from tests.contracts.unit.example_events import REMOVED, VALID, body_of, edited
from tests.contracts.unit.published_rules import EVENTS, published_rules


@pytest.mark.parametrize("table", VALID)
def test_an_example_event_is_clean(validators: dict[str, DualValidator], table: str) -> None:
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
        ("p", "{own}", set()),
        (None, "{own}", set()),
        (REMOVED, "{own}", set()),
        (None, None, {"service"}),
        (REMOVED, REMOVED, {"service"}),
        (REMOVED, None, {"service"}),
        (7, "{own}", {"prediction_id"}),
        ([], "{own}", {"prediction_id"}),
        ("p#{own}", "other", {"service"}),
        ("p#{own}", 7, {"service"}),
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


@pytest.mark.parametrize("service", ["semanticImageMatcher", "sim"])
def test_an_alias_is_as_good_as_the_name(validators: dict[str, DualValidator], service: str) -> None:
    assert validators["SIM_EVENT"].broken(edited(VALID["SIM_EVENT"], {"service": service})) == set()


@pytest.mark.parametrize("table", VALID)
def test_unknown_members_are_welcome_everywhere(validators: dict[str, DualValidator], table: str) -> None:
    event = VALID[table]

    def grown(value: Any) -> Any:
        if isinstance(value, dict):
            return {**{name: grown(member) for name, member in value.items()}, "unknown": {"a": [1, None, "x"]}}
        return [grown(item) for item in value] if isinstance(value, list) else value

    assert validators[table].broken(grown(event)) == set()


@pytest.mark.parametrize(
    "time", ["2000-01-01T00:00:00Z", "2099-12-31T23:59:59.999999999Z", "2024-02-29T00:00:00+00:00"]
)
def test_a_time_that_names_a_partition_is_clean(validators: dict[str, DualValidator], time: str) -> None:
    assert validators["MICROONE_EVENT"].broken(edited(VALID["MICROONE_EVENT"], {"/time": time})) == set()


@pytest.mark.parametrize(
    "time",
    [
        *(None, 1650392403, "", "2022-04-19", "2022-04-19 18:20:03Z", "2022-04-19T18:20:03", "2022-04-19T18:20Z"),
        *("1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "2022-02-29T18:20:03Z", "2022-04-19T24:00:00Z"),
        *("2022-04-19T18:20:03+02:00", "2022-04-19T18:20:03Z\n", "2022-04-19T18:20:03.1234567890Z"),
    ],
)
def test_a_time_that_names_no_partition_is_dirty(validators: dict[str, DualValidator], time: Any) -> None:
    assert validators["MICROONE_EVENT"].broken(edited(VALID["MICROONE_EVENT"], {"/time": time})) == {"/time"}


@pytest.mark.parametrize("table", VALID)
def test_only_the_tables_own_detail_type_is_clean(validators: dict[str, DualValidator], table: str) -> None:
    broken = validators[table].broken(edited(VALID[table], {"/detail-type": "EFOtherEvent"}))
    assert broken == {"/detail-type"}


@pytest.mark.parametrize("member", ["version", "id", "account", "time", "region", "detail-type", "source", "detail"])
def test_the_envelope_is_required(validators: dict[str, DualValidator], member: str) -> None:
    event = {name: value for name, value in VALID["MICROTWO_EVENT"].items() if name != member}
    assert validators["MICROTWO_EVENT"].broken(event) == {f"/{member}"}
