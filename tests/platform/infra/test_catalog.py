"""The tables of the Glue catalog against the contracts and the layout of the lake."""

import re

import pytest

from infra.vendor_exports.settings import VendorExports
from sluice.contracts.load import load_registry
from sluice.contracts.model import Table
from sluice.pipelines import RUN_KINDS
from sluice.runs.records import RUN_RECORDS_PREFIX
from sluice.runs.runs_table import runs_table
from sluice.vendor_exports.completeness.history_files import HISTORY_TABLES, history_key
from tests.support.synthesis import Resource, Synthesis, Template, text

GLUE_TABLE = "AWS::Glue::Table"
ICEBERG_TABLE = "Custom::IcebergTable"
TABLES = load_registry().tables()
RUNS = runs_table(RUN_KINDS.values())
FLOWS = {"dev": "Test", "prd": "Prod"}
PROJECTION = {"year": "2000,2099", "month": "1,12", "day": "1,31", "hour": "0,23"}
LAKE = r"s3://<LakeBucket\w{8}>/"


def test_every_table_is_in_the_part_of_its_owner(stage: Synthesis) -> None:
    def names(template: Template) -> list[str]:
        return sorted(table["Properties"]["TableInput"]["Name"] for table in template.of_type(GLUE_TABLE).values())

    assert names(stage.lake) == [RUNS.name.lower()]
    assert sorted(each["Properties"]["Name"] for each in stage.event_files.of_type(ICEBERG_TABLE).values()) == sorted(
        table.name for table in TABLES
    )
    assert names(stage.vendor_exports) == sorted(table.name.lower() for table in HISTORY_TABLES)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_an_iceberg_table_has_the_contracts_columns_and_is_made_when_its_function_may(
    dev: Synthesis, table: Table
) -> None:
    (resource,) = [
        each for each in dev.template.of_type(ICEBERG_TABLE).values() if each["Properties"]["Name"] == table.name
    ]
    columns = [(each["Name"], each["Type"], each["Doc"]) for each in resource["Properties"]["Columns"]]
    assert columns == [(column.name, column.type, column.doc) for column in table.columns]
    assert all(0 < len(column.doc) <= 255 for column in table.columns), "the catalog's limit"
    kinds = {dict(dev.resources())[name]["Type"] for name in resource["DependsOn"]}
    assert kinds == {"AWS::Glue::Database", "AWS::IAM::Policy", "AWS::IAM::Role"}


def test_the_database_is_the_stages(stage: Synthesis) -> None:
    (database,) = stage.lake.of_type("AWS::Glue::Database").values()
    assert database["Properties"]["DatabaseInput"]["Name"] == stage.stage.database
    assert stage.lake.body["Outputs"]["Database"]["Value"] == stage.stage.database


@pytest.mark.parametrize("table", [*HISTORY_TABLES, RUNS], ids=lambda table: table.name)
def test_columns_are_the_contracts_in_order(dev: Synthesis, table: Table) -> None:
    columns = _input(dev, table)["StorageDescriptor"]["Columns"]
    assert [(column["Name"], column["Type"]) for column in columns] == [(c.name, c.type) for c in table.columns]
    assert all(0 < len(column["Comment"]) <= 255 for column in columns), "the catalog's limit"


def test_the_partitions_of_run_records_are_projected_over_the_layout_that_is_written(dev: Synthesis) -> None:
    declared = _input(dev, RUNS)
    assert [(key["Name"], key["Type"]) for key in declared["PartitionKeys"]] == [(key, "int") for key in PROJECTION]
    parameters = declared["Parameters"]
    assert parameters["projection.enabled"] == "true"
    assert {key: parameters[f"projection.{key}.range"] for key in PROJECTION} == PROJECTION
    assert {parameters[f"projection.{key}.type"] for key in PROJECTION} == {"integer"}
    location = text(declared["StorageDescriptor"]["Location"])
    assert re.sub(LAKE, "lake/", location) == f"lake/{RUN_RECORDS_PREFIX}"
    template = text(parameters["storage.location.template"])
    assert template == f"{location}year=${{year}}/month=${{month}}/day=${{day}}/hour=${{hour}}/"


@pytest.mark.parametrize("table", HISTORY_TABLES, ids=lambda table: table.name)
def test_a_history_is_one_folder_of_the_stages_flow_without_partitions(stage: Synthesis, table: Table) -> None:
    declared = _input(stage, table)
    assert declared["PartitionKeys"] == []
    assert declared["Parameters"] == {"classification": "parquet", "EXTERNAL": "TRUE"}
    prefix = re.sub(LAKE, "", text(declared["StorageDescriptor"]["Location"]))
    assert prefix == f"data/history/{FLOWS[stage.stage.name]}/{table.name}.parquet/"
    # The file that is written lies there, and not deeper than Athena looks.
    assert history_key(stage.stage.settings(VendorExports).environment, table.name).rpartition("/")[0] + "/" == prefix


@pytest.mark.parametrize("table", [*HISTORY_TABLES, RUNS], ids=lambda table: table.name)
def test_run_records_are_read_as_json_and_all_others_as_parquet(dev: Synthesis, table: Table) -> None:
    declared = _input(dev, table)
    storage = declared["StorageDescriptor"]
    told = (declared["Parameters"]["classification"], storage["SerdeInfo"]["SerializationLibrary"])
    formats = (storage["InputFormat"].rpartition(".")[2], storage["OutputFormat"].rpartition(".")[2])
    if table is RUNS:
        assert told == ("json", "org.openx.data.jsonserde.JsonSerDe")
        assert formats == ("TextInputFormat", "HiveIgnoreKeyTextOutputFormat")
    else:
        assert told == ("parquet", "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe")
        assert formats == ("MapredParquetInputFormat", "MapredParquetOutputFormat")


def _input(stage: Synthesis, table: Table) -> Resource:
    inputs = [each["Properties"]["TableInput"] for each in stage.template.of_type(GLUE_TABLE).values()]
    (found,) = [each for each in inputs if each["Name"] == table.name.lower()]
    return dict(found)
