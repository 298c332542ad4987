"""What Dashboards asks a node for: the visualizations of the board as searches."""

import json
from dataclasses import dataclass
from typing import Any

from sluice.search.indices import saved_objects

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Visualization:
    """A part of the board: its search, on the indices of a pattern."""

    title: str
    pattern: str
    search: Json


def patterns(stage: str) -> dict[str, Json]:
    """Return the index patterns of a stage by id."""
    return {each["id"]: each["attributes"] for each in _objects(stage, "index-pattern")}


def visualizations(stage: str) -> list[Visualization]:
    """Return the visualizations of a stage, with the searches that Dashboards makes of them."""
    titles = {id_: pattern["title"] for id_, pattern in patterns(stage).items()}
    found = []
    for each in _objects(stage, "visualization"):
        source = json.loads(each["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
        state = json.loads(each["attributes"]["visState"])
        search = {"size": 0, "track_total_hits": True, "query": _query(source["query"]["query"])}
        pattern = titles[each["references"][0]["id"]]
        found.append(Visualization(state["title"], pattern, search | {"aggs": _nested(state["aggs"])}))
    return found


def _objects(stage: str, kind: str) -> list[Json]:
    return [each for each in map(json.loads, saved_objects(stage).splitlines()) if each["type"] == kind]


def _query(text: str) -> Json:
    """Return a query of Dashboards' language, of which the board uses `field:value` only."""
    field, _, value = text.partition(":")
    return {"bool": {"should": [{"match": {field: value}}], "minimum_should_match": 1}} if text else {"match_all": {}}


def _nested(parts: list[Json]) -> Json:
    """Return buckets in one another, metrics in the innermost."""
    inner = {part["id"]: _aggregation(part) for part in parts if part["schema"] == "metric" and part["type"] != "count"}
    for part in reversed([part for part in parts if part["schema"] != "metric"]):
        inner = {part["id"]: _aggregation(part) | ({"aggs": inner} if inner else {})}
    return inner


def _aggregation(part: Json) -> Json:
    given = part["params"]
    match part["type"]:
        case "filters":
            return {
                "filters": {"filters": {each["label"]: _query(each["input"]["query"]) for each in given["filters"]}}
            }
        case "terms":
            return {"terms": {"field": given["field"], "size": given["size"], "order": {"_count": given["order"]}}}
        case "date_histogram":
            return {"date_histogram": {"field": given["field"], "fixed_interval": "12h", "min_doc_count": 1}}
        case kind:
            return {kind: {"field": given["field"]}}


def figures(aggregations: Json) -> dict[str, int]:
    """Return the figures of an answer: of metrics by their number, of each innermost bucket by the keys to it."""
    found: dict[str, int] = {}
    for number, result in ((key, each) for key, each in aggregations.items() if isinstance(each, dict)):
        if "value" in result:
            found[number] = result["value"]
        buckets = result.get("buckets", [])
        for key, bucket in buckets.items() if isinstance(buckets, dict) else [(_key(each), each) for each in buckets]:
            inner = figures(bucket)
            found |= {f"{key} {path}": value for path, value in inner.items()} or {key: bucket["doc_count"]}
    return found


def _key(bucket: Json) -> str:
    return str(bucket.get("key_as_string", bucket["key"]))
