"""The content of simulated jobs, and the faults that change it."""

import gzip
import json
from typing import Any

import pytest

from cli.simulator import vendor_faults as faults
from cli.simulator.exports import TABLES, Exports, _files_of, files_of
from sluice.vendor_exports.delivery.model import MASTER_SCHEMA, table_of

USUAL = Exports(files=60)


def bodies(exports: Exports) -> dict[str, bytes]:
    return {name: content.read() for name, content in files_of(exports).items()}


def schema(exports: Exports) -> dict[str, dict[str, Any]]:
    return {entry["DataObjectName"]: entry for entry in json.loads(files_of(exports)[MASTER_SCHEMA].read())}


def delivered(exports: Exports) -> set[str]:
    return {table for name in files_of(exports) if (table := table_of(name))}


def rows(exports: Exports, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(files_of(exports)[name].read()).splitlines()]


def test_the_same_seed_gives_the_same_bytes_another_one_others() -> None:
    first = bodies(USUAL)
    _files_of.cache_clear()
    assert bodies(Exports(files=60)) == first
    other = bodies(Exports(files=60, seed=2))
    assert set(other) == set(first)
    assert other["Voyage_0.json.gz"] != first["Voyage_0.json.gz"]


@pytest.mark.parametrize("count", [4, 60, 300])
def test_as_many_files_as_asked_for_and_every_promised_table(count: int) -> None:
    exports = Exports(files=count)
    assert len(files_of(exports)) == count
    assert delivered(exports) == set(schema(exports))


def test_partitions_hold_rows_of_their_table() -> None:
    columns = {table.name: [name for name, _ in table.columns] for table in TABLES}
    for name in files_of(few := Exports(files=40)):
        if table := table_of(name):
            assert all(list(row) == columns[table] for row in rows(few, name))


def test_sizes_go_from_bytes_to_megabytes() -> None:
    sizes = [content.size for content in files_of(USUAL).values()]
    assert min(sizes) < 1000
    assert max(sizes) > 1_000_000


def test_metadata_and_scripts_begin_with_an_underscore() -> None:
    assert {name for name in files_of(USUAL) if not table_of(name)} == {
        MASTER_SCHEMA,
        "_Statistics.json",
        "_CreateTables.sql",
    }


def test_the_big_file_is_one_more_of_a_promised_table() -> None:
    exports = Exports(files=10, big_bytes=5_000_000_000)
    assert files_of(exports)["Document_0.bin"].size == 5_000_000_000
    assert len(files_of(exports)) == 11
    assert "Document" in schema(exports)


def test_tables_missing_and_added() -> None:
    spoiled = faults.table_added("CrewWages").exports(faults.tables_missing("Voyage", "Invoice").exports(USUAL))
    assert set(schema(spoiled)) - delivered(spoiled) == {"Voyage", "Invoice"}
    assert delivered(spoiled) - set(schema(spoiled)) == {"CrewWages"}


def test_a_column_added() -> None:
    spoiled = faults.column_added("CarbonIntensity").exports(USUAL)
    assert schema(spoiled)["Voyage"]["Columns"][-1] == {"ColumnName": "CarbonIntensity", "DataType": "decimal"}
    assert all("CarbonIntensity" in row for row in rows(spoiled, "Voyage_0.json.gz"))
    assert schema(spoiled)["Vessel"] == schema(USUAL)["Vessel"]


def test_a_schema_upgrade() -> None:
    spoiled = faults.schema_upgraded("2026.2").exports(USUAL)
    assert {entry["SchemaVersion"] for entry in schema(spoiled).values()} == {"2026.2"}
    assert set(schema(spoiled)) ^ set(schema(USUAL)) == {"Vessel", "VesselV2"}
    assert len(schema(spoiled)["Voyage"]["Columns"]) == len(schema(USUAL)["Voyage"]["Columns"]) - 1
    assert "int" not in {column["DataType"] for entry in schema(spoiled).values() for column in entry["Columns"]}
