"""A deployed stage whose tables take every kind of commit, and what its own files say that the rows are."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cli.platform.local_cloud import require
from sluice.contracts.load import load_registry
from sluice.contracts.model import Column, Table
from tests.support.local.deployed_cloud import Cloud
from tests.support.local.emulated_lake import EmulatedLake

KINDS_OF_VALUES = "KINDS_OF_VALUES"
_COLUMNS = {
    "a_text": "string",
    "a_long": "bigint",
    "an_int": "int",
    "a_double": "double",
    "a_truth": "boolean",
    "a_time": "timestamp",
    "a_date": "date",
    "a_struct": "struct<name:string,inner:struct<score:double,since:timestamp>>",
    "a_list": "array<string>",
    "structs": "array<struct<label:string,scores:array<double>>>",
}
_WHOLE = {
    "a_text": "Ä 'quoted' \"twice\"\n\t\\ \u0000 \U0001f600",
    "a_long": 2**63 - 1,
    "an_int": -(2**31),
    "a_double": 0.1 + 0.2,
    "a_truth": True,
    "a_time": datetime(2024, 5, 14, 23, 59, 59, 999000),  # noqa: DTZ001 # without a zone, as the column
    "a_date": date(2000, 2, 29),
    "a_struct": {"name": "", "inner": {"score": -0.0, "since": datetime(1969, 12, 31, 23, 59, 59)}},  # noqa: DTZ001
    "a_list": ["x", None, "", "X"],
    "structs": [{"label": None, "scores": []}, None, {"label": "[a=b, {c}]", "scores": [1e308, 5e-324, None]}],
}
_ROWS: tuple[Mapping[str, Any], ...] = (
    _WHOLE,
    dict.fromkeys(_COLUMNS),
    {"a_text": "NaN", "a_double": math.nan, "a_list": [], "structs": [], "a_struct": {"name": None, "inner": None}},
    {"a_text": "", "a_double": -math.inf, "a_long": -(2**63), "a_time": datetime(2099, 12, 31, 23)},  # noqa: DTZ001
)


def commits(cloud: Cloud, folder: Path) -> Iterator[str]:
    """Let the tables of a stage take one kind of commit after the other; yield the name of each when it is done."""
    lake = EmulatedLake(require(), cloud.deployment)
    lake.prepare(KINDS_OF_VALUES, **_COLUMNS)
    lake.append(KINDS_OF_VALUES, _ROWS)
    yield "values of every kind"
    _convert(cloud, folder, seed=11)
    _convert(cloud, folder, seed=12)
    yield "Convert"
    cloud.run("compact")
    yield "compaction"
    newest, before = cloud.run("table", "microone_event")[:2]
    cloud.run("table", "microone_event", "--rollback", before["parent_id"] or newest["parent_id"], "--yes")
    yield "roll-back"
    cloud.run("table", "microone_event", "--rollback", newest["snapshot_id"], "--yes")
    for table in _gaining_columns():
        lake.tables.prepare(table)
    yield "columns added"
    _convert(cloud, folder, seed=13)
    yield "Convert, after columns were added"
    cloud.run("compact")
    yield "compaction, after columns were added"


def _gaining_columns() -> list[Table]:
    """Return some tables as a later contract has them: with a nested column more."""
    more = Column("added_later", (), "array<struct<score:double,since:timestamp>>", "what a later contract added")
    known = {table.name: table for table in load_registry().tables()}
    return [replace(known[name], columns=(*known[name].columns, more)) for name in ("MICROONE_EVENT", "MICROTWO_PRED")]


def _convert(cloud: Cloud, folder: Path, seed: int) -> None:
    files = folder / str(seed)
    cloud.run("generate", files, "--files", "8", "--events", "300", "--seed", str(seed))
    cloud.run("ingest", files)
    cloud.run("convert")


def tables_of(cloud: Cloud) -> dict[str, dict[str, str]]:
    """Return the Iceberg tables of the stage's catalog: the Glue type of each column, in their order."""
    pages = cloud.deployment.glue.get_paginator("get_tables").paginate(DatabaseName=cloud.output("Database"))
    return {
        table["Name"]: {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}
        for page in pages
        for table in page["TableList"]
        if "metadata_location" in table["Parameters"]
    }


def rows_of(cloud: Cloud, table: str, columns: Mapping[str, str]) -> list[list[Any]]:
    """Return the rows of a table's own files, with null where a file is older than a column."""
    return [[row.get(name) for name in columns] for row in cloud.rows(table)]
