from __future__ import annotations

import re

import pytest

from sluice.contracts.load import load_registry
from sluice.contracts.model import Table
from sluice.runs.keys import RUN_RECORDS_PREFIX
from sluice.runs.runs_table import RUNS
from sluice.vendor_exports.completeness.catalog import HISTORY_TABLES
from sluice.vendor_exports.completeness.keys import history_key
from tests.support.synthesis import Resource, Synthesis, text

GLUE_TABLE = "AWS::Glue::Table"
TABLES = load_registry().tables()
FLOWS = {"dev": "Test", "prd": "Prod"}


def test_one_table_per_contract_and_history_and_none_besides(stage: Synthesis) -> None:
    names = [table["Properties"]["TableInput"]["Name"] for table in stage.lake.of_type(GLUE_TABLE).values()]
    assert sorted(names) == sorted(table.name.lower() for table in (*TABLES, *HISTORY_TABLES, RUNS))


def test_the_database_is_the_stages(stage: Synthesis) -> None:
    (database,) = stage.lake.of_type("AWS::Glue::Database").values()
    assert database["Properties"]["DatabaseInput"]["Name"] == stage.stage.database
    assert stage.lake.body["Outputs"]["Database"]["Value"] == stage.stage.database


@pytest.mark.parametrize("table", [*TABLES, *HISTORY_TABLES, RUNS], ids=lambda table: table.name)
def test_columns_are_the_contracts_in_order(dev: Synthesis, table: Table) -> None:
    columns = _input(dev, table)["StorageDescriptor"]["Columns"]
    assert [(column["Name"], column["Type"]) for column in columns] == [(c.name, c.type) for c in table.columns]
    assert all(0 < len(column["Comment"]) <= 255 for column in columns), "the catalog's limit"


@pytest.mark.parametrize("table", [*TABLES, RUNS], ids=lambda table: table.name)
def test_partitions_are_projected_over_the_layout_that_is_written(dev: Synthesis, table: Table) -> None:
    declared = _input(dev, table)
    assert [(key["Name"], key["Type"]) for key in declared["PartitionKeys"]] == [
        (key, "int") for key in ("year", "month", "day", "hour")
    ]
    parameters = declared["Parameters"]
    assert parameters["projection.enabled"] == "true"
    assert parameters["projection.year.range"] == "2000,2099"
    assert parameters["projection.month.range"] == "1,12"
    assert parameters["projection.day.range"] == "1,31"
    assert parameters["projection.hour.range"] == "0,23"
    assert {parameters[f"projection.{key}.type"] for key in ("year", "month", "day", "hour")} == {"integer"}
    location = text(declared["StorageDescriptor"]["Location"])
    assert location.startswith("s3://<Lake")
    prefix = RUN_RECORDS_PREFIX if table is RUNS else f"data/clean_parquet/{table.name}.parquet/"
    assert location.endswith(f">/{prefix}")
    template = text(parameters["storage.location.template"])
    assert template == f"{location}year=${{year}}/month=${{month}}/day=${{day}}/hour=${{hour}}/"


@pytest.mark.parametrize("table", HISTORY_TABLES, ids=lambda table: table.name)
def test_a_history_is_one_folder_of_the_stages_flow_without_partitions(stage: Synthesis, table: Table) -> None:
    declared = _input(stage, table)
    assert declared["PartitionKeys"] == []
    assert declared["Parameters"] == {"classification": "parquet", "EXTERNAL": "TRUE"}
    location = text(declared["StorageDescriptor"]["Location"])
    assert re.fullmatch(r"s3://<Lake\w{8}>/(.+)", location)
    prefix = location.split(">/")[1]
    assert prefix == f"data/history/{FLOWS[stage.stage.name]}/{table.name}.parquet/"
    # The file that is written lies there, and not deeper than Athena looks.
    assert history_key(stage.stage.exports.environment, table.name).rpartition("/")[0] + "/" == prefix


def test_run_records_are_read_as_json(dev: Synthesis) -> None:
    declared = _input(dev, RUNS)
    assert declared["Parameters"]["classification"] == "json"
    storage = declared["StorageDescriptor"]
    assert storage["SerdeInfo"]["SerializationLibrary"] == "org.openx.data.jsonserde.JsonSerDe"
    assert storage["InputFormat"] == "org.apache.hadoop.mapred.TextInputFormat"
    assert storage["OutputFormat"].endswith("HiveIgnoreKeyTextOutputFormat")


@pytest.mark.parametrize("table", [*TABLES, *HISTORY_TABLES], ids=lambda table: table.name)
def test_all_others_are_read_as_parquet(dev: Synthesis, table: Table) -> None:
    declared = _input(dev, table)
    assert declared["Parameters"]["classification"] == "parquet"
    storage = declared["StorageDescriptor"]
    assert storage["SerdeInfo"]["SerializationLibrary"].endswith("ParquetHiveSerDe")
    assert storage["InputFormat"].endswith("MapredParquetInputFormat")
    assert storage["OutputFormat"].endswith("MapredParquetOutputFormat")


def _input(stage: Synthesis, table: Table) -> Resource:
    inputs = [each["Properties"]["TableInput"] for each in stage.lake.of_type(GLUE_TABLE).values()]
    (found,) = [each for each in inputs if each["Name"] == table.name.lower()]
    return dict(found)
