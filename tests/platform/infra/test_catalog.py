"""The tables of the Glue catalog against the contracts and the layout of the lake."""

import pytest

from sluice.contracts.load import load_registry
from sluice.contracts.model import Table
from sluice.pipelines import RUN_KINDS
from sluice.runs.runs_table import runs_table
from sluice.vendor_exports.completeness.history_files import HISTORY_TABLES
from tests.support.synthesis import Synthesis, Template

ICEBERG_TABLE = "Custom::IcebergTable"
EVENT_TABLES = load_registry().tables()
RUNS = runs_table(RUN_KINDS.values())
TABLES = (*EVENT_TABLES, RUNS, *HISTORY_TABLES)


def test_every_table_is_in_the_part_of_its_owner_and_none_is_files_of_a_folder(stage: Synthesis) -> None:
    def names(template: Template) -> list[str]:
        return sorted(each["Properties"]["Name"] for each in template.of_type(ICEBERG_TABLE).values())

    assert names(stage.lake) == [RUNS.name]
    assert names(stage.event_files) == sorted(table.name for table in EVENT_TABLES)
    assert names(stage.vendor_exports) == sorted(table.name for table in HISTORY_TABLES)
    assert not stage.template.of_type("AWS::Glue::Table")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_an_iceberg_table_has_the_contracts_columns_and_is_made_when_its_function_may(
    dev: Synthesis, table: Table
) -> None:
    (resource,) = [
        each for each in dev.template.of_type(ICEBERG_TABLE).values() if each["Properties"]["Name"] == table.name
    ]
    columns = [(each["Name"], each["Type"], each["Doc"]) for each in resource["Properties"]["Columns"]]
    assert columns == [(column.name, column.type, column.doc) for column in table.columns]
    assert [each["Name"] for each in resource["Properties"]["Partition"]] == [each.name for each in table.partition]
    assert all(0 < len(column.doc) <= 255 for column in table.columns), "the catalog's limit"
    kinds = {dict(dev.resources())[name]["Type"] for name in resource["DependsOn"]}
    assert kinds == {"AWS::Glue::Database", "AWS::IAM::Policy", "AWS::IAM::Role"}


def test_the_database_is_the_stages(stage: Synthesis) -> None:
    (database,) = stage.lake.of_type("AWS::Glue::Database").values()
    assert database["Properties"]["DatabaseInput"]["Name"] == stage.stage.database
    assert stage.lake.body["Outputs"]["Database"]["Value"] == stage.stage.database


def test_a_day_of_runs_is_one_folder_and_a_history_has_none() -> None:
    """A file each, which is replaced with every run or hour."""
    assert [column.name for column in RUNS.partition] == ["year", "month", "day"]
    assert [column.name for column in RUNS.columns[-4:]] == ["year", "month", "day", "hour"]
    assert not any(table.partition for table in HISTORY_TABLES)
