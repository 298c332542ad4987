"""The tables against what the producers and the data scientists agreed on, written out literally."""

from functools import reduce
from operator import getitem

import pytest

from sluice.contracts.model import Column, Registry
from tests.contracts.unit.example_events import VALID

EVALUATION = (
    "account string|id string|partition_key string|prediction_id string|unix_timestamp bigint|shape_id string|"
    "event_type string|reporter string"
)
PREDICTION = (
    "account string|id string|partition_key string|service string|"
    "service_version struct<model:string,software:string>|unix_timestamp bigint|shape_id string"
)
SUMMARY_EVENT = f"{EVALUATION}|paragraph string|slide string|text string|date_time string"
HEADLINE_EVENT = f"{EVALUATION}|payload_text string|date_time string"
ILLUSTRATION_EVENT = (
    f"{EVALUATION}|payload_text string|payload_query array<string>|payload_search_terms array<string>|"
    "payload_media_id string|payload_media_type string|payload_medialib string|payload_search_match string|"
    "payload_tags array<string>|payload_caption string|date_time string"
)
SUMMARY_PRED = (
    f"{PREDICTION}|input_paragraphs array<string>|"
    "input_sentences_scores array<struct<score:double,sentence:string>>|output_summary array<string>|"
    "output_metadata array<struct<filtered_sentences:array<string>,idx:bigint,scores:array<double>>>|"
    "output_skipped_paragraphs array<struct<index:bigint,language:string,original_paragraph:boolean,text:string,"
    "text_language:string>>|date_time string"
)
HEADLINE_PRED = f"{PREDICTION}|transcript string|headline array<string>|date_time string"
ILLUSTRATION_PRED = (
    f"{PREDICTION}|context struct<paragraph:bigint,sentence:bigint>|paragraph string|scores array<double>|"
    "search_terms array<string>|sentence string|date_time string"
)
COLUMNS = {
    "MICROONE_EVENT": SUMMARY_EVENT,
    "SUMMARIZER_EVENT": SUMMARY_EVENT,
    "MICROTWO_EVENT": HEADLINE_EVENT,
    "HEADLINER_EVENT": HEADLINE_EVENT,
    "MICROTHREE_EVENT": ILLUSTRATION_EVENT,
    "STE_EVENT": ILLUSTRATION_EVENT,
    "SIM_EVENT": (
        f"{EVALUATION}|payload_text string|payload_query array<string>|payload_media_id string|"
        "payload_media_type string|payload_medialib string|payload_tags array<string>|payload_caption string|"
        "date_time string"
    ),
    "IT_EVENT": (
        f"{EVALUATION}|payload_media_id string|payload_media_type string|payload_medialib string|"
        "payload_tags array<string>|payload_caption string|payload_source_file string|date_time string"
    ),
    "MICROONE_PRED": SUMMARY_PRED,
    "SUMMARIZER_PRED": SUMMARY_PRED,
    "MICROTWO_PRED": HEADLINE_PRED,
    "HEADLINER_PRED": HEADLINE_PRED,
    "MICROTHREE_PRED": ILLUSTRATION_PRED,
    "STE_PRED": ILLUSTRATION_PRED,
}
PROFILING_LOG = (
    "workflow_run_id string|timestamp timestamp|event_id string|passed boolean|event_filename string|"
    "service_name string|service_type string|errors string"
)
DIRTY_EVENTS = (
    "id string|chunk_id string|first_seen timestamp|reason string|rule string|pointer string|"
    "errors array<struct<rule:string,pointer:string,message:string>>|table_name string|contract_version bigint|"
    "family string|kind string|service string|producer_version string|event_id string|source_bucket string|"
    "source_key string|source_etag string|source_offset bigint|source_length bigint|pieces bigint|"
    "raw string|raw_base64 string"
)
TECHNICAL = "_rescued string|_source_key string|_source_offset bigint"
ROWS: dict[str, dict[str, object]] = {
    "MICROONE_EVENT": {"paragraph": 3, "slide": "a", "text": "A sentence.", "date_time": "2022-04-19T18:20:03Z"},
    "MICROTWO_EVENT": {"payload_text": "A headline.", "event_type": "PUBLISH", "reporter": "user"},
    "MICROTHREE_EVENT": {"payload_query": ["sea", None], "payload_medialib": "MYLIB", "payload_tags": ["sea", None]},
    "SIM_EVENT": {"payload_text": "T", "payload_query": "sea", "payload_media_id": "m-1"},
    "IT_EVENT": {"payload_source_file": "deck.pptx", "payload_caption": "The sea", "payload_media_type": "IMAGE"},
    "MICROONE_PRED": {"input_paragraphs": ["One.", "Two."], "output_summary": ["One."], "service": "microone"},
    "MICROTWO_PRED": {"transcript": "Words.", "headline": ["A headline."], "unix_timestamp": 1650392403000},
    "STE_PRED": {"context": {"paragraph": 0, "sentence": 1}, "paragraph": "One. Two.", "scores": [0.4, 1]},
}


