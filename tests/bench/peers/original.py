"""The original's chain of steps, from its description: explode, profile, correct and flatten, write Parquet.

Each step reads what the one before it wrote, as JSON. It is flattered: nothing goes over the network, no job has to
start, and it finds an event's table, rules and columns as ours does. The corrections are written down anew.
"""

import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sluice.contracts.model import Contract
from sluice.lake.object_store import parquet_key
from sluice.lake.parquet import arrow_schema
from tests.bench.clean_lines import row_of
from tests.bench.corpus import FAMILY
from tests.bench.peers.validators import CERBERUS, RECOGNISER, REGISTRY, parsed_by_json

TABLES = tuple(contract.table for contract in REGISTRY.contracts if contract.family.name == FAMILY)

Event = dict[str, Any]
Lake = dict[str, bytes]

_CLEAN, _DIRTY = "data/clean", "data/dirty"
_MEDIA = ("media_id", "media_type", "medialib")


def to_tables(files: Sequence[bytes]) -> Lake:
    """Make tables of files; the lake holds what every step wrote."""
    lake: Lake = {}
    for number, data in enumerate(files):
        _profile(str(number), data, lake)
    for table in TABLES:
        _write(REGISTRY.contract(table), list(_clean(table, lake)), lake)
    return lake


def _profile(name: str, data: bytes, lake: Lake) -> None:
    """Check each event of a file; put it where it belongs."""
    found: defaultdict[str, list[Event]] = defaultdict(list)
    for event in parsed_by_json(data):
        contract = RECOGNISER.recognise(event).contract
        if contract and not CERBERUS[contract.table](event):
            found[f"{_CLEAN}/{contract.table}"].append(event)
        else:
            found[_DIRTY].append(event)
    lake.update({f"{folder}/{name}.json": json.dumps(events).encode() for folder, events in found.items()})


def _clean(table: str, lake: Mapping[str, bytes]) -> Iterator[Event]:
    for key, body in list(lake.items()):
        if key.startswith(f"{_CLEAN}/{table}/"):
            yield from json.loads(body)


def _write(contract: Contract, events: Sequence[Event], lake: Lake) -> None:
    """Correct and flatten the events of a table; write a file per hour by way of Python objects."""
    hours: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        if correct := _CORRECTIONS.get(contract.table):
            correct(event)
        row = row_of(event, contract.columns)
        hours[row["date_time"][: len("2026-01-31T23")]].append(row)
    schema = arrow_schema(contract.columns)
    for hour, rows in hours.items():
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows, schema), buffer, compression="snappy")
        lake[parquet_key(contract.table, hour, "part")] = buffer.getvalue()


def _summary_prediction(event: Event) -> None:
    prediction = event["detail"]["prediction"]
    prediction["input"].setdefault("sentences_scores", None)
    for member in ("metadata", "skipped_paragraphs"):
        prediction["output"].setdefault(member, None)
    for sentence in prediction["input"]["sentences_scores"] or ():
        if isinstance(sentence.get("score"), int):
            sentence["score"] = float(sentence["score"])


def _summary_evaluation(event: Event) -> None:
    payload = event["detail"]["evaluation"]["payload"]
    if isinstance(payload["paragraph"], int):
        payload["paragraph"] = str(payload["paragraph"])


def _illustration_evaluation(event: Event) -> None:
    """Lists are lists, and media are named by text; none of the media is known here."""
    evaluation = event["detail"]["evaluation"]
    payload = evaluation["payload"]
    for member in ("query", "search_terms", "tags"):
        if isinstance(payload.get(member), str):
            payload[member] = [] if payload[member] == "null" else [payload[member]]
    if isinstance(payload.get("media_id"), int):
        payload["media_id"] = str(payload["media_id"])
    if payload.get("search_match") is not None and not isinstance(payload["search_match"], str):
        payload["search_match"] = json.dumps(payload["search_match"])
    if evaluation["type"] == "ADD_TAG":
        payload.update(dict.fromkeys(_MEDIA))


_CORRECTIONS: Mapping[str, Callable[[Event], None]] = {
    "MICROONE_PRED": _summary_prediction,
    "MICROONE_EVENT": _summary_evaluation,
    "MICROTHREE_EVENT": _illustration_evaluation,
}
