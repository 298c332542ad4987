"""A contract's columns change while rows wait: what they held is kept, whichever contract converts them."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from sluice.contracts.model import Contract, Registry, Table, parse_hive
from sluice.event_files.convert.batches import Converted, Converter
from sluice.event_files.convert.model import BatchGroup
from sluice.event_files.validate.members import pointer
from sluice.lake.object_store import table_prefix
from tests.event_files.unit.convert.test_converting import TABLE, batch_of, read, rows_of
from tests.event_files.unit.validate.contract_events import CONTRACTS, REGISTRY
from tests.support.lake_tables import columns_of, schema_of
from tests.support.memory_object_store import MemoryObjectStore

by_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.table)


def registry(old: Contract, *new: Contract) -> Registry:
    """The registry with other contracts in place of one."""
    return Registry(REGISTRY.families, (*(each for each in REGISTRY.contracts if each.table != old.table), *new))


def narrowed(contract: Contract) -> Iterator[tuple[tuple[str, ...], Contract]]:
    """Yield the contract without each of its columns, and without each member of one; and the path of what is gone."""
    for place, column in enumerate(contract.columns):
        before, after = contract.columns[:place], contract.columns[place + 1 :]
        if column.name not in {"date_time", "id"}:
            yield column.path, replace(contract, columns=(*before, *after))
        fields = parse_hive(column.type).fields if column.type.startswith("struct") else ()
        for name, _ in fields if len(fields) > 1 else ():
            kept = ",".join(f"{each}:{type_}" for each, type_ in fields if each != name)
            smaller = replace(column, type=f"struct<{kept}>")
            yield (*column.path, name), replace(contract, columns=(*before, smaller, *after))


def convert(lines: list[bytes], contract: Contract, columns: str) -> list[dict[str, Any]]:
    """Convert lines that are clean by certain columns as a contract has it; return the rows in order."""
    files = MemoryObjectStore()
    batch = batch_of(files, contract.table, lines)
    batch = replace(batch, spans=tuple(replace(span, columns=columns) for span in batch.spans))
    assert (
        Converter(
            registry(contract, contract),
            files,
            lambda _: columns_of(Table(contract.table, contract.table_columns, "")),
            lambda: "attempt",
        )
        .convert(BatchGroup((batch,)))
        .receipts
    )
    return sorted(read(files, table_prefix(contract.table)).to_pylist(), key=lambda row: row["_source_offset"])


def kept_at(path: tuple[str, ...], row: dict[str, Any]) -> Any:
    """Return what a row's `_rescued` has at a path, or at an object on the way there."""
    rescued = json.loads(row["_rescued"])
    for depth in range(len(path), 0, -1):
        if (place := pointer([*path[:depth]])) in rescued:
            return value_at(rescued[place], path[depth:])
    return None


def value_at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


@by_contract
def test_what_a_column_held_is_rescued_where_the_column_is_gone(contract: Contract) -> None:
    lines = rows_of(contract.table, 6)
    before = convert(lines, contract, contract.columns_id)
    for path, changed in narrowed(contract):
        assert changed.columns_id != contract.columns_id
        after = convert(lines, changed, contract.columns_id)
        for line, old, new in zip(lines, before, after, strict=True):
            rescued = json.loads(old["_rescued"])
            assert kept_at(path, new) == rescued.get(pointer([*path]), value_at(orjson.loads(line), path)), path
            assert rescued.items() <= json.loads(new["_rescued"]).items(), path
            shared = old.keys() - {
                "_rescued",
                *(column.name for column in contract.columns if column.path == path[:-1]),
            }
            assert {name: new[name] for name in shared & new.keys()} == {
                name: old[name] for name in shared & new.keys()
            }


def test_what_a_wider_type_would_round_is_rescued() -> None:
    """The contract bounds numbers of a double; rows of before are bounded by what their column held."""
    contract, exact = REGISTRY.contract("MICROTWO_PRED"), 2**53
    lines = [
        re.sub(rb'"timestamp":\d+', b'"timestamp":%d' % (exact + more), line)
        for more, line in enumerate(rows_of(contract.table, 2))
    ]
    wider = [replace(column, type=column.type.replace("bigint", "double")) for column in contract.columns]
    place = "/detail/prediction/timestamp"
    rows = convert(lines, replace(contract, columns=tuple(wider)), contract.columns_id)
    assert [row["unix_timestamp"] for row in rows] == [float(exact)] * 2
    assert [json.loads(row["_rescued"]).get(place) for row in rows] == [None, exact + 1]


def test_zeros_keep_their_signs() -> None:
    contract = REGISTRY.contract("MICROTHREE_PRED")
    lines = [re.sub(rb'"scores":\[[^]]*\]', b'"scores":[-0,0,-0.0]', line) for line in rows_of(contract.table, 6)]
    narrower = replace(contract, columns=tuple(each for each in contract.columns if each.name != "sentence"))
    for each in (contract, narrower):
        assert {str(row["scores"]) for row in convert(lines, each, contract.columns_id)} == {"[-0.0, 0.0, -0.0]"}


def test_rows_of_the_contract_as_it_is_are_not_looked_through() -> None:
    """Only rows of other columns are: these are damaged, and only then is it seen."""
    contract = REGISTRY.contract(TABLE)
    lines = [line.replace(b'"_rescued":"{', b'"_rescued":"[') for line in rows_of(TABLE, 6)]
    assert len(convert(lines, contract, contract.columns_id)) == len(lines)
    files = MemoryObjectStore()
    assert len(convert_group(files, lines, REGISTRY).left_out) == len({"chunk-0", "chunk-1"})


def test_rows_of_a_table_that_is_gone_wait_and_block_no_other() -> None:
    files = MemoryObjectStore()
    left_out = convert_group(files, rows_of(TABLE, 6), registry(REGISTRY.contract(TABLE))).left_out
    assert [each.chunk_id for each in left_out] == ["chunk-0", "chunk-1"]
    assert all(f"no contract for table '{TABLE}'" in each.reason and not each.gone for each in left_out)


@by_contract
def test_rows_wait_while_their_table_lacks_what_the_contract_has_gained(contract: Contract) -> None:
    """A deployment changes functions and tables at the same time."""
    lines = rows_of(contract.table, 6)
    for path, before in narrowed(contract):
        files = MemoryObjectStore()
        group = BatchGroup((batch_of(files, contract.table, lines),))
        schemas = {contract.table: columns_of(Table(contract.table, before.table_columns, ""))}
        left_out = Converter(REGISTRY, files, schemas.__getitem__, lambda: "attempt").convert(group).left_out
        assert left_out, path
        assert all("deploy the stage" in each.reason for each in left_out)


def convert_group(files: MemoryObjectStore, lines: list[bytes], known: Registry) -> Converted:
    return Converter(known, files, schema_of, lambda: "attempt").convert(BatchGroup((batch_of(files, TABLE, lines),)))