def written(columns: tuple[Column, ...]) -> str:
    return "|".join(f"{column.name} {column.type}" for column in columns)


def test_there_are_exactly_these_tables(registry: Registry) -> None:
    assert {contract.table for contract in registry.contracts} == COLUMNS.keys() == VALID.keys()


@pytest.mark.parametrize("table", COLUMNS)
def test_columns_are_those_agreed_on_in_order(registry: Registry, table: str) -> None:
    assert written(registry.contract(table).table_columns) == f"{COLUMNS[table]}|{TECHNICAL}"


@pytest.mark.parametrize("table", ROWS)
def test_columns_lead_to_their_values(registry: Registry, table: str) -> None:
    paths = {column.name: column.path for column in registry.contract(table).columns}
    found = {name: reduce(getitem, paths[name], VALID[table]) for name in ROWS[table]}
    assert found == ROWS[table]


@pytest.mark.parametrize("table", COLUMNS)
def test_the_first_and_last_columns_lead_to_the_envelope(registry: Registry, table: str) -> None:
    body = "prediction" if table.endswith("PRED") else "evaluation"
    paths = {column.name: column.path for column in registry.contract(table).columns}
    assert paths["account"] == ("account",)
    assert paths["id"] == ("detail", "id")
    assert paths["partition_key"] == ("detail", "partitionKey")
    assert paths["unix_timestamp"] == ("detail", body, "timestamp")
    assert paths["shape_id"] == ("detail", body, "shape_id")
    assert paths["date_time"] == ("time",)


def test_corrections_are_those_agreed_on(registry: Registry) -> None:
    found = {
        contract.table: [(each.rule, ".".join(each.member[2:])) for each in contract.corrections]
        for contract in registry.contracts
        if contract.corrections
    }
    summary = [("integer_to_string", "payload.paragraph")]
    illustration = [
        ("list_of_string", "payload.query"),
        ("list_of_string", "payload.search_terms"),
        ("list_of_string", "payload.tags"),
        ("json_text", "payload.search_match"),
        ("integer_to_string", "payload.media_id"),
        ("media_uri", "payload"),
        ("null_media_of_add_tag", "payload"),
    ]
    tags, media_id = ("list_of_string", "payload.image_tags"), ("integer_to_string", "payload.media_id")
    no_media = ("null_media_of_add_tag", "payload")
    assert found == {
        "MICROONE_EVENT": summary,
        "SUMMARIZER_EVENT": summary,
        "MICROTHREE_EVENT": illustration,
        "STE_EVENT": illustration,
        "SIM_EVENT": [("list_of_string", "payload.query"), tags, media_id, ("media_uri", "payload"), no_media],
        "IT_EVENT": [tags, media_id, no_media],
    }


def test_every_table_of_the_catalog_is_listed(registry: Registry) -> None:
    tables = {table.name: table for table in registry.tables()}
    assert tables.keys() == {*COLUMNS, "PROFILING_LOG", "DIRTY_EVENTS"}
    assert written(tables["PROFILING_LOG"].columns) == PROFILING_LOG
    assert written(tables["DIRTY_EVENTS"].columns) == DIRTY_EVENTS
    assert tables["MICROONE_EVENT"].columns == registry.contract("MICROONE_EVENT").table_columns
    assert all(table.doc and all(column.doc for column in table.columns) for table in tables.values())
