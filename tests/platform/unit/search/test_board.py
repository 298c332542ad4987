"""The saved objects: each line is JSON, everything referred to is there, every field is in the mapping."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sluice.contracts.load import load_registry
from sluice.search.indices import BOARD, MAPPING, Indices, fingerprint, saved_objects

OBJECTS = [json.loads(line) for line in BOARD.read_text().splitlines()]
AGGREGATIONS = {"count", "terms", "filters", "cardinality", "date_histogram"}


def of_type(kind: str) -> list[dict[str, Any]]:
    return [each for each in OBJECTS if each["type"] == kind]


def mapped(properties: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, field in properties.items():
        if "properties" in field:
            yield from mapped(field["properties"], f"{prefix}{name}.")
        else:
            yield prefix + name, field["type"]


FIELDS = dict(mapped(MAPPING["properties"]))


def test_ids_are_unique_and_carry_the_stage() -> None:
    ids = [(each["type"], each["id"]) for each in OBJECTS]
    assert len(set(ids)) == len(ids)
    assert all("${environment}" in id_ for _, id_ in ids)


def test_every_reference_leads_to_an_object() -> None:
    there = {(each["type"], each["id"]) for each in OBJECTS}
    assert {(ref["type"], ref["id"]) for each in OBJECTS for ref in each["references"]} <= there


def test_text_inside_the_objects_is_json_and_uses_its_references() -> None:
    for each in of_type("visualization"):
        source = json.loads(each["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
        assert [ref["name"] for ref in each["references"]] == [source["indexRefName"]]
        assert isinstance(json.loads(each["attributes"]["uiStateJSON"]), dict)
        assert json.loads(each["attributes"]["visState"])["title"] == each["attributes"]["title"]


def test_every_visualization_is_on_the_board_and_none_covers_another() -> None:
    (board,) = of_type("dashboard")
    panels = json.loads(board["attributes"]["panelsJSON"])
    assert [panel["panelRefName"] for panel in panels] == [ref["name"] for ref in board["references"]]
    assert {ref["id"] for ref in board["references"]} == {each["id"] for each in of_type("visualization")}
    taken = [
        (x, y)
        for grid in (panel["gridData"] for panel in panels)
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 48


@pytest.mark.parametrize("each", of_type("visualization"), ids=lambda each: each["attributes"]["title"])
def test_every_field_is_in_the_mapping(each: dict[str, Any]) -> None:
    state = json.loads(each["attributes"]["visState"])
    source = json.loads(each["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    queries = [source["query"]["query"]]
    for part in state["aggs"]:
        assert part["type"] in AGGREGATIONS
        if "field" in part["params"]:
            assert part["params"]["field"] in FIELDS
        queries += [each["input"]["query"] for each in part["params"].get("filters", [])]
    for query in filter(None, queries):
        field, _, value = query.partition(":")
        assert FIELDS[field] == "boolean"
        assert value in {"true", "false"}


def test_patterns_know_the_fields_of_the_mapping_and_the_names_of_the_indices() -> None:
    for each in of_type("index-pattern"):
        known = {field["name"]: field["esTypes"] for field in json.loads(each["attributes"]["fields"])}
        assert known == {name: [kind] for name, kind in FIELDS.items()}
        assert FIELDS[each["attributes"]["timeFieldName"]] == "date"
    titles = [each["attributes"]["title"].replace("${environment}", "prod") for each in of_type("index-pattern")]
    dvaults, event_files = Indices(load_registry(), "prd").aliases
    assert sorted(titles) == sorted([dvaults, event_files, f"{dvaults},{event_files}"])


def test_installed_objects_are_those_of_the_stage() -> None:
    installed = saved_objects("prd").decode()
    assert "${" not in installed
    assert [json.loads(line)["type"] for line in installed.splitlines()] == [each["type"] for each in OBJECTS]
    assert "dvault_logs_prod,event_file_logs_prod" in installed


def test_the_fingerprint_depends_on_everything_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    indices = Indices(load_registry(), "dev")
    before = fingerprint(indices, "dev")
    assert fingerprint(indices, "dev") == before
    assert fingerprint(Indices(load_registry(), "int"), "int") != before
    monkeypatch.setitem(MAPPING["properties"], "more", {"type": "keyword"})
    assert fingerprint(indices, "dev") != before
